/* What becomes of new connections: refused, silent, led elsewhere, and when there is nothing to
 * make one from. */
#include "bench.h"
#include <criterion/criterion.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { QUIET_US = 30000 };

Test(chaos_proxy, a_refused_connection_sees_a_reset, .timeout = 300)
{
    static struct bench bench;
    bench_begin(&bench, NULL);
    bench.plan = (struct sim_proxy_plan){.entry = SIM_PROXY_REFUSE, .mark = 3};
    struct peer *peer = peer_connect(&bench, 7);
    BENCH_UNTIL(&bench, peer->rst);
    cr_assert_eq(bench.effects, 1);
    cr_assert_eq(bench.effect[0].kind, SIM_PROXY_REFUSED);
    cr_assert_eq(bench.effect[0].device, 7);
    cr_assert_eq(bench.effect[0].mark, 3);
    cr_assert_eq(bench.server.peers, 0);
    cr_assert_eq(bench_stats(&bench).live, 0);
    peer_free(peer);
    bench_end(&bench);
}

Test(chaos_proxy, an_unknown_source_is_refused, .timeout = 300)
{
    static struct bench bench;
    bench_begin(&bench, NULL);
    struct peer *peer = peer_connect(&bench, BENCH_DEVICES);
    BENCH_UNTIL(&bench, peer->rst);
    cr_assert_eq(bench.effect[0].kind, SIM_PROXY_REFUSED);
    cr_assert_eq(bench.effect[0].device, SIM_CHAOS_NOBODY);
    cr_assert_eq(bench.plans, 0);
    peer_free(peer);
    bench_end(&bench);
}

Test(chaos_proxy, a_silent_connection_is_accepted_and_never_answered, .timeout = 300)
{
    static struct bench bench;
    bench_begin(&bench, NULL);
    bench.plan = (struct sim_proxy_plan){.entry = SIM_PROXY_SILENT, .mark = 3};
    struct peer *peer = peer_connect(&bench, 7);
    BENCH_UNTIL(&bench, peer->up && bench_stats(&bench).live == 1);
    cr_assert_eq(bench.effects, 0, "nothing has been withheld yet");
    peer_send(peer, "hello", 5);
    BENCH_UNTIL(&bench, bench_count(&bench, SIM_PROXY_SILENCED) == 1);
    bench_run_us(&bench, QUIET_US);
    cr_assert(!peer->fin && !peer->rst && peer->in_len == 0);
    cr_assert_eq(bench.server.peers, 0);
    cr_assert_eq(bench_stats(&bench).descriptors, 1);
    peer_free(peer);
    BENCH_UNTIL(&bench, bench_stats(&bench).live == 0);
    bench_end(&bench);
}

Test(chaos_proxy, a_device_can_be_led_to_another_server, .timeout = 300)
{
    static struct bench bench;
    bench_begin(&bench, NULL);
    bench.second.greeting = (const uint8_t *)"a liar";
    bench.second.greeting_len = 6;
    bench.plan.upstream = bench.second.address;
    struct peer *peer = peer_connect(&bench, 1);
    BENCH_UNTIL(&bench, peer->in_len == 6);
    cr_assert_eq(memcmp(peer->in, "a liar", 6), 0);
    cr_assert_eq(bench.server.peers, 0);
    cr_assert_eq(bench_count(&bench, SIM_PROXY_LED), 1);
    peer_free(peer);
    bench_end(&bench);
}

Test(chaos_proxy, a_server_that_is_not_there_is_told_apart, .timeout = 300)
{
    static struct bench bench;
    bench_begin(&bench, NULL);
    bench.plan.upstream = (struct sockaddr_in){
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(1)};
    struct peer *peer = peer_connect(&bench, 1);
    BENCH_UNTIL(&bench, peer->rst);
    cr_assert_eq(bench.effects, 1);
    cr_assert_eq(bench.effect[0].kind, SIM_PROXY_UPSTREAM_LOST);
    cr_assert_eq(bench_stats(&bench).descriptors, 0);
    peer_free(peer);
    bench_end(&bench);
}

