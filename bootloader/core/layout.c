/*
 * The rules of a layout. Sums are taken in 64 bits, so that regions which wrap around the end of
 * the address space are refused and not believed to be small.
 */
#include "boot/config.h"
#include "boot/error.h"
#include "boot/flash.h"
#include "pages.h"

static bool is_power_of_two(uint32_t value)
{
    return value && !(value & (value - 1));
}

static bool units_are_sound(const struct boot_layout *layout)
{
    uint32_t sector = layout->sector_bytes;
    uint32_t page = layout->page_bytes;
    return is_power_of_two(sector) && sector >= 512 && is_power_of_two(page) && page >= 16 &&
           page <= BOOT_PAGE_MAX && page <= sector &&
           boot_mark_pages(layout, BOOT_CONFIG_BODY_BYTES) >= BOOT_MARK_PAGES_MIN;
}

/* A region of whole sectors which starts at end or later; end moves behind it. */
static bool takes(uint64_t *end, const struct boot_layout *layout, uint32_t addr, uint64_t bytes)
{
    uint32_t inside = layout->sector_bytes - 1;
    if (addr < *end || (addr & inside) || (bytes & inside))
        return false;
    *end = (uint64_t)addr + bytes;
    return *end <= UINT32_MAX;
}

int boot_layout_check(const struct boot_layout *layout)
{
    if (!units_are_sound(layout))
        return BOOT_ELAYOUT;
    uint64_t end = layout->bootloader_bytes;
    uint32_t sector = layout->sector_bytes;
    uint32_t journal = layout->journal_bytes;
    bool sound = takes(&end, layout, layout->config_addr, 2 * (uint64_t)sector) &&
                 takes(&end, layout, layout->slot_addr[BOOT_SLOT_A], layout->slot_bytes) &&
                 takes(&end, layout, layout->slot_addr[BOOT_SLOT_B], layout->slot_bytes) &&
                 takes(&end, layout, layout->data_addr, layout->data_bytes) &&
                 layout->slot_bytes / sector >= 3 && journal / sector >= 4 &&
                 journal % ((uint64_t)sector * 2) == 0 && journal <= layout->data_bytes;
    return sound ? BOOT_OK : BOOT_ELAYOUT;
}

uint32_t boot_layout_image_max(const struct boot_layout *layout)
{
    return layout->slot_bytes - layout->sector_bytes;
}

uint32_t boot_layout_trailer(const struct boot_layout *layout, int slot)
{
    return layout->slot_addr[slot] + boot_layout_image_max(layout);
}
