/*
 * The NOR flash, W25Q80 on the flash controller's first chip select. Read through the mapped
 * window; programmed and erased by JEDEC commands, for which the controller is put in user mode:
 * the window's bytes are then the bus, and the control register is the chip select. The code runs
 * in SRAM, so nothing is fetched from the window meanwhile.
 *
 *   WREN 06 | RDSR 05 -> status (bit 0 WIP, bit 1 WEL) | PP 02 a a a, 1..256 bytes | SE 20 a a a
 *
 * Times of the data sheet (W25Q80BL, AC characteristics): a page 0.7 ms, at most 3; a sector 45 ms,
 * at most 400. The emulation is never busy, so the typical time is waited for in any case.
 */
#include "board/hal.h"
#include "registers.h"
#include <string.h>

enum { FMC_CONFIG = BOARD_FMC_REGS, FMC_CONTROL = BOARD_FMC_REGS + 0x10 };
enum { WRITE_ENABLE_CE0 = 1 << 16 };
enum { MODE_READ = 0, MODE_USER_SELECTED = 3, MODE_USER = 7 };
enum { WREN = 0x06, RDSR = 0x05, PAGE_PROGRAM = 0x02, SECTOR_ERASE = 0x20 };
enum { WIP = 1, WEL = 2 };
enum { PAGE_US = 700, PAGE_US_MAX = 3000, SECTOR_US = 45000, SECTOR_US_MAX = 400000 };
enum { POLL_US = 500 };
enum { PROBE_PROGRAM = 1, PROBE_ERASE = 2 };

static void put(uint8_t byte)
{
    *board_reg8(BOARD_NOR_WINDOW) = byte;
}

static void put_all(const uint8_t *bytes, uint32_t len)
{
    for (uint32_t i = 0; i < len; i++)
        put(bytes[i]);
}

static void select(void)
{
    *board_reg(FMC_CONTROL) = MODE_USER_SELECTED;
}

static void deselect(void)
{
    *board_reg(FMC_CONTROL) = MODE_USER;
}

static uint8_t status(void)
{
    select();
    put(RDSR);
    uint8_t value = *board_reg8(BOARD_NOR_WINDOW);
    deselect();
    return value;
}

/* Until the part is ready, for at most max_us. */
static bool becomes_ready(uint32_t max_us)
{
    uint64_t until = board_us() + max_us;
    while (status() & WIP) {
        if (board_us() >= until)
            return false;
        board_wait_us(POLL_US);
    }
    return true;
}

static bool enable_write(void)
{
    select();
    put(WREN);
    deselect();
    return (status() & (WIP | WEL)) == WEL;
}

/* `begun` comes last: who watches it sees the whole note, and nothing has gone over the bus. */
static void note_begin(uint32_t kind, uint32_t addr, uint32_t len, const void *data)
{
    volatile struct board_probe *probe = board_probe();
    probe->kind = kind;
    probe->addr = addr;
    probe->len = len;
    probe->data = (uint32_t)data;
    board_barrier();
    probe->begun = probe->begun + 1;
    board_barrier();
}

static void note_end(void)
{
    board_barrier();
    board_probe()->ended = board_probe()->begun;
}

/* One operation, from write enable to ready. */
static bool operate(uint8_t command, uint32_t addr, const uint8_t *data, uint32_t len)
{
    bool erase = command == SECTOR_ERASE;
    bool done = false;
    note_begin(erase ? PROBE_ERASE : PROBE_PROGRAM, addr, erase ? BOARD_NOR_SECTOR : len, data);
    *board_reg(FMC_CONTROL) = MODE_USER;
    if (enable_write()) {
        const uint8_t head[4] = {command, (uint8_t)(addr >> 16), (uint8_t)(addr >> 8),
                                 (uint8_t)addr};
        select();
        put_all(head, sizeof head);
        put_all(data, len);
        deselect();
        board_wait_us(erase ? SECTOR_US : PAGE_US);
        done = becomes_ready(erase ? SECTOR_US_MAX : PAGE_US_MAX);
    }
    *board_reg(FMC_CONTROL) = MODE_READ;
    note_end();
    return done;
}

/* A reset in the middle of an erase leaves the part busy with it. */
void board_nor_start(void)
{
    *board_reg(FMC_CONFIG) |= WRITE_ENABLE_CE0;
    *board_reg(FMC_CONTROL) = MODE_USER;
    (void)becomes_ready(SECTOR_US_MAX);
    *board_reg(FMC_CONTROL) = MODE_READ;
    note_end();
}

static bool is_inside(uint32_t addr, uint32_t len)
{
    return addr <= BOARD_NOR_BYTES && len <= BOARD_NOR_BYTES - addr;
}

/* By words where both sides allow: each access of the window costs the same. */
int board_nor_read(void *ctx, uint32_t addr, void *out, uint32_t len)
{
    (void)ctx;
    if (!is_inside(addr, len))
        return -1;
    uint8_t *to = out;
    if (addr % 4 == 0 && (uint32_t)to % 4 == 0)
        for (; len >= 4; len -= 4, addr += 4, to += 4) {
            uint32_t word = *board_reg(BOARD_NOR_WINDOW + addr);
            memcpy(to, &word, sizeof word);
        }
    for (; len; len--)
        *to++ = *board_reg8(BOARD_NOR_WINDOW + addr++);
    return 0;
}

int board_nor_program(void *ctx, uint32_t addr, const void *data, uint32_t len)
{
    (void)ctx;
    if (!is_inside(addr, len) || addr % BOARD_NOR_PAGE || len % BOARD_NOR_PAGE)
        return -1;
    for (uint32_t at = 0; at < len; at += BOARD_NOR_PAGE)
        if (!operate(PAGE_PROGRAM, addr + at, (const uint8_t *)data + at, BOARD_NOR_PAGE))
            return -1;
    return 0;
}

int board_nor_erase(void *ctx, uint32_t addr)
{
    (void)ctx;
    if (!is_inside(addr, BOARD_NOR_SECTOR) || addr % BOARD_NOR_SECTOR)
        return -1;
    return operate(SECTOR_ERASE, addr, NULL, 0) ? 0 : -1;
}

const struct boot_flash board_flash = {
    .read = board_nor_read, .program = board_nor_program, .erase = board_nor_erase};
