/* Late, slow, in slices: the bytes are the same, in the same order, and so are the ends. */
#include "bench.h"
#include "sim/rng.h"
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <string.h>

enum { BYTES = 200000 };

struct row {
    struct sim_proxy_plan plan;
    int64_t at_least_us; /* from the connection to the last byte of the echo */
    uint32_t told;       /* set of effects, each of them once */
};

#define TOLD(kind) (1u << SIM_PROXY_##kind)

static struct row rows[] = {
    {{0}, 0, 0},
    {{.latency_us = 5000}, 10000, TOLD(DELAYED)},
    {{.jitter_us = 3000}, 0, TOLD(DELAYED)},
    {{.latency_us = 2000, .jitter_us = 5000}, 4000, TOLD(DELAYED)},
    /* Of each direction a fiftieth of a second's bytes pass at once. */
    {{.bytes_per_s = 2000000}, 80000, TOLD(THROTTLED)},
    {{.slice_bytes = 5000}, 0, TOLD(SLICED)},
    {{.slice_bytes = 10000, .slice_delay_us = 2000}, 38000, TOLD(SLICED)},
    {{.latency_us = 1000,
      .jitter_us = 1000,
      .bytes_per_s = 4000000,
      .slice_bytes = 7001,
      .slice_delay_us = 500},
     40000,
     TOLD(DELAYED) | TOLD(SLICED)},
};

ParameterizedTestParameters(chaos_proxy, bytes_pass_unchanged_and_the_rule_tells)
{
    return cr_make_param_array(struct row, rows, sizeof rows / sizeof *rows);
}

ParameterizedTest(struct row *row, chaos_proxy, bytes_pass_unchanged_and_the_rule_tells,
                  .timeout = 300)
{
    static struct bench bench;
    bench_begin(&bench, NULL);
    bench.plan = row->plan;
    bench.plan.mark = 77;
    struct peer *peer = peer_connect(&bench, 3);
    int64_t begin_us = sim_chaos_now_us();
    peer->fin_after_out = true;
    peer_send(peer, bench_pattern(BYTES), BYTES);
    BENCH_UNTIL(&bench, peer->fin);
    cr_assert_eq(peer->in_len, BYTES);
    cr_assert_eq(memcmp(peer->in, bench_pattern(BYTES), BYTES), 0);
    cr_assert_geq(peer->last_us - begin_us, row->at_least_us);
    for (int kind = 0; kind < SIM_PROXY_EFFECTS; kind++)
        if (row->told & 1u << kind)
            cr_assert_eq(bench_count(&bench, (enum sim_proxy_effect_kind)kind), 1, "%s",
                         sim_proxy_effect_name(kind));
    for (uint32_t i = 0; i < bench.effects; i++) {
        cr_assert_eq(bench.effect[i].device, 3);
        cr_assert_eq(bench.effect[i].mark, 77);
        cr_assert_geq(bench.effect[i].at_us, begin_us);
    }
    BENCH_UNTIL(&bench, bench_stats(&bench).live == 0);
    cr_assert_eq(bench_stats(&bench).passed[SIM_PROXY_UP], BYTES);
    cr_assert_eq(bench_stats(&bench).passed[SIM_PROXY_DOWN], BYTES);
    cr_assert_eq(bench_stats(&bench).descriptors, 0);
    peer_free(peer);
    bench_end(&bench);
}

Test(chaos_proxy, a_plain_connection_tells_nothing, .timeout = 300)
{
    static struct bench bench;
    bench_begin(&bench, NULL);
    struct peer *peer = peer_connect(&bench, 1);
    peer_send(peer, "ping", 4);
    BENCH_UNTIL(&bench, peer->in_len == 4);
    cr_assert_eq(bench.effects, 0);
    cr_assert_eq(bench_stats(&bench).descriptors, 2);
    peer_free(peer);
    bench_end(&bench);
}

Test(chaos_proxy, the_server_sees_the_devices_own_address, .timeout = 300)
{
    static struct bench bench;
    bench_begin(&bench, NULL);
    struct peer *peer = peer_connect(&bench, 513);
    BENCH_UNTIL(&bench, bench.server.peers == 1);
    cr_assert_eq(ntohl(bench.server.peer[0]->from.sin_addr.s_addr), 0x7F010201u);
    peer_free(peer);
    bench_end(&bench);
}

/* Also FIN comes after the latency, and behind the bytes. */
Test(chaos_proxy, an_end_keeps_its_place_in_the_order, .timeout = 300)
{
    static struct bench bench;
    bench_begin(&bench, NULL);
    bench.plan.latency_us = 20000;
    bench.server.mute = true;
    struct peer *peer = peer_connect(&bench, 1);
    peer->fin_after_out = true;
    peer_send(peer, bench_pattern(5000), 5000);
    BENCH_UNTIL(&bench, bench.server.peers == 1);
    struct peer *server = bench.server.peer[0];
    BENCH_UNTIL(&bench, server->fin);
    cr_assert_eq(server->in_len, 5000);
    cr_assert_geq(server->first_us - peer->up_us, 20000);
    peer_send(server, "late", 4);
    BENCH_UNTIL(&bench, peer->in_len == 4);
    cr_assert(!peer->fin, "half closed: the other direction is open");
    peer_free(peer);
    bench_end(&bench);
}

/* What a client sent before it died comes first, then RST. */
Test(chaos_proxy, a_reset_of_a_peer_comes_behind_its_bytes, .timeout = 300)
{
    static struct bench bench;
    bench_begin(&bench, NULL);
    bench.plan.latency_us = 20000;
    bench.server.mute = true;
    struct peer *peer = peer_connect(&bench, 1);
    peer_send(peer, bench_pattern(3000), 3000);
    BENCH_UNTIL(&bench, peer->out_at == 3000);
    struct linger now = {.l_onoff = 1};
    cr_assert_eq(setsockopt(peer->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now), 0);
    peer_free(peer);
    BENCH_UNTIL(&bench, bench.server.peers == 1 && bench.server.peer[0]->rst);
    cr_assert_eq(bench.server.peer[0]->in_len, 3000);
    BENCH_UNTIL(&bench, bench_stats(&bench).live == 0);
    bench_end(&bench);
}

static void first_delays(uint64_t seed, int64_t delay_us[8])
{
    static struct bench bench;
    bench_begin(&bench, &(struct sim_proxy_config){.seed = seed});
    bench.plan.jitter_us = 30000;
    bench.server.mute = true;
    for (uint32_t i = 0; i < 8; i++) {
        struct peer *peer = peer_connect(&bench, i);
        peer_send(peer, "x", 1);
        BENCH_UNTIL(&bench, bench.server.peers == i + 1 && bench.server.peer[i]->in_len);
        delay_us[i] = bench.server.peer[i]->first_us - peer->up_us;
        peer_free(peer);
    }
    bench_end(&bench);
}

/* Draws can only be seen as lower bounds: none may be far below what Philox says. */
Test(chaos_proxy, jitter_is_philox_of_seed_device_and_connection, .timeout = 300)
{
    int64_t delay_us[8];
    first_delays(42, delay_us);
    for (uint32_t i = 0; i < 8; i++) {
        struct sim_rng rng;
        sim_rng_init(&rng, 42, i, SIM_RNG_PROXY, SIM_PROXY_UP * 16);
        cr_assert_geq(delay_us[i] + 1000, sim_rng_below(&rng, 30001), "device %u", i);
    }
}
