#include "world.h"
#include <criterion/criterion.h>
#include <string.h>

/* The trial: what has to be seen, and what the old firmware tells when it was not. */

static struct world world;

struct row {
    struct world_health health;
    const char *reason;
    int64_t least_ms, most_ms; /* from the trial's boot to its end */
};

static const struct row failing[] = {
    {{-1, true, true, true, -1, 0}, "health_mqtt", 30000, 30100},
    {{30100, true, true, true, -1, 0}, "health_mqtt", 30000, 30100},
    {{2000, false, true, true, -1, 0}, "health_drivers", 0, 100},
    {{2000, true, false, true, -1, 0}, "health_config", 0, 100},
    {{2000, true, true, false, -1, 0}, "health_telemetry", 60000, 60100},
    {{2000, true, true, true, 40000, BOOT_RESET_HARD_FAULT}, "health_hard_fault", 40000, 40100},
    {{2000, true, true, true, 50000, BOOT_RESET_WATCHDOG}, "watchdog", 50000, 50100},
};

static int64_t trial_ms(void)
{
    int64_t from_ms = 0;
    for (uint32_t i = 0; i < world.steps; i++) {
        if (world.path[i].to == AGENT_HEALTH_CHECK)
            from_ms = world.path[i].at_ms;
        if (world.path[i].to == AGENT_ROLLED_BACK)
            return world.path[i].at_ms - from_ms;
    }
    return -1;
}

Test(agent_health, each_failure_rolls_back_with_its_reason_and_in_time)
{
    for (size_t i = 0; i < sizeof failing / sizeof failing[0]; i++) {
        world_init(&world);
        world.health = failing[i].health;
        world_update(&world, &world_v2);
        world_run(&world);
        cr_assert_str_eq(agent_running_version(&world.agent), "2.3.1", "row %zu", i);
        cr_assert_str_eq(world_reason(&world, "rolled_back"), failing[i].reason, "row %zu: %s", i,
                         world_reason(&world, "rolled_back"));
        cr_assert_eq(world_count(&world, "rolled_back"), 1);
        cr_assert_eq(world.confirms, 0);
        cr_assert(trial_ms() >= failing[i].least_ms && trial_ms() <= failing[i].most_ms,
                  "row %zu: %lld ms", i, (long long)trial_ms());
        int at = world_find(&world, "rolled_back", 0);
        cr_assert_str_eq(world.log[at].version, "2.3.1");
        cr_assert_str_eq(world.log[at].slot, "A");
        cr_assert_str_eq(world.log[at].firmware_id, "fw-2.4.0");
        boot_openssl_free(&world.openssl);
    }
}

Test(agent_health, plain_resets_use_up_the_trial_boots)
{
    world_init(&world);
    world.health.fault_ms = 30000;
    world.health.fault = BOOT_RESET_POWER_ON;
    world_update(&world, &world_v2);
    world_run(&world);
    cr_assert_str_eq(world_reason(&world, "rolled_back"), "trials_used");
    cr_assert_eq(world_count(&world, "health_check"), 1);
    cr_assert_str_eq(agent_running_version(&world.agent), "2.3.1");
}

Test(agent_health, a_reset_in_the_trial_starts_the_check_anew)
{
    world_init(&world);
    world_update(&world, &world_v2);
    world_run_to(&world, AGENT_HEALTH_CHECK);
    world_run_for(&world, 45000);
    world_power_on(&world, BOOT_RESET_POWER_ON);
    world_run_for(&world, 45000);
    cr_assert_eq(agent_state(&world.agent), AGENT_HEALTH_CHECK);
    cr_assert_eq(world.confirms, 0);
    world_run(&world);
    cr_assert_eq(world.confirms, 1);
    cr_assert_str_eq(agent_running_version(&world.agent), "2.4.0");
}

