/* Copy-on-write of sectors and their unstable bits. */
#include "cells.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *sim_flash_alloc(size_t bytes)
{
    void *memory = malloc(bytes);
    if (!memory) {
        fprintf(stderr, "sim_flash: no memory for %zu bytes of flash content\n", bytes);
        abort();
    }
    return memory;
}

uint32_t sim_flash_sector_of(const struct sim_flash *flash, uint32_t addr)
{
    return addr / flash->base->sector_bytes;
}

uint32_t sim_flash_sector_rest(const struct sim_flash *flash, uint32_t addr, uint32_t len)
{
    uint32_t rest = flash->base->sector_bytes - addr % flash->base->sector_bytes;
    return len < rest ? len : rest;
}

const uint8_t *sim_flash_content(const struct sim_flash *flash, uint32_t sector)
{
    const struct sim_flash_leaf *leaf = flash->leaf[sector / SIM_FLASH_LEAF_SECTORS];
    return leaf ? leaf->content[sector % SIM_FLASH_LEAF_SECTORS] : flash->base->sector[sector];
}

const uint8_t *sim_flash_unstable(const struct sim_flash *flash, uint32_t sector)
{
    const struct sim_flash_leaf *leaf = flash->leaf[sector / SIM_FLASH_LEAF_SECTORS];
    return leaf ? leaf->unstable[sector % SIM_FLASH_LEAF_SECTORS] : NULL;
}

enum sim_flash_defect sim_flash_defect_of(const struct sim_flash *flash, uint32_t sector)
{
    const struct sim_flash_leaf *leaf = flash->leaf[sector / SIM_FLASH_LEAF_SECTORS];
    return leaf ? (enum sim_flash_defect)leaf->defect[sector % SIM_FLASH_LEAF_SECTORS]
                : SIM_FLASH_SOUND;
}

struct sim_flash_leaf *sim_flash_leaf_own(struct sim_flash *flash, uint32_t sector)
{
    struct sim_flash_leaf **leaf = &flash->leaf[sector / SIM_FLASH_LEAF_SECTORS];
    if (*leaf)
        return *leaf;
    *leaf = sim_flash_alloc(sizeof **leaf);
    memset(*leaf, 0, sizeof **leaf);
    uint32_t first = sector - sector % SIM_FLASH_LEAF_SECTORS;
    uint32_t sectors = flash->base->bytes / flash->base->sector_bytes;
    for (uint32_t i = 0; i < SIM_FLASH_LEAF_SECTORS && first + i < sectors; i++)
        (*leaf)->content[i] = flash->base->sector[first + i];
    return *leaf;
}

static uint16_t owned_bit(uint32_t sector)
{
    return (uint16_t)(1u << sector % SIM_FLASH_LEAF_SECTORS);
}

/* The only place where shared content loses its const: what is owned came from sim_flash_private.
 */
static uint8_t *owned_bytes(const struct sim_flash_leaf *leaf, uint32_t sector)
{
    bool owned = leaf->owned & owned_bit(sector);
    return owned ? (uint8_t *)leaf->content[sector % SIM_FLASH_LEAF_SECTORS] : NULL;
}

void sim_flash_share(struct sim_flash *flash, uint32_t sector, const uint8_t *content)
{
    struct sim_flash_leaf *leaf = sim_flash_leaf_own(flash, sector);
    free(owned_bytes(leaf, sector));
    leaf->owned = (uint16_t)(leaf->owned & ~owned_bit(sector));
    leaf->content[sector % SIM_FLASH_LEAF_SECTORS] = content;
}

uint8_t *sim_flash_private(struct sim_flash *flash, uint32_t sector)
{
    struct sim_flash_leaf *leaf = sim_flash_leaf_own(flash, sector);
    uint8_t *bytes = owned_bytes(leaf, sector);
    if (bytes)
        return bytes;
    uint32_t size = flash->base->sector_bytes;
    const uint8_t *shared = leaf->content[sector % SIM_FLASH_LEAF_SECTORS];
    bytes = sim_flash_alloc(size);
    if (shared)
        memcpy(bytes, shared, size);
    else
        memset(bytes, 0xFF, size);
    leaf->content[sector % SIM_FLASH_LEAF_SECTORS] = bytes;
    leaf->owned |= owned_bit(sector);
    return bytes;
}

uint8_t *sim_flash_unstable_own(struct sim_flash *flash, uint32_t sector)
{
    struct sim_flash_leaf *leaf = sim_flash_leaf_own(flash, sector);
    uint8_t **mask = &leaf->unstable[sector % SIM_FLASH_LEAF_SECTORS];
    if (!*mask) {
        *mask = sim_flash_alloc(flash->base->sector_bytes);
        memset(*mask, 0, flash->base->sector_bytes);
    }
    return *mask;
}

void sim_flash_unstable_drop(struct sim_flash *flash, uint32_t sector)
{
    struct sim_flash_leaf *leaf = flash->leaf[sector / SIM_FLASH_LEAF_SECTORS];
    if (!leaf)
        return;
    free(leaf->unstable[sector % SIM_FLASH_LEAF_SECTORS]);
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
    bool unstable = sim_flash_unstable(flash, sector);
    if (!unstable && len == flash->base->sector_bytes && !sim_flash_content(flash, sector)) {
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
    const uint8_t *mask = sim_flash_unstable(flash, sector);
    if (mask && all_zero(mask, size))
        sim_flash_unstable_drop(flash, sector);
    const uint8_t *content = sim_flash_content(flash, sector);
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
