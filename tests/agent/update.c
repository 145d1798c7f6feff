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
