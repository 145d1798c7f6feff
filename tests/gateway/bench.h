/*
 * A gateway between a board, which is a channel played by the test, and real servers. All of it on
 * one loop; an observer and the service are MQTT clients of the test on the same loop. One bench
 * for each test; waiting is for a condition, with a guard that fails the test.
 */
#ifndef TESTS_GATEWAY_BENCH_H
#define TESTS_GATEWAY_BENCH_H

#include "gateway/gateway.h"
#include "link/channel_state.h"
#include "link/message.h"
#include "sim/servers.h"
#include <criterion/criterion.h>

#define BOARD_ID "pump-0001"
enum { BENCH_LINE = 1 << 16, BENCH_BODY = 600000, BENCH_KINDS = 64, BENCH_SEEN = 32 };

struct board {
    struct link_channel channel;
    uint32_t session;
    bool on;
    bool deaf;              /* asks for no message */
    uint32_t take_max;      /* messages a turn; 0: all */
    bool hello;             /* says HELLO after each UP by itself */
    uint8_t in[BENCH_LINE]; /* from the gateway, not read yet */
    size_t in_len;
    uint32_t count[BENCH_KINDS]; /* of messages, by kind */
    uint32_t ups, restarts;
    struct link_message last[BENCH_KINDS]; /* their bytes are in text */
    char text[BENCH_KINDS][700];
    uint8_t body[BENCH_BODY]; /* of LINK_DATA */
    uint32_t body_len;
};

struct client { /* observer or service */
    struct agent_mqtt *mqtt;
    struct agent_mqtt_config config;
    uint32_t ups, published, seen_count;
    struct {
        char topic[80], payload[200];
    } seen[BENCH_SEEN];
};

struct bench {
    struct ev_loop *loop;
    struct sim_servers servers;
    struct agent_tls *tls;
    struct agent_http *http;
    struct gateway_config config;
    struct gateway *gateway;
    struct board board;
    struct client observer, service;
    ev_timer turn, guard;
    char connect_to[40];
    char notes[8192]; /* what the gateway noted, each line closed by a newline */
    void (*board_out)(const void *bytes, size_t len); /* NULL: to bench.gateway */
};
extern struct bench bench;

void bench_open(void); /* for TestSuite(.init, .fini); the board is on and has said HELLO */
void bench_open_bare(void);
void bench_close(void);
#define BENCH_UNTIL(condition)                                                                     \
    do {                                                                                           \
        while (!(condition))                                                                       \
            ev_run(bench.loop, EVRUN_ONCE);                                                        \
    } while (0)
void bench_run_ms(uint32_t ms); /* where something must not happen */

void board_reset(void); /* a new session; what it had counted is 0 */
void board_input(const void *bytes, size_t len);
void board_send(const struct link_message *message); /* waits for room */
void board_hello(const char *id, bool mqtt);
void board_publish(uint8_t topic, uint32_t token, const char *json);
void board_get(uint32_t id, uint32_t offset, const char *url);

/* What the observer saw on a topic, the newest; NULL: nothing. */
const char *observer_saw(const char *topic);
uint32_t observer_count(const char *topic);
void service_publish(const char *topic, const char *payload); /* waits for the broker */

/* An object in the store; its URL. */
void bench_put(const char *name, const void *bytes, size_t len);
const char *bench_url(const char *name);
const uint8_t *bench_noise(size_t len); /* bytes that differ */

#endif
