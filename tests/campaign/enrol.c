/* When devices are notified: rates, windows, sites, repeats; and what a notification says. */
#include "world.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static int by_time(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

/* Most notifications in any 60 minutes, and how many there were. */
static uint32_t busiest_hour(const struct world *world, uint32_t *notified)
{
    uint32_t count = 0, busiest = 0;
    int64_t *at = calloc(world->config.devices, sizeof *at);
    for (uint32_t i = 0; i < world->config.devices; i++)
        if (world->device[i].notified_us >= 0)
            at[count++] = world->device[i].notified_us;
    qsort(at, count, sizeof *at, by_time);
    for (uint32_t first = 0, last = 0; last < count; last++) {
        while (at[last] - at[first] >= HOUR)
            first++;
        busiest = last - first + 1 > busiest ? last - first + 1 : busiest;
    }
    free(at);
    *notified = count;
    return busiest;
}

Test(camp_enrol, no_hour_holds_more_than_the_rate_and_the_rate_is_used)
{
    static const uint32_t rates[] = {1, 7, 360, 500, 1000};
    for (size_t at = 0; at < sizeof rates / sizeof rates[0]; at++) {
        struct world world;
        world_init(&world, 0, 1500);
        world_single_phase(&world, HOUR)->rate_per_hour = rates[at];
        world.no_telemetry = true;
        world_open(&world);
        world_run(&world, START + 150 * MINUTE);
        uint32_t notified, busiest = busiest_hour(&world, &notified);
        cr_expect_eq(busiest, rates[at], "rate %u: %u", rates[at], busiest);
        uint32_t fair = rates[at] * 5 / 2;
        fair = fair < 1500 ? fair : 1500;
        cr_expect(notified >= fair && notified <= fair + 1, "rate %u: %u in 150 min", rates[at],
                  notified);
        world_free(&world);
    }
}

Test(camp_enrol, rate_holds_across_windows_that_close_and_open)
{
    struct world world;
    world_init(&world, 0, 900);
    world_single_phase(&world, HOUR)->rate_per_hour = 100;
    world.no_telemetry = true;
    for (uint32_t i = 0; i < 900; i++)
        world.info[i].ota_window = i % 2 ? "daily 10:00-10:25 UTC" : "daily 10:40-11:10 UTC";
    world_open(&world);
    world_run_days(&world, 6);
    uint32_t notified, busiest = busiest_hour(&world, &notified);
    cr_expect_leq(busiest, 100u, "%u", busiest);
    cr_expect_gt(notified, 500u);
    world_free(&world);
}

Test(camp_enrol, devices_are_notified_only_while_their_window_is_open)
{
    static const struct {
        const char *window, *zone;
        int64_t from_us, until_us; /* of the day, UTC; START is 10:00 on a Thursday */
    } row[] = {
        {"daily 01:00-05:00 local", "CET-1", 0, 4 * HOUR},
        {"daily 01:00-05:00 local", "JST-9", 16 * HOUR, 20 * HOUR},
        {"Sun 02:00-06:00 UTC", "JST-9", 2 * HOUR, 6 * HOUR},
    };
    for (size_t at = 0; at < sizeof row / sizeof row[0]; at++) {
        struct world world;
        world_init(&world, 0, 10);
        world_single_phase(&world, HOUR);
        world.no_telemetry = true;
        for (uint32_t i = 0; i < 10; i++) {
            world.info[i].ota_window = row[at].window;
            world.info[i].zone_posix = row[at].zone;
        }
        world_open(&world);
        world_run_days(&world, 7);
        for (uint32_t i = 0; i < 10; i++) {
            int64_t of_day = world.device[i].notified_us % DAY;
            cr_expect_geq(world.device[i].notified_us, START);
            cr_expect(of_day >= row[at].from_us && of_day < row[at].until_us, "%s: %ld",
                      row[at].window, (long)(of_day / SECOND));
        }
        int64_t weekday = (world.device[0].notified_us / DAY + 4) % 7;
        cr_expect(at != 2 || weekday == 0);
        world_free(&world);
    }
}

Test(camp_enrol, forced_campaign_ignores_windows)
{
    struct world world;
    world_init(&world, 0, 10);
    world_single_phase(&world, HOUR);
    world.plan.force = true;
    for (uint32_t i = 0; i < 10; i++)
        world.info[i].ota_window = "Sun 02:00-06:00 UTC";
    world_open(&world);
    world_run(&world, START);
    cr_expect_eq(world_count(&world, REP_OUT_PENDING), 10u);
    cr_expect(strstr(world.last_notification, "\"force\":true"));
    world_free(&world);
}

