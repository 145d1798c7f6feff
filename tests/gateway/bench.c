#include "bench.h"
#include "daemon_kit/log.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct bench bench;

static uint32_t now_ms(void)
{
    return (uint32_t)agent_time_since_ms();
}

static void account(void *context, struct sim_account *out, uint32_t index)
{
    (void)context, (void)index;
    snprintf(out->device_id, sizeof out->device_id, "%s", BOARD_ID);
    snprintf(out->secret, sizeof out->secret, "secret");
}

/* ---- the board ---- */

static void board_take(const struct link_delivery *got)
{
    struct board *board = &bench.board;
    struct link_message message;
    cr_assert(link_decode(&message, got->kind, got->bytes, got->len), "kind %u", got->kind);
    if (message.kind == LINK_DATA) {
        cr_assert_leq(board->body_len + message.len, sizeof board->body);
        memcpy(board->body + board->body_len, message.bytes, message.len);
        board->body_len += message.len;
    }
    snprintf(board->text[message.kind], sizeof board->text[0], "%.*s", (int)message.len,
             message.len ? (const char *)message.bytes : "");
    board->last[message.kind] = message;
    board->count[message.kind]++;
}

static void board_turn(void)
{
    struct board *board = &bench.board;
    struct link_delivery got;
    uint8_t out[4096];
    size_t len;
    if (!board->on)
        return;
    len = board->in_len;
    board->in_len = 0;
    link_input(&board->channel, board->in, len, now_ms());
    uint32_t taken = 0;
    while (!board->deaf && (!board->take_max || taken < board->take_max) &&
           link_next(&board->channel, &got)) {
        if (got.event == LINK_EV_MESSAGE) {
            board_take(&got);
            taken++;
        }
        board->restarts += got.event == LINK_EV_RESTARTED;
        if (got.event == LINK_EV_UP) {
            board->ups++;
            if (board->hello)
                board_hello(BOARD_ID, true);
        }
    }
    while ((len = link_output(&board->channel, out, sizeof out, now_ms()))) {
        if (bench.board_out)
            bench.board_out(out, len);
        else if (bench.gateway)
            gateway_input(bench.gateway, out, len);
    }
}

void board_input(const void *bytes, size_t len)
{
    struct board *board = &bench.board;
    if (!board->on)
        return;
    if (len <= sizeof board->in - board->in_len) {
        memcpy(board->in + board->in_len, bytes, len);
        board->in_len += len;
    }
    ev_feed_event(bench.loop, &bench.turn, EV_TIMER);
}

void board_reset(void)
{
    struct board *board = &bench.board;
    struct link_config config = {.session = ++board->session};
    link_init(&board->channel, &config, now_ms());
    board->on = true;
    board->in_len = board->body_len = 0;
    board->ups = board->restarts = 0;
    memset(board->count, 0, sizeof board->count);
}

void board_send(const struct link_message *message)
{
    static uint8_t bytes[LINK_MESSAGE_MAX];
    uint32_t len = link_encode(bytes, sizeof bytes, message);
    cr_assert(len);
    BENCH_UNTIL(link_send(&bench.board.channel, (uint8_t)message->kind, bytes, len));
}

void board_hello(const char *id, bool mqtt)
{
    board_send(&(struct link_message){.kind = LINK_HELLO,
                                      .flags = mqtt,
                                      .bytes = (const uint8_t *)id,
                                      .len = (uint32_t)strlen(id)});
}

void board_publish(uint8_t topic, uint32_t token, const char *json)
{
    board_send(&(struct link_message){.kind = LINK_PUBLISH,
                                      .topic = topic,
                                      .token = token,
                                      .bytes = (const uint8_t *)json,
                                      .len = (uint32_t)strlen(json)});
}

void board_get(uint32_t id, uint32_t offset, const char *url)
{
    bench.board.body_len = 0;
    board_send(&(struct link_message){.kind = LINK_GET,
                                      .id = id,
                                      .offset = offset,
                                      .bytes = (const uint8_t *)url,
                                      .len = (uint32_t)strlen(url)});
}

