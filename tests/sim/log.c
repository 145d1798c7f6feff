/* The event log: every change of an event shows in the digest, and a trace reads like the story it
 * is. */
#include "sim/log.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum { NODES = 3, EVENTS = 12, DIGEST = 16, NO_MUTATION = 0, DROP = 1, CHANGE = 2, SWAP = 3 };

struct run {
    struct sim_log log[NODES];
    uint8_t digest[DIGEST];
};

static void run_finish(struct run *run)
{
    const struct sim_log *logs[NODES];
    for (int i = 0; i < NODES; i++)
        logs[i] = &run->log[i];
    sim_log_digest(logs, NODES, run->digest);
}

/* The same story each time; the nodes' turns come in the order given. Events 3 and 4 of a node are
 * equal but for their place. */
static void run_story(struct run *run, const int order[NODES], int mutate, uint32_t node,
                      uint64_t sequence)
{
    for (uint32_t i = 0; i < NODES; i++)
        sim_log_init(&run->log[i], i, 1000);
    run->log[node].mutate = mutate;
    run->log[node].mutate_sequence = sequence;
    for (int event = 0; event < EVENTS; event++) {
        for (int turn = 0; turn < NODES; turn++) {
            uint64_t same = event == 4 ? 3 : (uint64_t)event;
            sim_log_event(&run->log[order[turn]], 1000 + (int64_t)same * 50, SIM_EV_STATE, same, 7,
                          event % 2 ? "a -> b" : NULL);
        }
    }
    run_finish(run);
}

static const int forward[NODES] = {0, 1, 2}, backward[NODES] = {2, 1, 0};

Test(log, digest_does_not_depend_on_the_order_in_which_nodes_ran)
{
    struct run a, b;
    run_story(&a, forward, NO_MUTATION, 0, 0);
    run_story(&b, backward, NO_MUTATION, 0, 0);
    cr_assert_arr_eq(a.digest, b.digest, DIGEST);
}

Test(log, any_mutation_of_any_event_changes_the_digest)
{
    struct run clean, mutated;
    run_story(&clean, forward, NO_MUTATION, 0, 0);
    for (int mutate = DROP; mutate <= SWAP; mutate++) {
        for (uint32_t node = 0; node < NODES; node++) {
            for (uint64_t sequence = 0; sequence < EVENTS; sequence++) {
                run_story(&mutated, forward, mutate, node, sequence);
                cr_assert_arr_neq(clean.digest, mutated.digest, DIGEST, "mutation %d of %u/%lu",
                                  mutate, node, (unsigned long)sequence);
            }
        }
    }
}

Test(log, mutation_beyond_the_last_event_changes_nothing)
{
    struct run clean, mutated;
    run_story(&clean, forward, NO_MUTATION, 0, 0);
    for (int mutate = DROP; mutate <= SWAP; mutate++) {
        run_story(&mutated, forward, mutate, 1, EVENTS);
        cr_assert_arr_eq(clean.digest, mutated.digest, DIGEST);
    }
}

Test(log, every_field_is_in_the_chain)
{
    static const struct {
        uint32_t node;
        int64_t at_us;
        enum sim_event_kind kind;
        uint64_t a, b;
    } row[] = {
        {1, 5, SIM_EV_BOOT, 1, 2},
        {2, 5, SIM_EV_BOOT, 1, 2},
        {1, 6, SIM_EV_BOOT, 1, 2},
        {1, 5, SIM_EV_RESET, 1, 2},
        {1, 5, SIM_EV_BOOT, 2, 2},
        {1, 5, SIM_EV_BOOT, 1, 1},
        {1, 5 + (INT64_C(1) << 40), SIM_EV_BOOT, 1, 2},
        {1, 5, SIM_EV_BOOT, UINT64_C(1) << 60, 2},
    };
    enum { ROWS = sizeof row / sizeof *row };
    uint64_t chain[ROWS];
    for (int i = 0; i < ROWS; i++) {
        struct sim_log log;
        sim_log_init(&log, row[i].node, 0);
        sim_log_event(&log, row[i].at_us, row[i].kind, row[i].a, row[i].b, NULL);
        chain[i] = log.chain;
        for (int j = 0; j < i; j++)
            cr_assert_neq(chain[i], chain[j], "rows %d and %d", i, j);
    }
}

Test(log, text_is_for_people_and_not_in_the_chain)
{
    struct sim_log told, silent;
    sim_log_init(&told, 1, 0);
    sim_log_init(&silent, 1, 0);
    sim_log_event(&told, 5, SIM_EV_BOOT, 1, 2, "why");
    sim_log_event(&silent, 5, SIM_EV_BOOT, 1, 2, NULL);
    cr_assert_eq(told.chain, silent.chain);
}

