/*
 * The power-cut sweeps; the numbers of cuts are printed. All first cuts are run. Of the second
 * ones, one in SWEEP_STRIDE is, picked by a generator of fixed seed, or one in
 * BRICKYARD_SWEEP_STRIDE where that is set in the environment: 1 runs them all (minutes).
 */
#include "sweep.h"
#include <criterion/criterion.h>
#include <stdlib.h>

static uint32_t stride(void)
{
    const char *text = getenv("BRICKYARD_SWEEP_STRIDE");
    long value = text ? strtol(text, NULL, 10) : SWEEP_STRIDE;
    return value > 0 ? (uint32_t)value : 1;
}

Test(boot_sweep, one_cut_anywhere_with_real_crypto)
{
    for (int story = 0; story < SWEEP_STORIES; story++)
        sweep_run((enum sweep_story)story, 1, true, 1);
}

Test(boot_sweep, two_cuts_while_an_update_is_confirmed)
{
    sweep_run(SWEEP_CONFIRM, 2, false, stride());
}

Test(boot_sweep, two_cuts_while_a_watchdog_reset_reverts)
{
    sweep_run(SWEEP_WATCHDOG, 2, false, stride());
}

Test(boot_sweep, two_cuts_while_power_cycles_use_up_the_trial)
{
    sweep_run(SWEEP_EXHAUST, 2, false, stride());
}

Test(boot_sweep, two_cuts_while_the_agent_reverts)
{
    sweep_run(SWEEP_REFUSE, 2, false, stride());
}

Test(boot_sweep, two_cuts_while_updates_follow_each_other)
{
    sweep_run(SWEEP_REPEAT, 2, false, stride());
}
