/* Copy-on-write of leaves, sectors and their unstable bits. */
#include "cells.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

uint32_t sim_flash_sector_of(const struct sim_flash *flash, uint32_t addr)
{
    return addr / flash->base->sector_bytes;
}

uint32_t sim_flash_sector_rest(const struct sim_flash *flash, uint32_t addr, uint32_t len)
{
    uint32_t rest = flash->base->sector_bytes - addr % flash->base->sector_bytes;
    return len < rest ? len : rest;
}

const uint8_t *sim_flash_sector_bytes(const struct sim_flash *flash, uint32_t sector)
{
    const struct sim_flash_leaf *leaf = flash->leaf[sector / SIM_FLASH_LEAF_SECTORS];
    return leaf ? leaf->content[sector % SIM_FLASH_LEAF_SECTORS] : flash->base->sector[sector];
}

const uint8_t *sim_flash_sector_mask(const struct sim_flash *flash, uint32_t sector)
{
    const struct sim_flash_leaf *leaf = flash->leaf[sector / SIM_FLASH_LEAF_SECTORS];
    return leaf ? leaf->unstable[sector % SIM_FLASH_LEAF_SECTORS] : NULL;
}

enum sim_flash_defect sim_flash_defect_at(const struct sim_flash *flash, uint32_t addr)
{
    assert(addr < flash->base->bytes);
    uint32_t sector = sim_flash_sector_of(flash, addr);
    const struct sim_flash_leaf *leaf = flash->leaf[sector / SIM_FLASH_LEAF_SECTORS];
    return leaf ? (enum sim_flash_defect)leaf->defect[sector % SIM_FLASH_LEAF_SECTORS]
                : SIM_FLASH_SOUND;
}

static struct sim_flash_leaf *leaf_from_base(const struct sim_flash *flash, uint32_t sector)
{
    struct sim_flash_leaf *leaf = sim_flash_alloc(sizeof *leaf);
    memset(leaf, 0, sizeof *leaf);
    atomic_init(&leaf->refs, 1);
    uint32_t first = sector - sector % SIM_FLASH_LEAF_SECTORS;
    uint32_t sectors = flash->base->bytes / flash->base->sector_bytes;
    for (uint32_t i = 0; i < SIM_FLASH_LEAF_SECTORS && first + i < sectors; i++)
        leaf->content[i] = flash->base->sector[first + i];
    return leaf;
}

/* A leaf that is shared with clones, copied: from here on both hold its blocks. */
static struct sim_flash_leaf *leaf_copy(const struct sim_flash_leaf *from)
{
    struct sim_flash_leaf *leaf = sim_flash_alloc(sizeof *leaf);
    atomic_init(&leaf->refs, 1);
    leaf->owned = from->owned;
    memcpy(leaf->content, from->content, sizeof leaf->content);
    memcpy(leaf->unstable, from->unstable, sizeof leaf->unstable);
    memcpy(leaf->wear, from->wear, sizeof leaf->wear);
    memcpy(leaf->defect, from->defect, sizeof leaf->defect);
    for (uint32_t i = 0; i < SIM_FLASH_LEAF_SECTORS; i++) {
        if (leaf->owned & 1u << i)
            sim_flash_block_keep(leaf->content[i]);
        if (leaf->unstable[i])
            sim_flash_block_keep(leaf->unstable[i]);
    }
    return leaf;
}

void sim_flash_leaf_drop(struct sim_flash_leaf *leaf)
{
    if (!leaf || !sim_flash_ref_drop(&leaf->refs))
        return;
    for (uint32_t i = 0; i < SIM_FLASH_LEAF_SECTORS; i++) {
        if (leaf->owned & 1u << i)
            sim_flash_block_drop(leaf->content[i]);
        sim_flash_block_drop(leaf->unstable[i]);
    }
    free(leaf);
}

struct sim_flash_leaf *sim_flash_leaf_own(struct sim_flash *flash, uint32_t sector)
{
    struct sim_flash_leaf **leaf = &flash->leaf[sector / SIM_FLASH_LEAF_SECTORS];
    if (!*leaf) {
        *leaf = leaf_from_base(flash, sector);
    } else if (!sim_flash_ref_alone(&(*leaf)->refs)) {
        struct sim_flash_leaf *shared = *leaf;
        *leaf = leaf_copy(shared);
        sim_flash_leaf_drop(shared);
    }
    return *leaf;
}

static uint16_t owned_bit(uint32_t sector)
{
    return (uint16_t)(1u << sector % SIM_FLASH_LEAF_SECTORS);
}

