/*
 * Known images. Equal content must be one pointer, or two images with a common beginning could not
 * be told apart by pointers: a programmed sector is shared with the first image that has it, and
 * every later image with the same bytes at that place points there too.
 */
#include "cells.h"

#include <stdlib.h>
#include <string.h>

void sim_flash_known_init(struct sim_flash_known *known, const struct boot_layout *layout)
{
    *known = (struct sim_flash_known){
        .slot_addr = {layout->slot_addr[BOOT_SLOT_A], layout->slot_addr[BOOT_SLOT_B]},
        .slot_bytes = layout->slot_bytes,
        .sector_bytes = layout->sector_bytes};
}

static const uint8_t *canonical(const struct sim_flash_known *known, const uint8_t *bytes,
                                uint32_t sector)
{
    if (sim_flash_all_ff(bytes, known->sector_bytes))
        return NULL;
    for (uint32_t i = 0; i < known->count; i++) {
        if (sector >= known->image[i].sectors)
            continue;
        const uint8_t *other = known->image[i].sector[sector];
        if (other && memcmp(other, bytes, known->sector_bytes) == 0)
            return other;
    }
    return bytes;
}

int sim_flash_known_add(struct sim_flash_known *known, const void *image, uint32_t len)
{
    if (known->count == SIM_FLASH_KNOWN_MAX || len == 0 || len > known->slot_bytes)
        return -1;
    uint32_t sectors = (len - 1) / known->sector_bytes + 1;
    uint8_t *bytes = malloc((size_t)sectors * known->sector_bytes);
    const uint8_t **sector = malloc(sectors * sizeof *sector);
    if (!bytes || !sector) {
        free(bytes);
        free(sector);
        return -1;
    }
    memcpy(bytes, image, len);
    memset(bytes + len, 0xFF, (size_t)sectors * known->sector_bytes - len);
    for (uint32_t i = 0; i < sectors; i++)
        sector[i] = canonical(known, bytes + (size_t)i * known->sector_bytes, i);
    known->image[known->count].sectors = sectors;
    known->image[known->count].bytes = bytes;
    known->image[known->count].sector = sector;
    return (int)known->count++;
}

void sim_flash_known_free(struct sim_flash_known *known)
{
    for (uint32_t i = 0; i < known->count; i++) {
        free(known->image[i].bytes);
        free(known->image[i].sector);
    }
    *known = (struct sim_flash_known){0};
}

/* The place of a sector in its slot, or UINT32_MAX outside of both. */
static uint32_t place_in_slot(const struct sim_flash_known *known, uint32_t addr)
{
    for (int slot = 0; slot < BOOT_SLOTS; slot++)
        if (addr >= known->slot_addr[slot] && addr - known->slot_addr[slot] < known->slot_bytes)
            return (addr - known->slot_addr[slot]) / known->sector_bytes;
    return UINT32_MAX;
}

const uint8_t *sim_flash_known_find(const struct sim_flash *flash, uint32_t sector,
                                    const uint8_t *bytes, uint32_t from, uint32_t to)
{
    const struct sim_flash_known *known = flash->known;
    if (!known)
        return NULL;
    uint32_t size = known->sector_bytes;
    uint32_t place = place_in_slot(known, sector * size);
    for (uint32_t i = 0; i < known->count; i++) {
        if (place >= known->image[i].sectors)
            continue;
        const uint8_t *mine = known->image[i].sector[place];
        if (mine && memcmp(bytes + to, mine + to, size - to) == 0 &&
            memcmp(bytes + from, mine + from, to - from) == 0 && memcmp(bytes, mine, from) == 0)
            return mine;
    }
    return NULL;
}

/* A sector that the device never wrote is the base's, which knows no images: its bytes are
 * compared. */
static bool is_sector(const struct sim_flash *flash, uint32_t sector, const uint8_t *mine)
{
    const uint8_t *content = sim_flash_sector_bytes(flash, sector);
    if (sim_flash_sector_mask(flash, sector))
        return false;
    if (content == mine)
        return true;
    return content && mine && content == flash->base->sector[sector] &&
           memcmp(content, mine, flash->base->sector_bytes) == 0;
}

int sim_flash_known_at(const struct sim_flash *flash, uint32_t addr, uint32_t len)
{
    const struct sim_flash_known *known = flash->known;
    uint32_t size = flash->base->sector_bytes;
    if (!known || addr % size != 0 || len == 0 || addr > flash->base->bytes ||
        len > flash->base->bytes - addr)
        return -1;
    uint32_t sectors = (len - 1) / size + 1;
    for (uint32_t i = 0; i < known->count; i++) {
        uint32_t same = 0;
        if (known->image[i].sectors != sectors)
            continue;
        while (same < sectors && is_sector(flash, addr / size + same, known->image[i].sector[same]))
            same++;
        if (same == sectors)
            return (int)i;
    }
    return -1;
}
