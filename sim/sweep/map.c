/*
 * What a replay tells of the flash: a map of the regions at each boot, and the operations between,
 * those of one region in a row in one line.
 */
#include "internal.h"

#include <string.h>

enum { MAP_COLUMNS = 64 };

const char *sweep_reset_name(int reset)
{
    static const char *const name[DUT_RESETS] = {"power-on",     "the reset button", "software",
                                                 "the watchdog", "a hard fault",     "a brown-out"};
    return reset >= 0 && reset < DUT_RESETS ? name[reset] : "?";
}

enum region { IN_BOOTLOADER, IN_CONFIG, IN_SLOT_A, IN_SLOT_B, IN_JOURNAL, IN_DATA, REGIONS };
static const char *const region_name[REGIONS] = {"bootloader", "config",  "slot A",
                                                 "slot B",     "journal", "application data"};

static enum region region_of(const struct dut_layout *layout, uint32_t addr)
{
    if (addr < layout->bootloader_bytes)
        return IN_BOOTLOADER;
    if (addr < layout->slot_addr[0])
        return IN_CONFIG;
    if (addr < layout->slot_addr[1])
        return IN_SLOT_A;
    if (addr < layout->data_addr)
        return IN_SLOT_B;
    return addr < layout->data_addr + layout->journal_bytes ? IN_JOURNAL : IN_DATA;
}

void sweep_tell_flash(struct sweep_worker *worker)
{
    struct sweep_fold *fold = &worker->fold;
    if (!worker->story || (!fold->programs && !fold->erases))
        return;
    fprintf(worker->story, "  %10.3f s    flash, %s 0x%x..0x%x:",
            (double)(worker->state->now_us - worker->story_from_us) / 1e6,
            region_name[fold->region], fold->from, fold->to - 1);
    if (fold->erases)
        fprintf(worker->story, " %u sector%s erased", fold->erases, fold->erases > 1 ? "s" : "");
    if (fold->programs)
        fprintf(worker->story, "%s %u page%s programmed", fold->erases ? "," : "", fold->programs,
                fold->programs > 1 ? "s" : "");
    fprintf(worker->story, "\n");
    memset(fold, 0, sizeof *fold);
}

void sweep_tell_call(struct sweep_worker *worker, const struct sim_flash_call *call)
{
    struct sweep_fold *fold = &worker->fold;
    if (!worker->story)
        return;
    uint32_t region = region_of(&worker->world->unit.layout, call->addr);
    if ((fold->programs || fold->erases) && fold->region != region)
        sweep_tell_flash(worker);
    if (!fold->programs && !fold->erases) {
        fold->region = region;
        fold->from = call->addr;
        fold->to = call->addr + call->len;
    }
    fold->from = call->addr < fold->from ? call->addr : fold->from;
    fold->to = call->addr + call->len > fold->to ? call->addr + call->len : fold->to;
    if (call->kind == SIM_FLASH_ERASE)
        fold->erases++;
    else
        fold->programs += call->units;
}

void sweep_tell_torn(struct sweep_worker *worker, enum sim_flash_op_kind kind, uint32_t addr,
                     enum scn_torn form)
{
    const char *what = kind == SIM_FLASH_ERASE ? "erase of the sector" : "program of the page";
    if (worker->story)
        sweep_tell(worker, "--- the %s at 0x%x (%s) is cut: %s", what, addr,
                   region_name[region_of(&worker->world->unit.layout, addr)],
                   sim_sweep_form_name((int)form - SCN_TORN_BEFORE));
}

/* What a sector holds, in one letter for each of its parts. */
static char letter(const struct sweep_world *world, const struct sim_flash *flash, uint32_t from,
                   uint32_t to)
{
    uint32_t size = world->unit.layout.sector_bytes, sector = from / size;
    const uint8_t *bytes = sim_flash_sector_bytes(flash, sector);
    const uint8_t *mask = sim_flash_sector_mask(flash, sector);
    bool blank = true;
    for (uint32_t at = from % size; at < from % size + (to - from); at++) {
        if (mask && mask[at])
            return '?';
        blank &= !bytes || bytes[at] == 0xFF;
    }
    return blank ? '.' : '#';
}

