/* A device as far as the service sees one: it is notified, and says its script. */
#include "bench.h"
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

enum { TOKEN_STATUS = 1, TOKEN_OTHER = 2 };

#define UNDER_WAY                                                                                  \
    {"notified", ""}, {"downloading", ""}, {"verified", ""}, {"applying", ""}, {"rebooting", ""},  \
    {                                                                                              \
        "health_check", ""                                                                         \
    }
static const struct bench_word confirms[] = {UNDER_WAY, {"confirmed", ""}, {NULL, NULL}};
static const struct bench_word rolls_back[] = {
    UNDER_WAY, {"rolled_back", "watchdog"}, {NULL, NULL}};
static const struct bench_word not_verified[] = {
    {"notified", ""}, {"downloading", ""}, {"verify_failed", "signature"}, {NULL, NULL}};
static const struct bench_word refuses[] = {{"refused", "hw_revision"}, {NULL, NULL}};
static const struct bench_word hangs[] = {{"notified", ""}, {"downloading", ""}, {NULL, NULL}};
static const struct bench_word ordered[] = {{"rolled_back", "command"}, {NULL, NULL}};

const struct bench_word *bench_mixed(uint32_t device)
{
    static const struct bench_word *const script[BENCH_DEVICES] = {
        [3] = rolls_back, [5] = not_verified, [8] = refuses, [10] = rolls_back};
    return script[device] ? script[device] : confirms;
}

const struct bench_word *bench_good(uint32_t device)
{
    (void)device;
    return confirms;
}

const struct bench_word *bench_bad(uint32_t device)
{
    (void)device;
    return rolls_back;
}

const struct bench_word *bench_hanging(uint32_t device)
{
    (void)device;
    return hangs;
}

static void say(struct bench_device *device, bool again)
{
    char json[512];
    if (!agent_mqtt_is_up(device->mqtt) || !device->word || !device->word->status ||
        (device->under_way && !again))
        return;
    if (device->bench->held && !strcmp(device->bench->held, device->word->status))
        return;
    if (!device->under_way)
        device->seq++;
    device->under_way = true;
    bool new = !strcmp(device->word->status, "confirmed");
    int len = snprintf(json, sizeof json,
                       "{\"device_id\":\"%s\",\"campaign_id\":\"rollout\",\"firmware_id\":\"f\","
                       "\"seq\":%u,\"at\":\"2026-03-19T10:00:00Z\",\"status\":\"%s\","
                       "\"reason\":\"%s\",\"version\":\"%s\",\"slot\":\"A\"}",
                       device->id, device->seq, device->word->status, device->word->reason,
                       new ? "2.4.0" : "2.3.1");
    cr_assert(!agent_mqtt_publish(device->mqtt, device->topic, json, (uint32_t)len, 1, false,
                                  TOKEN_STATUS));
}

void bench_telemetry(struct bench_device *device)
{
    char json[256], topic[64];
    int len = snprintf(json, sizeof json,
                       "{\"device_id\":\"%s\",\"seq\":%u,\"at\":\"2026-03-19T10:00:00Z\","
                       "\"version\":\"2.4.0\",\"energy_mw\":5,\"memory_kb\":6,\"cpu_permille\":7}",
                       device->id, ++device->telemetry);
    snprintf(topic, sizeof topic, "telemetry/%s", device->id);
    if (agent_mqtt_is_up(device->mqtt))
        agent_mqtt_publish(device->mqtt, topic, json, (uint32_t)len, 1, false, TOKEN_OTHER);
}

void bench_let_go(struct bench *bench)
{
    bench->held = NULL;
    for (uint32_t d = 0; d < bench->devices; d++)
        say(&bench->device[d], false);
}

void bench_publish(struct bench_device *device, const void *bytes, uint32_t len)
{
    cr_assert(!agent_mqtt_publish(device->mqtt, device->topic, bytes, len, 1, false, TOKEN_OTHER));
}

static void on_published(void *ctx, uint32_t token)
{
    struct bench_device *device = ctx;
    if (token != TOKEN_STATUS || !device->under_way)
        return;
    device->under_way = false;
    device->last = device->word->status;
    device->word++;
    if (!strcmp(device->last, "confirmed"))
        bench_telemetry(device);
    device->bench->acknowledged++;
    if (device->bench->on_acknowledged)
        device->bench->on_acknowledged(device->bench);
    say(device, false);
}

static void on_message(void *ctx, const char *topic, const void *payload, uint32_t len)
{
    struct bench_device *device = ctx;
    if (!strncmp(topic, "ota/notification/", 17)) {
        if (device->notified++ == 0)
            device->word = device->bench->script((uint32_t)(device - device->bench->device));
    } else {
        device->commands++;
        device->deferred += memmem(payload, len, "\"defer\"", 7) != NULL;
        if (memmem(payload, len, "\"rollback\"", 10) && device->last &&
            !strcmp(device->last, "confirmed"))
            device->word = ordered;
    }
    say(device, false);
}

static void on_up(void *ctx)
{
    struct bench_device *device = ctx;
    device->bench->up++;
    say(device, true);
    ev_break(device->bench->loop, EVBREAK_ONE);
}

static void on_down(void *ctx, const char *why)
{
    struct bench_device *device = ctx;
    (void)why;
    ev_timer_set(&device->again, 0.05, 0);
    ev_timer_start(device->bench->loop, &device->again);
}

static const struct agent_mqtt_events events = {
    .up = on_up, .down = on_down, .message = on_message, .published = on_published};

static void connect_now(struct ev_loop *loop, ev_timer *timer, int revents)
{
    struct bench_device *device = timer->data;
    (void)revents;
    if (!agent_mqtt_connect(device->mqtt, NULL, 0))
        return;
    ev_timer_set(timer, 0.05, 0);
    ev_timer_start(loop, timer);
}

void bench_device_open(struct bench *bench, uint32_t number)
{
    struct bench_device *device = &bench->device[number];
    char id[24];
    snprintf(id, sizeof id, "k%02u-%05u", bench->round, number + 1);
    *device = (struct bench_device){.bench = bench};
    snprintf(device->id, sizeof device->id, "%s", id);
    snprintf(device->secret, sizeof device->secret, "secret-%s", id);
    snprintf(device->topic, sizeof device->topic, "ota/status/%s", id);
    snprintf(device->topic_in[0], sizeof device->topic_in[0], "ota/notification/%s", id);
    snprintf(device->topic_in[1], sizeof device->topic_in[1], "ota/command/%s", id);
    device->config = (struct agent_mqtt_config){
        .tls = bench->tls,
        .host = "127.0.0.1",
        .server_name = SIM_BROKER_NAME,
        .port = bench->broker.port[SIM_CERT_GOOD],
        .client_id = device->id,
        .user = device->id,
        .secret = device->secret,
        .topic = {device->topic_in[0], device->topic_in[1]},
        .topics = 2,
        .message_bytes_max = 65536,
        .keepalive_s = 60,
        .connect_within_s = 30,
    };
    cr_assert(!agent_mqtt_create(&device->mqtt, bench->loop, &device->config, &events, device));
    ev_timer_init(&device->again, connect_now, 0, 0);
    device->again.data = device;
    ev_timer_start(bench->loop, &device->again);
}

void bench_device_close(struct bench_device *device)
{
    ev_timer_stop(device->bench->loop, &device->again);
    if (agent_mqtt_is_up(device->mqtt))
        agent_mqtt_disconnect(device->mqtt);
    agent_mqtt_destroy(device->mqtt);
    device->mqtt = NULL;
}