void sim_flash_share(struct sim_flash *flash, uint32_t sector, const uint8_t *content)
{
    struct sim_flash_leaf *leaf = sim_flash_leaf_own(flash, sector);
    if (leaf->owned & owned_bit(sector))
        sim_flash_block_drop(leaf->content[sector % SIM_FLASH_LEAF_SECTORS]);
    leaf->owned = (uint16_t)(leaf->owned & ~owned_bit(sector));
    leaf->content[sector % SIM_FLASH_LEAF_SECTORS] = content;
}

uint8_t *sim_flash_private(struct sim_flash *flash, uint32_t sector)
{
    struct sim_flash_leaf *leaf = sim_flash_leaf_own(flash, sector);
    uint32_t size = flash->base->sector_bytes;
    const uint8_t **content = &leaf->content[sector % SIM_FLASH_LEAF_SECTORS];
    uint8_t *bytes;
    if (leaf->owned & owned_bit(sector)) {
        bytes = sim_flash_block_own(*content, size);
    } else {
        bytes = sim_flash_block_new(size);
        if (*content)
            memcpy(bytes, *content, size);
        else
            memset(bytes, 0xFF, size);
        leaf->owned |= owned_bit(sector);
    }
    *content = bytes;
    return bytes;
}

uint8_t *sim_flash_unstable_own(struct sim_flash *flash, uint32_t sector)
{
    struct sim_flash_leaf *leaf = sim_flash_leaf_own(flash, sector);
    uint32_t size = flash->base->sector_bytes;
    uint8_t **mask = &leaf->unstable[sector % SIM_FLASH_LEAF_SECTORS];
    if (*mask) {
        *mask = sim_flash_block_own(*mask, size);
    } else {
        *mask = sim_flash_block_new(size);
        memset(*mask, 0, size);
    }
    return *mask;
}

void sim_flash_unstable_drop(struct sim_flash *flash, uint32_t sector)
{
    if (!sim_flash_sector_mask(flash, sector))
        return;
    struct sim_flash_leaf *leaf = sim_flash_leaf_own(flash, sector);
    sim_flash_block_drop(leaf->unstable[sector % SIM_FLASH_LEAF_SECTORS]);
    leaf->unstable[sector % SIM_FLASH_LEAF_SECTORS] = NULL;
}

/* A whole sector programmed onto an erased one: the fleet's way to write an image, without an
 * allocation when the image is known. */
static void fill_erased(struct sim_flash *flash, uint32_t sector, const uint8_t *data)
{
    uint32_t size = flash->base->sector_bytes;
    const uint8_t *known = sim_flash_known_find(flash, sector, data, 0, size);
    if (known)
        sim_flash_share(flash, sector, known);
    else if (!sim_flash_all_ff(data, size))
        memcpy(sim_flash_private(flash, sector), data, size);
}

void sim_flash_clear_bits(struct sim_flash *flash, uint32_t addr, const uint8_t *data, uint32_t len)
{
    uint32_t sector = sim_flash_sector_of(flash, addr), from = addr % flash->base->sector_bytes;
    bool unstable = sim_flash_sector_mask(flash, sector);
    if (!unstable && len == flash->base->sector_bytes && !sim_flash_sector_bytes(flash, sector)) {
        fill_erased(flash, sector, data);
        return;
    }
    uint8_t *bytes = sim_flash_private(flash, sector) + from;
    for (uint32_t i = 0; i < len; i++)
        bytes[i] &= data[i];
    if (unstable) {
        uint8_t *mask = sim_flash_unstable_own(flash, sector) + from;
        for (uint32_t i = 0; i < len; i++)
            mask[i] &= data[i];
    }
    sim_flash_settle(flash, sector, from, from + len);
}

static bool all_zero(const uint8_t *bytes, uint32_t len)
{
    return bytes[0] == 0 && memcmp(bytes, bytes + 1, len - 1) == 0;
}

void sim_flash_settle(struct sim_flash *flash, uint32_t sector, uint32_t from, uint32_t to)
{
    uint32_t size = flash->base->sector_bytes;
    const uint8_t *mask = sim_flash_sector_mask(flash, sector);
    if (mask && all_zero(mask, size))
        sim_flash_unstable_drop(flash, sector);
    const uint8_t *content = sim_flash_sector_bytes(flash, sector);
    if (!content)
        return;
    const uint8_t *known = sim_flash_known_find(flash, sector, content, from, to);
    if (known || sim_flash_all_ff(content, size))
        sim_flash_share(flash, sector, known);
}

uint8_t sim_flash_noise_byte(struct sim_flash_noise *noise)
{
    if (noise->left == 0) {
        noise->word = sim_rng_u32(noise->rng);
        noise->left = 4;
    }
    uint8_t byte = (uint8_t)noise->word;
    noise->word >>= 8;
    noise->left--;
    return byte;
}
