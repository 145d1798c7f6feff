/* The content that every device starts with: built once, then constant and shared by all threads.
 */
#include "cells.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

bool sim_flash_all_ff(const uint8_t *bytes, uint32_t len)
{
    return len == 0 || (bytes[0] == 0xFF && memcmp(bytes, bytes + 1, len - 1) == 0);
}

static bool power_of_two(uint32_t n)
{
    return n != 0 && (n & (n - 1)) == 0;
}

int sim_flash_base_init(struct sim_flash_base *base, uint32_t bytes, uint32_t sector_bytes,
                        uint32_t page_bytes)
{
    *base = (struct sim_flash_base){
        .bytes = bytes, .sector_bytes = sector_bytes, .page_bytes = page_bytes};
    if (!power_of_two(sector_bytes) || !power_of_two(page_bytes) || page_bytes < 2 ||
        page_bytes > sector_bytes || bytes == 0 || bytes % sector_bytes != 0)
        return -1;
    base->sector = calloc(bytes / sector_bytes, sizeof *base->sector);
    base->borrowed = calloc(bytes / sector_bytes, sizeof *base->borrowed);
    if (base->sector && base->borrowed)
        return 0;
    sim_flash_base_free(base);
    return -1;
}

/* Part of one sector. A sector that ends up all FF stays NULL, so that "erased" has one form only.
 */
static int put_in_sector(struct sim_flash_base *base, uint32_t addr, const uint8_t *data,
                         uint32_t len)
{
    uint8_t **sector = &base->sector[addr / base->sector_bytes];
    assert(!base->borrowed[addr / base->sector_bytes]);
    if (!*sector) {
        *sector = malloc(base->sector_bytes);
        if (!*sector)
            return -1;
        memset(*sector, 0xFF, base->sector_bytes);
    }
    memcpy(*sector + addr % base->sector_bytes, data, len);
    if (sim_flash_all_ff(*sector, base->sector_bytes)) {
        free(*sector);
        *sector = NULL;
    }
    return 0;
}

int sim_flash_base_put(struct sim_flash_base *base, uint32_t addr, const void *data, uint32_t len)
{
    if (addr > base->bytes || len > base->bytes - addr)
        return -1;
    const uint8_t *bytes = data;
    while (len > 0) {
        uint32_t rest = base->sector_bytes - addr % base->sector_bytes;
        uint32_t chunk = len < rest ? len : rest;
        if (put_in_sector(base, addr, bytes, chunk) != 0)
            return -1;
        addr += chunk;
        bytes += chunk;
        len -= chunk;
    }
    return 0;
}

void sim_flash_base_share(struct sim_flash_base *base, const struct sim_flash_known *known,
                          int image, uint32_t addr)
{
    uint32_t first = addr / base->sector_bytes;
    for (uint32_t i = 0; i < known->image[image].sectors; i++) {
        const uint8_t *theirs = known->image[image].sector[i];
        uint8_t **mine = &base->sector[first + i];
        if (!theirs || !*mine || base->borrowed[first + i] ||
            memcmp(*mine, theirs, base->sector_bytes) != 0)
            continue;
        free(*mine);
        *mine =
            (uint8_t *)(uintptr_t)theirs; /* never written: a base is constant once it is shared */
        base->borrowed[first + i] = true;
    }
}

void sim_flash_base_free(struct sim_flash_base *base)
{
    if (base->sector)
        for (uint32_t i = 0; i < base->bytes / base->sector_bytes; i++)
            if (!base->borrowed[i])
                free(base->sector[i]);
    free(base->sector);
    free(base->borrowed);
    *base = (struct sim_flash_base){0};
}
