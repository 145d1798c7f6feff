/* A service that did not hear for hours, and then hears all of it at once. */
#include "world.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { FLEET = 20, UNDER_WAY = 1 }; /* device 0 says what the test says; the others are confirmed */

/* Its clock, as far as it has one. */
enum clock { RIGHT, SLOW, FROM_1970, NONE, CLOCKS };
static const char *const clock_names[CLOCKS] = {"right", "slow", "from 1970", "none"};

static void stamp(char out[64], enum clock clock, int64_t said_us)
{
    char text[32];
    int64_t by_us = clock == SLOW ? 20 * SECOND : clock == FROM_1970 ? said_us - DAY : 0;
    time_t at = (time_t)((said_us - by_us) / SECOND);
    struct tm utc;
    gmtime_r(&at, &utc);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc);
    out[0] = '\0';
    if (clock != NONE)
        snprintf(out, 64, "\"at\":\"%s.%03dZ\",", text, (int)((said_us - by_us) % SECOND / 1000));
}

/* Said then, heard now. */
static void status(struct world *world, uint32_t seq, const char *what, enum clock clock,
                   int64_t said_us)
{
    char json[400], at[64];
    stamp(at, clock, said_us);
    int len = snprintf(
        json, sizeof json,
        "{\"device_id\":\"%s\",\"campaign_id\":\"camp-1\",\"firmware_id\":\"fw-2.4.0\",\"seq\":%u,"
        "%s\"status\":\"%s\",\"reason\":\"\",\"version\":\"2.4.0\",\"slot\":0}",
        world->info[0].id, seq, at, what);
    camp_status(world->camp, 0, json, (uint32_t)len, ++world->now_us);
}

static void telemetry(struct world *world, enum clock clock, int64_t said_us, unsigned resets)
{
    static unsigned seq;
    char json[400], at[64];
    stamp(at, clock, said_us);
    int len = snprintf(json, sizeof json,
                       "{\"device_id\":\"%s\",\"seq\":%u,%s\"version\":\"2.4.0\",\"energy_mw\":5,"
                       "\"memory_kb\":6,\"cpu_permille\":7,\"resets\":%u}",
                       world->info[0].id, ++seq, at, resets);
    camp_telemetry_json(world->camp, 0, json, (uint32_t)len, ++world->now_us);
}

/* In the middle of a phase that every gate watches. */
static void fleet(struct world *world, int64_t hold_us)
{
    world_init(world, 0, FLEET);
    struct scn_phase *phase = world_single_phase(world, hold_us);
    world_gate(phase, SCN_METRIC_BRICK, SCN_MORE, 0, 100);
    world_gate(phase, SCN_METRIC_TELEMETRY_GAP, SCN_MORE, 5, 100);
    world_gate(phase, SCN_METRIC_CRASH, SCN_MORE, 0, 100);
    world->device[0].script = MUTE;
    world_open(world);
    world_run(world, START + 2 * HOUR);
    cr_assert_eq(world_count(world, REP_OUT_CONFIRMED), FLEET - UNDER_WAY);
}

static void pass(struct world *world, int64_t us)
{
    world->now_us += us / (10 * SECOND) * (10 * SECOND) - 10 * SECOND;
    world_tick(world);
}

static bool presumed(const struct world *world)
{
    struct camp_belief belief;
    camp_belief(world->camp, 0, &belief);
    return belief.presumed_bricked;
}

static struct camp_figures figures(const struct world *world)
{
    struct camp_figures out;
    camp_figures(world->camp, 0, &out);
    return out;
}

Test(camp_deaf, silence_is_judged_when_all_was_heard)
{
    for (int speaks = 0; speaks < 2; speaks++) {
        struct world world;
        fleet(&world, 48 * HOUR);
        world.no_telemetry = true;
        status(&world, 1, "rebooting", RIGHT, world.now_us);
        world_tick(&world);
        int64_t from_us = world.now_us;
        camp_deaf(world.camp, from_us);
        pass(&world, 20 * HOUR);
        cr_expect(!presumed(&world), "it could not be heard");
        if (speaks)
            status(&world, 2, "health_check", RIGHT, from_us + HOUR);
        world_tick(&world);
        camp_hears(world.camp);
        world_tick(&world);
        cr_expect_eq(presumed(&world), !speaks);
        world_free(&world);
    }
}

