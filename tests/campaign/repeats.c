/* Telemetry that the broker delivers twice: each message counts once, each boot's anew. */
#include "world.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

enum { FLEET = 20 };
static uint64_t before; /* messages until then */

static void count_from_here(const struct world *world)
{
    struct camp_counts counts;
    camp_counts(world->camp, &counts);
    before = counts.telemetry;
}

/* The whole fleet has confirmed, and is observed. */
static void confirmed_fleet(struct world *world)
{
    world_init(world, 0, FLEET);
    world_single_phase(world, HOUR);
    world->plan.observe_us = 30 * DAY;
    for (uint32_t i = 0; i < FLEET; i++)
        world->device[i].script = QUIET;
    world_open(world);
    world_run_days(world, 2);
    cr_assert_eq(world_count(world, REP_OUT_CONFIRMED), FLEET);
    count_from_here(world);
}

/* What the first device says, as ota-agent does; at: NULL, no clock. */
static void tell(struct world *world, unsigned seq, const char *at, unsigned resets)
{
    char json[400], dated[64] = "";
    if (at)
        snprintf(dated, sizeof dated, "\"at\":\"%s\",", at);
    int len =
        snprintf(json, sizeof json,
                 "{\"device_id\":\"%s\",\"seq\":%u,%s\"version\":\"2.4.0\",\"energy_mw\":1500,"
                 "\"memory_kb\":69,\"cpu_permille\":4,\"resets\":%u}",
                 world->info[0].id, seq, dated, resets);
    world->now_us += SECOND;
    camp_telemetry_json(world->camp, 0, json, (uint32_t)len, world->now_us);
}

struct counted {
    int64_t resets, received;
    uint64_t told;
};

static struct counted counted(struct world *world)
{
    struct rep_result result;
    struct camp_counts counts;
    rep_result_init(&result);
    camp_report(world->camp, &result);
    camp_counts(world->camp, &counts);
    cr_expect_eq(counts.dropped, 0);
    const struct rep_observation *mtbf = &result.observation[0], *told = &result.observation[4];
    struct counted out = {mtbf->lower_bound ? 0 : mtbf->after_den, told->after_num,
                          counts.telemetry};
    rep_result_free(&result);
    return out;
}

/* told: messages since the fleet confirmed, or the service was opened again */
static void expect(struct world *world, int64_t resets, uint64_t told, const char *what)
{
    struct counted now = counted(world);
    cr_expect_eq(now.resets, resets, "%s: %lld resets", what, (long long)now.resets);
    cr_expect_eq(now.told - before, told, "%s: %lu told", what, (unsigned long)(now.told - before));
}

Test(camp_repeats, a_message_that_comes_twice_counts_once)
{
    struct world world;
    confirmed_fleet(&world);
    int64_t received = counted(&world).received;
    tell(&world, 1, "2026-03-21T10:00:00.000Z", 1);
    expect(&world, 1, 1, "the news");
    tell(&world, 1, "2026-03-21T10:00:00.000Z", 1);
    expect(&world, 1, 1, "the news again");
    tell(&world, 2, "2026-03-21T10:05:00.000Z", 0);
    tell(&world, 3, "2026-03-21T10:10:00.000Z", 0);
    tell(&world, 1, "2026-03-21T10:00:00.000Z", 1);
    tell(&world, 2, "2026-03-21T10:05:00.000Z", 0);
    tell(&world, 3, "2026-03-21T10:10:00.000Z", 0);
    expect(&world, 1, 3, "all that was in flight again");
    cr_expect_eq(counted(&world).received, received + 3, "no repeat stands for a missing message");
    world_free(&world);
}

Test(camp_repeats, the_first_message_of_the_next_boot_is_another)
{
    struct world world;
    confirmed_fleet(&world);
    tell(&world, 1, "2026-03-21T10:00:00.000Z", 1);
    tell(&world, 1, "2026-03-21T10:00:02.125Z", 1);
    expect(&world, 2, 2, "another time");
    tell(&world, 1, "2026-03-21T10:00:02.125Z", 2);
    expect(&world, 4, 3, "within the clock's resolution, but other news");
    tell(&world, 1, NULL, 1);
    tell(&world, 1, NULL, 1);
    expect(&world, 6, 5, "without a clock nothing tells them apart, so both count");
    world_free(&world);
}

/* Killed after the commit, before the broker had its acknowledgement: it delivers again. */
Test(camp_repeats, a_restarted_service_still_knows_them)
{
    struct world world;
    confirmed_fleet(&world);
    tell(&world, 1, "2026-03-21T10:00:00.000Z", 1);
    world_tick(&world);
    camp_close(world.camp);
    cr_assert_eq(camp_open(&world.camp, &world.config, world.db), CAMP_OK);
    count_from_here(&world);
    tell(&world, 1, "2026-03-21T10:00:00.000Z", 1);
    expect(&world, 1, 0, "after the restart");
    world_free(&world);
}

