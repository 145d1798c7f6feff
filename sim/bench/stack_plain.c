/* Status messages by libmosquitto alone: one client that says them, one that hears them, and poll.
 */
#include "stack.h"
#include <mosquitto.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#define TOPIC "ota/status/bench-1000"
static const char status[] = "{\"device_id\":\"bench-1000\",\"seq\":1,\"campaign\":\"bench\","
                             "\"state\":\"downloading\",\"version\":\"2.3.1\",\"progress\":50}";

struct plain {
    struct bench_stack *stack;
    struct mosquitto *teller, *hearer;
    uint32_t ready, sent, said, heard, wanted;
};

static void on_subscribed(struct mosquitto *mosq, void *ctx, int mid, int count, const int *granted)
{
    struct plain *plain = ctx;
    (void)mosq, (void)mid, (void)count, (void)granted;
    plain->ready++;
}

static void on_connected(struct mosquitto *mosq, void *ctx, int code)
{
    struct plain *plain = ctx;
    if (code)
        bench_fail(plain->stack, "libmosquitto: %s", mosquitto_connack_string(code));
    else if (mosq == plain->hearer)
        mosquitto_subscribe(mosq, NULL, TOPIC, 1);
    else
        plain->ready++;
}

static void on_published(struct mosquitto *mosq, void *ctx, int mid)
{
    struct plain *plain = ctx;
    (void)mosq, (void)mid;
    plain->said++;
}

static void on_message(struct mosquitto *mosq, void *ctx, const struct mosquitto_message *message)
{
    struct plain *plain = ctx;
    (void)mosq, (void)message;
    plain->heard++;
}

static struct mosquitto *connected(struct plain *plain, const char *user, const char *secret)
{
    struct mosquitto *mosq = mosquitto_new(user, true, plain);
    if (!mosq)
        return NULL;
    mosquitto_connect_callback_set(mosq, on_connected);
    mosquitto_subscribe_callback_set(mosq, on_subscribed);
    mosquitto_publish_callback_set(mosq, on_published);
    mosquitto_message_callback_set(mosq, on_message);
    mosquitto_max_inflight_messages_set(mosq, BENCH_UNDER_WAY);
    mosquitto_int_option(mosq, MOSQ_OPT_TCP_NODELAY, 1);
    int error = mosquitto_username_pw_set(mosq, user, secret);
    if (!error)
        error = mosquitto_tls_set(mosq, plain->stack->ca, NULL, NULL, NULL, NULL);
    if (!error)
        error = mosquitto_connect(mosq, "127.0.0.1",
                                  plain->stack->servers.broker.port[SIM_CERT_GOOD], 60);
    if (error)
        bench_fail(plain->stack, "libmosquitto: %s", mosquitto_strerror(error));
    return mosq;
}

static void turn(struct plain *plain)
{
    struct mosquitto *const mosq[2] = {plain->teller, plain->hearer};
    struct pollfd ready[2];
    for (int i = 0; i < 2; i++)
        ready[i] = (struct pollfd){
            .fd = mosquitto_socket(mosq[i]),
            .events = (short)(POLLIN | (mosquitto_want_write(mosq[i]) ? POLLOUT : 0))};
    if (poll(ready, 2, 1000) < 1)
        bench_fail(plain->stack, "libmosquitto: nothing came for a second");
    for (int i = 0; i < 2; i++) {
        int error = ready[i].revents & ~POLLOUT ? mosquitto_loop_read(mosq[i], 1) : 0;
        if (!error && mosquitto_want_write(mosq[i]))
            error = mosquitto_loop_write(mosq[i], 1);
        if (error)
            bench_fail(plain->stack, "libmosquitto: %s", mosquitto_strerror(error));
    }
}

static void say(struct plain *plain)
{
    while (plain->sent < plain->wanted && plain->sent - plain->said < BENCH_UNDER_WAY) {
        plain->sent++;
        mosquitto_publish(plain->teller, NULL, TOPIC, sizeof status - 1, status, 1, false);
    }
}

int bench_plain_say(struct bench_stack *stack, struct bench_cost *cost, uint32_t messages)
{
    struct plain plain = {.stack = stack, .wanted = messages};
    mosquitto_lib_init();
    plain.hearer = connected(&plain, "service", BENCH_SERVICE_SECRET);
    plain.teller = connected(&plain, "bench-1000", "bench-secret-1000");
    while (plain.ready < 2 && !stack->why[0])
        turn(&plain);
    bench_begin(cost);
    while ((plain.said < messages || plain.heard < messages) && !stack->why[0]) {
        say(&plain);
        turn(&plain);
    }
    bench_end(cost, messages);
    mosquitto_destroy(plain.teller);
    mosquitto_destroy(plain.hearer);
    return stack->why[0] ? -1 : 0;
}