Test(camp_enrol, staggered_sites_follow_the_sun_one_after_the_other)
{
    /* At 10:00 UTC Chicago is open (01:00 is 7:00 there), then come Tokyo (16:00), Berlin (0:00),
     * UTC. */
    static const char *const zones[] = {"CST6", "JST-9", "UTC0", "JST-9", "CET-1"};
    struct world world;
    world_init(&world, 0, 500);
    struct scn_phase *phase = world_single_phase(&world, HOUR);
    phase->stagger = true;
    phase->rate_per_hour = 250;
    world.no_telemetry = true;
    for (uint32_t i = 0; i < 500; i++) {
        world.info[i].zone_posix = zones[i % 5];
        world.info[i].ota_window = "daily 01:00-05:00 local";
    }
    world_open(&world);
    world_run_days(&world, 3);
    int64_t first[5], last[5] = {0};
    for (int site = 0; site < 5; site++)
        first[site] = INT64_MAX;
    for (uint32_t i = 0; i < 500; i++) {
        int64_t at = world.device[i].notified_us;
        first[i % 5] = at < first[i % 5] ? at : first[i % 5];
        last[i % 5] = at > last[i % 5] ? at : last[i % 5];
    }
    static const int order[] = {0, 1, 3, 4, 2};
    for (int k = 0; k + 1 < 5; k++)
        cr_expect_leq(last[order[k]], first[order[k + 1]], "site %d before %d", order[k],
                      order[k + 1]);
    world_free(&world);
}

Test(camp_enrol, notification_is_what_the_contract_says)
{
    struct world world;
    world_init(&world, 0, 3);
    world_single_phase(&world, HOUR);
    world_open(&world);
    world_run(&world, START);
    json_t *json = json_loads(world.last_notification, JSON_REJECT_DUPLICATES, NULL);
    cr_assert(json);
    cr_expect_eq(json_object_size(json), 4u);
    cr_expect_str_eq(json_string_value(json_object_get(json, "campaign_id")), "camp-1");
    cr_expect_str_eq(
        json_string_value(json_object_get(json_object_get(json, "manifest"), "version")), "2.4.0");
    cr_expect(json_is_false(json_object_get(json, "force")));
    cr_expect_str_eq(json_string_value(json_object_get(json, "deadline")), "2026-03-21T10:00:00Z");
    json_decref(json);
    world_free(&world);
}

Test(camp_enrol, notification_is_repeated_daily_to_the_mute_until_they_are_silent)
{
    struct world world;
    world_init(&world, 0, 2);
    world_single_phase(&world, HOUR);
    world.plan.silent_after_us = 96 * HOUR;
    world.device[0].script = MUTE;
    world_open(&world);
    world_run(&world, START + 95 * HOUR);
    cr_expect_eq(world.device[0].notifications, 4u, "%u", world.device[0].notifications);
    cr_expect_eq(world.device[1].notifications, 1u);
    cr_expect_eq(world_count(&world, REP_OUT_PENDING), 1u);
    world_run(&world, START + 97 * HOUR);
    cr_expect_eq(world.device[0].notifications, 4u);
    cr_expect_eq(world_count(&world, REP_OUT_SILENT), 1u);
    world_free(&world);
}

Test(camp_enrol, named_devices_and_filters_choose_a_cohort)
{
    struct world world;
    world_init(&world, 2, 50);
    struct scn_phase *phase = world_single_phase(&world, HOUR);
    world.plan.phases = 2;
    phase->size = SCN_SIZE_DEVICES;
    phase->devices_count = 2;
    strcpy(phase->devices[0], "dev-00033");
    strcpy(phase->devices[1], "dev-00007");
    world.plan.phase[1] = (struct scn_phase){
        .name = "site", .size = SCN_SIZE_COUNT, .count = 6, .where_site = "s-03", .hold_us = HOUR};
    world_open(&world);
    world_run_days(&world, 2);
    struct camp_belief belief;
    uint32_t second = 0;
    for (uint32_t i = 0; i < 52; i++) {
        camp_belief(world.camp, i, &belief);
        bool named = i == 33 || i == 7;
        cr_expect_eq(belief.phase == 0, named, "device %u", i);
        if (belief.phase == 1) {
            second++;
            cr_expect_str_eq(world.info[i].site, "s-03");
        }
    }
    cr_expect_eq(second, 4u, "cumulative: 2 + 4 = 6, not %u", second);
    world_free(&world);
}

Test(camp_enrol, configuration_that_cannot_work_is_refused_with_words)
{
    struct world world;
    world_init(&world, 2, 5);
    world_open(&world);
    struct scn_phase *phase = world_single_phase(&world, HOUR);
    phase->size = SCN_SIZE_DEVICES;
    phase->devices_count = 1;
    static const char *const names[] = {"dev-00001", "dev-09999"};
    static const char *const says[] = {"campaign: a phase names a lab device: dev-00001",
                                       "campaign: no such device: dev-09999"};
    for (int at = 0; at < 2; at++) {
        struct camp *camp;
        strcpy(phase->devices[0], names[at]);
        cr_expect_eq(camp_open(&camp, &world.config, world.db), CAMP_ECONFIG);
        cr_expect_str_eq(camp_message(camp), says[at]);
        camp_close(camp);
    }
    strcpy(phase->devices[0], "dev-00004");
    world.info[4].ota_window = "now and then";
    struct camp *camp;
    cr_expect_eq(camp_open(&camp, &world.config, world.db), CAMP_ECONFIG);
    cr_expect(strstr(camp_message(camp), "dev-00004"), "%s", camp_message(camp));
    camp_close(camp);
    world_free(&world);
}
