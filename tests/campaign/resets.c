/* Untimed resets: each counts once, whatever came twice, late or never. */
#include "world.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

enum { FLEET = 2, SAID_MAX = 6, OLD = -1 /* a sender without resets_total */ };

struct said {
    int minute; /* of its clock; -1: it has none */
    unsigned seq, resets;
    int total;
    long counted; /* in all, after it */
};

static const struct {
    const char *what;
    struct said said[SAID_MAX];
} row[] = {
    {"an acknowledgement is lost, the next connection tells it again",
     {{0, 1, 0, 0, 0}, {5, 2, 1, 1, 1}, {7, 3, 1, 1, 1}, {10, 4, 0, 1, 1}}},
    {"a boot comes before the acknowledgement, by a power cut and by a crash",
     {{0, 1, 1, 1, 1}, {1, 1, 1, 1, 1}, {2, 1, 2, 2, 2}, {5, 2, 0, 2, 2}}},
    {"the message that told it never came", {{0, 1, 0, 3, 0}, {10, 3, 0, 4, 1}}},
    {"an older message comes after a newer one",
     {{0, 1, 0, 0, 0}, {10, 3, 2, 2, 2}, {5, 2, 1, 1, 2}, {15, 4, 0, 2, 2}}},
    {"its life before the campaign is no news", {{0, 1, 1, 40, 1}, {5, 2, 0, 40, 1}}},
    {"it lost its record and begins again",
     {{0, 1, 0, 5, 0}, {5, 1, 1, 1, 1}, {10, 2, 0, 1, 1}, {15, 1, 1, 2, 2}, {25, 3, 0, 3, 3}}},
    {"its clock was set back", {{60, 1, 0, 5, 0}, {5, 1, 1, 6, 1}, {10, 2, 0, 6, 1}}},
    {"an older sender, and a newer one after its update",
     {{0, 1, 1, OLD, 1}, {5, 2, 1, OLD, 2}, {10, 1, 1, 1, 3}, {15, 2, 1, 1, 3}}},
    {"without a clock nothing tells an older message from a lost record",
     {{-1, 1, 1, 1, 1}, {-1, 1, 1, 1, 2}}},
};

static void tell(struct world *world, const struct said *said)
{
    char json[400], at[48] = "", total[40] = "";
    if (said->minute >= 0)
        snprintf(at, sizeof at, "\"at\":\"2026-03-21T10:%02d:00.000Z\",", said->minute);
    if (said->total != OLD)
        snprintf(total, sizeof total, ",\"resets_total\":%d", said->total);
    int len = snprintf(json, sizeof json,
                       "{\"device_id\":\"%s\",\"seq\":%u,%s\"version\":\"2.4.0\",\"energy_mw\":1,"
                       "\"memory_kb\":2,\"cpu_permille\":3,\"resets\":%u%s}",
                       world->info[0].id, said->seq, at, said->resets, total);
    world->now_us += SECOND;
    camp_telemetry_json(world->camp, 0, json, (uint32_t)len, world->now_us);
}

static long counted(struct world *world)
{
    struct rep_result result;
    rep_result_init(&result);
    camp_report(world->camp, &result);
    const struct rep_observation *mtbf = &result.observation[0];
    long resets = mtbf->lower_bound ? 0 : (long)mtbf->after_den;
    rep_result_free(&result);
    return resets;
}

static void begin(struct world *world)
{
    world_init(world, 0, FLEET);
    world_single_phase(world, HOUR);
    world->plan.observe_us = 30 * DAY;
    for (uint32_t i = 0; i < FLEET; i++)
        world->device[i].script = QUIET;
    world_open(world);
    world_run_days(world, 2);
}

Test(camp_resets, each_counts_once)
{
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++)
        for (int reopened = 0; reopened < 2; reopened++) {
            struct world world;
            begin(&world);
            for (const struct said *said = row[i].said; said->seq; said++) {
                tell(&world, said);
                long now = counted(&world);
                cr_expect_eq(now, said->counted, "%s%s: %ld at minute %d", row[i].what,
                             reopened ? ", reopened" : "", now, said->minute);
                world_tick(&world);
                if (!reopened)
                    continue;
                camp_close(world.camp);
                cr_assert_eq(camp_open(&world.camp, &world.config, world.db), CAMP_OK);
            }
            struct camp_counts counts;
            camp_counts(world.camp, &counts);
            cr_expect_eq(counts.dropped + counts.late, 0);
            world_free(&world);
        }
}
