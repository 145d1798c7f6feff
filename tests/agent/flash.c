#include "world.h"
#include <string.h>

/* NOR as the data sheet has it, and no kinder: asking for 0 -> 1 is counted as a violation. */

static uint32_t chance(struct world_flash *flash)
{
    flash->chance = flash->chance * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(flash->chance >> 33);
}

static int flash_read(void *ctx, uint32_t addr, void *out, uint32_t len)
{
    struct world_flash *flash = ctx;
    uint8_t *to = out;
    if (addr > WORLD_FLASH || len > WORLD_FLASH - addr)
        return -1;
    memcpy(to, flash->cell + addr, len);
    for (uint32_t i = 0; i < len; i++)
        if (flash->haunted[addr + i] && flash->luck & 1)
            to[i] = flash->ghost[addr + i];
        else if (flash->unstable[addr + i])
            to[i] ^= (uint8_t)(flash->unstable[addr + i] & chance(flash));
    return 0;
}

static bool refused(const struct world_flash *flash, uint32_t addr)
{
    return addr >= flash->fail_from && addr < flash->fail_to &&
           addr / WORLD_SECTOR != flash->spared;
}

static void program_page(struct world_flash *flash, uint32_t addr, const uint8_t *data)
{
    for (uint32_t i = 0; i < flash->layout.page_bytes; i++) {
        uint8_t *cell = &flash->cell[addr + i];
        bool torn = flash->unstable[addr + i] || flash->haunted[addr + i];
        flash->violations += (*cell & data[i]) != data[i] && !torn;
        /* Cells that were half programmed may well stay 0 for good. */
        *cell &= flash->haunted[addr + i] ? flash->ghost[addr + i] & data[i] : data[i];
        flash->unstable[addr + i] = 0;
        flash->haunted[addr + i] = false;
    }
    flash->page_programs++;
    if (addr >= flash->layout.data_addr)
        flash->journal_pages++;
}

/* A torn program: `want` is what the page would hold. */
static void tear(struct world_flash *flash, uint32_t addr, const uint8_t *want, uint32_t len)
{
    for (uint32_t i = 0; i < len; i++) {
        uint8_t change = flash->cell[addr + i] ^ want[i];
        if (flash->form == TORN_PREFIX && i < len / 2)
            flash->cell[addr + i] = want[i];
        if (flash->form == TORN_RANDOM)
            flash->cell[addr + i] ^= (uint8_t)(change & chance(flash));
        if (flash->form == TORN_UNSTABLE)
            flash->unstable[addr + i] = change;
        if (flash->form == TORN_LUCKY) {
            flash->ghost[addr + i] = want[i];
            flash->haunted[addr + i] = true;
        }
    }
}

static void power_lost(struct world_flash *flash)
{
    flash->cut_at = 0;
    longjmp(*flash->power, 1);
}

static int flash_program(void *ctx, uint32_t addr, const void *data, uint32_t len)
{
    struct world_flash *flash = ctx;
    const uint8_t *from = data;
    const uint32_t page = flash->layout.page_bytes;
    if (addr % page || len % page || addr > WORLD_FLASH || len > WORLD_FLASH - addr) {
        flash->violations++;
        return -1;
    }
    if (refused(flash, addr)) {
        for (uint32_t i = 0; flash->stuck && i < len; i++)
            flash->violations += (flash->cell[addr + i] & from[i]) != from[i];
        return flash->stuck ? 0 : -1;
    }
    bool cut = ++flash->ops == flash->cut_at;
    /* A call of several pages is cut in its middle page. */
    uint32_t pages = len / page, torn = flash->form == TORN_BEFORE ? 0 : pages / 2;
    flash->programs++;
    for (uint32_t i = 0; i < pages; i++, addr += page, from += page) {
        if (cut && i == torn && flash->form != TORN_AFTER) {
            uint8_t want[WORLD_SECTOR];
            for (uint32_t k = 0; k < page; k++)
                want[k] = flash->cell[addr + k] & from[k];
            tear(flash, addr, want, page);
            power_lost(flash);
        }
        program_page(flash, addr, from);
    }
    if (cut)
        power_lost(flash);
    return 0;
}

static int flash_erase(void *ctx, uint32_t addr)
{
    struct world_flash *flash = ctx;
    static uint8_t erased[WORLD_SECTOR];
    if (addr % WORLD_SECTOR || addr >= WORLD_FLASH) {
        flash->violations++;
        return -1;
    }
    if (refused(flash, addr))
        return flash->stuck ? 0 : -1;
    bool cut = ++flash->ops == flash->cut_at;
    memset(erased, 0xff, sizeof erased);
    flash->erases++;
    if (cut && flash->form != TORN_AFTER) {
        tear(flash, addr, erased, WORLD_SECTOR);
        power_lost(flash);
    }
    memset(flash->cell + addr, 0xff, WORLD_SECTOR);
    memset(flash->unstable + addr, 0, WORLD_SECTOR);
    memset(flash->haunted + addr, 0, WORLD_SECTOR);
    flash->wear[addr / WORLD_SECTOR]++;
    if (cut)
        power_lost(flash);
    return 0;
}

void world_flash_reboot(struct world_flash *flash)
{
    flash->luck = flash->luck >> 1 | (flash->luck & 1) << 31;
}

void world_flash_init(struct world_flash *flash)
{
    memset(flash, 0, sizeof *flash);
    memset(flash->cell, 0xff, sizeof flash->cell);
    flash->chance = 1;
    flash->port = (struct boot_flash){flash, flash_read, flash_program, flash_erase};
    flash->layout = (struct boot_layout){
        .sector_bytes = WORLD_SECTOR,
        .page_bytes = WORLD_PAGE,
        .bootloader_bytes = WORLD_SECTOR,
        .config_addr = WORLD_SECTOR,
        .slot_addr = {3 * WORLD_SECTOR, 3 * WORLD_SECTOR + WORLD_SLOT},
        .slot_bytes = WORLD_SLOT,
        .data_addr = WORLD_DATA,
        .data_bytes = WORLD_JOURNAL + WORLD_SECTOR,
        .journal_bytes = WORLD_JOURNAL,
    };
}
