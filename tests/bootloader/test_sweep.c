/*
 * The power-cut sweeps. The numbers of cuts are printed. With AddressSanitizer only one in
 * SWEEP_STRIDE second cuts is run, picked by a generator of fixed seed; the release build runs them
 * all.
 */
#include "sweep.h"
#include <criterion/criterion.h>

#ifndef SWEEP_STRIDE
#define SWEEP_STRIDE 1
#endif

Test(boot_sweep, one_cut_anywhere_with_real_crypto)
{
    for (int story = 0; story < SWEEP_STORIES; story++)
        sweep_run((enum sweep_story)story, 1, true, 1);
}

Test(boot_sweep, two_cuts_while_an_update_is_confirmed)
{
    sweep_run(SWEEP_CONFIRM, 2, false, SWEEP_STRIDE);
}

Test(boot_sweep, two_cuts_while_a_watchdog_reset_reverts)
{
    sweep_run(SWEEP_WATCHDOG, 2, false, SWEEP_STRIDE);
}

Test(boot_sweep, two_cuts_while_power_cycles_use_up_the_trial)
{
    sweep_run(SWEEP_EXHAUST, 2, false, SWEEP_STRIDE);
}

Test(boot_sweep, two_cuts_while_the_agent_reverts)
{
    sweep_run(SWEEP_REFUSE, 2, false, SWEEP_STRIDE);
}

Test(boot_sweep, two_cuts_while_updates_follow_each_other)
{
    sweep_run(SWEEP_REPEAT, 2, false, SWEEP_STRIDE);
}
