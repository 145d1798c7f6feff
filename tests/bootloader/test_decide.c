/* The decision as a table: every row of bootloader/DESIGN.md. */
#include "boot/decide.h"
#include <criterion/criterion.h>
#include <string.h>

enum { A = BOOT_SLOT_A, B = BOOT_SLOT_B, NONE = BOOT_SLOT_NONE, LIMIT = 5 };

/* The slots that verify, as a set, and those which the decision asked about. */
enum { NO_SLOT = 0, ONLY_A = 1, ONLY_B = 2, BOTH = 3 };

struct row {
    /* in */
    uint8_t active, next, left, total, faulty;
    uint8_t confirmed_a, confirmed_b;
    enum boot_reset reset;
    uint8_t verifies;
    /* expect */
    int slot;
    bool trial, write;
    enum boot_cause cause;
    uint8_t new_active, new_next, new_left, new_faulty;
    uint8_t asked;
};

struct verdicts {
    uint8_t verifies, asked;
};

static enum boot_verdict verdict_of(void *ctx, int slot, const struct boot_config *config)
{
    struct verdicts *verdicts = ctx;
    cr_assert_not_null(config);
    cr_assert_not(verdicts->asked & 1 << slot, "asked twice");
    verdicts->asked |= (uint8_t)(1 << slot);
    return verdicts->verifies & 1 << slot ? BOOT_VERDICT_VALID : BOOT_VERDICT_SIGNATURE;
}

static void expect_rows(const struct row *row, size_t count, bool config_valid)
{
    for (size_t i = 0; i < count; i++) {
        const struct row *r = &row[i];
        struct verdicts verdicts = {.verifies = r->verifies};
        struct boot_decision out;
        struct boot_inputs in = {.config_valid = config_valid,
                                 .config = {.active = r->active,
                                            .next = r->next,
                                            .rollback_on_fail = config_valid,
                                            .trial_left = r->left,
                                            .trial_total = r->total,
                                            .faulty_boots = r->faulty},
                                 .confirmed = {r->confirmed_a, r->confirmed_b},
                                 .reset = r->reset,
                                 .faulty_boots = LIMIT,
                                 .trial_boots = 3,
                                 .verdict = verdict_of,
                                 .ctx = &verdicts};
        boot_decide(&in, &out);
        cr_expect_eq(out.slot, r->slot, "row %zu: slot %d", i, out.slot);
        cr_expect_eq(out.trial, r->trial, "row %zu: trial", i);
        cr_expect_eq(out.write, r->write, "row %zu: write", i);
        cr_expect_eq(verdicts.asked, r->asked, "row %zu: asked %d", i, verdicts.asked);
        if (out.slot == NONE)
            continue;
        cr_expect_eq(out.cause, r->cause, "row %zu: %s", i, boot_cause_name((int)out.cause));
        cr_expect_eq(out.config.active, r->new_active, "row %zu: active", i);
        cr_expect_eq(out.config.next, r->new_next, "row %zu: next", i);
        cr_expect_eq(out.config.trial_left, r->new_left, "row %zu: left", i);
        cr_expect_eq(out.config.faulty_boots, r->new_faulty, "row %zu: faulty", i);
    }
}
#define EXPECT(rows, valid) expect_rows(rows, sizeof(rows) / sizeof *(rows), valid)

Test(boot_decide, a_confirmed_image_boots_and_plain_resets_write_nothing)
{
    static const struct row rows[] = {
        {A, A, 0, 0, 0, 1, 0, BOOT_RESET_POWER_ON, ONLY_A, A, 0, 0, 0, A, A, 0, 0, ONLY_A},
        {A, A, 0, 0, 0, 1, 0, BOOT_RESET_PIN, BOTH, A, 0, 0, 0, A, A, 0, 0, ONLY_A},
        {B, B, 0, 0, 0, 1, 2, BOOT_RESET_SOFTWARE, BOTH, B, 0, 0, 0, B, B, 0, 0, ONLY_B},
        {B, B, 0, 0, 4, 1, 2, BOOT_RESET_BROWN_OUT, BOTH, B, 0, 0, 0, B, B, 0, 4, ONLY_B},
        {A, A, 0, 0, 5, 1, 2, BOOT_RESET_POWER_ON, BOTH, A, 0, 0, 0, A, A, 0, 5, ONLY_A},
        /* After an ordered rollback the other slot's number may be higher: the config rules. */
        {A, A, 0, 0, 0, 1, 2, BOOT_RESET_POWER_ON, BOTH, A, 0, 0, 0, A, A, 0, 0, ONLY_A},
    };
    EXPECT(rows, true);
}