/* by_telemetry: it rebooted before, and only telemetry was said in the hours without ears. */
static void speaks_at_last(enum clock clock, bool by_telemetry)
{
    struct world world;
    fleet(&world, 48 * HOUR);
    world.no_telemetry = true;
    int64_t from_us = world.now_us;
    if (by_telemetry)
        status(&world, 1, "rebooting", clock, from_us);
    camp_deaf(world.camp, from_us);
    pass(&world, 20 * HOUR);
    if (by_telemetry)
        telemetry(&world, clock, from_us + HOUR, 0);
    else
        status(&world, 1, "rebooting", clock, from_us + HOUR);
    int64_t heard_us = world.now_us;
    world_tick(&world);
    camp_hears(world.camp);
    world_tick(&world);
    cr_expect(!presumed(&world) && camp_state(world.camp) == CAMP_RUNNING, "clock %s",
              clock_names[clock]);
    world.now_us = heard_us + 12 * HOUR - 20 * SECOND;
    world_tick(&world);
    cr_expect(!presumed(&world), "clock %s: less than 12 h", clock_names[clock]);
    world_tick(&world);
    cr_expect(presumed(&world), "clock %s: 12 h later it is one", clock_names[clock]);
    world_free(&world);
}

/* Seconds before the service was there again, it may be; nobody knows. */
Test(camp_deaf, a_device_that_spoke_is_alive_since_it_was_heard)
{
    for (enum clock clock = 0; clock < CLOCKS; clock++) {
        speaks_at_last(clock, false);
        speaks_at_last(clock, true);
    }
}

/* It confirms in the middle of six hours, and goes on in its intervals, but for `lost` of them.
 * Each clock must come to the same: nothing was missed but those. */
static struct camp_figures confirmed_unheard(enum clock clock, uint32_t lost)
{
    struct world world;
    fleet(&world, 48 * HOUR);
    int64_t from_us = world.now_us, said_us = from_us + 3 * HOUR;
    camp_deaf(world.camp, from_us);
    pass(&world, 6 * HOUR);
    status(&world, 1, "confirmed", clock, said_us);
    telemetry(&world, clock, said_us + SECOND, 0);
    for (int64_t at_us = 5 * MINUTE; at_us < 3 * HOUR; at_us += 5 * MINUTE) {
        telemetry(&world, clock, said_us + at_us, 0);
        cr_assert_eq(camp_tick(world.camp, world.now_us), CAMP_OK);
    }
    camp_hears(world.camp);
    world_tick(&world);
    cr_expect_neq(camp_state(world.camp), CAMP_PAUSED, "clock %s", clock_names[clock]);
    int64_t again_us = world.now_us;
    for (int64_t at_us = (1 + lost) * 5 * MINUTE; at_us <= 4 * HOUR; at_us += 5 * MINUTE) {
        world.now_us = again_us + at_us - SECOND;
        telemetry(&world, clock, world.now_us, 0);
        cr_assert_eq(camp_tick(world.camp, world.now_us), CAMP_OK);
    }
    struct camp_figures out = figures(&world);
    world_free(&world);
    return out;
}

Test(camp_deaf, neither_misses_intervals_nor_forgives_later_ones)
{
    for (enum clock clock = 0; clock < CLOCKS; clock++)
        for (uint32_t lost = 0; lost <= 20; lost += 10) {
            struct camp_figures got = confirmed_unheard(clock, lost);
            int64_t missed = got.expected - got.received;
            cr_expect(missed >= (int64_t)lost - 1 && missed <= (int64_t)lost + 1,
                      "clock %s: %lld missed of %lld, %u lost", clock_names[clock],
                      (long long)missed, (long long)got.expected, lost);
        }
}

/* Its clock was set between two messages: the second seems to be older, and counts all the same. */
Test(camp_deaf, a_clock_that_is_set_loses_no_message)
{
    struct world world;
    fleet(&world, 48 * HOUR);
    world.no_telemetry = true;
    int64_t from_us = world.now_us;
    camp_deaf(world.camp, from_us);
    pass(&world, 6 * HOUR);
    status(&world, 1, "confirmed", FROM_1970, from_us + HOUR);
    telemetry(&world, FROM_1970, from_us + HOUR, 0);
    telemetry(&world, RIGHT, from_us + 2 * HOUR, 1);
    telemetry(&world, RIGHT, from_us + 3 * HOUR, 0);
    world_tick(&world);
    cr_expect_eq(figures(&world).received, 3);
    struct camp_counts counts;
    camp_counts(world.camp, &counts);
    cr_expect_eq(counts.late, 0);
    world_free(&world);
}

/* What waited comes one after the other, and after the first of it the rest seems to be missing. */
Test(camp_deaf, no_gate_is_judged_before_all_has_come)
{
    struct world world;
    fleet(&world, 48 * HOUR);
    world.no_telemetry = true;
    status(&world, 1, "confirmed", RIGHT, world.now_us);
    world_tick(&world);
    camp_deaf(world.camp, world.now_us);
    pass(&world, 10 * DAY);
    telemetry(&world, FROM_1970, 0, 0);
    world_tick(&world);
    cr_expect_gt(figures(&world).expected - figures(&world).received, 2000, "so it seems");
    cr_expect_eq(camp_state(world.camp), CAMP_RUNNING);
    world_free(&world);
}

