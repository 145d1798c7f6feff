/*
 * Any bytes as a boot config: as a body to be decoded, and as the two config sectors of a flash to
 * be read and written. What is accepted must encode to the same bytes, and a write must leave what
 * it wrote.
 */
#include "boot/config.h"
#include "boot/error.h"
#include <stdlib.h>
#include <string.h>

enum { SECTOR = 512 };

static const struct boot_layout layout = {.sector_bytes = SECTOR, .page_bytes = 16};

static int flash_read(void *ctx, uint32_t addr, void *out, uint32_t len)
{
    memcpy(out, (uint8_t *)ctx + addr, len);
    return 0;
}

static int flash_program(void *ctx, uint32_t addr, const void *data, uint32_t len)
{
    uint8_t *cell = (uint8_t *)ctx + addr;
    for (uint32_t i = 0; i < len; i++)
        cell[i] &= ((const uint8_t *)data)[i];
    return 0;
}

static int flash_erase(void *ctx, uint32_t addr)
{
    memset((uint8_t *)ctx + addr, 0xFF, SECTOR);
    return 0;
}

static void check_body(const uint8_t *data)
{
    struct boot_config config;
    uint8_t body[BOOT_CONFIG_BODY_BYTES];
    if (boot_config_decode(&config, data) != BOOT_OK)
        return;
    if (boot_config_encode(body, &config) != BOOT_OK || memcmp(body, data, sizeof body) != 0)
        abort();
}

static void check_sectors(const uint8_t *data, size_t size)
{
    uint8_t cells[2 * SECTOR];
    struct boot_flash flash = {cells, flash_read, flash_program, flash_erase};
    struct boot_config config, again;
    int sector;
    memset(cells, 0xFF, sizeof cells);
    memcpy(cells, data, size < sizeof cells ? size : sizeof cells);
    int error = boot_config_read(&flash, &layout, &config, &sector);
    if (error != BOOT_OK && error != BOOT_ENOTFOUND)
        abort();
    config.rollback_on_fail ^= 1;
    if (boot_config_write(&flash, &layout, &config) != BOOT_OK ||
        boot_config_read(&flash, &layout, &again, &sector) != BOOT_OK ||
        memcmp(&config, &again, sizeof config) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size >= BOOT_CONFIG_BODY_BYTES)
        check_body(data);
    check_sectors(data, size);
    return 0;
}
