/* Cells from outside: what a file, or another flash, holds. */
#include "cells.h"

#include <assert.h>
#include <string.h>

static bool holds(const struct sim_flash *flash, uint32_t sector, const uint8_t *bytes)
{
    const uint8_t *content = sim_flash_sector_bytes(flash, sector);
    uint32_t size = flash->base->sector_bytes;
    if (sim_flash_sector_mask(flash, sector))
        return false;
    return content ? memcmp(content, bytes, size) == 0 : sim_flash_all_ff(bytes, size);
}

uint32_t sim_flash_load(struct sim_flash *flash, uint32_t addr, const void *bytes, uint32_t len)
{
    uint32_t size = flash->base->sector_bytes, changed = 0;
    assert(addr % size == 0 && len % size == 0);
    assert(addr <= flash->base->bytes && len <= flash->base->bytes - addr);
    for (uint32_t done = 0; done < len; done += size) {
        const uint8_t *from = (const uint8_t *)bytes + done;
        uint32_t sector = (addr + done) / size;
        if (holds(flash, sector, from))
            continue;
        sim_flash_unstable_drop(flash, sector);
        memcpy(sim_flash_private(flash, sector), from, size);
        sim_flash_settle(flash, sector, 0, size);
        changed++;
    }
    return changed;
}