/* As many as a broker has under way, of one device: all come again after a crash, and once more
 * after the next one. */
Test(camp_repeats, all_that_was_under_way_counts_once)
{
    struct world world;
    confirmed_fleet(&world);
    int64_t received = counted(&world).received;
    for (int life = 0; life < 3; life++) {
        for (unsigned seq = 1; seq <= 100; seq++) {
            char at[32];
            snprintf(at, sizeof at, "2026-03-21T10:%02u:%02u.000Z", seq / 60, seq % 60);
            tell(&world, seq, at, seq % 10 == 0);
        }
        cr_expect_eq(counted(&world).received, received + 100, "life %d", life);
        expect(&world, 10, life ? 0 : 100, "each once");
        world_tick(&world);
        camp_close(world.camp);
        cr_assert_eq(camp_open(&world.camp, &world.config, world.db), CAMP_OK);
        count_from_here(&world);
    }
    tell(&world, 101, "2026-03-21T10:30:00.000Z", 0);
    expect(&world, 10, 1, "the next one is another");
    world_free(&world);
}

/* As a service wrote it that had room for four. */
Test(camp_repeats, a_row_with_four_marks_is_read)
{
    struct world world;
    confirmed_fleet(&world);
    tell(&world, 1, "2026-03-21T10:00:00.000Z", 1);
    tell(&world, 2, "2026-03-21T10:05:00.000Z", 1);
    world_tick(&world);
    camp_close(world.camp);
    cr_assert_eq(sqlite3_exec(world.db,
                              "UPDATE camp_measured SET sums = CAST(substr(sums, 1, 168) || "
                              "substr(sums, 189, 16) || zeroblob(16) AS BLOB) WHERE device = 0",
                              NULL, NULL, NULL),
                 SQLITE_OK);
    cr_assert_eq(camp_open(&world.camp, &world.config, world.db), CAMP_OK, "%s",
                 camp_message(world.camp));
    count_from_here(&world);
    tell(&world, 1, "2026-03-21T10:00:00.000Z", 1);
    tell(&world, 2, "2026-03-21T10:05:00.000Z", 1);
    expect(&world, 2, 0, "both are known");
    tell(&world, 3, "2026-03-21T10:10:00.000Z", 0);
    expect(&world, 2, 1, "and more fit in");
    world_free(&world);
}

Test(camp_repeats, a_row_of_no_form_is_refused)
{
    static const char *const how[] = {
        "substr(sums, 1, 167)",
        "CAST(substr(sums, 1, 168) || x'00' AS BLOB)",
        "CAST(substr(sums, 1, 184) || x'01000000' AS BLOB)",
        "CAST(substr(sums, 1, 184) || x'81000000' || zeroblob(1032) AS BLOB)",
    };
    for (size_t i = 0; i < sizeof how / sizeof how[0]; i++) {
        struct world world;
        char sql[256];
        confirmed_fleet(&world);
        camp_close(world.camp);
        snprintf(sql, sizeof sql, "UPDATE camp_measured SET sums = %s WHERE device = 0", how[i]);
        cr_assert_eq(sqlite3_exec(world.db, sql, NULL, NULL, NULL), SQLITE_OK);
        cr_expect_eq(camp_open(&world.camp, &world.config, world.db), CAMP_ECONFIG, "%s", how[i]);
        cr_expect(strstr(camp_message(world.camp), "measurements are damaged"));
        world_free(&world);
    }
}

/* A campaign that a service without marks began: the row ends where they begin. */
Test(camp_repeats, a_row_from_before_there_were_marks_is_read)
{
    struct world world;
    confirmed_fleet(&world);
    tell(&world, 1, "2026-03-21T10:00:00.000Z", 1);
    world_tick(&world);
    camp_close(world.camp);
    cr_assert_eq(sqlite3_exec(world.db, "UPDATE camp_measured SET sums = substr(sums, 1, 168)",
                              NULL, NULL, NULL),
                 SQLITE_OK);
    cr_assert_eq(camp_open(&world.camp, &world.config, world.db), CAMP_OK, "%s",
                 camp_message(world.camp));
    count_from_here(&world);
    expect(&world, 1, 0, "what it counted");
    tell(&world, 1, "2026-03-21T10:00:00.000Z", 1);
    expect(&world, 2, 1, "what it did not note, it does not know");
    world_free(&world);
}
