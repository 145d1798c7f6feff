/* Many connections, long lives, and readers that stop. */
#include "../soak/soak.h"
#include "bench.h"
#include <criterion/criterion.h>
#include <string.h>

enum { MANY = 200, BIG = 1 << 20 };

Test(chaos_proxy, two_hundred_at_once_keep_apart, .timeout = 300)
{
    static struct bench bench;
    static struct peer *peer[MANY];
    enum { BYTES = 20000 };
    bench_begin(&bench, NULL);
    bench.plan = (struct sim_proxy_plan){.latency_us = 3000, .jitter_us = 3000};
    for (uint32_t i = 0; i < MANY; i++)
        peer[i] = peer_connect(&bench, i);
    BENCH_UNTIL(&bench, bench_stats(&bench).live == MANY); /* nobody leaves before */
    for (uint32_t i = 0; i < MANY; i++) {
        peer[i]->fin_after_out = true;
        peer_send(peer[i], bench_pattern(BIG) + 100 * i, BYTES);
    }
    for (uint32_t i = 0; i < MANY; i++) {
        BENCH_UNTIL(&bench, peer[i]->fin);
        cr_assert_eq(peer[i]->in_len, BYTES);
        cr_assert_eq(memcmp(peer[i]->in, bench_pattern(BIG) + 100 * i, BYTES), 0, "%u", i);
    }
    BENCH_UNTIL(&bench, bench_stats(&bench).live == 0);
    cr_assert_eq(bench_stats(&bench).live_max, MANY);
    cr_assert_eq(bench_count(&bench, SIM_PROXY_DELAYED), MANY);
    for (uint32_t i = 0; i < MANY; i++)
        peer_free(peer[i]);
    bench_end(&bench);
}

Test(chaos_proxy, hundreds_in_turn_leave_no_descriptor, .timeout = 300)
{
    static struct bench bench;
    static const enum sim_proxy_ending ending[] = {SIM_PROXY_END_NONE, SIM_PROXY_END_RESET,
                                                   SIM_PROXY_END_CLOSE};
    bench_begin(&bench, NULL);
    uint32_t before = bench_descriptors(), in_turn = soak(200, 1000);
    for (uint32_t i = 0; i < in_turn; i++) {
        bench.plan.ending = ending[i % 3];
        bench.plan.limit_bytes = 4;
        struct peer *peer = peer_connect(&bench, i % 10);
        peer->fin_after_out = true;
        peer_send(peer, "ping", 4);
        BENCH_UNTIL(&bench, peer->fin || peer->rst);
        peer_free(peer);
        BENCH_UNTIL(&bench, bench.server.peers == 1 &&
                                (bench.server.peer[0]->fin || bench.server.peer[0]->rst));
        peer_free(bench.server.peer[0]);
        bench.server.peers = 0;
    }
    BENCH_UNTIL(&bench, bench_stats(&bench).live == 0);
    cr_assert_eq(bench_descriptors(), before);
    cr_assert_eq(bench_stats(&bench).accepted, in_turn);
    cr_assert_leq(bench_stats(&bench).live_max, 2);
    bench_end(&bench);
}

/* The reader stops: the queue fills to its bound, the sender has to wait; nothing is lost. */
Test(chaos_proxy, a_reader_that_stops_bounds_the_memory, .timeout = 300)
{
    static struct bench bench;
    static uint8_t bytes[16 * BIG];
    for (uint32_t i = 0; i < 16; i++)
        memcpy(bytes + i * BIG, bench_pattern(BIG), BIG);
    bench_begin(&bench, &(struct sim_proxy_config){.queue_bytes = 30000});
    bench.server.greeting = bytes;
    bench.server.greeting_len = sizeof bytes;
    struct peer *peer = peer_connect(&bench, 1);
    peer_stop_reading(peer);
    BENCH_UNTIL(&bench, bench.server.peers == 1);
    uint64_t passed = 0;
    do { /* until nothing moves: all buffers are full */
        passed = bench_stats(&bench).passed[SIM_PROXY_DOWN];
        bench_run_us(&bench, 50000);
    } while (!passed || passed != bench_stats(&bench).passed[SIM_PROXY_DOWN]);
    cr_assert_lt(bench.server.peer[0]->out_at, sizeof bytes, "the server waits");
    cr_assert_leq(bench_stats(&bench).queue_bytes_max, 30000);
    cr_assert_gt(bench_stats(&bench).queue_bytes_max, 20000);
    peer_read_on(peer);
    BENCH_UNTIL(&bench, peer->in_len == sizeof bytes);
    cr_assert_eq(memcmp(peer->in, bytes, sizeof bytes), 0);
    cr_assert_leq(bench_stats(&bench).queue_bytes_max, 30000);
    peer_free(peer);
    bench_end(&bench);
}

