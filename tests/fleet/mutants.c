/*
 * Bootloaders that do in a slot what they must not before they jump: the real one, and then more.
 * No flash model refuses it and the device goes on, so that only the witness can tell.
 */
#include "boot/boot.h"
#include "fleet_bench.h"

#include <criterion/criterion.h>
#include <string.h>

enum { DEVICES = 8, NUMBER = 9 };

static enum mutant { MARKS_TRIAL, WRITES_RUNNING, WRITES_OTHER, ERASES_TRAILER } mutant;

static int page_behind_image(const struct boot_env *env, int slot)
{
    uint8_t page[256] = {0};
    uint32_t at = boot_layout_trailer(env->layout, slot) - env->layout->page_bytes;
    return env->flash->program(env->flash->ctx, at, page, env->layout->page_bytes);
}

static int misbehave(const struct boot_env *env, const struct boot_outcome *out)
{
    switch (mutant) {
    case MARKS_TRIAL:
        return boot_trailer_mark(env->flash, env->layout, out->slot, NUMBER);
    case WRITES_RUNNING:
        return page_behind_image(env, out->slot);
    case WRITES_OTHER:
        return page_behind_image(env, !out->slot);
    case ERASES_TRAILER:
        return env->flash->erase(env->flash->ctx, boot_layout_trailer(env->layout, !out->slot));
    default:
        return 0;
    }
}

int __real_boot_run(const struct boot_env *env, enum boot_reset reset, struct boot_outcome *out);
int __wrap_boot_run(const struct boot_env *env, enum boot_reset reset, struct boot_outcome *out);

/* At the first boot of a trial, whose image no check has passed yet. */
int __wrap_boot_run(const struct boot_env *env, enum boot_reset reset, struct boot_outcome *out)
{
    int error = __real_boot_run(env, reset, out);
    if (!error && out->trial && out->trial_left + 1 == env->trial_boots)
        cr_assert_eq(misbehave(env, out), 0);
    return error;
}

static void run_mutant(enum mutant which, enum rep_promise promise, const char *what)
{
    struct fleet_run run;
    mutant = which;
    fleet_run_plan(&run, &(struct fleet_plan){.count = DEVICES}, NULL);
    for (uint32_t i = 0; i < run.result.promises; i++) {
        const struct rep_promise_row *row = &run.result.promise[i];
        cr_expect_eq(row->broken, row->promise == promise ? DEVICES : 0, "%s broken %llu times: %s",
                     rep_promise_name((int)row->promise), (unsigned long long)row->broken,
                     row->first_what);
        if (row->promise == promise)
            cr_expect(strstr(row->first_what, what), "%s", row->first_what);
    }
    fleet_run_free(&run);
}

Test(mutants, a_trial_that_the_bootloader_marks_was_checked_by_nobody)
{
    run_mutant(MARKS_TRIAL, REP_PROMISE_CONFIRM_HEALTHY, "an unconfirmed slot was marked");
}

Test(mutants, a_bootloader_writes_no_image)
{
    run_mutant(WRITES_RUNNING, REP_PROMISE_RUNNING_IMAGE, "an image was written during the boot");
    run_mutant(WRITES_OTHER, REP_PROMISE_RUNNING_IMAGE, "an image was written during the boot");
}

Test(mutants, a_bootloader_erases_no_trailer)
{
    run_mutant(ERASES_TRAILER, REP_PROMISE_RUNNING_IMAGE, "trailer was erased during the boot");
}
