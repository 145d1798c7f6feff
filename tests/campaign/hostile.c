/* What comes in may be anything: wrong order, wrong device, wrong bytes. */
#include "sim/rng.h"
#include "world.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void enrolled(struct world *world)
{
    world_init(world, 0, 10);
    world_single_phase(world, DAY);
    for (uint32_t i = 0; i < 10; i++)
        world->device[i].script = MUTE;
    world->no_telemetry = true;
    world_open(world);
    world_run(world, START);
}

static enum rep_outcome outcome(const struct world *world, uint32_t device)
{
    struct camp_belief belief;
    camp_belief(world->camp, device, &belief);
    return belief.outcome;
}

Test(camp_hostile, duplicates_and_late_statuses_change_nothing)
{
    struct world world;
    enrolled(&world);
    world_say(&world, 0, 4, "confirmed", "");
    world_say(&world, 0, 3, "health_check", "");
    world_say(&world, 0, 2, "download_failed", "network");
    world_say(&world, 0, 4, "confirmed", "");
    world_say(&world, 0, 4, "rolled_back", "watchdog");
    cr_expect_eq(outcome(&world, 0), REP_OUT_CONFIRMED);
    struct camp_counts counts;
    camp_counts(world.camp, &counts);
    cr_expect_eq(counts.statuses, 5u);
    cr_expect_eq(counts.late, 4u);
    cr_expect_eq(counts.dropped, 0u);
    world_free(&world);
}

Test(camp_hostile, gaps_are_tolerated_and_the_last_attempt_wins)
{
    struct world world;
    enrolled(&world);
    world_say(&world, 0, 7, "download_failed", "network");
    cr_expect_eq(outcome(&world, 0), REP_OUT_DOWNLOAD_FAILED);
    world_say(&world, 0, 90, "verify_failed", "checksum");
    cr_expect_eq(outcome(&world, 0), REP_OUT_VERIFY_FAILED);
    world_say(&world, 0, 4000000000u, "confirmed", "");
    cr_expect_eq(outcome(&world, 0), REP_OUT_CONFIRMED);
    world_say(&world, 0, 4000000001u, "refused", "version");
    cr_expect_eq(outcome(&world, 0), REP_OUT_CONFIRMED, "a refused repeat undoes nothing");
    world_say(&world, 0, 4000000002u, "rolled_back", "faulty_boots");
    cr_expect_eq(outcome(&world, 0), REP_OUT_ROLLED_BACK);
    world_free(&world);
}

static const char good[] =
    "{\"device_id\":\"dev-00000\",\"campaign_id\":\"camp-1\",\"seq\":1,\"status\":"
    "\"confirmed\",\"reason\":\"\",\"version\":\"2.4.0\"}";

static void say(struct world *world, uint32_t device, const char *json)
{
    camp_status(world->camp, device, json, (uint32_t)strlen(json), world->now_us);
}

