/*
 * The boot config: which slot is active, whether a trial is under way, the security counter,
 * revoked keys. Two erase sectors written in turn. A sector holds one record: a body, and
 * two completion marks which are programmed after it, each in a page of its own (the first
 * completes the record; the second says that the first is stable). Before the other sector is
 * erased the first is programmed again in place, because a sector may be erased only when the
 * other's mark was programmed in this power session.
 *
 *   body   0 magic "BYC1" | 4 sequence u32 | 8 active u8 | 9 next u8 | 10 rollback_on_fail u8
 *          11 trial_left u8 | 12 trial_total u8 | 13 faulty_boots u8 | 14 last_reset u8 | 15 cause
 * u8 16 security_counter u32 | 20 revoked_count u8 | 21 revoked_at_boot u8 (bit per key) | 22 zero
 * u16 24 revoked[4][24] | 120 reserved[68] = 0 | 188 CRC-32 of bytes 0..187        = 192 bytes mark
 * 0 magic "BYD1" | 4 sequence u32 | 8 the body's CRC-32 | 12 CRC-32 of bytes 0..11   = 16 bytes
 *
 * Sequences compare with wrap: b is newer than a when (int32_t)(b - a) > 0.
 */
#ifndef BOOT_CONFIG_H
#define BOOT_CONFIG_H

#include "boot/crypto.h"
#include "boot/flash.h"
#include <stdbool.h>

enum { BOOT_CONFIG_BODY_BYTES = 192, BOOT_CONFIG_MARK_BYTES = 16, BOOT_REVOKED_MAX = 4 };

/* Why the device was reset, as the hardware tells. Stored in last_reset. */
enum boot_reset {
    BOOT_RESET_POWER_ON = 0,
    BOOT_RESET_PIN = 1,
    BOOT_RESET_SOFTWARE = 2,
    BOOT_RESET_WATCHDOG = 3,
    BOOT_RESET_HARD_FAULT = 4,
    BOOT_RESET_BROWN_OUT = 5,
    BOOT_RESET_KINDS
};

/* Why the last trial ended or the last config was rewritten. Stored in cause; the agent reports it.
 */
enum boot_cause {
    BOOT_CAUSE_NONE = 0,
    BOOT_CAUSE_TRIALS_USED = 1,      /* plain resets used up the trial boots */
    BOOT_CAUSE_TRIAL_WATCHDOG = 2,   /* a watchdog reset during a trial */
    BOOT_CAUSE_TRIAL_HARD_FAULT = 3, /* a hard fault during a trial */
    BOOT_CAUSE_TRIAL_INVALID = 4,    /* the trial slot did not verify */
    BOOT_CAUSE_REQUESTED = 5,        /* the agent asked: a health check failed, or an operator */
    BOOT_CAUSE_ACTIVE_INVALID = 6,   /* the active slot did not verify, the other runs */
    BOOT_CAUSE_ACTIVE_FAULTY = 7,    /* too many faulty boots of a confirmed image */
    BOOT_CAUSE_CONFIG_LOST = 8,      /* both copies lost, rebuilt from the slots' marks */
    BOOT_CAUSE_CONFIRMED = 9,        /* the trial was confirmed */
    BOOT_CAUSE_CANCELLED = 10,       /* a pending trial was withdrawn before staging */
    BOOT_CAUSE_KINDS
};

/* "watchdog reset in a trial" and so on. Never NULL. */
const char *boot_cause_name(int cause);
const char *boot_reset_name(int reset);

struct boot_config {
    uint32_t sequence;
    uint8_t active; /* slot of the last confirmed image */
    uint8_t next;   /* slot to boot; other than active while a trial is wanted or running */
    uint8_t rollback_on_fail; /* 1: a failed trial goes back to active (always 1 so far) */
    uint8_t trial_left;       /* trial boots that may still begin */
    uint8_t trial_total;  /* trial boots granted; trial_left < trial_total: the trial has begun */
    uint8_t faulty_boots; /* watchdog or hard-fault resets in a row of the active image */
    uint8_t last_reset;   /* enum boot_reset */
    uint8_t cause;        /* enum boot_cause */
    uint32_t security_counter;
    uint8_t revoked_count;
    uint8_t revoked_at_boot; /* bit i: revoked[i] is refused at boot too, not only when staging */
    char revoked[BOOT_REVOKED_MAX][BOOT_CERT_ID_MAX];
};

int boot_config_encode(uint8_t out[BOOT_CONFIG_BODY_BYTES], const struct boot_config *config);
/* Any 192 bytes. BOOT_EFORMAT unless magic, CRC and every field's range are right. */
int boot_config_decode(struct boot_config *out, const uint8_t in[BOOT_CONFIG_BODY_BYTES]);

/*
 * The newest complete record. *sector (0 or 1) says where it is. BOOT_ENOTFOUND when neither copy
 * is valid; out is then zeroed.
 */
int boot_config_read(const struct boot_flash *flash, const struct boot_layout *layout,
                     struct boot_config *out, int *sector);

/*
 * Writes config as the next record (sequence is set here) into the sector that does not hold the
 * newest: programs the newest record's first mark again, erases the other sector, programs body,
 * then two marks, and reads them back. After a cut at any point the old or the new record is read.
 * BOOT_EFLASH (an operation failed, or the sector ignored it) leaves the old record.
 */
int boot_config_write(const struct boot_flash *flash, const struct boot_layout *layout,
                      struct boot_config *config);

bool boot_config_is_revoked(const struct boot_config *config, const char *cert_id, bool at_boot);

#endif