Test(chaos_proxy, a_device_is_off_the_network_until_told_otherwise, .timeout = 300)
{
    static const enum sim_proxy_effect_kind told[] = {SIM_PROXY_REFUSED, SIM_PROXY_SILENCED};
    static const enum sim_proxy_entry entry[] = {SIM_PROXY_REFUSE, SIM_PROXY_SILENT};
    static struct bench bench;
    bench_begin(&bench, NULL);
    for (uint32_t i = 0; i < 2; i++) {
        sim_proxy_link(bench.proxy, 1, entry[i], 40 + i);
        for (uint32_t j = 0; j < 2; j++) {
            struct peer *peer = peer_connect(&bench, 1), *other = peer_connect(&bench, 2);
            peer_send(peer, "out?", 4);
            peer_send(other, "in", 2);
            BENCH_UNTIL(&bench, other->in_len == 2 && bench_count(&bench, told[i]) == j + 1);
            const struct sim_proxy_effect *effect = &bench.effect[bench.effects - 1];
            cr_assert_eq(effect->device, 1);
            cr_assert_eq(effect->mark, 40 + i);
            cr_assert_eq(effect->connection, 2 * i + j);
            peer_free(peer);
            peer_free(other);
        }
    }
    sim_proxy_link(bench.proxy, 1, SIM_PROXY_PASS, 0);
    struct peer *peer = peer_connect(&bench, 1);
    peer_send(peer, "back", 4);
    BENCH_UNTIL(&bench, peer->in_len == 4);
    peer_free(peer);
    bench_end(&bench);
}

/* Leaves so many free descriptors; returns the limit to be restored. */
static struct rlimit leave_descriptors(uint32_t count)
{
    struct rlimit limit, tight;
    int free_fd[3];
    cr_assert_lt(count, 3);
    for (uint32_t i = 0; i <= count; i++)
        free_fd[i] = dup(STDIN_FILENO);
    for (uint32_t i = 0; i <= count; i++)
        close(free_fd[i]);
    cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    tight = limit;
    tight.rlim_cur = (rlim_t)free_fd[count];
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &tight), 0);
    return limit;
}

/* Without a descriptor accepting rests, the loop does not spin, and goes on when there is one. */
Test(chaos_proxy, no_descriptor_left_is_no_end_and_no_busy_loop, .timeout = 300)
{
    static struct bench bench;
    bench_begin(&bench, NULL);
    struct peer *peer = peer_connect(&bench, 1);
    struct rlimit limit = leave_descriptors(0);
    BENCH_UNTIL(&bench, bench_count(&bench, SIM_PROXY_PAUSED) == 1);
    cr_assert_eq(bench.effect[0].device, SIM_CHAOS_NOBODY);
    uint32_t rounds = 0;
    for (int64_t end_us = bench.effect[0].at_us + 300000; sim_chaos_now_us() < end_us; rounds++)
        bench_turn(&bench);
    cr_assert_lt(rounds, 20, "%u rounds", rounds);
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    peer_send(peer, "at last", 7);
    BENCH_UNTIL(&bench, peer->in_len == 7);
    peer_free(peer);
    bench_end(&bench);
}

/* The server's end is the one that can't be made: the device is reset, and all goes on. */
Test(chaos_proxy, no_descriptor_for_the_servers_end_resets_the_device, .timeout = 300)
{
    static struct bench bench;
    bench_begin(&bench, NULL);
    struct peer *peer = peer_connect(&bench, 1);
    struct rlimit limit = leave_descriptors(1);
    BENCH_UNTIL(&bench, peer->rst);
    cr_assert_eq(bench_count(&bench, SIM_PROXY_UPSTREAM_LOST), 1);
    cr_assert_eq(bench_count(&bench, SIM_PROXY_PAUSED), 1);
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    peer_free(peer);
    peer = peer_connect(&bench, 1);
    peer_send(peer, "again", 5);
    BENCH_UNTIL(&bench, peer->in_len == 5);
    peer_free(peer);
    bench_end(&bench);
}

Test(chaos_proxy, names_are_complete)
{
    for (int kind = 0; kind < SIM_PROXY_EFFECTS; kind++)
        cr_assert_str_neq(sim_proxy_effect_name(kind), "unknown");
    cr_assert_str_eq(sim_proxy_effect_name(SIM_PROXY_EFFECTS), "unknown");
    cr_assert_str_eq(sim_proxy_effect_name(-1), "unknown");
    for (int error = SIM_CHAOS_ECERT; error <= 0; error++)
        cr_assert_str_neq(sim_chaos_error_name(error), "unknown");
    cr_assert_str_eq(sim_chaos_error_name(SIM_CHAOS_ECERT - 1), "unknown");
}