Test(camp_hostile, wrong_payloads_are_counted_and_dropped)
{
    static const char *const row[] = {
        "",
        "null",
        "[]",
        "[{}]",
        "{",
        "{}",
        "\"confirmed\"",
        "{\"device_id\":\"dev-00001\",\"campaign_id\":\"camp-1\",\"seq\":1,\"status\":"
        "\"confirmed\","
        "\"reason\":\"\",\"version\":\"2.4.0\"}",
        "{\"device_id\":\"dev-00000\",\"campaign_id\":\"camp-1\",\"seq\":\"1\",\"status\":"
        "\"confirmed\","
        "\"reason\":\"\",\"version\":\"2.4.0\"}",
        "{\"device_id\":\"dev-00000\",\"campaign_id\":\"camp-1\",\"seq\":-1,\"status\":"
        "\"confirmed\","
        "\"reason\":\"\",\"version\":\"2.4.0\"}",
        "{\"device_id\":\"dev-00000\",\"campaign_id\":\"camp-1\",\"seq\":0,\"status\":"
        "\"confirmed\","
        "\"reason\":\"\",\"version\":\"2.4.0\"}",
        "{\"device_id\":\"dev-00000\",\"campaign_id\":\"camp-1\",\"seq\":99999999999999999999,"
        "\"status\":"
        "\"confirmed\",\"reason\":\"\",\"version\":\"2.4.0\"}",
        "{\"device_id\":\"dev-00000\",\"campaign_id\":\"camp-1\",\"seq\":1.5,\"status\":"
        "\"confirmed\","
        "\"reason\":\"\",\"version\":\"2.4.0\"}",
        "{\"device_id\":\"dev-00000\",\"campaign_id\":\"camp-1\",\"seq\":1,\"status\":"
        "\"Confirmed\","
        "\"reason\":\"\",\"version\":\"2.4.0\"}",
        "{\"device_id\":\"dev-00000\",\"campaign_id\":\"camp-1\",\"seq\":1,\"status\":\"\","
        "\"reason\":\"\",\"version\":\"2.4.0\"}",
        "{\"device_id\":\"dev-00000\",\"campaign_id\":\"camp-1\",\"seq\":1,\"status\":7,\"reason\":"
        "\"\","
        "\"version\":\"2.4.0\"}",
        "{\"device_id\":[\"dev-00000\"],\"campaign_id\":\"camp-1\",\"seq\":1,\"status\":"
        "\"confirmed\","
        "\"reason\":\"\",\"version\":\"2.4.0\"}",
        "{\"device_id\":\"dev-00000\",\"campaign_id\":\"camp-1\",\"seq\":1,\"status\":"
        "\"confirmed\","
        "\"reason\":{},\"version\":\"2.4.0\"}",
        "{\"device_id\":\"dev-00000\",\"campaign_id\":\"camp-1\",\"seq\":1,\"status\":"
        "\"confirmed\","
        "\"reason\":\"\",\"version\":\"0123456789012345678901234567890123456789\"}",
        "{\"x\":{\"device_id\":\"dev-00000\",\"campaign_id\":\"camp-1\",\"seq\":1,\"status\":"
        "\"confirmed\",\"reason\":\"\",\"version\":\"2.4.0\"}}",
    };
    struct world world;
    enrolled(&world);
    for (size_t at = 0; at < sizeof row / sizeof row[0]; at++) {
        struct camp_counts counts;
        say(&world, 0, row[at]);
        camp_counts(world.camp, &counts);
        cr_expect_eq(counts.dropped, at + 1, "row %zu", at);
        cr_expect_eq(outcome(&world, 0), REP_OUT_PENDING, "row %zu", at);
    }
    say(&world, 10, good); /* there is no such device */
    say(&world, 0, good);
    cr_expect_eq(outcome(&world, 0), REP_OUT_CONFIRMED);
    world_free(&world);
}

Test(camp_hostile, a_status_of_another_campaign_is_heard_but_not_counted)
{
    struct world world;
    enrolled(&world);
    say(&world, 0,
        "{\"device_id\":\"dev-00000\",\"campaign_id\":\"camp-0\",\"seq\":1,\"status\":"
        "\"confirmed\","
        "\"reason\":\"\",\"version\":\"2.2.9\",\"nested\":{\"status\":[1,{\"seq\":9}]}}");
    struct camp_belief belief;
    camp_belief(world.camp, 0, &belief);
    cr_expect_eq(belief.outcome, REP_OUT_PENDING);
    cr_expect_str_eq(belief.version, "2.2.9");
    struct camp_counts counts;
    camp_counts(world.camp, &counts);
    cr_expect_eq(counts.foreign, 1u);
    world_free(&world);
}

/* A device that lost its journal knows no campaign, but what it runs. Its numbers begin at the
 * clock's seconds; a number below what was heard would be overtaken news. */
