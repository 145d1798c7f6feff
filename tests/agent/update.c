#include "world.h"
#include <criterion/criterion.h>
#include <string.h>

/* The whole way of an update, and what it waits for. */

static struct world world;

static const char clean_story[] = "notified scheduled downloading verified applying rebooting "
                                  "health_check confirmed";

Test(agent_update, runs_from_the_notification_to_the_confirmation)
{
    world_init(&world);
    world_update(&world, &world_v2);
    world_run(&world);
    cr_assert_str_eq(world_story(&world), clean_story);
    cr_assert_str_eq(agent_running_version(&world.agent), "2.4.0");
    cr_assert_eq(agent_state(&world.agent), AGENT_IDLE);
    cr_assert_eq(world.confirms, 1);
    cr_assert_eq(world.reboots, 1);
    cr_assert_eq(world.outcome.slot, BOOT_SLOT_B);
    cr_assert_eq(world.flash.violations, 0);
    cr_assert_str_eq(world.log[0].slot, "A");
    cr_assert_str_eq(world.log[0].version, "2.3.1");
    cr_assert_str_eq(world.log[world.logged - 1].slot, "B");
    cr_assert_str_eq(world.log[world.logged - 1].version, "2.4.0");
}

Test(agent_update, programs_few_journal_pages)
{
    world_init(&world);
    world.config.progress_sectors = 16;
    world.flash.journal_pages = 0;
    world_update(&world, &world_v2);
    world_run(&world);
    /* A 512 KiB image has 128 sectors and so 8 progress records of a page each. */
    cr_assert_leq(world.flash.journal_pages + 8, 40, "%u pages", world.flash.journal_pages);
}

Test(agent_update, a_whole_block_is_one_erase_and_one_program)
{
    world_init(&world);
    world_update(&world, &world_v2);
    world_run_to(&world, AGENT_DOWNLOADING);
    world.config.progress_sectors = 100;
    while (!world.http_head)
        world_step(&world);
    uint32_t erases = world.flash.erases, programs = world.flash.programs;
    world_step(&world);
    cr_assert_eq(world.flash.erases, erases + 1);
    cr_assert_eq(world.flash.programs, programs + 1);
    cr_assert_eq(world.agent.received_bytes, WORLD_SECTOR);
}

Test(agent_update, chunks_of_any_length_make_the_same_image)
{
    static const uint32_t chunks[] = {1, 7, 255, 256, 1000, 4095, 4096, 4097, 8191, 20000};
    for (size_t i = 0; i < sizeof chunks / sizeof chunks[0]; i++) {
        world_init(&world);
        world.chunk = chunks[i];
        world_update(&world, &world_v2);
        world_run_to(&world, AGENT_DOWNLOADING);
        uint32_t steps = 0;
        world.until_ms = INT64_MAX;
        while (world_step(&world) && agent_state(&world.agent) != AGENT_IDLE)
            cr_assert_lt(++steps, 60000);
        cr_assert_str_eq(agent_running_version(&world.agent), "2.4.0", "chunk %u", chunks[i]);
        cr_assert_eq(world.flash.violations, 0);
        boot_openssl_free(&world.openssl);
    }
}

/* 01:00 to 05:00 UTC; the world's update begins at noon. */
static void at_night(void)
{
    world_init(&world);
    world.config.window.start_min = 60;
    world.config.window.end_min = 300;
}

static int64_t minute_of_day(int64_t ms)
{
    return ms / 60000 % 1440;
}

Test(agent_update, waits_for_the_window_to_download)
{
    at_night();
    world_update(&world, &world_v2);
    cr_assert_eq(agent_state(&world.agent), AGENT_DOWNLOAD_SCHEDULED);
    world_run_for(&world, 3600000);
    cr_assert_eq(agent_state(&world.agent), AGENT_DOWNLOAD_SCHEDULED);
    cr_assert_eq(minute_of_day(agent_deadline(&world.agent)), 60);
    world_run_to(&world, AGENT_DOWNLOADING);
    cr_assert_eq(minute_of_day(world.now_ms), 60);
    world_run(&world);
    cr_assert_str_eq(world_story(&world), clean_story);
}

Test(agent_update, a_begun_download_finishes_outside_and_waits_to_apply)
{
    at_night();
    world_update(&world, &world_v2);
    world_run_to(&world, AGENT_DOWNLOADING);
    world.now_ms += 5LL * 3600000;
    world_run_to(&world, AGENT_WAITING_APPLY);
    cr_assert_gt(minute_of_day(world.now_ms), 300);
    world_run(&world);
    cr_assert_str_eq(agent_running_version(&world.agent), "2.4.0");
    cr_assert_eq(world_count(&world, "waiting_apply"), 1);
    cr_assert_eq(minute_of_day(world.path[world.steps - 1].at_ms), 61, "a minute after it opened");
}

Test(agent_update, forced_ignores_window_and_approval)
{
    struct world_notice notice;
    at_night();
    world.config.approval = true;
    world_notice(&notice, &world_v2);
    notice.force = true;
    world_notify(&world, &notice);
    world_run(&world);
    cr_assert_str_eq(world_story(&world), clean_story);
    cr_assert_lt(world.now_ms % 86400000, 13LL * 3600000);
}