/* ---- the gateway's surroundings ---- */

static void on_write(void *ctx, const void *bytes, size_t len)
{
    (void)ctx;
    board_input(bytes, len);
}

static void on_note(void *ctx, const char *line)
{
    size_t len = strlen(bench.notes);
    (void)ctx;
    snprintf(bench.notes + len, sizeof bench.notes - len, "%s\n", line);
}

static void on_turn(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop, (void)timer, (void)events;
    board_turn();
}

static void on_guard(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop, (void)timer, (void)events;
    cr_assert_fail("waited for ever; the gateway noted:\n%s", bench.notes);
}

static void on_ran(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)events;
    (void)timer;
    ev_break(loop, EVBREAK_ONE);
}

void bench_run_ms(uint32_t ms)
{
    ev_timer timer;
    ev_timer_init(&timer, on_ran, ms / 1000.0, 0);
    ev_timer_start(bench.loop, &timer);
    ev_run(bench.loop, 0);
    ev_timer_stop(bench.loop, &timer);
}

/* ---- observer and service ---- */

static void on_up(void *ctx)
{
    ((struct client *)ctx)->ups++;
}

static void on_down(void *ctx, const char *why)
{
    (void)ctx;
    cr_assert_fail("an MQTT client of the test: %s", why);
}

static void on_message(void *ctx, const char *topic, const void *payload, uint32_t len)
{
    struct client *client = ctx;
    if (client->seen_count == BENCH_SEEN)
        return;
    snprintf(client->seen[client->seen_count].topic, 80, "%s", topic);
    snprintf(client->seen[client->seen_count++].payload, 200, "%.*s", (int)len,
             (const char *)payload);
}

static void on_published(void *ctx, uint32_t token)
{
    (void)token;
    ((struct client *)ctx)->published++;
}

static void client_open(struct client *client, const char *user, bool listens)
{
    static const struct agent_mqtt_events events = {
        .up = on_up, .down = on_down, .message = on_message, .published = on_published};
    client->config =
        (struct agent_mqtt_config){.tls = bench.tls,
                                   .host = "127.0.0.1",
                                   .server_name = SIM_BROKER_NAME,
                                   .client_id = user,
                                   .user = user,
                                   .secret = "desk",
                                   .topic = {"ota/status/+", "telemetry/+", "ota/presence/+"},
                                   .topics = listens ? 3 : 0,
                                   .message_bytes_max = 65536,
                                   .port = bench.servers.broker.port[SIM_CERT_GOOD],
                                   .keepalive_s = 60,
                                   .connect_within_s = 20};
    cr_assert_eq(agent_mqtt_create(&client->mqtt, bench.loop, &client->config, &events, client), 0);
    cr_assert_eq(agent_mqtt_connect(client->mqtt, NULL, 0), 0);
    BENCH_UNTIL(client->ups);
}

const char *observer_saw(const char *topic)
{
    for (uint32_t i = bench.observer.seen_count; i > 0; i--) {
        if (!strcmp(bench.observer.seen[i - 1].topic, topic))
            return bench.observer.seen[i - 1].payload;
    }
    return NULL;
}

uint32_t observer_count(const char *topic)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < bench.observer.seen_count; i++)
        count += !strcmp(bench.observer.seen[i].topic, topic);
    return count;
}

void service_publish(const char *topic, const char *payload)
{
    uint32_t before = bench.service.published;
    cr_assert_eq(agent_mqtt_publish(bench.service.mqtt, topic, payload, (uint32_t)strlen(payload),
                                    1, false, 1),
                 0);
    BENCH_UNTIL(bench.service.published > before);
}

/* ---- the store ---- */

