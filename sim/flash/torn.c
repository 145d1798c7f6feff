/*
 * What an operation leaves behind when the power goes in its middle. README.md names each form's
 * source. Unstable bits are kept as content 1 with the mask set, so a later program of 0 settles
 * them and a later program of 1 does not, and a finished erase takes the mask away.
 */
#include "cells.h"

#include <assert.h>

enum { TORN_PAGE_MAX = 4096 };

/* A tear point that leaves neither nothing nor all: the cut's, or drawn. */
static uint32_t tear_point(struct sim_flash *flash, const struct sim_flash_cut *cut, uint32_t len)
{
    assert(cut->tear < len);
    return cut->tear ? cut->tear : 1 + sim_rng_below(&flash->torn_rng, len - 1);
}

static void program_random(struct sim_flash *flash, uint32_t addr, const uint8_t *data,
                           uint32_t len)
{
    uint8_t subset[TORN_PAGE_MAX];
    struct sim_flash_noise noise = {.rng = &flash->torn_rng};
    assert(len <= sizeof subset);
    for (uint32_t i = 0; i < len; i++)
        subset[i] = data[i] | sim_flash_noise_byte(&noise);
    sim_flash_clear_bits(flash, addr, subset, len);
}

static void program_unstable(struct sim_flash *flash, uint32_t addr, const uint8_t *data,
                             uint32_t len)
{
    uint32_t sector = sim_flash_sector_of(flash, addr), from = addr % flash->base->sector_bytes;
    const uint8_t *content = sim_flash_sector_bytes(flash, sector);
    uint8_t *mask = sim_flash_unstable_own(flash, sector) + from;
    for (uint32_t i = 0; i < len; i++)
        mask[i] |= (uint8_t)((content ? content[from + i] : 0xFF) & ~data[i]);
    sim_flash_settle(flash, sector, from, from + len);
}

void sim_flash_tear_program(struct sim_flash *flash, uint32_t addr, const uint8_t *data,
                            const struct sim_flash_cut *cut)
{
    uint32_t page = flash->base->page_bytes, at;
    switch (cut->form) {
    case SCN_TORN_PREFIX:
        sim_flash_clear_bits(flash, addr, data, tear_point(flash, cut, page));
        break;
    case SCN_TORN_SUFFIX:
        at = tear_point(flash, cut, page);
        sim_flash_clear_bits(flash, addr + at, data + at, page - at);
        break;
    case SCN_TORN_RANDOM:
        program_random(flash, addr, data, page);
        break;
    case SCN_TORN_UNSTABLE:
        program_unstable(flash, addr, data, page);
        break;
    case SCN_TORN_AFTER:
        sim_flash_clear_bits(flash, addr, data, page);
        break;
    default: /* BEFORE, NOTHING */
        break;
    }
}

/* Erases [from, to) of a sector fully. */
static void erase_part(struct sim_flash *flash, uint32_t sector, uint32_t from, uint32_t to)
{
    uint8_t *bytes = sim_flash_private(flash, sector);
    for (uint32_t i = from; i < to; i++)
        bytes[i] = 0xFF;
    if (sim_flash_sector_mask(flash, sector)) {
        uint8_t *mask = sim_flash_unstable_own(flash, sector);
        for (uint32_t i = from; i < to; i++)
            mask[i] = 0;
    }
    sim_flash_settle(flash, sector, from, to);
}

/* A random subset of the bits that are not fully erased (0, or unstable) becomes so. */
static void erase_random(struct sim_flash *flash, uint32_t sector)
{
    uint32_t size = flash->base->sector_bytes;
    uint8_t *bytes = sim_flash_private(flash, sector);
    bool unstable = sim_flash_sector_mask(flash, sector);
    uint8_t *mask = unstable ? sim_flash_unstable_own(flash, sector) : NULL;
    struct sim_flash_noise noise = {.rng = &flash->torn_rng};
    for (uint32_t i = 0; i < size; i++) {
        uint8_t erased = sim_flash_noise_byte(&noise);
        bytes[i] |= erased;
        if (mask)
            mask[i] &= (uint8_t)~erased;
    }
    sim_flash_settle(flash, sector, 0, size);
}

static void erase_unstable(struct sim_flash *flash, uint32_t sector)
{
    const uint8_t *content = sim_flash_sector_bytes(flash, sector);
    if (!content)
        return;
    uint8_t *mask = sim_flash_unstable_own(flash, sector);
    for (uint32_t i = 0; i < flash->base->sector_bytes; i++)
        mask[i] |= (uint8_t)~content[i];
    sim_flash_share(flash, sector, NULL);
}

void sim_flash_erase_cells(struct sim_flash *flash, uint32_t sector)
{
    sim_flash_share(flash, sector, NULL);
    sim_flash_unstable_drop(flash, sector);
}

void sim_flash_tear_erase(struct sim_flash *flash, uint32_t sector, const struct sim_flash_cut *cut)
{
    uint32_t size = flash->base->sector_bytes;
    switch (cut->form) {
    case SCN_TORN_PREFIX:
        erase_part(flash, sector, 0, tear_point(flash, cut, size));
        break;
    case SCN_TORN_SUFFIX:
        erase_part(flash, sector, tear_point(flash, cut, size), size);
        break;
    case SCN_TORN_RANDOM:
        erase_random(flash, sector);
        break;
    case SCN_TORN_UNSTABLE:
        erase_unstable(flash, sector);
        break;
    case SCN_TORN_AFTER:
        sim_flash_erase_cells(flash, sector);
        break;
    default: /* BEFORE, NOTHING */
        break;
    }
}