Test(log, digest_sees_the_number_and_order_of_chains)
{
    struct sim_log a, b;
    uint8_t ab[DIGEST], ba[DIGEST], only[DIGEST], none[DIGEST];
    sim_log_init(&a, 0, 0);
    sim_log_init(&b, 1, 0);
    sim_log_event(&a, 1, SIM_EV_BOOT, 0, 0, NULL);
    sim_log_digest((const struct sim_log *[]){&a, &b}, 2, ab);
    sim_log_digest((const struct sim_log *[]){&b, &a}, 2, ba);
    sim_log_digest((const struct sim_log *[]){&a}, 1, only);
    sim_log_digest(NULL, 0, none);
    cr_assert_arr_neq(ab, ba, DIGEST);
    cr_assert_arr_neq(ab, only, DIGEST);
    cr_assert_arr_neq(only, none, DIGEST);
}

/* The bytes are a promise across compilers, machines and versions, so they are written out here. */
Test(log, link_and_digest_are_xxh3_of_these_very_bytes)
{
    static const uint8_t first[40] = {
        [0] = 0x01, [6] = 0x02, [8] = 4, [12] = SIM_EV_BOOT, [16] = 0xEF, [23] = 0x80, [24] = 5};
    uint8_t second[40] = {[0] = 0x02, [8] = 4, [12] = SIM_EV_RESET, [32] = 1};
    uint8_t record[16] = {[8] = 2}, digest[DIGEST];
    struct sim_log log;
    sim_log_init(&log, 4, 0);
    sim_log_event(&log, INT64_C(0x0002000000000001), SIM_EV_BOOT, UINT64_C(0x80000000000000EF), 5,
                  NULL);
    uint64_t chain = XXH3_64bits_withSeed(first, sizeof first, 0);
    cr_assert_eq(log.chain, chain);
    sim_log_event(&log, 2, SIM_EV_RESET, 0, 0, "why");
    chain = XXH3_64bits_withSeed(second, sizeof second, chain);
    cr_assert_eq(log.chain, chain);
    for (int i = 0; i < 8; i++)
        record[i] = (uint8_t)(chain >> 8 * i);
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, XXH3_128bits(record, sizeof record));
    sim_log_digest((const struct sim_log *[]){&log}, 1, digest);
    cr_assert_arr_eq(digest, canonical.digest, DIGEST);
}

Test(log, trace_line_tells_time_kind_and_text)
{
    static const struct {
        int64_t at_us;
        enum sim_event_kind kind;
        char text[32], expect[80];
    } row[] = {
        {INT64_C(274353123456) + 500, SIM_EV_STATE, "Downloading -> Verifying",
         "  +3d 04:12:33.123456  state        Downloading -> Verifying\n"},
        {500, SIM_EV_POWER_ON, "battery", "  +0d 00:00:00.000000  power_on     battery\n"},
        {0, SIM_EV_FAULT_ARMED, "x", "  -0d 00:00:00.000500  fault_armed  x\n"},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        char *text = NULL;
        size_t len = 0;
        struct sim_log log;
        sim_log_init(&log, 1, 500);
        log.trace = open_memstream(&text, &len);
        sim_log_event(&log, row[i].at_us, row[i].kind, 0, 0, row[i].text);
        fclose(log.trace);
        cr_assert_str_eq(text, row[i].expect);
        free(text);
    }
}

Test(log, trace_without_text_shows_the_numbers)
{
    char *text = NULL;
    size_t len = 0;
    struct sim_log log, quiet;
    sim_log_init(&log, 1, 0);
    sim_log_init(&quiet, 1, 0);
    log.trace = open_memstream(&text, &len);
    sim_log_event(&log, 86399999999, SIM_EV_PROGRAM, 4096, 256, NULL);
    sim_log_event(&quiet, 86399999999, SIM_EV_PROGRAM, 4096, 256, NULL);
    fclose(log.trace);
    cr_assert_str_eq(text, "  +0d 23:59:59.999999  program      4096 256\n");
    cr_assert_eq(log.chain, quiet.chain, "tracing is no event");
    free(text);
}

Test(log, every_kind_has_a_name_of_its_own)
{
    cr_assert_str_eq(sim_event_name(0), "?");
    cr_assert_str_eq(sim_event_name(SIM_EV_KINDS), "?");
    for (int kind = 1; kind < SIM_EV_KINDS; kind++) {
        cr_assert_not_null(sim_event_name(kind), "kind %d", kind);
        for (int other = 1; other < kind; other++)
            cr_assert_str_neq(sim_event_name(kind), sim_event_name(other));
    }
}
