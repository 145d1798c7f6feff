/* A world of sockets gathers its devices before the campaign's time, and sets its clock when all
 * are there. */
#include "world.h"

#include <criterion/criterion.h>
#include <string.h>

static void tell(struct world *world, int64_t at_us)
{
    struct camp_telemetry run = {.first_us = at_us,
                                 .last_us = at_us,
                                 .received = 1,
                                 .energy_mw = 200,
                                 .memory_kb = 61,
                                 .cpu_permille = 80};
    strcpy(run.version, "2.3.1");
    camp_telemetry(world->camp, &run);
}

Test(camp_before, the_time_that_a_gathering_world_left_out_misses_no_telemetry)
{
    struct world world;
    struct rep_result result;
    world_init(&world, 0, 1);
    world_single_phase(&world, HOUR);
    world.device[0].script = QUIET;
    world_open(&world);
    int64_t every_us = world.info[0].telemetry_every_us;
    cr_assert_gt(every_us, 0);
    tell(&world, START - 20 * every_us);
    tell(&world, START);
    tell(&world, START + every_us);
    world_run_days(&world, 2);
    cr_assert_eq(world_count(&world, REP_OUT_CONFIRMED), 1);
    rep_result_init(&result);
    camp_report(world.camp, &result);
    cr_expect_eq(result.observation[4].before_num, 2);
    cr_expect_eq(result.observation[4].before_den, 2, "%ld expected",
                 (long)result.observation[4].before_den);
    rep_result_free(&result);
    world_free(&world);
}
