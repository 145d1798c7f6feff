/* The flash geometry, and the images that must fit into it. */
#include "check.h"
#include "number.h"

static bool power_of_two(uint32_t n)
{
    return n && !(n & (n - 1));
}

static int misaligned(struct scn_reader *r, const char *key, uint32_t bytes)
{
    char size[32];
    scn_size_text(size, sizeof size, bytes);
    return scn_fail_at(r, scn_spot("flash.%s", key), "%s; accepted: a power of two", size);
}

/* Regions are erased in whole sectors, so each must be made of whole ones. */
static int check_region(struct scn_reader *r, const char *key, uint32_t bytes, uint32_t least)
{
    uint32_t sector = r->scn->flash.sector_bytes;
    char size[32], unit[32];
    if (bytes % sector == 0 && bytes / sector >= least)
        return SCN_OK;
    scn_size_text(size, sizeof size, bytes);
    scn_size_text(unit, sizeof unit, sector);
    return scn_fail_at(r, scn_spot("flash.%s", key),
                       "%s is not aligned to the erase sector; accepted: a multiple of %s, %u or "
                       "more of them",
                       size, unit, least);
}

static int check_units(struct scn_reader *r)
{
    const struct scn_flash *flash = &r->scn->flash;
    if (!power_of_two(flash->sector_bytes))
        return misaligned(r, "sector", flash->sector_bytes);
    if (!power_of_two(flash->page_bytes))
        return misaligned(r, "page", flash->page_bytes);
    if (flash->page_bytes * 4 > flash->sector_bytes)
        return scn_fail_at(
            r, scn_spot("flash.page"),
            "a page of %u bytes in a sector of %u; accepted: a quarter of the sector "
            "at most, because a record and its marks each take a page",
            flash->page_bytes, flash->sector_bytes);
    if (flash->config_sector_bytes != flash->sector_bytes)
        return scn_fail_at(r, scn_spot("flash.boot_config"),
                           "sectors of %u bytes; accepted: 2 of the erase sector, %u bytes",
                           flash->config_sector_bytes, flash->sector_bytes);
    return SCN_OK;
}

static int check_journal(struct scn_reader *r)
{
    const struct scn_flash *flash = &r->scn->flash;
    uint32_t sectors = flash->journal_bytes / flash->sector_bytes;
    int error = check_region(r, "journal", flash->journal_bytes, 4);
    if (error)
        return error;
    if (sectors % 2)
        return scn_fail_at(r, scn_spot("flash.journal"),
                           "%u sectors; accepted: an even number, because it has two banks",
                           sectors);
    if (flash->journal_bytes > flash->data_bytes)
        return scn_fail_at(r, scn_spot("flash.journal"),
                           "%u bytes do not fit into the data partition of %u; accepted: 4 sectors "
                           "or more, and data no smaller",
                           flash->journal_bytes, flash->data_bytes);
    return SCN_OK;
}

static int check_images(struct scn_reader *r)
{
    const struct scn_flash *flash = &r->scn->flash;
    uint32_t most = flash->slot_bytes - flash->sector_bytes;
    for (uint32_t i = 0; i < r->scn->firmwares; i++) {
        const struct scn_firmware *firmware = &r->scn->firmware[i];
        if (firmware->size_bytes > most)
            return scn_fail_at(r, scn_spot("firmware.%s.size", firmware->version),
                               "%u bytes do not fit into a slot; accepted: at most %u, the slot "
                               "less its trailer sector",
                               firmware->size_bytes, most);
    }
    return SCN_OK;
}

int scn_check_flash(struct scn_reader *r)
{
    const struct scn_flash *flash = &r->scn->flash;
    const struct scn_device *device = &r->scn->device;
    int error = check_units(r);
    if (!error)
        error = check_region(r, "bootloader", flash->bootloader_bytes, 1);
    if (!error)
        error = check_region(r, "slot", flash->slot_bytes, 3);
    if (!error)
        error = check_region(r, "data", flash->data_bytes, 4);
    if (!error)
        error = check_journal(r);
    if (!error)
        error = check_images(r);
    if (!error && (device->watchdog_us <= device->fault_free_us ||
                   device->watchdog_us <= device->mqtt_within_us))
        error = scn_fail_at(r, scn_spot("device.watchdog"),
                            "ends every trial, because it is not kicked in one; accepted: longer "
                            "than fault_free and mqtt_within");
    return error;
}