/* The known image that a place agrees with furthest, and up to where. */
static uint8_t best_image(const struct sweep_world *world, const struct sim_flash *flash,
                          uint32_t addr, uint32_t *agrees)
{
    uint32_t size = world->unit.layout.sector_bytes;
    uint8_t best = IMAGE_NONE;
    *agrees = 0;
    for (uint8_t id = 0; id < SWEEP_IMAGES; id++) {
        const struct sweep_image *image = &world->image[id];
        uint32_t at = 0;
        for (; at < image->dut.len; at++) {
            const uint8_t *bytes = sim_flash_sector_bytes(flash, (addr + at) / size);
            const uint8_t *mask = sim_flash_sector_mask(flash, (addr + at) / size);
            uint8_t byte = bytes ? bytes[(addr + at) % size] : 0xFF;
            if (byte != image->bytes[at] || (mask && mask[(addr + at) % size]))
                break;
        }
        if (at > *agrees) {
            *agrees = at;
            best = id;
        }
    }
    return best;
}

static void map_image(FILE *out, const struct sweep_world *world, const struct sim_flash *flash,
                      uint32_t addr)
{
    uint32_t agrees;
    uint8_t image = best_image(world, flash, addr, &agrees);
    if (image == IMAGE_NONE || agrees < 16)
        fprintf(out, "  no image");
    else if (agrees == world->image[image].dut.len)
        fprintf(out, "  %s, whole", world->image[image].version);
    else
        fprintf(out, "  %s, its first %u of %u bytes", world->image[image].version, agrees,
                world->image[image].dut.len);
}

/* One row for each sector that holds anything, or for a run of blank ones. */
static void map_region(FILE *out, const struct sweep_world *world, const struct sim_flash *flash,
                       const char *name, uint32_t addr, uint32_t len)
{
    uint32_t size = world->unit.layout.sector_bytes;
    uint32_t columns = size / world->unit.layout.page_bytes;
    columns = columns > MAP_COLUMNS ? MAP_COLUMNS : columns;
    uint32_t shown = 0;
    for (uint32_t at = addr; at < addr + len; at += size) {
        const uint8_t *bytes = sim_flash_sector_bytes(flash, at / size);
        const uint8_t *mask = sim_flash_sector_mask(flash, at / size);
        enum sim_flash_defect defect = sim_flash_defect_at(flash, at);
        bool last = at + size == addr + len;
        if ((!bytes && !mask && !defect) || (shown >= 6 && !last))
            continue;
        fprintf(out, "      %-8s 0x%06x ", shown ? "" : name, at);
        for (uint32_t c = 0; c < columns; c++)
            fputc(letter(world, flash, at + c * (size / columns), at + (c + 1) * (size / columns)),
                  out);
        fprintf(out, "%s\n",
                defect == SIM_FLASH_STUCK  ? "  stuck"
                : defect == SIM_FLASH_WORN ? "  worn"
                                           : "");
        shown++;
    }
    if (!shown)
        fprintf(out, "      %-8s blank\n", name);
}

void sweep_tell_map(struct sweep_worker *worker, const struct sweep_state *state)
{
    const struct sweep_world *world = worker->world;
    const struct dut_layout *layout = &world->unit.layout;
    FILE *out = worker->story;
    if (!out)
        return;
    fprintf(out, "    flash (# holds something, . blank, ? reads differently each time):\n");
    map_region(out, world, &state->flash, "config", layout->config_addr, layout->config_bytes);
    for (uint32_t slot = 0; slot < DUT_SLOTS; slot++) {
        fprintf(out, "      slot %c: ", 'A' + (int)slot);
        map_image(out, world, &state->flash, layout->slot_addr[slot]);
        fprintf(out, "\n");
        map_region(out, world, &state->flash, "", layout->slot_addr[slot], layout->slot_bytes);
    }
    map_region(out, world, &state->flash, "journal", layout->data_addr, layout->journal_bytes);
}
