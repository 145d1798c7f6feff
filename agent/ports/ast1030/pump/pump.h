/*
 * The pump monitor: four sensors on a bus, limits from a configuration, telemetry. Everything is an
 * integer: ml/s, kPa, thousandths of a degree (mdeg), um/s, mA. A release and a variant are each a
 * table, chosen by which file is linked.
 */
#ifndef PUMP_PUMP_H
#define PUMP_PUMP_H

#include "config.h"
#include "fw/app.h"
#include "sensors.h"

struct pump {
    struct pump_config config;
    struct pump_reading now;
    uint32_t samples, missed; /* readings taken; those that the bus did not give */
    uint32_t alarms;          /* bits of enum pump_alarm, of the last reading */
};

enum pump_alarm {
    PUMP_ALARM_FLOW = 1,
    PUMP_ALARM_PRESSURE = 2,
    PUMP_ALARM_MOTOR = 4,
    PUMP_ALARM_VIBRATION = 8
};

/* What a version does more than sample and compare. */
struct pump_release {
    int64_t built_ms;
    const char *title;
    void (*start)(void);
    void (*sampled)(const struct pump *pump); /* behind each reading */
    void (*measure)(struct agent_text *json); /* its own members */
};
extern const struct pump_release pump_release;

/* What a build does wrong on purpose. The good one does nothing. */
struct pump_variant {
    const char *name;
    void (*at_start)(void);
    void (*during)(const struct fw_life *life);
    uint8_t vibration_chip; /* the identity that the driver accepts */
    uint16_t config_format; /* the oldest that it reads */
    bool wants_mqtt, sends_telemetry;
};
extern const struct pump_variant pump_variant;

/* ,"key":number */
void pump_put_member(struct agent_text *json, const char *key, int32_t number);

#endif
