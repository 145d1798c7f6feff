/* The cut table: every place in a device's life where the flash is written. */
#include "sim/faults.h"

#define PROGRAM SIM_FLASH_PROGRAM
#define ERASE SIM_FLASH_ERASE

/* The cells of every update, which `during: any` draws from. Others take another fault to get there
 * (a failed download, a rollback, a closed window): `during: STATE` reaches those. */
static const struct sim_fault_cell cells[] = {
    {SCN_DURING_IDLE, SCN_REGION_JOURNAL, PROGRAM, 1},
    {SCN_DURING_NOTIFIED, SCN_REGION_JOURNAL, PROGRAM, 2},
    {SCN_DURING_DOWNLOADING, SCN_REGION_RUNNING_SLOT, PROGRAM, 1},
    {SCN_DURING_DOWNLOADING, SCN_REGION_CONFIG, PROGRAM, 3},
    {SCN_DURING_DOWNLOADING, SCN_REGION_CONFIG, ERASE, 1},
    {SCN_DURING_DOWNLOADING, SCN_REGION_STAGING_SLOT, PROGRAM, 0},
    {SCN_DURING_DOWNLOADING, SCN_REGION_STAGING_SLOT, ERASE, 0},
    {SCN_DURING_DOWNLOADING, SCN_REGION_JOURNAL, PROGRAM, 6},
    {SCN_DURING_VERIFYING, SCN_REGION_JOURNAL, PROGRAM, 1},
    {SCN_DURING_VERIFIED, SCN_REGION_STAGING_SLOT, PROGRAM, 1},
    {SCN_DURING_VERIFIED, SCN_REGION_STAGING_SLOT, ERASE, 1},
    {SCN_DURING_WAITING_APPLY, SCN_REGION_JOURNAL, PROGRAM, 2},
    {SCN_DURING_APPLYING, SCN_REGION_CONFIG, PROGRAM, 3},
    {SCN_DURING_APPLYING, SCN_REGION_CONFIG, ERASE, 1},
    {SCN_DURING_REBOOTING, SCN_REGION_JOURNAL, PROGRAM, 2},
    {SCN_DURING_BOOT, SCN_REGION_CONFIG, PROGRAM, 3},
    {SCN_DURING_BOOT, SCN_REGION_CONFIG, ERASE, 1},
    {SCN_DURING_HEALTH_CHECK, SCN_REGION_JOURNAL, PROGRAM, 2},
    {SCN_DURING_HEALTH_CHECK, SCN_REGION_RUNNING_SLOT, PROGRAM, 1},
    {SCN_DURING_HEALTH_CHECK, SCN_REGION_CONFIG, PROGRAM, 3},
    {SCN_DURING_HEALTH_CHECK, SCN_REGION_CONFIG, ERASE, 1},
};

const struct sim_fault_cell *sim_fault_cells(uint32_t *count)
{
    *count = sizeof cells / sizeof *cells;
    return cells;
}

enum scn_region sim_fault_region(const struct boot_layout *layout, int running_slot, uint32_t addr)
{
    if (addr < layout->bootloader_bytes)
        return SCN_REGION_BOOTLOADER;
    if (addr >= layout->data_addr)
        return addr < layout->data_addr + layout->journal_bytes ? SCN_REGION_JOURNAL
                                                                : SCN_REGION_DATA;
    for (int slot = 0; slot < BOOT_SLOTS; slot++)
        if (addr >= layout->slot_addr[slot] && addr < layout->slot_addr[slot] + layout->slot_bytes)
            return slot == running_slot ? SCN_REGION_RUNNING_SLOT : SCN_REGION_STAGING_SLOT;
    return SCN_REGION_CONFIG;
}
