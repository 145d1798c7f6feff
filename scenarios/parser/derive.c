/* Defaults that depend on other keys, and small questions about a whole fleet. */
#include "check.h"
#include <string.h>

static const struct scn_group *first_field_group(const struct scn *scn)
{
    for (uint32_t i = 0; i < scn->groups; i++)
        if (!scn->group[i].lab)
            return &scn->group[i];
    return &scn->group[0];
}

bool scn_has_lab(const struct scn *scn)
{
    for (uint32_t i = 0; i < scn->groups; i++)
        if (scn->group[i].lab)
            return true;
    return false;
}

bool scn_labs_only(const struct scn *scn)
{
    for (uint32_t i = 0; i < scn->groups; i++)
        if (!scn->group[i].lab)
            return false;
    for (uint32_t i = 0; i < scn->campaign.phases; i++)
        if (scn->campaign.phase[i].size != SCN_SIZE_LAB)
            return false;
    return true;
}

uint32_t scn_fleet_count(const struct scn *scn, bool labs)
{
    uint64_t count = 0;
    for (uint32_t i = 0; i < scn->groups; i++)
        if (labs || !scn->group[i].lab)
            count += scn->group[i].count;
    return (uint32_t)count;
}

void scn_list_firmware(const struct scn *scn, char *out, size_t size)
{
    size_t len = 0;
    out[0] = '\0';
    for (uint32_t i = 0; i < scn->firmwares && len + 1 < size; i++)
        len += (size_t)snprintf(out + len, size - len, "%s%s", len ? ", " : "",
                                scn->firmware[i].version);
}

static void derive_flash(struct scn_flash *flash)
{
    const uint32_t usual = 65536;
    if (!flash->config_sectors) {
        flash->config_sectors = 2;
        flash->config_sector_bytes = flash->sector_bytes;
    }
    if (flash->journal_bytes)
        return;
    uint32_t pair = 2 * flash->sector_bytes; /* the journal has two banks of the same size */
    uint32_t bytes = flash->data_bytes < usual ? flash->data_bytes : usual;
    bytes -= bytes % pair;
    uint32_t least = 2 * pair;
    flash->journal_bytes = bytes < least ? least : bytes;
}

void scn_derive(struct scn *scn)
{
    const struct scn_group *fleet = first_field_group(scn);
    for (uint32_t i = 0; i < scn->firmwares; i++)
        if (!scn->firmware[i].device_type[0])
            memcpy(scn->firmware[i].device_type, fleet->device_type, sizeof fleet->device_type);
    if (!scn->campaign.rollback_version[0])
        memcpy(scn->campaign.rollback_version, fleet->firmware, sizeof fleet->firmware);
    if (scn->campaign.standard_phases)
        scn_standard_phases(&scn->campaign, scn_has_lab(scn));
    derive_flash(&scn->flash);
}