Test(agent_update, forced_waits_for_the_interlock)
{
    struct world_notice notice;
    world_init(&world);
    world_notice(&notice, &world_v2);
    notice.force = true;
    world_input(&world, &(struct agent_event){.kind = AGENT_EV_INTERLOCK, .ok = true});
    world_notify(&world, &notice);
    world_run(&world);
    cr_assert_eq(agent_state(&world.agent), AGENT_WAITING_APPLY);
    cr_assert_eq(world_count(&world, "waiting_apply"), 1);
    world_input(&world, &(struct agent_event){.kind = AGENT_EV_INTERLOCK, .ok = false});
    world_run(&world);
    cr_assert_str_eq(agent_running_version(&world.agent), "2.4.0");
}

Test(agent_update, a_process_that_begins_before_the_reset_is_not_interrupted)
{
    world_init(&world);
    world.deaf = true;
    world_update(&world, &world_v2);
    world_run_to(&world, AGENT_REBOOTING);
    world_input(&world, &(struct agent_event){.kind = AGENT_EV_INTERLOCK, .ok = true});
    world_run_for(&world, 3600000);
    cr_assert_eq(world.reboots, 0);
    cr_assert_eq(agent_state(&world.agent), AGENT_REBOOTING);
    world_input(&world, &(struct agent_event){.kind = AGENT_EV_INTERLOCK, .ok = false});
    int64_t from_ms = world.now_ms;
    world_run_to(&world, AGENT_HEALTH_CHECK);
    cr_assert_leq(world.now_ms - from_ms, 5100, "five seconds for the status, no more");
}

Test(agent_update, waits_for_approval_across_a_power_cut)
{
    world_init(&world);
    world.config.approval = true;
    world_update(&world, &world_v2);
    world_run(&world);
    cr_assert_eq(agent_state(&world.agent), AGENT_WAITING_APPLY);
    world_power_on(&world, BOOT_RESET_POWER_ON);
    world_run(&world);
    cr_assert_eq(agent_state(&world.agent), AGENT_WAITING_APPLY);
    cr_assert_eq(world_count(&world, "waiting_apply"), 1);
    world_order(&world, "{\"command_id\":\"c1\",\"command\":\"apply\"}");
    world_run(&world);
    cr_assert_str_eq(agent_running_version(&world.agent), "2.4.0");
}

Test(agent_update, an_approval_given_early_is_kept_across_a_power_cut)
{
    at_night();
    world.config.approval = true;
    world_update(&world, &world_v2);
    world_order(&world, "{\"command_id\":\"c1\",\"command\":\"apply\"}");
    world_power_on(&world, BOOT_RESET_POWER_ON);
    world_run(&world);
    cr_assert_str_eq(world_story(&world), clean_story);
}

Test(agent_update, statuses_nobody_acknowledges_are_told_again_after_each_connection)
{
    world_init(&world);
    world.deaf = true;
    world_update(&world, &world_v2);
    world_run(&world);
    cr_assert_str_eq(agent_running_version(&world.agent), "2.4.0");
    cr_assert_eq(world.agent.journal.outbox_count, 8);
    uint32_t told = world.logged;
    world.deaf = false;
    world.mqtt_told = false;
    world_input(&world, &(struct agent_event){.kind = AGENT_EV_MQTT_DOWN});
    world_run(&world);
    cr_assert_eq(world.logged, told + 8);
    cr_assert_str_eq(world_story(&world), clean_story);
    uint32_t pages = world.flash.journal_pages;
    world_power_on(&world, BOOT_RESET_POWER_ON);
    world_run(&world);
    cr_assert_eq(world.logged, told + 8, "acknowledged ones are gone for good");
    cr_assert_eq(world.flash.journal_pages, pages, "an ordinary boot writes nothing");
}

Test(agent_update, a_second_update_goes_back_into_the_first_slot)
{
    world_init(&world);
    world_update(&world, &world_v2);
    world_run(&world);
    world_update(&world, &world_v3);
    world_run(&world);
    cr_assert_str_eq(agent_running_version(&world.agent), "2.5.0");
    cr_assert_eq(world.outcome.slot, BOOT_SLOT_A);
    cr_assert_eq(world.flash.violations, 0);
}

Test(agent_update, the_journal_and_the_slots_are_all_it_writes)
{
    world_init(&world);
    memset(world.flash.cell + WORLD_DATA + WORLD_JOURNAL, 0x3c, WORLD_SECTOR);
    memset(world.flash.cell, 0x77, WORLD_SECTOR);
    world_update(&world, &world_v2);
    world_run(&world);
    for (uint32_t i = 0; i < WORLD_SECTOR; i++) {
        cr_assert_eq(world.flash.cell[WORLD_DATA + WORLD_JOURNAL + i], 0x3c);
        cr_assert_eq(world.flash.cell[i], 0x77);
    }
    uint32_t running = world.flash.layout.slot_addr[BOOT_SLOT_A];
    cr_assert_arr_eq(world.flash.cell + running, world_v1.bytes, world_v1.header.image_bytes);
}
