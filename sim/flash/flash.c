/* A device's flash as a whole: its life, and what the outside sees of it and does to it. */
#include "cells.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static void bind_port(struct sim_flash *flash)
{
    flash->port = (struct boot_flash){.ctx = flash,
                                      .read = sim_flash_port_read,
                                      .program = sim_flash_port_program,
                                      .erase = sim_flash_port_erase};
}

void sim_flash_reseed(struct sim_flash *flash, uint64_t seed, uint32_t device, uint32_t index)
{
    sim_rng_init(&flash->torn_rng, seed, device, SIM_RNG_TORN, index);
    sim_rng_init(&flash->read_rng, seed, device, SIM_RNG_UNSTABLE, index);
}

int sim_flash_init(struct sim_flash *flash, const struct sim_flash_base *base,
                   const struct sim_flash_known *known, const struct sim_flash_timing *timing,
                   int64_t *now_us, uint64_t seed, uint32_t device)
{
    assert(!known || known->sector_bytes == base->sector_bytes);
    uint32_t sectors = base->bytes / base->sector_bytes;
    *flash = (struct sim_flash){
        .base = base,
        .known = known,
        .timing = timing,
        .now_us = now_us,
        .cut_at_us = INT64_MAX,
        .leaves = (sectors + SIM_FLASH_LEAF_SECTORS - 1) / SIM_FLASH_LEAF_SECTORS,
    };
    sim_flash_reseed(flash, seed, device, 0);
    bind_port(flash);
    flash->leaf = calloc(flash->leaves, sizeof(struct sim_flash_leaf *));
    return flash->leaf ? 0 : -1;
}

void sim_flash_free(struct sim_flash *flash)
{
    for (uint32_t i = 0; flash->leaf && i < flash->leaves; i++)
        sim_flash_leaf_drop(flash->leaf[i]);
    free(flash->leaf);
    flash->leaf = NULL;
    flash->leaves = 0;
}

int sim_flash_clone(struct sim_flash *out, const struct sim_flash *from)
{
    *out = *from;
    bind_port(out);
    out->leaf = malloc(from->leaves * sizeof(struct sim_flash_leaf *));
    if (!out->leaf) {
        out->leaves = 0;
        return -1;
    }
    memcpy(out->leaf, from->leaf, from->leaves * sizeof(struct sim_flash_leaf *));
    for (uint32_t i = 0; i < from->leaves; i++)
        if (out->leaf[i])
            sim_flash_ref_keep(&out->leaf[i]->refs);
    return 0;
}

static void peek_in_sector(const struct sim_flash *flash, uint32_t addr, uint8_t *out, uint32_t len,
                           int unstable_as)
{
    uint32_t sector = sim_flash_sector_of(flash, addr), from = addr % flash->base->sector_bytes;
    const uint8_t *content = sim_flash_sector_bytes(flash, sector);
    const uint8_t *mask = sim_flash_sector_mask(flash, sector);
    if (content)
        memcpy(out, content + from, len);
    else
        memset(out, 0xFF, len);
    for (uint32_t i = 0; mask && !unstable_as && i < len; i++)
        out[i] &= (uint8_t)~mask[from + i];
}

void sim_flash_peek(const struct sim_flash *flash, uint32_t addr, void *out, uint32_t len,
                    int unstable_as)
{
    uint8_t *bytes = out;
    assert(addr <= flash->base->bytes && len <= flash->base->bytes - addr);
    for (uint32_t done = 0, chunk; done < len; done += chunk) {
        chunk = sim_flash_sector_rest(flash, addr + done, len - done);
        peek_in_sector(flash, addr + done, bytes + done, chunk, unstable_as);
    }
}

bool sim_flash_has_unstable(const struct sim_flash *flash, uint32_t addr, uint32_t len)
{
    assert(addr <= flash->base->bytes && len <= flash->base->bytes - addr);
    for (uint32_t done = 0, chunk; done < len; done += chunk) {
        chunk = sim_flash_sector_rest(flash, addr + done, len - done);
        const uint8_t *mask = sim_flash_sector_mask(flash, sim_flash_sector_of(flash, addr + done));
        uint32_t from = (addr + done) % flash->base->sector_bytes;
        for (uint32_t i = from; mask && i < from + chunk; i++)
            if (mask[i])
                return true;
    }
    return false;
}

void sim_flash_flip(struct sim_flash *flash, uint32_t addr, uint32_t bit)
{
    assert(addr < flash->base->bytes && bit < 8);
    uint32_t sector = sim_flash_sector_of(flash, addr), at = addr % flash->base->sector_bytes;
    uint8_t one = (uint8_t)(1u << bit);
    sim_flash_private(flash, sector)[at] ^= one;
    /* A bit that read by chance is content 1, so it has become a 0 that stays. */
    if (sim_flash_sector_mask(flash, sector))
        sim_flash_unstable_own(flash, sector)[at] &= (uint8_t)~one;
    sim_flash_settle(flash, sector, at, at + 1);
}

void sim_flash_set_defect(struct sim_flash *flash, uint32_t addr, enum sim_flash_defect defect)
{
    assert(addr < flash->base->bytes);
    uint32_t sector = sim_flash_sector_of(flash, addr);
    struct sim_flash_leaf *leaf = sim_flash_leaf_own(flash, sector);
    leaf->defect[sector % SIM_FLASH_LEAF_SECTORS] = (uint8_t)defect;
}

uint64_t sim_flash_memory_bytes(const struct sim_flash *flash)
{
    uint64_t bytes = flash->leaves * sizeof(struct sim_flash_leaf *);
    for (uint32_t i = 0; i < flash->leaves; i++) {
        const struct sim_flash_leaf *leaf = flash->leaf[i];
        if (!leaf)
            continue;
        bytes += sizeof *leaf;
        for (uint32_t s = 0; s < SIM_FLASH_LEAF_SECTORS; s++) {
            bytes += leaf->owned & 1u << s ? flash->base->sector_bytes : 0;
            bytes += leaf->unstable[s] ? flash->base->sector_bytes : 0;
        }
    }
    return bytes;
}
