/* Each ending, by a limit of bytes or by a call, is seen as named and tells its effect. */
#include "bench.h"
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <string.h>

enum { BYTES = 50000, QUIET_US = 30000 };

enum sees { FIN, RST, SILENCE };

struct row {
    enum sim_proxy_ending ending;
    uint64_t limit;
    enum sees client, server;
    enum sim_proxy_effect_kind told;
};

static struct row rows[] = {
    {SIM_PROXY_END_CLOSE, 0, FIN, FIN, SIM_PROXY_CLOSED},
    {SIM_PROXY_END_CLOSE, 20000, FIN, FIN, SIM_PROXY_CLOSED},
    {SIM_PROXY_END_CLOSE, 1, FIN, FIN, SIM_PROXY_CLOSED},
    {SIM_PROXY_END_RESET, 0, RST, RST, SIM_PROXY_RESET},
    {SIM_PROXY_END_RESET, 20001, RST, RST, SIM_PROXY_RESET},
    {SIM_PROXY_END_BLACK_HOLE, 0, SILENCE, SILENCE, SIM_PROXY_HOLED},
    {SIM_PROXY_END_BLACK_HOLE, 33333, SILENCE, SILENCE, SIM_PROXY_HOLED},
    {SIM_PROXY_END_FREEZE, 20000, SILENCE, SILENCE, SIM_PROXY_FROZEN},
};

static void assert_sees(const struct peer *peer, enum sees sees)
{
    cr_assert_eq(peer->fin, sees == FIN);
    cr_assert_eq(peer->rst, sees == RST);
}

ParameterizedTestParameters(chaos_proxy, a_limit_of_bytes_ends_the_connection_as_named)
{
    return cr_make_param_array(struct row, rows, sizeof rows / sizeof *rows);
}

ParameterizedTest(struct row *row, chaos_proxy, a_limit_of_bytes_ends_the_connection_as_named,
                  .timeout = 300)
{
    static struct bench bench;
    bench_begin(&bench, NULL);
    bench.server.greeting = bench_pattern(BYTES);
    bench.server.greeting_len = BYTES;
    bench.plan = (struct sim_proxy_plan){
        .ending = row->ending, .limit_side = SIM_PROXY_DOWN, .limit_bytes = row->limit, .mark = 5};
    struct peer *peer = peer_connect(&bench, 9);
    BENCH_UNTIL(&bench, bench.server.peers == 1 && bench_count(&bench, row->told) == 1);
    struct peer *server = bench.server.peer[0];
    bench_run_us(&bench, QUIET_US);
    BENCH_UNTIL(&bench, row->client == SILENCE || peer->fin || peer->rst);
    BENCH_UNTIL(&bench, row->server == SILENCE || server->fin || server->rst);
    assert_sees(peer, row->client);
    assert_sees(server, row->server);
    cr_assert_eq(peer->in_len, row->limit, "%zu", peer->in_len);
    if (row->limit)
        cr_assert_eq(memcmp(peer->in, bench_pattern(BYTES), peer->in_len), 0);
    cr_assert_eq(bench.effect[0].passed[SIM_PROXY_DOWN], row->limit);
    cr_assert_eq(bench.effects, 1);
    cr_assert_eq(bench.effect[0].mark, 5);
    peer_free(peer);
    bench_end(&bench);
}

Test(chaos_proxy, a_limit_that_is_not_reached_does_nothing, .timeout = 300)
{
    static struct bench bench;
    bench_begin(&bench, NULL);
    bench.plan = (struct sim_proxy_plan){
        .ending = SIM_PROXY_END_RESET, .limit_side = SIM_PROXY_UP, .limit_bytes = 5};
    struct peer *peer = peer_connect(&bench, 1);
    peer_send(peer, "four", 4);
    BENCH_UNTIL(&bench, peer->in_len == 4);
    cr_assert_eq(bench.effects, 0);
    peer_send(peer, "!!", 2);
    BENCH_UNTIL(&bench, peer->rst);
    cr_assert_eq(bench_count(&bench, SIM_PROXY_RESET), 1);
    cr_assert_eq(bench_stats(&bench).passed[SIM_PROXY_UP], 5);
    peer_free(peer);
    bench_end(&bench);
}

Test(chaos_proxy, a_slow_close_is_half_first_and_whole_later, .timeout = 300)
{
    static struct bench bench;
    bench_begin(&bench, NULL);
    bench.server.greeting = bench_pattern(BYTES);
    bench.server.greeting_len = BYTES;
    bench.plan = (struct sim_proxy_plan){.ending = SIM_PROXY_END_SLOW_CLOSE,
                                         .limit_side = SIM_PROXY_DOWN,
                                         .limit_bytes = 1000,
                                         .slow_us = 50000};
    struct peer *peer = peer_connect(&bench, 1);
    BENCH_UNTIL(&bench, peer->fin);
    struct peer *server = bench.server.peer[0];
    cr_assert_eq(peer->in_len, 1000);
    cr_assert_eq(bench_count(&bench, SIM_PROXY_HALF_CLOSED), 1);
    int64_t half_us = bench.effect[0].at_us;
    peer_send(peer, "still", 5);
    BENCH_UNTIL(&bench, server->fin);
    cr_assert_eq(server->in_len, 5, "what the device says passes until the rest comes");
    cr_assert_eq(bench_count(&bench, SIM_PROXY_CLOSED), 1);
    cr_assert_geq(bench.effect[1].at_us - half_us, 50000);
    peer_free(peer);
    bench_end(&bench);
}

