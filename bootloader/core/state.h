/*
 * What the device's flash says of itself, read once at the start of each call, and the rules that
 * boot, confirm and revert share. State of a call, never kept between calls.
 */
#ifndef BOOT_CORE_STATE_H
#define BOOT_CORE_STATE_H

#include "boot/verify.h"

struct boot_state {
    struct boot_config config;
    struct boot_trailer trailer[BOOT_SLOTS];
};

/* Reads config and both trailers. BOOT_ERANGE when running is no slot, else what reading returns.
 */
int boot_state_read(const struct boot_env *env, int running, struct boot_state *out);

/*
 * True when the running slot was never confirmed, or runs as a trial although it once was. A config
 * that names the other slot does not make it one: that config could not be written when the slot
 * took over.
 */
bool boot_state_is_trial(const struct boot_state *state, int running);

/*
 * Programs the mark which makes slot the highest confirmed one: a further mark of its own number
 * when it is that already, else a number above the other's. After BOOT_OK the slot's proof reads in
 * every session.
 */
int boot_state_mark(const struct boot_env *env, const struct boot_state *state, int slot);

/*
 * What a confirmation of slot does to the limits. Pending revocations take effect at boot, if the
 * slot's own key is not among them; then the security counter rises to the lower of the counters in
 * the headers of slot and of its fallback, as far as the fallback is confirmed and may still boot.
 */
void boot_state_raise_limits(const struct boot_env *env, const struct boot_state *state, int slot,
                             struct boot_config *config);

#endif