Test(agent_health, an_image_that_hangs_before_the_agent_is_reported_too)
{
    world_init(&world);
    world_update(&world, &world_v2);
    world_run_to(&world, AGENT_REBOOTING);
    while (!world.boot_pending)
        world_step(&world);
    struct boot_outcome trial;
    cr_assert_eq(boot_run(&world.env, BOOT_RESET_SOFTWARE, &trial), BOOT_OK);
    cr_assert(trial.trial);
    world_power_on(&world, BOOT_RESET_WATCHDOG);
    world_run(&world);
    cr_assert_str_eq(world_reason(&world, "rolled_back"), "watchdog");
    cr_assert_eq(world_count(&world, "health_check"), 0);
}

Test(agent_health, the_reason_survives_a_boot_that_nobody_noted)
{
    world_init(&world);
    world_update(&world, &world_v2);
    world_run_to(&world, AGENT_HEALTH_CHECK);
    struct boot_outcome back;
    /* The revert happens in a boot that is cut before the agent starts. */
    cr_assert_eq(boot_run(&world.env, BOOT_RESET_HARD_FAULT, &back), BOOT_OK);
    world_power_on(&world, BOOT_RESET_POWER_ON);
    world_run(&world);
    cr_assert_str_eq(world_reason(&world, "rolled_back"), "health_hard_fault");
}

Test(agent_health, a_config_that_can_not_be_written_is_not_confirmed)
{
    world_init(&world);
    world_update(&world, &world_v2);
    world_run_to(&world, AGENT_HEALTH_CHECK);
    world.flash.fail_from = WORLD_SECTOR;
    world.flash.fail_to = 3 * WORLD_SECTOR;
    world_run_for(&world, 70000);
    cr_assert_eq(world.confirms, 0);
    cr_assert_eq(agent_state(&world.agent), AGENT_HEALTH_CHECK);
    world.flash.fail_to = 0;
    world_run(&world);
    cr_assert_eq(world.confirms, 1);
}

Test(agent_health, firmware_rolled_back_here_is_refused_unless_forced)
{
    struct world_notice notice;
    world_init(&world);
    world.health.drivers = false;
    world_update(&world, &world_v2);
    world_run(&world);
    world_update(&world, &world_v2);
    world_run(&world);
    cr_assert_str_eq(world_reason(&world, "refused"), "rolled_back_before");
    world.health.drivers = true;
    world_notice(&notice, &world_v2);
    notice.force = true;
    world_notify(&world, &notice);
    world_run(&world);
    cr_assert_str_eq(agent_running_version(&world.agent), "2.4.0");
}

Test(agent_health, five_faulty_boots_of_a_confirmed_image_are_reported)
{
    world_init(&world);
    world_update(&world, &world_v2);
    world_run(&world);
    for (int i = 0; i < 5; i++) {
        world_power_on(&world, BOOT_RESET_WATCHDOG);
        world_run_for(&world, 10000);
    }
    world_run(&world);
    cr_assert_str_eq(agent_running_version(&world.agent), "2.3.1");
    cr_assert_str_eq(world_reason(&world, "rolled_back"), "faulty_boots");
    int at = world_find(&world, "rolled_back", 0);
    cr_assert_str_eq(world.log[at].firmware_id, "fw-2.4.0");
    cr_assert_str_eq(world.log[at].campaign_id, "campaign-1");
}

static uint8_t faulty_boots(void)
{
    struct boot_config config;
    int sector;
    cr_assert_eq(boot_config_read(&world.flash.port, &world.flash.layout, &config, &sector), 0);
    return config.faulty_boots;
}

Test(agent_health, a_healthy_minute_clears_the_count_of_faulty_boots)
{
    world_init(&world);
    world_power_on(&world, BOOT_RESET_WATCHDOG);
    world_run_for(&world, 59000);
    cr_assert_eq(faulty_boots(), 1);
    world_run_for(&world, 5000);
    cr_assert_eq(faulty_boots(), 0);
    uint32_t ops = world.flash.ops;
    world_power_on(&world, BOOT_RESET_POWER_ON);
    world_run_for(&world, 90000);
    cr_assert_eq(world.flash.ops, ops, "an ordinary boot writes nothing");
}