Test(camp_hostile, a_status_without_a_campaign_still_tells_the_version)
{
    struct world world;
    struct camp_belief belief;
    enrolled(&world);
    world_say(&world, 0, 5, "rebooting", "");
    say(&world, 0,
        "{\"device_id\":\"dev-00000\",\"campaign_id\":\"\",\"firmware_id\":\"\",\"seq\":1,"
        "\"status\":\"confirmed\",\"reason\":\"\",\"version\":\"9.9.9\"}");
    camp_belief(world.camp, 0, &belief);
    cr_expect_str_neq(belief.version, "9.9.9", "older than what was heard");
    say(&world, 0,
        "{\"device_id\":\"dev-00000\",\"campaign_id\":\"\",\"firmware_id\":\"\","
        "\"seq\":1774008001,\"status\":\"confirmed\",\"reason\":\"\",\"version\":\"2.5.0\"}");
    camp_belief(world.camp, 0, &belief);
    cr_expect_str_eq(belief.version, "2.5.0");
    cr_expect_eq(belief.outcome, REP_OUT_PENDING, "of no campaign, so no outcome of this one");
    world_free(&world);
}

Test(camp_hostile, every_truncation_is_dropped)
{
    struct world world;
    enrolled(&world);
    for (uint32_t len = 0; len + 1 < sizeof good; len++) {
        char *copy = malloc(len ? len : 1); /* exact, so that the sanitizer sees one byte too far */
        memcpy(copy, good, len);
        camp_status(world.camp, 0, copy, len, world.now_us);
        free(copy);
        cr_expect_eq(outcome(&world, 0), REP_OUT_PENDING, "length %u", len);
    }
    world_free(&world);
}

Test(camp_hostile, random_and_huge_bytes_do_no_harm)
{
    struct world world;
    enrolled(&world);
    struct sim_rng rng;
    sim_rng_init(&rng, 42, 0, SIM_RNG_SERVICE, 0);
    char *bytes = malloc(1 << 20);
    for (int round = 0; round < 20000; round++) {
        uint32_t len = sim_rng_below(&rng, 300);
        bool mutate = round % 2;
        if (mutate) {
            len = sizeof good - 1;
            memcpy(bytes, good, len);
        }
        for (uint32_t i = 0; i < (mutate ? 3 : len); i++)
            bytes[mutate ? sim_rng_below(&rng, len) : i] = (char)sim_rng_u32(&rng);
        camp_status(world.camp, 1 + (uint32_t)round % 12, bytes, len, world.now_us);
        camp_pong(world.camp, (uint32_t)round % 12, bytes, len, world.now_us);
    }
    memset(bytes, '[', 1 << 20);
    camp_status(world.camp, 0, bytes, 1 << 20, world.now_us);
    camp_status(world.camp, 0, bytes, CAMP_PAYLOAD_MAX, world.now_us);
    free(bytes);
    cr_expect_eq(camp_tick(world.camp, world.now_us + 10 * SECOND), CAMP_OK);
    cr_expect_eq(world_count(&world, REP_OUT_PENDING), 10u);
    world_free(&world);
}

Test(camp_hostile, impossible_telemetry_is_dropped)
{
    const struct camp_telemetry fine = {
        0, START + HOUR, START + HOUR, 1, "2.3.1", 1000, 2000, 200, 0, 0, 0};
    struct camp_telemetry row[12];
    for (int i = 0; i < 12; i++)
        row[i] = fine;
    row[0].device = 10;
    row[1].received = 0;
    row[2].first_us = fine.last_us + 1;
    row[3].energy_mw = INT64_MAX;
    row[4].memory_kb = -1;
    row[5].cpu_permille = INT64_MIN;
    row[6].received = UINT32_MAX;
    memset(row[7].version, 'x', sizeof row[7].version);
    row[8].resets = row[9].resets = row[10].resets = 1;
    row[8].last_reset_us = fine.last_us + 1;
    row[9].first_reset_us = 1;
    row[10].first_reset_us = INT64_MIN;
    struct world world;
    enrolled(&world);
    struct camp_counts counts;
    for (int at = 0; at < 11; at++) {
        camp_telemetry(world.camp, &row[at]);
        camp_counts(world.camp, &counts);
        cr_expect_eq(counts.dropped, (uint64_t)at + 1, "row %d", at);
    }
    camp_telemetry(world.camp, &row[11]);
    camp_telemetry(world.camp, &row[11]);
    camp_counts(world.camp, &counts);
    cr_expect_eq(counts.dropped, 11u);
    cr_expect_eq(counts.late, 1u, "the same run twice");
    world_free(&world);
}
