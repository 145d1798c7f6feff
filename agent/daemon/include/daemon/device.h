/*
 * One device on a libev loop: the agent's core, its MQTT connection, its downloads, its timers and
 * its telemetry. Knows no file, process or configuration text: the daemon runs one of these, a
 * fleet in one process runs thousands on one loop.
 *
 * Ownership: the caller owns struct agent_device (it may not be moved) and the configuration, which
 * is constant until agent_device_free. One thread. NULL is misuse unless a comment allows it.
 * Nothing here survives a power cut but what the core put into flash; agent_device_free is one.
 */
#ifndef DAEMON_DEVICE_H
#define DAEMON_DEVICE_H

#include "agent/agent.h"
#include "daemon_kit/log.h"
#include "drivers/http.h"
#include "drivers/mqtt.h"

/* What happens to the device. Never called from agent_device_start. */
struct agent_device_hooks {
    void (*kick)(void *ctx); /* every kick_every_ms while the watchdog may be kicked */
    /* The device resets now, as the agent asked (SOFTWARE) or by a fault. Connections are dropped;
     * nothing follows, and agent_device_free is the caller's next call, from the loop. */
    void (*reset)(void *ctx, enum boot_reset reset);
    void (*stopped)(void *ctx);               /* answer to agent_device_stop */
    void (*told)(void *ctx, uint32_t faults); /* so many faults were acknowledged in telemetry */
    void (*changed)(void *ctx); /* state or connection: agent_device_status is another */
};

struct agent_device_config {
    struct ev_loop *loop;
    struct agent_config agent; /* random, on_state and ctx are the device's own */
    struct agent_boot boot;
    struct agent_mqtt_config mqtt; /* topics, will and message_bytes_max are the device's own */
    struct agent_http *http;       /* may be shared */
    struct agent_request request;  /* url and offset are the device's own */
    struct agent_clock clock;      /* UTC of this device; utc_ms must not be NULL */
    uint32_t reconnect_first_ms, reconnect_max_ms; /* 1 s, 5 min */
    uint32_t telemetry_every_ms, kick_every_ms;
    uint32_t faults;         /* watchdog resets and hard faults not told yet */
    uint32_t faults_total;   /* those of its life */
    const char *energy_file; /* microwatts as text (hwmon's power1_input); NULL: not measured */
    const struct agent_log *log;
    /* Test aids: what this image does wrong. hard_fault strikes in a trial only. */
    bool hang, hard_fault, no_mqtt, no_drivers, no_config, no_telemetry;
    struct agent_device_hooks hooks;
    void *ctx;
};

enum { AGENT_TOPIC_MAX = 64, AGENT_STATUS_TEXT = 640 };

/* Members are private to device*.c. */
struct agent_device {
    const struct agent_device_config *config;
    struct agent_config agent_config;
    struct agent_mqtt_config mqtt_config;
    struct agent agent;
    struct agent_mqtt *mqtt;
    struct agent_transfer *transfer;
    char notification_topic[AGENT_TOPIC_MAX], command_topic[AGENT_TOPIC_MAX];
    char status_topic[AGENT_TOPIC_MAX], telemetry_topic[AGENT_TOPIC_MAX];
    char presence_topic[AGENT_TOPIC_MAX], offline[AGENT_TOPIC_MAX + 32];
    ev_timer agent_timer, reconnect_timer, telemetry_timer, kick_timer, fault_timer, http_timer,
        stop_timer;
    bool running;      /* the agent's core was started and may be fed */
    bool trial;        /* the watchdog may not be kicked */
    bool stopping;     /* agent_device_stop was called */
    uint32_t attempts; /* connections in a row that did not last */
    int64_t up_since_ms;
    int64_t now_ms, now_since_ms; /* anchor of the agent's clock (device.c) */
    uint32_t token, status_token, status_id, presence_token;
    uint32_t telemetry_token; /* of the first telemetry under way, 0: none is */
    uint32_t telemetry_seq, faults;
    uint32_t faults_sent; /* of faults, those that the telemetry of telemetry_token tells */
    bool telemetry_acked;
    int64_t cpu_ms, cpu_since_ms;
};

/* Starts the application after a boot. 0; -1: no memory for a connection (nothing to free). */
int agent_device_start(struct agent_device *device, const struct agent_device_config *config);

/* An order in the form of ota/command's payload. */
void agent_device_command(struct agent_device *device, const char *json, uint32_t len);

/* One JSON object: device_id, state, version, slot, trial, connected, pending, received_bytes. */
void agent_device_status(const struct agent_device *device, char out[AGENT_STATUS_TEXT]);

/* A clean end: retained "offline", DISCONNECT, then hooks.stopped; a second at most. */
void agent_device_stop(struct agent_device *device);

/* Drops everything, without an event. */
void agent_device_free(struct agent_device *device);

#endif
