/*
 * The decision. Drawn as a table in bootloader/DESIGN.md; the functions below are its rows, in its
 * order. It starts from "nothing boots, nothing is written" and fails closed.
 */
#include "boot/decide.h"

static bool is_faulty(enum boot_reset reset)
{
    return reset == BOOT_RESET_WATCHDOG || reset == BOOT_RESET_HARD_FAULT;
}

static bool verifies(const struct boot_inputs *in, struct boot_decision *out, int slot)
{
    if (out->verdict[slot] == BOOT_VERDICT_KINDS)
        out->verdict[slot] = in->verdict(in->ctx, slot, &out->config);
    return out->verdict[slot] == BOOT_VERDICT_VALID;
}

static void record(struct boot_decision *out, enum boot_cause cause)
{
    out->cause = cause;
    out->config.cause = (uint8_t)cause;
    out->write = true;
}

static void boot_as_itself(struct boot_decision *out, int slot)
{
    out->config.active = (uint8_t)slot;
    out->config.next = (uint8_t)slot;
    out->config.trial_left = 0;
    out->config.trial_total = 0;
    out->slot = slot;
}

/* Counts the trial boot that is about to begin. */
static void boot_as_trial(struct boot_decision *out, int slot)
{
    out->config.next = (uint8_t)slot;
    out->config.trial_left--;
    out->write = true;
    out->slot = slot;
    out->trial = true;
}

/* The active slot can't go on: the other one, which verifies, takes over. */
static void leave_active(const struct boot_inputs *in, struct boot_decision *out, int other,
                         enum boot_cause cause)
{
    record(out, cause);
    out->config.faulty_boots = 0;
    if (in->confirmed[other]) {
        boot_as_itself(out, other);
        return;
    }
    out->config.trial_total = in->trial_boots ? in->trial_boots : 1;
    out->config.trial_left = out->config.trial_total;
    boot_as_trial(out, other);
}

/* faulty: this very reset was one fault too many of the active image. */
static void boot_active(const struct boot_inputs *in, struct boot_decision *out, bool faulty)
{
    int active = out->config.active;
    int other = !active;
    if (faulty && verifies(in, out, other)) {
        leave_active(in, out, other, BOOT_CAUSE_ACTIVE_FAULTY);
    } else if (verifies(in, out, active)) {
        out->slot = active;
    } else if (verifies(in, out, other)) {
        leave_active(in, out, other, BOOT_CAUSE_ACTIVE_INVALID);
    } else {
        /* Nothing to record: should a slot verify at the next boot, the old state still holds. */
        out->write = false;
    }
}

static void end_trial(const struct boot_inputs *in, struct boot_decision *out,
                      enum boot_cause cause)
{
    record(out, cause);
    out->config.next = out->config.active;
    out->config.trial_left = 0;
    out->config.trial_total = 0;
    boot_active(in, out, false);
}

/* The confirmed mark was programmed, the config was not: the image finishes being confirmed here.
 */
static void finish_confirm(const struct boot_inputs *in, struct boot_decision *out, int slot)
{
    if (!verifies(in, out, slot)) {
        end_trial(in, out, BOOT_CAUSE_TRIAL_INVALID);
        return;
    }
    record(out, BOOT_CAUSE_CONFIRMED);
    boot_as_itself(out, slot);
    out->config.faulty_boots = is_faulty(in->reset);
}

static void boot_trial(const struct boot_inputs *in, struct boot_decision *out)
{
    const struct boot_config *config = &in->config;
    int slot = config->next;
    bool begun = config->trial_left < config->trial_total;
    if (in->confirmed[slot] > in->confirmed[config->active])
        finish_confirm(in, out, slot);
    else if (begun && in->reset == BOOT_RESET_WATCHDOG)
        end_trial(in, out, BOOT_CAUSE_TRIAL_WATCHDOG);
    else if (begun && in->reset == BOOT_RESET_HARD_FAULT)
        end_trial(in, out, BOOT_CAUSE_TRIAL_HARD_FAULT);
    else if (config->trial_left == 0)
        end_trial(in, out, BOOT_CAUSE_TRIALS_USED);
    else if (!verifies(in, out, slot))
        end_trial(in, out, BOOT_CAUSE_TRIAL_INVALID);
    else
        boot_as_trial(out, slot);
}

static void boot_confirmed(const struct boot_inputs *in, struct boot_decision *out)
{
    bool faulty = false;
    if (is_faulty(in->reset)) {
        if (out->config.faulty_boots < in->faulty_boots) {
            out->config.faulty_boots++;
            out->write = true;
        }
        faulty = in->faulty_boots && out->config.faulty_boots >= in->faulty_boots;
    }
    boot_active(in, out, faulty);
}

/* Both copies lost: the highest confirmed number whose slot verifies, and never an unconfirmed
 * image. */
static void boot_without_config(const struct boot_inputs *in, struct boot_decision *out)
{
    int first = in->confirmed[BOOT_SLOT_B] > in->confirmed[BOOT_SLOT_A] ? BOOT_SLOT_B : BOOT_SLOT_A;
    int order[BOOT_SLOTS] = {first, !first};
    for (int i = 0; i < BOOT_SLOTS; i++) {
        if (!in->confirmed[order[i]] || !verifies(in, out, order[i]))
            continue;
        record(out, BOOT_CAUSE_CONFIG_LOST);
        out->config.rollback_on_fail = 1;
        boot_as_itself(out, order[i]);
        return;
    }
}

void boot_decide(const struct boot_inputs *in, struct boot_decision *out)
{
    *out = (struct boot_decision){.slot = BOOT_SLOT_NONE,
                                  .config = in->config,
                                  .cause = BOOT_CAUSE_NONE,
                                  .verdict = {BOOT_VERDICT_KINDS, BOOT_VERDICT_KINDS}};
    if (!in->config_valid)
        boot_without_config(in, out);
    else if (in->config.next != in->config.active)
        boot_trial(in, out);
    else
        boot_confirmed(in, out);
}
