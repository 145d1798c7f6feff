/* A device's MQTT connection with a memory of what it was told. */
#ifndef TEST_DRIVERS_DEVICE_H
#define TEST_DRIVERS_DEVICE_H

#include "drivers/mqtt.h"
#include "world.h"

enum device_event {
    DEVICE_UP,
    DEVICE_DOWN,
    DEVICE_MESSAGE,
    DEVICE_PUBLISHED,
    DEVICE_DROPPED,
    DEVICE_ANSWERED,
    DEVICE_EVENTS
};

struct device {
    struct agent_mqtt *mqtt;
    struct agent_mqtt_config config;
    char subscribed[80];
    int count[DEVICE_EVENTS];
    char why[160]; /* of the last `down` */
    char topic[80];
    unsigned char payload[8192]; /* of the last message */
    uint32_t len;                /* of the last message, or dropped one */
    uint32_t token;
    int kept, refuse_keep; /* `keep` that said yes; how often it will say no */
    void (*hook)(struct device *device, enum device_event event); /* inside the event */
    enum device_event strike_at;
    int strike;
};

/* Not connected; topic "in/<id>"; trusts world.tls, expects the world's address. */
void device_make(struct device *device, const char *id, uint16_t port);
void device_connect(struct device *device); /* the call must succeed */
void device_up(struct device *device);      /* connects and waits for `up` */
/* Connects and waits until it is refused, at once or by `down`; the phrase is in device->why. */
void device_refused(struct device *device);
void device_publish(struct device *device, const char *topic, const char *text, uint32_t token);

#endif