/* Its reset was told in the 20 h from the 40th to the 60th after its confirmation. */
Test(camp_deaf, a_reset_is_judged_by_the_time_at_which_it_was_told)
{
    static const struct {
        int64_t told_us;
        bool crashed;
    } row[] = {{41 * HOUR, true}, {47 * HOUR, true}, {49 * HOUR, false}, {59 * HOUR, false}};
    for (size_t at = 0; at < sizeof row / sizeof row[0]; at++) {
        struct world world;
        fleet(&world, 96 * HOUR);
        status(&world, 1, "confirmed", RIGHT, world.now_us);
        int64_t confirmed_us = world.now_us;
        world_tick(&world);
        pass(&world, 40 * HOUR);
        camp_deaf(world.camp, world.now_us);
        pass(&world, 20 * HOUR);
        telemetry(&world, SLOW, confirmed_us + row[at].told_us, 1);
        world_tick(&world);
        cr_expect_eq(figures(&world).crashed, row[at].crashed, "%lld h",
                     (long long)(row[at].told_us / HOUR));
        world_free(&world);
    }
}

/* Its answer is lost, or comes late because nobody was there: that is not the device's. */
Test(camp_deaf, a_ping_under_way_is_forgotten)
{
    for (int answers = 0; answers < 2; answers++) {
        struct world world;
        world_init(&world, 0, FLEET);
        world_gate(world_single_phase(&world, 24 * HOUR), SCN_METRIC_COMMAND_MS, SCN_MORE, 0, 1);
        for (uint32_t i = 0; i < FLEET; i++)
            world.device[i].script = NO_PONG;
        world_open(&world);
        while (!world.device[0].pings) {
            uint32_t device;
            int64_t next_us = sim_queue_peek(&world.queue, &device);
            int64_t due_us = camp_next_at(world.camp);
            world_run(&world, next_us < due_us ? next_us : due_us);
        }
        camp_deaf(world.camp, world.now_us);
        pass(&world, 2 * HOUR);
        for (uint32_t number = 1; answers && number < 3 * FLEET; number++) {
            char pong[128];
            int len =
                snprintf(pong, sizeof pong, "{\"device_id\":\"%s\",\"seq\":1,\"pong\":\"c%u\"}",
                         world.info[0].id, number);
            camp_pong(world.camp, 0, pong, (uint32_t)len, ++world.now_us);
        }
        camp_hears(world.camp);
        cr_assert_eq(camp_tick(world.camp, world.now_us), CAMP_OK);
        cr_expect_eq(figures(&world).answers_bad, 0, "answers: %d", answers);
        cr_expect_eq(camp_state(world.camp), CAMP_RUNNING);
        world_free(&world);
    }
}

/* A pause by a gate is over when its devices were silent for long enough: deaf time is not that. */
Test(camp_deaf, a_stopped_campaign_waits_for_what_it_did_not_hear)
{
    struct world world;
    fleet(&world, 48 * HOUR);
    status(&world, 1, "rebooting", RIGHT, world.now_us);
    camp_operator(world.camp, CAMP_OPERATOR_PAUSE, world.now_us);
    world_tick(&world);
    camp_deaf(world.camp, world.now_us);
    pass(&world, 60 * HOUR);
    cr_expect(!camp_done(world.camp));
    camp_hears(world.camp);
    world_tick(&world);
    cr_expect(camp_done(world.camp), "48 h are over");
    world_free(&world);
}

/* Whose clock is right tells the service that a backlog still comes. */
Test(camp_deaf, what_dates_itself_before_the_connection_is_backlog)
{
    struct world world;
    fleet(&world, 48 * HOUR);
    int64_t from_us = world.now_us;
    camp_deaf(world.camp, from_us);
    pass(&world, 2 * HOUR);
    camp_connected(world.camp, world.now_us);
    telemetry(&world, RIGHT, from_us + HOUR, 0);
    cr_expect_eq(camp_backlog(world.camp), 1u);
    status(&world, 1, "health_check", RIGHT, from_us + HOUR + MINUTE);
    cr_expect_eq(camp_backlog(world.camp), 2u);
    telemetry(&world, RIGHT, world.now_us + SECOND, 0);
    cr_expect_eq(camp_backlog(world.camp), 2u, "of now");
    camp_hears(world.camp);
    telemetry(&world, RIGHT, from_us + HOUR, 0);
    cr_expect_eq(camp_backlog(world.camp), 2u, "it is not deaf");
    world_free(&world);
}
