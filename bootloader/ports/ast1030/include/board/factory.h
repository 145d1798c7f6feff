/*
 * The factory block: who this board is and whom it trusts, in the first sector of the bootloader
 * region, written once in the factory and never by the board. Little endian. Freestanding C: the
 * ROM and the firmware decode it, the rig and the tests encode it.
 *
 *   0 magic "BYF1" | 4 block_bytes u16 = 1024 | 6 format u16 = 1
 *   8 device_id[32] | 40 device_type[32] | 72 hw_revision[16]
 *   88 trial_boots u8 | 89 faulty_boots u8 | 90 approval u8 | 91 key_count u8 (1..4)
 *   92 watchdog_s u32 | 96 mqtt_within_ms u32 | 100 fault_free_ms u32 | 104 retry_first_ms u32
 *   108 retry_max_ms u32 | 112 telemetry_every_ms u32 | 116 reserved[12] = 0
 *   128 ota_window[64] | 192 zone[64] (POSIX TZ)
 *   256 keys[4]: cert_id[24], public_key[65], zero[7]  = 96 bytes each | 640 reserved = 0
 *   1020 CRC-32 of bytes 0..1019
 */
#ifndef BOARD_FACTORY_H
#define BOARD_FACTORY_H

#include "boot/crypto.h"
#include "boot/image.h"
#include <stdbool.h>

enum { BOARD_FACTORY_BYTES = 1024, BOARD_KEYS_MAX = 4, BOARD_DEVICE_ID_MAX = 32 };
enum { BOARD_WINDOW_MAX = 64, BOARD_ZONE_MAX = 64 };
enum { BOARD_WATCHDOG_S_MAX = 4294 }; /* what the watchdog counts to: 2^32 us */

struct board_factory {
    char device_id[BOARD_DEVICE_ID_MAX]; /* 1..31; this and the next two: printable, no blank */
    char device_type[BOOT_DEVICE_TYPE_MAX];
    char hw_revision[BOOT_HW_REVISION_MAX];
    uint8_t trial_boots, faulty_boots; /* 1..15 each */
    bool approval;                     /* apply waits for an operator */
    uint32_t watchdog_s;               /* 1 .. BOARD_WATCHDOG_S_MAX */
    uint32_t mqtt_within_ms, fault_free_ms;
    uint32_t retry_first_ms, retry_max_ms;
    uint32_t telemetry_every_ms;
    char ota_window[BOARD_WINDOW_MAX]; /* "": none */
    char zone[BOARD_ZONE_MAX];         /* "": UTC */
    uint32_t keys;                     /* 1..4, each with an id of its own */
    struct boot_key key[BOARD_KEYS_MAX];
};

/* BOOT_OK; BOOT_ERANGE when a member is out of range or a text is not closed. */
int board_factory_encode(uint8_t out[BOARD_FACTORY_BYTES], const struct board_factory *factory);
/* Any 1024 bytes. BOOT_EFORMAT (out zeroed) unless all of it is right. */
int board_factory_decode(struct board_factory *out, const uint8_t in[BOARD_FACTORY_BYTES]);

#endif