void bench_put(const char *name, const void *bytes, size_t len)
{
    char why[300];
    cr_assert_eq(sim_store_put(&bench.servers.store, name, bytes, len, why, sizeof why), 0, "%s",
                 why);
}

const char *bench_url(const char *name)
{
    static char url[SIM_URL_MAX];
    sim_store_url(&bench.servers.store, url, SIM_CERT_GOOD, name, time(NULL) + 3600);
    return url;
}

const uint8_t *bench_noise(size_t len)
{
    static uint8_t noise[BENCH_BODY];
    uint32_t state = 7;
    cr_assert_leq(len, sizeof noise);
    for (size_t i = 0; i < len; i++) {
        state = state * 1664525u + 1013904223u;
        noise[i] = (uint8_t)(state >> 24);
    }
    return noise;
}

/* ---- open and close ---- */

static void make_gateway(void)
{
    bench.config = (struct gateway_config){
        .loop = bench.loop,
        .device_id = BOARD_ID,
        .http = bench.http,
        .http_connect_to = bench.connect_to,
        .mqtt = {.tls = bench.tls,
                 .host = "127.0.0.1",
                 .server_name = SIM_BROKER_NAME,
                 .user = BOARD_ID,
                 .secret = "secret",
                 .port = bench.servers.broker.port[SIM_CERT_GOOD],
                 .keepalive_s = 20,
                 .connect_within_s = 20},
        .reconnect_first_ms = 100,
        .reconnect_max_ms = 1000,
        .write = on_write,
        .note = on_note,
    };
    cr_assert_eq(gateway_create(&bench.gateway, &bench.config), 0);
    gateway_power_on(bench.gateway);
}

void bench_open_bare(void)
{
    char ca[SIM_PKI_PATH_MAX], why[1024];
    const struct sim_servers_config servers = {
        .now_ms = agent_time_now_ms(),
        .broker = {.account = account, .account_count = 1, .service_secret = "desk"},
        .store = {.secret = "urlsecret"}};
    uint32_t session = bench.board.session;
    memset(&bench, 0, sizeof bench);
    bench.board.session = session + 1000;
    bench.loop = ev_loop_new(EVFLAG_AUTO);
    cr_assert_eq(sim_servers_start(&bench.servers, &servers, why, sizeof why), 0, "%s", why);
    sim_pki_ca_path(&bench.servers.pki, ca);
    cr_assert_eq(agent_tls_create(&bench.tls, ca, why, sizeof why), 0, "%s", why);
    const struct agent_http_config http = {.tls = bench.tls,
                                           .connect_within_s = 20,
                                           .stall_s = 20,
                                           .header_bytes_max = 65536,
                                           .buffer_bytes = 16384};
    cr_assert_eq(agent_http_create(&bench.http, bench.loop, &http), 0);
    snprintf(bench.connect_to, sizeof bench.connect_to, "127.0.0.1:%u",
             bench.servers.store.port[SIM_CERT_GOOD]);
    ev_timer_init(&bench.turn, on_turn, 0.005, 0.005);
    ev_timer_init(&bench.guard, on_guard, 240, 0);
    ev_timer_start(bench.loop, &bench.turn);
    ev_timer_start(bench.loop, &bench.guard);
    client_open(&bench.observer, "observer", true);
    client_open(&bench.service, "service", false);
    bench.board.hello = true;
}

void bench_open(void)
{
    bench_open_bare();
    make_gateway();
    board_reset();
    BENCH_UNTIL(bench.board.count[LINK_MQTT_UP]);
}

void bench_close(void)
{
    gateway_free(bench.gateway);
    agent_mqtt_destroy(bench.observer.mqtt);
    agent_mqtt_destroy(bench.service.mqtt);
    agent_http_free(bench.http);
    agent_tls_free(bench.tls);
    sim_servers_stop(&bench.servers);
    ev_timer_stop(bench.loop, &bench.turn);
    ev_timer_stop(bench.loop, &bench.guard);
    ev_loop_destroy(bench.loop);
}
