#include "device.h"
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static void tell(struct device *device, enum device_event event)
{
    device->count[event]++;
    if (device->hook)
        device->hook(device, event);
}

static void on_up(void *ctx)
{
    tell(ctx, DEVICE_UP);
}

static void on_down(void *ctx, const char *why)
{
    struct device *device = ctx;
    snprintf(device->why, sizeof device->why, "%s", why);
    tell(device, DEVICE_DOWN);
}

static void on_message(void *ctx, const char *topic, const void *payload, uint32_t len)
{
    struct device *device = ctx;
    snprintf(device->topic, sizeof device->topic, "%s", topic);
    device->len = len;
    memcpy(device->payload, payload, len < sizeof device->payload ? len : sizeof device->payload);
    tell(device, DEVICE_MESSAGE);
}

static bool on_keep(void *ctx)
{
    struct device *device = ctx;
    if (device->refuse_keep > 0)
        return device->refuse_keep-- < 0;
    device->kept++;
    return true;
}

static void on_published(void *ctx, uint32_t token)
{
    struct device *device = ctx;
    device->token = token;
    tell(device, DEVICE_PUBLISHED);
}

static void on_dropped(void *ctx, const char *topic, uint32_t len)
{
    struct device *device = ctx;
    snprintf(device->topic, sizeof device->topic, "%s", topic);
    device->len = len;
    tell(device, DEVICE_DROPPED);
}

static void on_answered(void *ctx)
{
    tell(ctx, DEVICE_ANSWERED);
}

static const struct agent_mqtt_events events = {.up = on_up,
                                                .down = on_down,
                                                .message = on_message,
                                                .keep = on_keep,
                                                .published = on_published,
                                                .answered = on_answered,
                                                .dropped = on_dropped};

void device_make(struct device *device, const char *id, uint16_t port)
{
    *device = (struct device){0};
    snprintf(device->subscribed, sizeof device->subscribed, "in/%s", id);
    device->config = (struct agent_mqtt_config){.tls = world.tls,
                                                .host = world.address,
                                                .client_id = id,
                                                .topic = {device->subscribed},
                                                .topics = 1,
                                                .message_bytes_max = sizeof device->payload,
                                                .port = port,
                                                .keepalive_s = 60,
                                                .connect_within_s = 20};
    cr_assert_eq(agent_mqtt_create(&device->mqtt, world.loop, &device->config, &events, device), 0);
}

void device_connect(struct device *device)
{
    int error = agent_mqtt_connect(device->mqtt, device->why, sizeof device->why);
    cr_assert_eq(error, 0, "%s", device->why);
}

void device_up(struct device *device)
{
    int before = device->count[DEVICE_UP], downs = device->count[DEVICE_DOWN];
    device_connect(device);
    WORLD_UNTIL(device->count[DEVICE_UP] > before || device->count[DEVICE_DOWN] > downs);
    cr_assert_eq(device->count[DEVICE_DOWN], downs, "%s", device->why);
}

void device_refused(struct device *device)
{
    int downs = device->count[DEVICE_DOWN];
    if (agent_mqtt_connect(device->mqtt, device->why, sizeof device->why))
        return;
    WORLD_UNTIL(device->count[DEVICE_DOWN] > downs || device->count[DEVICE_UP]);
    cr_assert_eq(device->count[DEVICE_UP], 0, "it was let in");
    cr_assert_eq(device->count[DEVICE_DOWN], downs + 1);
}

void device_publish(struct device *device, const char *topic, const char *text, uint32_t token)
{
    int error =
        agent_mqtt_publish(device->mqtt, topic, text, (uint32_t)strlen(text), 1, false, token);
    cr_assert_eq(error, 0);
}