Test(boot_decide, a_trial_is_counted_before_it_boots_and_ends)
{
    static const struct row rows[] = {
        {A, B, 3, 3, 0, 1, 0, BOOT_RESET_SOFTWARE, BOTH, B, 1, 1, 0, A, B, 2, 0, ONLY_B},
        {A, B, 3, 3, 0, 1, 0, BOOT_RESET_WATCHDOG, BOTH, B, 1, 1, 0, A, B, 2, 0, ONLY_B},
        {A, B, 2, 3, 0, 1, 0, BOOT_RESET_POWER_ON, BOTH, B, 1, 1, 0, A, B, 1, 0, ONLY_B},
        {A, B, 1, 3, 0, 1, 0, BOOT_RESET_BROWN_OUT, BOTH, B, 1, 1, 0, A, B, 0, 0, ONLY_B},
        {A, B, 1, 3, 0, 1, 0, BOOT_RESET_SOFTWARE, BOTH, B, 1, 1, 0, A, B, 0, 0, ONLY_B},
        {A, B, 0, 3, 0, 1, 0, BOOT_RESET_POWER_ON, BOTH, A, 0, 1, BOOT_CAUSE_TRIALS_USED, A, A, 0,
         0, ONLY_A},
        {A, B, 2, 3, 0, 1, 0, BOOT_RESET_WATCHDOG, BOTH, A, 0, 1, BOOT_CAUSE_TRIAL_WATCHDOG, A, A,
         0, 0, ONLY_A},
        {B, A, 2, 3, 0, 0, 1, BOOT_RESET_HARD_FAULT, BOTH, B, 0, 1, BOOT_CAUSE_TRIAL_HARD_FAULT, B,
         B, 0, 0, ONLY_B},
        {A, B, 3, 3, 0, 1, 0, BOOT_RESET_SOFTWARE, ONLY_A, A, 0, 1, BOOT_CAUSE_TRIAL_INVALID, A, A,
         0, 0, BOTH},
        {A, B, 3, 3, 0, 1, 0, BOOT_RESET_SOFTWARE, NO_SLOT, NONE, 0, 0, 0, 0, 0, 0, 0, BOTH},
        /* A trial of an image that was confirmed before, and is below the active one. */
        {A, B, 3, 3, 0, 3, 2, BOOT_RESET_SOFTWARE, BOTH, B, 1, 1, 0, A, B, 2, 0, ONLY_B},
    };
    EXPECT(rows, true);
}

Test(boot_decide, a_confirmed_mark_wins_over_a_config_that_still_says_trial)
{
    static const struct row rows[] = {
        {A, B, 2, 3, 0, 1, 2, BOOT_RESET_POWER_ON, BOTH, B, 0, 1, BOOT_CAUSE_CONFIRMED, B, B, 0, 0,
         ONLY_B},
        {A, B, 0, 3, 0, 1, 2, BOOT_RESET_POWER_ON, BOTH, B, 0, 1, BOOT_CAUSE_CONFIRMED, B, B, 0, 0,
         ONLY_B},
        {A, B, 2, 3, 0, 1, 2, BOOT_RESET_WATCHDOG, BOTH, B, 0, 1, BOOT_CAUSE_CONFIRMED, B, B, 0, 1,
         ONLY_B},
        {A, B, 2, 3, 0, 1, 2, BOOT_RESET_POWER_ON, ONLY_A, A, 0, 1, BOOT_CAUSE_TRIAL_INVALID, A, A,
         0, 0, BOTH},
    };
    EXPECT(rows, true);
}

Test(boot_decide, faulty_boots_of_a_confirmed_image_lead_to_the_other_slot)
{
    static const struct row rows[] = {
        {A, A, 0, 0, 0, 2, 1, BOOT_RESET_WATCHDOG, BOTH, A, 0, 1, 0, A, A, 0, 1, ONLY_A},
        {A, A, 0, 0, 3, 2, 1, BOOT_RESET_HARD_FAULT, BOTH, A, 0, 1, 0, A, A, 0, 4, ONLY_A},
        {A, A, 0, 0, 4, 2, 1, BOOT_RESET_WATCHDOG, BOTH, B, 0, 1, BOOT_CAUSE_ACTIVE_FAULTY, B, B, 0,
         0, ONLY_B},
        {A, A, 0, 0, 4, 2, 0, BOOT_RESET_WATCHDOG, BOTH, B, 1, 1, BOOT_CAUSE_ACTIVE_FAULTY, A, B, 2,
         0, ONLY_B},
        {A, A, 0, 0, 4, 2, 1, BOOT_RESET_WATCHDOG, ONLY_A, A, 0, 1, 0, A, A, 0, 5, BOTH},
        {A, A, 0, 0, 5, 2, 1, BOOT_RESET_WATCHDOG, ONLY_A, A, 0, 0, 0, A, A, 0, 5, BOTH},
    };
    EXPECT(rows, true);
}

