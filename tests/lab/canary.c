/* The board's NOR driver with a fault in front of it, for the lab that has to find it. LAB_CANARY:
 * 1 drops the last byte of each page, 2 the last page of a longer program, 3 leaves the first page
 * of a sector that it erases. */
#include "board/hal.h"
#include <string.h>

static int program(void *ctx, uint32_t addr, const void *data, uint32_t len)
{
    static uint8_t page[BOARD_NOR_PAGE];
    const uint8_t *from = data;
    if (LAB_CANARY == 2 && len > BOARD_NOR_PAGE)
        len -= BOARD_NOR_PAGE;
    for (uint32_t at = 0; at < len; at += BOARD_NOR_PAGE) {
        memcpy(page, from + at, sizeof page);
        if (LAB_CANARY == 1)
            page[sizeof page - 1] = 0xFF;
        if (board_nor_program(ctx, addr + at, page, sizeof page))
            return -1;
    }
    return 0;
}

static int erase(void *ctx, uint32_t addr)
{
    static uint8_t page[BOARD_NOR_PAGE];
    int error = board_nor_read(ctx, addr, page, sizeof page);
    error = error ? error : board_nor_erase(ctx, addr);
    return error || LAB_CANARY != 3 ? error : board_nor_program(ctx, addr, page, sizeof page);
}

extern const struct boot_flash lab_canary;
const struct boot_flash lab_canary = {.read = board_nor_read, .program = program, .erase = erase};