/* Who neither reads nor leaves is reset in the end. */
Test(chaos_proxy, a_closed_connection_does_not_wait_for_ever, .timeout = 300)
{
    static struct bench bench;
    bench_begin(&bench, &(struct sim_proxy_config){.linger_ms = 20});
    bench.plan = (struct sim_proxy_plan){.ending = SIM_PROXY_END_CLOSE};
    struct peer *peer = peer_connect(&bench, 1);
    BENCH_UNTIL(&bench, peer->fin);
    BENCH_UNTIL(&bench, bench_stats(&bench).live == 0);
    cr_assert_eq(bench_stats(&bench).descriptors, 0);
    peer_free(peer);
    bench_end(&bench);
}

Test(chaos_proxy, a_black_hole_is_left_when_both_have_gone, .timeout = 300)
{
    static struct bench bench;
    bench_begin(&bench, NULL);
    struct peer *peer = peer_connect(&bench, 1);
    peer_send(peer, "ping", 4);
    BENCH_UNTIL(&bench, peer->in_len == 4);
    cr_assert_eq(sim_proxy_cut(bench.proxy, 1, SIM_PROXY_END_BLACK_HOLE, 8), 1);
    cr_assert_eq(bench.effects, 0, "no byte has been lost yet");
    peer_send(peer, "lost", 4);
    BENCH_UNTIL(&bench, bench_count(&bench, SIM_PROXY_HOLED) == 1);
    cr_assert_eq(bench.effect[0].mark, 8);
    peer_free(peer);
    bench_run_us(&bench, QUIET_US);
    struct peer *server = bench.server.peer[0];
    cr_assert(!server->fin && !server->rst, "the server is told nothing");
    cr_assert_eq(server->in_len, 4);
    cr_assert_eq(bench_stats(&bench).live, 1);
    cr_assert_eq(bench_stats(&bench).withheld, 4);
    cr_assert_eq(sim_proxy_cut(bench.proxy, 1, SIM_PROXY_END_RESET, 0), 0, "it is ending already");
    peer_free(server);
    bench.server.peers = 0;
    BENCH_UNTIL(&bench, bench_stats(&bench).live == 0);
    bench_end(&bench);
}

static void assert_cut(enum sim_proxy_ending ending, enum sim_proxy_effect_kind kind,
                       enum sees sees)
{
    static struct bench bench;
    bench_begin(&bench, NULL);
    struct peer *peer[3] = {peer_connect(&bench, 4), peer_connect(&bench, 4),
                            peer_connect(&bench, 5)};
    for (int i = 0; i < 3; i++) {
        peer_send(peer[i], "ping", 4);
        BENCH_UNTIL(&bench, peer[i]->in_len == 4);
    }
    cr_assert_eq(sim_proxy_cut(bench.proxy, 4, ending, 6), 2, "those of this device");
    cr_assert_eq(bench_count(&bench, kind), 2);
    for (int i = 0; i < 2; i++) {
        BENCH_UNTIL(&bench, peer[i]->fin || peer[i]->rst);
        assert_sees(peer[i], sees);
        cr_assert_eq(bench.effect[i].device, 4);
        cr_assert_eq(bench.effect[i].mark, 6);
    }
    peer_send(peer[2], "pong", 4);
    BENCH_UNTIL(&bench, peer[2]->in_len == 8);
    for (int i = 0; i < 3; i++)
        peer_free(peer[i]);
    bench_end(&bench);
}

Test(chaos_proxy, a_cut_resets_all_connections_of_one_device, .timeout = 300)
{
    assert_cut(SIM_PROXY_END_RESET, SIM_PROXY_RESET, RST);
}

Test(chaos_proxy, a_cut_closes_all_connections_of_one_device, .timeout = 300)
{
    assert_cut(SIM_PROXY_END_CLOSE, SIM_PROXY_CLOSED, FIN);
}

/* A network that comes back before TCP gives up: nothing is lost, not even an end. */
Test(chaos_proxy, what_a_freeze_holds_passes_after_the_thaw, .timeout = 300)
{
    static struct bench bench;
    bench_begin(&bench, NULL);
    struct peer *peer = peer_connect(&bench, 1);
    peer_send(peer, "one", 3);
    BENCH_UNTIL(&bench, peer->in_len == 3);
    for (uint32_t i = 1; i <= 2; i++) {
        cr_assert_eq(sim_proxy_cut(bench.proxy, 1, SIM_PROXY_END_FREEZE, i), 1);
        cr_assert_eq(sim_proxy_cut(bench.proxy, 1, SIM_PROXY_END_FREEZE, i), 0);
        peer_send(peer, "two", 3);
        BENCH_UNTIL(&bench, bench_count(&bench, SIM_PROXY_FROZEN) == i);
        bench_run_us(&bench, QUIET_US);
        cr_assert_eq(peer->in_len, 3 * i);
        cr_assert_eq(sim_proxy_thaw(bench.proxy, 1), 1);
        BENCH_UNTIL(&bench, peer->in_len == 3 * (i + 1));
        cr_assert_eq(bench_count(&bench, SIM_PROXY_THAWED), i);
    }
    cr_assert_eq(memcmp(peer->in, "onetwotwo", 9), 0);
    sim_proxy_cut(bench.proxy, 1, SIM_PROXY_END_FREEZE, 3);
    peer_free(peer);
    bench_run_us(&bench, QUIET_US);
    cr_assert(!bench.server.peer[0]->fin);
    cr_assert_eq(sim_proxy_thaw(bench.proxy, 1), 1);
    BENCH_UNTIL(&bench, bench.server.peer[0]->fin);
    BENCH_UNTIL(&bench, bench_stats(&bench).live == 0);
    bench_end(&bench);
}
