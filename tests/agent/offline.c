#include "world.h"
#include <criterion/criterion.h>
#include <string.h>

/* MQTT is one of the trial's checks: without a network no trial begins, and nothing waits for ever.
 */

static struct world world;

static const char late_story[] = "notified scheduled downloading verified waiting_apply applying "
                                 "rebooting health_check confirmed";
static const int64_t day_ms = 86400000;

static void forced_notice(struct world_notice *notice, bool force)
{
    world_init(&world);
    world_notice(notice, &world_v2);
    notice->force = force;
}

/* The connection is lost while the last byte is on its way: just before the update would apply. */
static void lose_it_before_applying(const struct world_notice *notice)
{
    world_notify(&world, notice);
    world_run_to(&world, AGENT_DOWNLOADING);
    world_disconnect(&world);
    world_run_to(&world, AGENT_WAITING_APPLY);
}

static void lose_it_before_the_reset(const struct world_notice *notice)
{
    world.deaf = true;
    world_notify(&world, notice);
    world_run_to(&world, AGENT_REBOOTING);
    world_disconnect(&world);
}

static void come_back(void)
{
    world.broker_down = false;
    world.deaf = false;
}

Test(agent_offline, the_download_goes_on_and_applying_waits_for_the_network)
{
    for (int force = 0; force < 2; force++) {
        struct world_notice notice;
        forced_notice(&notice, force != 0);
        lose_it_before_applying(&notice);
        uint32_t told = world.logged;
        world_run_for(&world, day_ms);
        cr_assert_eq(agent_state(&world.agent), AGENT_WAITING_APPLY, "force %d", force);
        cr_assert_eq(world.reboots, 0);
        cr_assert_eq(world.logged, told, "nobody hears it");
        cr_assert_neq(agent_deadline(&world.agent), INT64_MAX, "the notification's deadline");
        come_back();
        world_run(&world);
        cr_assert_str_eq(world_story(&world), late_story, "force %d: %s", force,
                         world_story(&world));
        cr_assert_str_eq(agent_running_version(&world.agent), "2.4.0");
        boot_openssl_free(&world.openssl);
    }
}

Test(agent_offline, the_deadline_ends_the_waiting_to_apply)
{
    struct world_notice notice;
    forced_notice(&notice, true);
    strcpy(notice.deadline, "2026-03-21T12:00:00Z");
    lose_it_before_applying(&notice);
    world_run(&world);
    cr_assert_eq(agent_state(&world.agent), AGENT_IDLE);
    come_back();
    world_run(&world);
    cr_assert_str_eq(world_reason(&world, "refused"), "deadline");
    cr_assert_eq(world.reboots, 0);
}

Test(agent_offline, a_power_cut_does_not_lose_what_waits)
{
    struct world_notice notice;
    forced_notice(&notice, true);
    lose_it_before_applying(&notice);
    world_power_on(&world, BOOT_RESET_POWER_ON);
    world_run_for(&world, day_ms);
    cr_assert_eq(agent_state(&world.agent), AGENT_WAITING_APPLY);
    come_back();
    world_run(&world);
    cr_assert_str_eq(world_story(&world), late_story);
}

Test(agent_offline, a_network_lost_before_the_reset_holds_it_back)
{
    struct world_notice notice;
    forced_notice(&notice, true);
    lose_it_before_the_reset(&notice);
    world_run_for(&world, day_ms);
    cr_assert_eq(agent_state(&world.agent), AGENT_REBOOTING);
    cr_assert_eq(world.reboots, 0);
    world.broker_down = false;
    int64_t from_ms = world.now_ms;
    world_run_to(&world, AGENT_HEALTH_CHECK);
    cr_assert_leq(world.now_ms - from_ms, 5100, "five seconds for the status, no more");
    world.deaf = false;
    world_run(&world);
    cr_assert_str_eq(agent_running_version(&world.agent), "2.4.0");
    cr_assert_eq(world_count(&world, "rolled_back"), 0);
}

/* Withdrawn for good: the next boot is no trial, and a later update succeeds. */
Test(agent_offline, the_deadline_withdraws_a_trial_that_waits)
{
    struct world_notice notice;
    forced_notice(&notice, true);
    strcpy(notice.deadline, "2026-03-21T12:00:00Z");
    lose_it_before_the_reset(&notice);
    world_run(&world);
    cr_assert_eq(agent_state(&world.agent), AGENT_IDLE);
    cr_assert_eq(world.reboots, 0);
    world_power_on(&world, BOOT_RESET_POWER_ON);
    come_back();
    world_run(&world);
    cr_assert_str_eq(agent_running_version(&world.agent), "2.3.1");
    cr_assert_str_eq(world_reason(&world, "refused"), "deadline");
    world_update(&world, &world_v3);
    world_run(&world);
    cr_assert_str_eq(agent_running_version(&world.agent), "2.5.0");
    cr_assert_eq(world.flash.violations, 0);
}

Test(agent_offline, an_ordered_rollback_needs_no_network)
{
    world_init(&world);
    world_update(&world, &world_v2);
    world_run(&world);
    world.deaf = true;
    world_order(&world, "{\"command_id\":\"c\",\"command\":\"rollback\"}");
    world_disconnect(&world);
    world_run_for(&world, 10000);
    cr_assert_str_eq(agent_running_version(&world.agent), "2.3.1");
}