Test(boot_decide, an_active_slot_that_does_not_verify_gives_way)
{
    static const struct row rows[] = {
        {A, A, 0, 0, 0, 2, 1, BOOT_RESET_POWER_ON, ONLY_B, B, 0, 1, BOOT_CAUSE_ACTIVE_INVALID, B, B,
         0, 0, BOTH},
        {A, A, 0, 0, 0, 2, 0, BOOT_RESET_POWER_ON, ONLY_B, B, 1, 1, BOOT_CAUSE_ACTIVE_INVALID, A, B,
         2, 0, BOTH},
        {A, A, 0, 0, 0, 2, 1, BOOT_RESET_POWER_ON, NO_SLOT, NONE, 0, 0, 0, 0, 0, 0, 0, BOTH},
        /* Better a trial again than a brick. */
        {A, B, 0, 3, 0, 2, 0, BOOT_RESET_POWER_ON, ONLY_B, B, 1, 1, BOOT_CAUSE_ACTIVE_INVALID, A, B,
         2, 0, BOTH},
    };
    EXPECT(rows, true);
}

Test(boot_decide, without_a_config_the_highest_confirmed_slot_that_verifies_boots)
{
    static const struct row rows[] = {
        {0, 0, 0, 0, 0, 1, 2, BOOT_RESET_POWER_ON, BOTH, B, 0, 1, BOOT_CAUSE_CONFIG_LOST, B, B, 0,
         0, ONLY_B},
        {0, 0, 0, 0, 0, 3, 2, BOOT_RESET_POWER_ON, BOTH, A, 0, 1, BOOT_CAUSE_CONFIG_LOST, A, A, 0,
         0, ONLY_A},
        {0, 0, 0, 0, 0, 1, 2, BOOT_RESET_WATCHDOG, ONLY_A, A, 0, 1, BOOT_CAUSE_CONFIG_LOST, A, A, 0,
         0, BOTH},
        {0, 0, 0, 0, 0, 1, 0, BOOT_RESET_POWER_ON, BOTH, A, 0, 1, BOOT_CAUSE_CONFIG_LOST, A, A, 0,
         0, ONLY_A},
        {0, 0, 0, 0, 0, 1, 0, BOOT_RESET_POWER_ON, ONLY_B, NONE, 0, 0, 0, 0, 0, 0, 0, ONLY_A},
        {0, 0, 0, 0, 0, 0, 0, BOOT_RESET_POWER_ON, BOTH, NONE, 0, 0, 0, 0, 0, 0, 0, NO_SLOT},
    };
    EXPECT(rows, false);
}

/* Every config and reset there is: what boots verifies, and an unconfirmed image only as a counted
 * trial. */
Test(boot_decide, safe_in_every_state)
{
    for (uint32_t state = 0; state < 1u << 14; state++) {
        struct verdicts verdicts = {.verifies = state & 3};
        struct boot_decision out;
        uint8_t total = state >> 2 & 3;
        uint8_t left = state >> 4 & 3;
        struct boot_inputs in = {.config_valid = state >> 6 & 1,
                                 .config = {.active = state >> 7 & 1,
                                            .next = state >> 8 & 1,
                                            .trial_left = left < total ? left : total,
                                            .trial_total = total,
                                            .faulty_boots = state >> 9 & 1 ? LIMIT - 1 : 0},
                                 .confirmed = {state >> 10 & 1, state >> 11 & 1 ? 2 : 0},
                                 .reset = (enum boot_reset)((state >> 12 & 3) + 1),
                                 .faulty_boots = LIMIT,
                                 .trial_boots = 3,
                                 .verdict = verdict_of,
                                 .ctx = &verdicts};
        boot_decide(&in, &out);
        if (out.slot == NONE) {
            cr_expect(!out.write && (!in.config_valid || !verdicts.verifies), "state %x", state);
            continue;
        }
        cr_expect(verdicts.verifies & verdicts.asked & 1 << out.slot, "state %x", state);
        cr_expect(out.trial || in.confirmed[out.slot] ||
                      (in.config_valid && out.slot == in.config.active),
                  "state %x", state);
        cr_expect(!out.trial || (out.write && out.config.trial_left < out.config.trial_total &&
                                 out.config.next == out.slot),
                  "state %x", state);
    }
}
