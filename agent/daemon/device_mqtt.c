/* The connection: kept up with backoff and jitter; messages in; what was acknowledged. */
#include "device_internal.h"
#include <string.h>

/* A connection which lasts less counts as failed: a broker that lets a device in and throws it out
 * at once is not asked every second. */
enum { LASTING_MS = 10000 };

static void try_later(struct agent_device *device, const char *why)
{
    device->attempts++;
    uint32_t delay_ms =
        agent_mqtt_retry_ms(device->config->reconnect_first_ms, device->config->reconnect_max_ms,
                            device->attempts, device_random(NULL));
    DEVICE_LOG(device, AGENT_LOG_WARN, "mqtt_down", AGENT_TEXT("reason", why),
               AGENT_NUMBER("retry_ms", delay_ms));
    device_after(device, &device->reconnect_timer, delay_ms);
}

void device_mqtt_connect(struct agent_device *device)
{
    char why[160] = "";
    DEVICE_LOG(device, AGENT_LOG_DEBUG, "mqtt_connect",
               AGENT_TEXT("host", device->mqtt_config.host),
               AGENT_NUMBER("port", device->mqtt_config.port));
    if (agent_mqtt_connect(device->mqtt, why, sizeof why))
        try_later(device, why);
}

static void reconnect_due(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct agent_device *device = timer->data;
    (void)loop, (void)events;
    if (!device->stopping)
        device_mqtt_connect(device);
}

static void on_up(void *ctx)
{
    struct agent_device *device = ctx;
    char online[AGENT_TOPIC_MAX + 32];
    DEVICE_LOG(device, AGENT_LOG_INFO, "mqtt_up", AGENT_TEXT("host", device->mqtt_config.host),
               AGENT_NUMBER("port", device->mqtt_config.port));
    device->up_since_ms = agent_time_since_ms();
    snprintf(online, sizeof online, "{\"device_id\":\"%s\",\"online\":true}",
             device->agent_config.device_id);
    device_publish(device, device->presence_topic, online, (uint32_t)strlen(online), 1, true);
    device->config->hooks.changed(device->config->ctx);
    device_input(device, &(struct agent_event){.kind = AGENT_EV_MQTT_UP});
    device_telemetry_send(device);
}

static void on_down(void *ctx, const char *why)
{
    struct agent_device *device = ctx;
    int64_t lasted_ms = agent_time_since_ms() - device->up_since_ms;
    if (device->up_since_ms && lasted_ms >= LASTING_MS)
        device->attempts = 0;
    if (device->stopping) {
        device_after(device, &device->stop_timer, 0);
        return;
    }
    device_input(device, &(struct agent_event){.kind = AGENT_EV_MQTT_DOWN});
    if (!device->running)
        return;
    device->up_since_ms = 0;
    device->status_token = 0;
    device_telemetry_lost(device);
    device->config->hooks.changed(device->config->ctx);
    try_later(device, why);
}

static void refused(const struct agent_device *device, const char *topic, uint32_t len,
                    const char *why)
{
    DEVICE_LOG(device, AGENT_LOG_WARN, "refused", AGENT_TEXT("topic", topic),
               AGENT_NUMBER("bytes", len), AGENT_TEXT("reason", why));
}

/* The core refuses what it can't read, silently; the log says so here, and never what it was. */
static void on_message(void *ctx, const char *topic, const void *payload, uint32_t len)
{
    struct agent_device *device = ctx;
    bool notification = !strcmp(topic, device->notification_topic);
    union {
        struct agent_notification notification;
        struct agent_command command;
    } parsed;
    if (!notification && strcmp(topic, device->command_topic)) {
        refused(device, topic, len, "a topic that was not asked for");
        return;
    }
    int error = notification ? agent_notification_parse(&parsed.notification, payload, len)
                             : agent_command_parse(&parsed.command, payload, len);
    if (error)
        refused(device, topic, len, agent_error_name(error));
    else
        DEVICE_LOG(device, AGENT_LOG_DEBUG, "message", AGENT_TEXT("topic", topic),
                   AGENT_NUMBER("bytes", len));
    device_input(device, &(struct agent_event){.kind = notification ? AGENT_EV_NOTIFICATION
                                                                    : AGENT_EV_COMMAND,
                                               .bytes = payload,
                                               .len = len});
}

static void on_dropped(void *ctx, const char *topic, uint32_t len)
{
    refused(ctx, topic, len, "too large");
}

static void on_published(void *ctx, uint32_t token)
{
    struct agent_device *device = ctx;
    if (device->stopping && token == device->presence_token) {
        device_after(device, &device->stop_timer, 0);
    } else if (token == device->status_token) {
        device->status_token = 0;
        device_input(device,
                     &(struct agent_event){.kind = AGENT_EV_PUBLISHED, .id = device->status_id});
    } else if (token == device->telemetry_token) {
        device->telemetry_token = 0;
        device_telemetry_acked(device);
    }
}

uint32_t device_publish(struct agent_device *device, const char *topic, const void *payload,
                        uint32_t len, int qos, bool retain)
{
    if (!agent_mqtt_is_up(device->mqtt))
        return 0;
    if (!++device->token)
        device->token++;
    int error = agent_mqtt_publish(device->mqtt, topic, payload, len, qos, retain, device->token);
    return error ? 0 : device->token;
}

/* What could not be handed over is sent again by the agent after the next connection. */
void device_publish_status(struct agent_device *device, const struct agent_action *action)
{
    DEVICE_LOG(device, AGENT_LOG_DEBUG, "status", AGENT_NUMBER("seq", action->id));
    device->status_id = action->id;
    device->status_token =
        device_publish(device, device->status_topic, action->payload, action->len, 1, false);
}

int device_mqtt_create(struct agent_device *device)
{
    static const struct agent_mqtt_events events = {
        .up = on_up,
        .down = on_down,
        .message = on_message,
        .published = on_published,
        .dropped = on_dropped,
    };
    struct agent_mqtt_config *mqtt = &device->mqtt_config;
    snprintf(device->offline, sizeof device->offline, "{\"device_id\":\"%s\",\"online\":false}",
             device->agent_config.device_id);
    *mqtt = device->config->mqtt;
    mqtt->client_id = device->agent_config.device_id;
    mqtt->will_topic = device->presence_topic;
    mqtt->will_payload = device->offline;
    mqtt->topic[0] = device->notification_topic;
    mqtt->topic[1] = device->command_topic;
    mqtt->topics = 2;
    mqtt->message_bytes_max = AGENT_INPUT_MAX;
    ev_init(&device->reconnect_timer, reconnect_due);
    device->reconnect_timer.data = device;
    return agent_mqtt_create(&device->mqtt, device->config->loop, mqtt, &events, device);
}
