/*
 * The flash port and the layout: where the regions are, and how bytes get in and out of them.
 * All addresses are byte offsets from the start of the flash. Numbers on flash are little endian.
 * What survives a power cut: whatever an operation that returned 0 wrote. The operation in progress
 * is torn, and its bits may read differently each time until they are written again.
 */
#ifndef BOOT_FLASH_H
#define BOOT_FLASH_H

#include <stdint.h>

/*
 * Owned by the caller, constant while in use. NOR rules: erase sets a whole sector to FF, program
 * only clears bits. Each function returns 0 or a negative value, on which the core gives up
 * (BOOT_EFLASH).
 */
struct boot_flash {
    void *ctx;
    /* Any address and length inside the flash. */
    int (*read)(void *ctx, uint32_t addr, void *out, uint32_t len);
    /* addr and len are multiples of page_bytes; programmed in rising order, page by page. */
    int (*program)(void *ctx, uint32_t addr, const void *data, uint32_t len);
    /* addr is the start of a sector. */
    int (*erase)(void *ctx, uint32_t addr);
};

enum { BOOT_SLOT_NONE = -1, BOOT_SLOT_A = 0, BOOT_SLOT_B = 1, BOOT_SLOTS = 2 };

/*
 * Regions in rising order without overlap: bootloader | boot config (2 sectors) | slot A | slot B |
 * data. The last sector of a slot is its trailer. The agent's journal is the first journal_bytes of
 * the data partition; everything behind belongs to the application and is never touched. A sector
 * holds a config body and at least two mark pages behind it.
 */
struct boot_layout {
    uint32_t sector_bytes;     /* erase sector, power of two, 512 or more */
    uint32_t page_bytes;       /* program unit, power of two, 16 .. 4096, divides sector_bytes */
    uint32_t bootloader_bytes; /* region starts at 0 */
    uint32_t config_addr;      /* two sectors */
    uint32_t slot_addr[BOOT_SLOTS];
    uint32_t slot_bytes; /* 3 sectors or more, trailer included */
    uint32_t data_addr;
    uint32_t data_bytes;
    uint32_t journal_bytes; /* even number of sectors, 4 or more, at data_addr */
};

/* BOOT_OK, or BOOT_ELAYOUT when any rule above is broken. */
int boot_layout_check(const struct boot_layout *layout);

/* Largest image (header and payload) that a slot holds: slot_bytes less the trailer sector. */
uint32_t boot_layout_image_max(const struct boot_layout *layout);

/* First byte of the slot's trailer sector. */
uint32_t boot_layout_trailer(const struct boot_layout *layout, int slot);

#endif
