/*
 * A proof sector, the form which boot config and slot trailers share: a body in the first pages,
 * and behind it marks, each 16 bytes at the start of a page of its own.
 */
#ifndef BOOT_CORE_PAGES_H
#define BOOT_CORE_PAGES_H

#include "boot/flash.h"
#include <stdbool.h>

enum {
    BOOT_PAGE_MAX = 4096,
    BOOT_MARK_PAGES_MIN = 2,
    BOOT_MARK_PAGES_MAX = 16,
    BOOT_MARK_SIZE = 16
};

/* Mark pages behind a body of body_bytes, at most BOOT_MARK_PAGES_MAX so that a boot reads few
 * pages. */
uint32_t boot_mark_pages(const struct boot_layout *layout, uint32_t body_bytes);

/* Byte offset of mark page `index` from the start of its sector. */
uint32_t boot_mark_offset(const struct boot_layout *layout, uint32_t body_bytes, uint32_t index);

/* Programs len bytes (at most 4096) from a page's start on, the last page filled up with FF.
 * BOOT_EFLASH. */
int boot_program(const struct boot_flash *flash, const struct boot_layout *layout, uint32_t addr,
                 const uint8_t *data, uint32_t len);

/* Writes and checks the frame of a mark: magic, two numbers, CRC. */
void boot_mark_encode(uint8_t out[BOOT_MARK_SIZE], const char magic[4], uint32_t a, uint32_t b);
bool boot_mark_decode(const uint8_t in[BOOT_MARK_SIZE], const char magic[4], uint32_t *a,
                      uint32_t *b);

/* True when mark can be programmed over what was read: no bit would have to rise. */
bool boot_mark_fits(const uint8_t read[BOOT_MARK_SIZE], const uint8_t mark[BOOT_MARK_SIZE]);

#endif
