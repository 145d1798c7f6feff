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
    sim_rng_init(&flash->torn_rng, seed, device, SIM_RNG_TORN, 0);
    sim_rng_init(&flash->read_rng, seed, device, SIM_RNG_UNSTABLE, 0);
    bind_port(flash);
    flash->leaf = calloc(flash->leaves, sizeof(struct sim_flash_leaf *));
    return flash->leaf ? 0 : -1;
}

static void leaf_free(struct sim_flash_leaf *leaf)
{
    for (uint32_t i = 0; leaf && i < SIM_FLASH_LEAF_SECTORS; i++) {
        if (leaf->owned & 1u << i)
            free((uint8_t *)leaf->content[i]);
        free(leaf->unstable[i]);
    }
    free(leaf);
}

void sim_flash_free(struct sim_flash *flash)
{
    for (uint32_t i = 0; flash->leaf && i < flash->leaves; i++)
        leaf_free(flash->leaf[i]);
    free(flash->leaf);
    flash->leaf = NULL;
    flash->leaves = 0;
}

static uint8_t *copy_of(const uint8_t *bytes, uint32_t len)
{
    uint8_t *copy = malloc(len);
    if (copy)
        memcpy(copy, bytes, len);
    return copy;
}

/* Heap is copied, not counted in references: a snapshot may then be cloned by several threads at
 * once. */
static struct sim_flash_leaf *leaf_clone(const struct sim_flash_leaf *from, uint32_t sector_bytes)
{
    struct sim_flash_leaf *leaf = malloc(sizeof *leaf);
    if (!leaf)
        return NULL;
    *leaf = *from;
    leaf->owned = 0;
    memset(leaf->unstable, 0, sizeof leaf->unstable);
    for (uint32_t i = 0; i < SIM_FLASH_LEAF_SECTORS; i++) {
        if (from->owned & 1u << i) {
            uint8_t *content = copy_of(from->content[i], sector_bytes);
            leaf->content[i] = content;
            leaf->owned |= (uint16_t)(content ? 1u << i : 0);
        }
        if (from->unstable[i])
            leaf->unstable[i] = copy_of(from->unstable[i], sector_bytes);
        if ((from->content[i] && !leaf->content[i]) || (from->unstable[i] && !leaf->unstable[i])) {
            leaf_free(leaf);
            return NULL;
        }
    }
    return leaf;
}

int sim_flash_clone(struct sim_flash *out, const struct sim_flash *from)
{
    *out = *from;
    bind_port(out);
    out->leaf = calloc(from->leaves, sizeof(struct sim_flash_leaf *));
    if (!out->leaf)
        return -1;
    for (uint32_t i = 0; i < from->leaves; i++) {
        if (!from->leaf[i])
            continue;
        out->leaf[i] = leaf_clone(from->leaf[i], from->base->sector_bytes);
        if (!out->leaf[i]) {
            sim_flash_free(out);
            return -1;
        }
    }
    return 0;
}

static void peek_in_sector(const struct sim_flash *flash, uint32_t addr, uint8_t *out, uint32_t len,
                           int unstable_as)
{
    uint32_t sector = sim_flash_sector_of(flash, addr), from = addr % flash->base->sector_bytes;
    const uint8_t *content = sim_flash_content(flash, sector);
    const uint8_t *mask = sim_flash_unstable(flash, sector);
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
        const uint8_t *mask = sim_flash_unstable(flash, sim_flash_sector_of(flash, addr + done));
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
    if (sim_flash_unstable(flash, sector))
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