/* One byte in each read costs bookkeeping, and that is in the bound. */
Test(chaos_proxy, bookkeeping_counts_as_memory, .timeout = 300)
{
    enum { BYTES = 60 };
    static struct bench bench;
    bench_begin(&bench, &(struct sim_proxy_config){.queue_bytes = 4096});
    bench.plan.latency_us = 1000000; /* long enough for a few reads, also on a busy machine */
    bench.server.mute = true;
    struct peer *peer = peer_connect(&bench, 1);
    for (uint32_t i = 0; i < BYTES; i++) {
        peer_send(peer, bench_pattern(BYTES) + i, 1);
        BENCH_UNTIL(&bench, peer->out_at == 1);
    }
    BENCH_UNTIL(&bench, bench.server.peers == 1 && bench.server.peer[0]->in_len == BYTES);
    cr_assert_eq(memcmp(bench.server.peer[0]->in, bench_pattern(BYTES), BYTES), 0);
    cr_assert_leq(bench_stats(&bench).queue_bytes_max, 4096);
    cr_assert_gt(bench_stats(&bench).queue_bytes_max, BYTES);
    peer_free(peer);
    bench_end(&bench);
}

Test(chaos_proxy, rules_of_live_connections_change, .timeout = 300)
{
    static struct bench bench;
    bench_begin(&bench, NULL);
    struct peer *peer = peer_connect(&bench, 1);
    peer_send(peer, "fast", 4);
    BENCH_UNTIL(&bench, peer->in_len == 4);
    struct sim_proxy_plan slow = {.latency_us = 20000,
                                  .ending = SIM_PROXY_END_RESET,
                                  .limit_side = SIM_PROXY_DOWN,
                                  .limit_bytes = 6,
                                  .mark = 2};
    cr_assert_eq(sim_proxy_change(bench.proxy, 1, &slow), 1);
    cr_assert_eq(sim_proxy_change(bench.proxy, 2, &slow), 0);
    int64_t begin_us = sim_chaos_now_us();
    peer_send(peer, "slow", 4);
    BENCH_UNTIL(&bench, peer->in_len == 8);
    cr_assert_geq(peer->last_us - begin_us, 40000);
    cr_assert_eq(bench_count(&bench, SIM_PROXY_DELAYED), 1);
    peer_send(peer, "end", 3);
    BENCH_UNTIL(&bench, peer->rst);
    cr_assert_eq(peer->in_len, 10, "the limit counts from the change");
    peer_free(peer);
    bench_end(&bench);
}

static uint32_t cuts;
static struct sim_proxy *cut_proxy;

static uint32_t device_zero(void *ctx, const struct sockaddr_in *source)
{
    (void)ctx;
    (void)source;
    return 0;
}

static void delayed(void *ctx, uint32_t device, uint32_t connection, struct sim_proxy_plan *plan)
{
    (void)ctx;
    (void)device;
    (void)connection;
    plan->latency_us = 1000;
}

static void cut_when_told(void *ctx, const struct sim_proxy_effect *effect)
{
    (void)ctx;
    if (effect->kind == SIM_PROXY_DELAYED)
        cuts += sim_proxy_cut(cut_proxy, effect->device, SIM_PROXY_END_RESET, 0);
}

/* The effect's callback ends the very connection that tells it. */
Test(chaos_proxy, a_callback_may_cut_what_it_is_told_of, .timeout = 300)
{
    static struct bench bench;
    bench_begin(&bench, NULL);
    struct sim_proxy_config config = {.loop = bench.loop,
                                      .upstream = bench.server.address,
                                      .devices = 1,
                                      .device = device_zero,
                                      .plan = delayed,
                                      .effect = cut_when_told};
    struct sim_proxy *whole = bench.proxy;
    cr_assert_eq(sim_proxy_create(&cut_proxy, &config), SIM_CHAOS_OK);
    bench.proxy = cut_proxy;
    struct peer *peer = peer_connect(&bench, 1);
    peer_send(peer, "ping", 4);
    BENCH_UNTIL(&bench, peer->rst);
    cr_assert_eq(cuts, 1);
    peer_free(peer);
    sim_proxy_free(cut_proxy);
    bench.proxy = whole;
    bench_end(&bench);
}
