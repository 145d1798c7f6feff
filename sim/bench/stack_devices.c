/* Devices on agent_mqtt, as the loopback world has them: they connect, and they say something. */
#include "stack.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char status[] = "{\"device_id\":\"bench-0000\",\"seq\":1,\"campaign\":\"bench\","
                             "\"state\":\"downloading\",\"version\":\"2.3.1\",\"progress\":50}";

struct bench_device {
    struct bench_devices *all;
    struct agent_mqtt *mqtt;
    struct agent_mqtt_config config;
    char id[32], secret[32], topic[4][64], will[64];
};

struct bench_devices {
    struct bench_stack *stack;
    struct bench_device device[BENCH_DEVICES], service;
    uint32_t up, begun; /* of those that connect */
    uint32_t to_say, said, heard;
};

static void begin(struct bench_device *device)
{
    char why[160];
    if (agent_mqtt_connect(device->mqtt, why, sizeof why))
        bench_fail(device->all->stack, "%s: %s", device->id, why);
}

static void on_up(void *ctx)
{
    struct bench_device *device = ctx;
    struct bench_devices *all = device->all;
    all->up++;
    if (device != &all->service && all->begun < BENCH_DEVICES)
        begin(&all->device[all->begun++]);
}

static void on_down(void *ctx, const char *why)
{
    const struct bench_device *device = ctx;
    bench_fail(device->all->stack, "%s: %s", device->id, why);
}

static void say(struct bench_device *device)
{
    struct bench_devices *all = device->all;
    if (!all->to_say)
        return;
    all->to_say--;
    if (agent_mqtt_publish(device->mqtt, device->topic[0], status, sizeof status - 1, 1, false, 0))
        bench_fail(all->stack, "%s: not published", device->id);
}

static void on_published(void *ctx, uint32_t token)
{
    struct bench_device *device = ctx;
    (void)token;
    device->all->said++;
    say(device);
}

static void on_message(void *ctx, const char *topic, const void *payload, uint32_t len)
{
    const struct bench_device *device = ctx;
    (void)topic, (void)payload, (void)len;
    device->all->heard++;
}

static const struct agent_mqtt_events events = {
    .up = on_up, .down = on_down, .message = on_message, .published = on_published};

static int create(struct bench_device *device, struct bench_devices *all)
{
    device->all = all;
    device->config.tls = all->stack->tls;
    device->config.host = "127.0.0.1";
    device->config.server_name = SIM_BROKER_NAME;
    device->config.port = all->stack->servers.broker.port[SIM_CERT_GOOD];
    device->config.client_id = device->config.user = device->id;
    device->config.secret = device->secret;
    device->config.message_bytes_max = 16384;
    device->config.keepalive_s = 60;
    device->config.connect_within_s = 30;
    return agent_mqtt_create(&device->mqtt, all->stack->loop, &device->config, &events, device);
}

static int create_device(struct bench_device *device, struct bench_devices *all, uint32_t number)
{
    static const char *const prefix[] = {"ota/status/", "ota/notification/", "ota/command/",
                                         "ota/presence/"};
    snprintf(device->id, sizeof device->id, "bench-%04u", number);
    snprintf(device->secret, sizeof device->secret, "bench-secret-%04u", number);
    for (int i = 0; i < 4; i++)
        snprintf(device->topic[i], sizeof device->topic[i], "%s%s", prefix[i], device->id);
    snprintf(device->will, sizeof device->will, "{\"device_id\":\"%s\",\"online\":false}",
             device->id);
    device->config.topic[0] = device->topic[1];
    device->config.topic[1] = device->topic[2];
    device->config.topics = 2;
    device->config.will_topic = device->topic[3];
    device->config.will_payload = device->will;
    return create(device, all);
}

static int create_service(struct bench_devices *all)
{
    struct bench_device *service = &all->service;
    snprintf(service->id, sizeof service->id, "service");
    snprintf(service->secret, sizeof service->secret, "%s", BENCH_SERVICE_SECRET);
    service->config.topic[0] = "ota/status/+";
    service->config.topics = 1;
    return create(service, all);
}

int bench_devices_open(struct bench_devices **out, struct bench_stack *stack)
{
    struct bench_devices *all = *out = calloc(1, sizeof *all);
    if (!all)
        return -1;
    all->stack = stack;
    for (uint32_t d = 0; d < BENCH_DEVICES; d++)
        if (create_device(&all->device[d], all, d))
            return -1;
    return create_service(all);
}

void bench_devices_close(struct bench_devices *all)
{
    if (!all)
        return;
    for (uint32_t d = 0; d < BENCH_DEVICES; d++)
        agent_mqtt_destroy(all->device[d].mqtt);
    agent_mqtt_destroy(all->service.mqtt);
    free(all);
}

int bench_devices_connect(struct bench_devices *all, struct bench_cost *cost,
                          struct bench_memory *memory)
{
    if (memory)
        bench_memory_mark(memory);
    bench_begin(cost);
    all->up = all->begun = 0;
    while (all->begun < BENCH_UNDER_WAY)
        begin(&all->device[all->begun++]);
    if (bench_until(all->stack, &all->up, BENCH_DEVICES))
        return -1;
    bench_end(cost, BENCH_DEVICES);
    if (memory)
        bench_memory_grown(memory);
    return 0;
}

/* The broker is done with them when it has taken one more. */
int bench_devices_leave(struct bench_devices *all)
{
    for (uint32_t d = 0; d < BENCH_DEVICES; d++)
        agent_mqtt_disconnect(all->device[d].mqtt);
    all->up = 0;
    begin(&all->service);
    if (bench_until(all->stack, &all->up, 1))
        return -1;
    agent_mqtt_disconnect(all->service.mqtt);
    return 0;
}

int bench_devices_say(struct bench_devices *all, struct bench_cost *cost, uint32_t messages)
{
    all->up = 0;
    begin(&all->service);
    if (bench_until(all->stack, &all->up, 1))
        return -1;
    all->to_say = messages;
    all->said = all->heard = 0;
    bench_begin(cost);
    for (uint32_t d = 0; d < BENCH_UNDER_WAY; d++)
        say(&all->device[d]);
    if (bench_until(all->stack, &all->said, messages) ||
        bench_until(all->stack, &all->heard, messages))
        return -1;
    bench_end(cost, messages);
    agent_mqtt_disconnect(all->service.mqtt);
    return 0;
}
