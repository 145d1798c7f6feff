/* Inside of the device: what its files call of each other. */
#ifndef DAEMON_DEVICE_INTERNAL_H
#define DAEMON_DEVICE_INTERNAL_H

#include "daemon/device.h"

#define DEVICE_LOG(device, level, event, ...)                                                      \
    AGENT_LOG((device)->config->log, (level), (event), __VA_ARGS__)

/* device.c */
int64_t device_utc_ms(const struct agent_device *device);
void device_input(struct agent_device *device, const struct agent_event *event);
void device_reset(struct agent_device *device, enum boot_reset reset);
uint32_t device_random(void *ctx);
/* Starts or restarts a one-shot timer. */
void device_after(struct agent_device *device, ev_timer *timer, int64_t ms);

/* device_mqtt.c */
int device_mqtt_create(struct agent_device *device);
void device_mqtt_connect(struct agent_device *device);
/* The token that `published` brings back, 0: not sent. */
uint32_t device_publish(struct agent_device *device, const char *topic, const void *payload,
                        uint32_t len, int qos, bool retain);
void device_publish_status(struct agent_device *device, const struct agent_action *action);

/* device_http.c */
void device_http_init(struct agent_device *device);
void device_http_get(struct agent_device *device, const char *url, uint32_t offset);
void device_http_cancel(struct agent_device *device);

/* device_telemetry.c */
void device_telemetry_init(struct agent_device *device);
void device_telemetry_send(struct agent_device *device);
void device_telemetry_acked(struct agent_device *device); /* that of telemetry_token */
/* With the connection: what was not acknowledged is told again in the next one. */
void device_telemetry_lost(struct agent_device *device);

/* device_status.c: text as the inside of a JSON string, with both quotation marks; cut off when it
 * does not fit. */
void device_json_string(char *out, size_t size, const char *text);

#endif
