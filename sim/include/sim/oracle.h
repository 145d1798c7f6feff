/*
 * The oracle: judges from outside, by reading flash. It links neither bootloader nor agent: it
 * decodes the formats of bootloader/FORMAT.md by its own code and verifies with OpenSSL by itself.
 * One oracle per thread. Verdicts on images are remembered by content only (slots that share every
 * sector with a known image, sim_flash_known_at), and the known image itself is verified by the
 * oracle once.
 */
#ifndef SIM_ORACLE_H
#define SIM_ORACLE_H

#include "sim/flash.h"

enum { SIM_ORACLE_KEYS_MAX = 8 };
struct sim_oracle_trust {
    struct {
        char cert_id[24];
        uint8_t public_key[65];
        bool revoked;
    } key[SIM_ORACLE_KEYS_MAX];
    uint32_t keys;
};

/* What a slot holds. */
struct sim_oracle_slot {
    bool valid;   /* header sound, SHA-256 and ECDSA by a trusted key right */
    bool revoked; /* by a key that is revoked */
    bool confirmed;
    uint32_t confirmed_number;
    char version[32], device_type[32], min_hw_revision[16], cert_id[24];
    uint32_t security_counter, image_bytes;
    char why[64]; /* when not valid: "no trailer", "signature", ... */
};
struct sim_oracle_config {
    bool valid;
    uint32_t sequence, security_counter;
    uint8_t active, next, trial_left, faulty_boots, cause;
};

struct sim_oracle; /* opaque */
/* layout is copied. 0 or -1. */
int sim_oracle_create(struct sim_oracle **out, const struct boot_layout *layout,
                      const struct sim_oracle_trust *trust);
void sim_oracle_free(struct sim_oracle *oracle);
void sim_oracle_slot(struct sim_oracle *oracle, const struct sim_flash *flash, int slot,
                     struct sim_oracle_slot *out);
void sim_oracle_config(struct sim_oracle *oracle, const struct sim_flash *flash,
                       struct sim_oracle_config *out);

/* Promise 2 at the moment of a jump: NULL when the slot may run on this device, else why not. The
 * counter is the device's floor as the oracle tracked it. The answer is a constant string. */
const char *sim_oracle_may_run(const struct sim_oracle_slot *slot, const char *device_type,
                               const char *hw_revision, uint32_t counter_floor);

/*
 * Promises 3 and 4 from a reset to the jump, before this call is done. No application runs: what
 * writes a slot is the bootloader, which marks one anew that was confirmed before
 * (bootloader/DESIGN.md) and does nothing else there. NULL when the call does no more, nor any in
 * no slot; else what it does, a constant string, and *confirms: promise 4 is broken, else 3.
 */
const char *sim_oracle_at_boot(struct sim_oracle *oracle, const struct sim_flash *flash,
                               const struct sim_flash_call *call, bool *confirms);

/* XXH3-64 over [addr, addr + len) with unstable bits as 0: to see that a region is the same byte
 * for byte. */
uint64_t sim_oracle_region_hash(const struct sim_flash *flash, uint32_t addr, uint32_t len);
uint64_t sim_oracle_verifications(const struct sim_oracle *oracle); /* really done */

#endif
