/*
 * The slot's own proof: its signature, and the marks which say that it was confirmed. It lives in
 * the last sector of the slot; the body takes the first pages, each mark a page of its own behind
 * it.
 *
 *   body   0 magic "BYT1" | 4 image_bytes u32 | 8 signature_bytes u16 | 10 zero u16 | 12
 * cert_id[24] 36 signature[72] (zero padded) | 108 reserved[16] = 0 | 124 CRC-32 of bytes 0..123
 *   mark   0 magic "BYM1" | 4 number u32 | 8 kind u32 (1 = confirmed) | 12 CRC-32 of bytes 0..11
 *          the rest of the page stays FF; page number mod 16 (fewer where the sector ends
 * before) is the page of this number
 *
 * A confirmed slot's number is the highest of its valid marks; it grows by one with each
 * confirmation on the device. The same number is programmed again in place: a mark counts as safe
 * only in the power session that programmed it, because a torn one may read right by luck.
 */
#ifndef BOOT_TRAILER_H
#define BOOT_TRAILER_H

#include "boot/crypto.h"
#include "boot/flash.h"
#include <stdbool.h>

enum { BOOT_TRAILER_BODY_BYTES = 128, BOOT_MARK_BYTES = 16, BOOT_MARK_CONFIRMED = 1 };

struct boot_trailer {
    bool signed_image; /* a valid body was read */
    uint32_t image_bytes;
    uint16_t signature_bytes;
    char cert_id[BOOT_CERT_ID_MAX];
    uint8_t signature[BOOT_SIGNATURE_MAX];
    uint32_t confirmed; /* highest confirmed number, 0 = never confirmed */
    uint32_t marks;     /* mark pages which are not all FF */
};

/* Encodes the body. BOOT_ERANGE when signature_bytes or the id does not fit. */
int boot_trailer_encode(uint8_t out[BOOT_TRAILER_BODY_BYTES], const struct boot_trailer *trailer);

/* Decodes a body into the first five members; the others are left alone. BOOT_EFORMAT if it is
 * none. */
int boot_trailer_decode(struct boot_trailer *out, const uint8_t in[BOOT_TRAILER_BODY_BYTES]);

/*
 * Reads body and marks of one slot. An empty or broken trailer is no error (signed_image false,
 * confirmed 0); BOOT_EFLASH is.
 */
int boot_trailer_read(const struct boot_flash *flash, const struct boot_layout *layout, int slot,
                      struct boot_trailer *out);

/* Programs the body into an erased trailer. BOOT_EFLASH or BOOT_ERANGE. */
int boot_trailer_write(const struct boot_flash *flash, const struct boot_layout *layout, int slot,
                       const struct boot_trailer *trailer);

/*
 * Programs a confirmed mark with this number onto its page, also where that holds it already or
 * torn (same bits, which NOR allows, and which heals it); where that page is taken, onto the next
 * that takes it, or BOOT_ESTATE. BOOT_EFLASH also when it does not read back.
 */
int boot_trailer_mark(const struct boot_flash *flash, const struct boot_layout *layout, int slot,
                      uint32_t number);

#endif
