/* MQTT by the gateway: it keeps the connection up, the board is told and says what it publishes. */
#include "device.h"

enum { TEXT_MAX = 120 };

/* A text of a message as a string. */
static void text_of(char out[TEXT_MAX + 1], const struct link_message *message)
{
    uint32_t len = message->len < TEXT_MAX ? message->len : TEXT_MAX;
    for (uint32_t i = 0; i < len; i++)
        out[i] = message->bytes[i] ? (char)message->bytes[i] : '?';
    out[len] = '\0';
}

/* Statuses and windows need the time, so that the agent hears of the connection behind it. */
static void up(struct fw_device *device)
{
    if (!device->time_known) {
        device->mqtt_waits = true;
        return;
    }
    if (device->mqtt_up)
        return;
    device->mqtt_up = true;
    device->mqtt_waits = false;
    FW_LOG(device, "info", "mqtt_up", FW_NUMBER("up_ms", fw_mono_ms()));
    fw_core_input(device, &(struct agent_event){.kind = AGENT_EV_MQTT_UP});
    fw_telemetry_send(device);
}

void fw_mqtt_time_known(struct fw_device *device)
{
    if (device->mqtt_waits)
        up(device);
}

void fw_mqtt_lost(struct fw_device *device, const char *why)
{
    bool was_up = device->mqtt_up;
    device->mqtt_up = device->mqtt_waits = false;
    if (!was_up)
        return;
    FW_LOG(device, "warn", "mqtt_down", FW_TEXT("reason", why));
    device->status_token = device->telemetry_token = device->faults_sent = 0;
    device->telemetry_mono = 0;
    device->post[FW_POST_STATUS].len = device->post[FW_POST_TELEMETRY].len = 0;
    device->post[FW_POST_PONG].len = 0;
    fw_core_input(device, &(struct agent_event){.kind = AGENT_EV_MQTT_DOWN});
}

/* The core refuses what it can't read, silently; the log says so here, and never what it was. */
static void incoming(struct fw_device *device, const struct link_message *message)
{
    bool notification = message->topic == LINK_TOPIC_NOTIFICATION;
    union {
        struct agent_notification notification;
        struct agent_command command;
    } parsed;
    if (!notification && message->topic != LINK_TOPIC_COMMAND)
        return;
    const char *json = message->len ? (const char *)message->bytes : "";
    int error = notification ? agent_notification_parse(&parsed.notification, json, message->len)
                             : agent_command_parse(&parsed.command, json, message->len);
    if (error)
        FW_LOG(device, "warn", "refused",
               FW_TEXT("topic", notification ? "notification" : "command"),
               FW_NUMBER("bytes", message->len), FW_TEXT("reason", agent_error_name(error)));
    fw_core_input(device, &(struct agent_event){.kind = notification ? AGENT_EV_NOTIFICATION
                                                                     : AGENT_EV_COMMAND,
                                                .bytes = json,
                                                .len = message->len});
}

static void published(struct fw_device *device, uint32_t token)
{
    if (token && token == device->status_token) {
        device->status_token = 0;
        fw_core_input(device,
                      &(struct agent_event){.kind = AGENT_EV_PUBLISHED, .id = device->status_id});
    } else if (token && token == device->telemetry_token) {
        device->telemetry_token = 0;
        fw_telemetry_acked(device);
    }
}

void fw_mqtt_message(struct fw_device *device, const struct link_message *message)
{
    char why[TEXT_MAX + 1];
    switch (message->kind) {
    case LINK_MQTT_UP:
        up(device);
        break;
    case LINK_MQTT_DOWN:
        text_of(why, message);
        fw_mqtt_lost(device, why);
        break;
    case LINK_INCOMING:
        incoming(device, message);
        break;
    case LINK_PUBLISHED:
        published(device, message->token);
        break;
    default: /* what only a board says */
        FW_LOG(device, "warn", "line_refused", FW_NUMBER("kind", message->kind));
        break;
    }
}

/* What was not handed over is sent again by the agent after the next connection. */
void fw_mqtt_status(struct fw_device *device, const struct agent_action *action)
{
    device->status_id = action->id;
    device->status_token = ++device->token;
    fw_post(device, FW_POST_STATUS,
            &(struct link_message){.kind = LINK_PUBLISH,
                                   .topic = LINK_TOPIC_STATUS,
                                   .token = device->status_token,
                                   .bytes = (const uint8_t *)action->payload,
                                   .len = action->len});
}

void fw_mqtt_pong(struct fw_device *device, const struct agent_action *action)
{
    fw_post(device, FW_POST_PONG,
            &(struct link_message){.kind = LINK_PUBLISH,
                                   .topic = LINK_TOPIC_TELEMETRY,
                                   .bytes = (const uint8_t *)action->payload,
                                   .len = action->len});
}
