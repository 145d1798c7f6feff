/*
 * The bootloader's entry: reads the config and the trailers, decides, writes the records, and says
 * what to jump to. The port arms the watchdog and jumps. Also the calls by which an agent stages,
 * tries, confirms and reverts. Nothing is kept in RAM between calls; every function may be cut at
 * any flash operation.
 */
#ifndef BOOT_BOOT_H
#define BOOT_BOOT_H

#include "boot/decide.h"
#include "boot/error.h"

struct boot_outcome {
    int slot;           /* BOOT_SLOT_NONE: the device stays in the bootloader (a brick) */
    bool trial;         /* not confirmed: the watchdog may not be kicked before the confirmation */
    uint8_t trial_left; /* trial boots that may still begin after this one */
    enum boot_cause cause;
    bool config_rebuilt; /* both copies were lost */
    uint32_t watchdog_s; /* to be armed before the jump */
    enum boot_verdict verdict[BOOT_SLOTS];
    /* Of the image that was verified in slot; zero when there is none. A port that copies the image
     * holds the copy against it: flash may read otherwise the second time. */
    uint8_t sha256[BOOT_SHA256_BYTES];
};

/*
 * One boot. BOOT_OK with an outcome (also when no slot may boot); BOOT_ELAYOUT. A config that can't
 * be written makes a trial impossible (the active slot boots), never a boot.
 */
int boot_run(const struct boot_env *env, enum boot_reset reset, struct boot_outcome *out);

/*
 * Opens the other slot for staging: withdraws a pending trial of it, programs one further confirmed
 * mark on the running slot (so that its proof is safe in this power session), erases the other
 * slot's trailer. BOOT_ESTATE when running is itself an unconfirmed trial.
 */
int boot_stage_begin(const struct boot_env *env, int running);

/*
 * Closes staging: programs the trailer (signature, certificate) of the staged slot. The caller has
 * verified the image by boot_verify. BOOT_EFLASH, BOOT_ERANGE, BOOT_ESTATE as above.
 */
int boot_stage_finish(const struct boot_env *env, int running, const struct boot_trailer *trailer);

/* Makes the other slot the next boot, as a trial of env->trial_boots boots. BOOT_ESTATE as above.
 */
int boot_request_trial(const struct boot_env *env, int running);

/*
 * Makes the running slot permanent: the confirmed mark first (number: one more than the highest on
 * the device), then the config (active, security counter, pending revocations take effect). Does
 * nothing when it is confirmed already, but for faulty_boots, which goes back to 0.
 */
int boot_confirm(const struct boot_env *env, int running);

/*
 * Ends the running trial, or leaves a confirmed image for its confirmed fallback (an ordered
 * rollback): the other slot is the next boot. BOOT_ESTATE when the other slot was never confirmed.
 */
int boot_revert(const struct boot_env *env, int running);

/*
 * Records that a key is revoked: for staging at once, for boots from the next confirmation of an
 * image by an unrevoked key. BOOT_ENOTFOUND when no trusted key has this id, BOOT_ERANGE when the
 * table is full, BOOT_ESTATE when it would leave no trusted key. The caller has checked the
 * command's signature by another trusted, unrevoked key.
 */
int boot_revoke(const struct boot_env *env, const char *cert_id);

#endif
