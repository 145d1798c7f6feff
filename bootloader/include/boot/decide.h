/*
 * The decision: which slot boots, and what is written to the boot config before the jump. A pure
 * function of the config, the trailers, the reset reason, and the verdict on a slot, asked for
 * lazily: a slot that is not about to boot is not verified.
 */
#ifndef BOOT_DECIDE_H
#define BOOT_DECIDE_H

#include "boot/verify.h"

struct boot_inputs {
    bool config_valid;
    struct boot_config config; /* zeroed when not valid */
    uint32_t confirmed[BOOT_SLOTS];
    enum boot_reset reset;
    uint8_t faulty_boots; /* limit, from boot_env */
    uint8_t trial_boots;  /* granted to a trial that the decision itself starts */
    /* Asked at most once for each slot. limits are those of the config that is to be written. */
    enum boot_verdict (*verdict)(void *ctx, int slot, const struct boot_config *config);
    void *ctx;
};

struct boot_decision {
    int slot;                  /* BOOT_SLOT_NONE: nothing may boot */
    bool trial;                /* the slot runs as a trial */
    bool write;                /* config must be written before the jump */
    struct boot_config config; /* as it is to be (sequence unset) */
    enum boot_cause cause;     /* of what happened at this boot, NONE when nothing did */
    enum boot_verdict verdict[BOOT_SLOTS]; /* BOOT_VERDICT_KINDS: was not asked */
};

void boot_decide(const struct boot_inputs *in, struct boot_decision *out);

#endif
