/*
 * Verification of the image in a slot, as the bootloader does before every jump and the agent
 * before it asks for a trial: header, device type, hardware revision, security counter, key,
 * SHA-256, ECDSA P-256.
 */
#ifndef BOOT_VERIFY_H
#define BOOT_VERIFY_H

#include "boot/config.h"
#include "boot/image.h"
#include "boot/trailer.h"

/* What the core needs of its device. Owned by the caller, constant while in use, no member NULL. */
struct boot_env {
    const struct boot_flash *flash;
    const struct boot_layout *layout;
    const struct boot_crypto *crypto;
    const struct boot_keys *keys;
    const char *device_type;
    const char *hw_revision;
    uint8_t trial_boots;  /* granted to a new image, 1 .. 15 (3 by default) */
    uint8_t faulty_boots; /* resets in a row after which a confirmed image is left, 5 by default */
    uint32_t watchdog_s;  /* armed before the jump, 120 by default */
};

enum boot_verdict {
    BOOT_VERDICT_VALID = 0,
    BOOT_VERDICT_EMPTY,       /* no trailer body or no header magic */
    BOOT_VERDICT_HEADER,      /* a header that is broken, or sizes that disagree with the trailer */
    BOOT_VERDICT_DEVICE_TYPE, /* for another device type */
    BOOT_VERDICT_HW_REVISION, /* needs a newer hardware revision */
    BOOT_VERDICT_COUNTER,     /* below the security counter */
    BOOT_VERDICT_KEY,         /* signed by an unknown key */
    BOOT_VERDICT_REVOKED,     /* signed by a revoked key */
    BOOT_VERDICT_SIGNATURE,   /* hash or signature wrong */
    BOOT_VERDICT_KINDS
};
const char *boot_verdict_name(int verdict);

/* Limits that a verification applies; NULL config values are given as 0 counter and no revocation.
 */
struct boot_limits {
    uint32_t security_counter;        /* images below are refused */
    const struct boot_config *config; /* revoked keys, may be NULL */
    bool at_boot;                     /* only keys that are revoked for boots are refused */
};

/*
 * Verifies the image in slot under the signature in trailer (the slot's own or, before it is
 * written, the manifest's). Reads the whole image once in pieces of 4096 bytes; the cheap checks
 * come first. out_image gets the header when it could be read (may be NULL), out_hash the SHA-256
 * (may be NULL). A flash read error is a verdict of SIGNATURE or EMPTY: fails closed.
 */
enum boot_verdict boot_verify(const struct boot_env *env, int slot,
                              const struct boot_trailer *trailer, const struct boot_limits *limits,
                              struct boot_image *out_image, uint8_t out_hash[BOOT_SHA256_BYTES]);

#endif
