/* What a call does to the cells, unit by unit. The port and sim_flash_apply share this, so that a
 * cut which was only worked out leaves what a real one leaves. */
#include "cells.h"

#include <assert.h>

/* Within one sector: a 1 asked of a cell that holds 0. One report, at the first such byte. */
static void check_overwrite(struct sim_flash *flash, uint32_t addr, const uint8_t *data,
                            uint32_t len)
{
    const uint8_t *content = sim_flash_sector_bytes(flash, sim_flash_sector_of(flash, addr));
    if (!content)
        return;
    content += addr % flash->base->sector_bytes;
    /* Every program of a page runs through here: the usual answer comes from a loop without a
     * branch. */
    uint8_t asked = 0;
    for (uint32_t i = 0; i < len; i++)
        asked |= (uint8_t)(data[i] & ~content[i]);
    if (!asked)
        return;
    uint32_t first = 0;
    while (!(data[first] & ~content[first]))
        first++;
    sim_flash_violated(flash, SIM_FLASH_V_OVERWRITE, addr + first);
}

/* Whole pages of one sector. False: the sector is worn. */
static bool program_in_sector(struct sim_flash *flash, uint32_t addr, const uint8_t *data,
                              uint32_t len, bool watch)
{
    enum sim_flash_defect defect = sim_flash_defect_at(flash, addr);
    if (defect == SIM_FLASH_WORN)
        return false;
    if (watch)
        check_overwrite(flash, addr, data, len);
    if (defect == SIM_FLASH_SOUND)
        sim_flash_clear_bits(flash, addr, data, len);
    flash->stats.programs += len / flash->base->page_bytes;
    return true;
}

/* An erase that began has stressed the sector, whether it ends or not. */
static void count_erase(struct sim_flash *flash, uint32_t addr)
{
    flash->stats.erases++;
    if (sim_flash_defect_at(flash, addr) != SIM_FLASH_SOUND)
        return;
    uint32_t sector = sim_flash_sector_of(flash, addr);
    struct sim_flash_leaf *leaf = sim_flash_leaf_own(flash, sector);
    uint32_t wear = ++leaf->wear[sector % SIM_FLASH_LEAF_SECTORS];
    if (wear > flash->stats.wear_max)
        flash->stats.wear_max = wear;
}

static bool erase_sector(struct sim_flash *flash, uint32_t addr)
{
    enum sim_flash_defect defect = sim_flash_defect_at(flash, addr);
    if (defect == SIM_FLASH_WORN)
        return false;
    count_erase(flash, addr);
    if (defect == SIM_FLASH_SOUND)
        sim_flash_erase_cells(flash, sim_flash_sector_of(flash, addr));
    return true;
}

uint32_t sim_flash_unit_bytes(const struct sim_flash *flash, const struct sim_flash_call *call)
{
    return call->kind == SIM_FLASH_ERASE ? flash->base->sector_bytes : flash->base->page_bytes;
}

/* Units [from, to), whole, sector by sector. Returns the first one that is not done: `to`, or the
 * first of them in a worn sector. */
static uint32_t whole_units(struct sim_flash *flash, const struct sim_flash_call *call,
                            uint32_t from, uint32_t to, bool watch)
{
    if (call->kind == SIM_FLASH_ERASE)
        return from < to && !erase_sector(flash, call->addr) ? from : to;
    uint32_t page = flash->base->page_bytes, end = to * page;
    for (uint32_t done = from * page, chunk; done < end; done += chunk) {
        chunk = sim_flash_sector_rest(flash, call->addr + done, end - done);
        if (!program_in_sector(flash, call->addr + done, call->data + done, chunk, watch))
            return done / page;
    }
    return to;
}

static void torn_unit(struct sim_flash *flash, const struct sim_flash_call *call,
                      const struct sim_flash_cut *cut, bool watch)
{
    uint32_t off = cut->unit * sim_flash_unit_bytes(flash, call), addr = call->addr + off;
    bool sound = sim_flash_defect_at(flash, addr) == SIM_FLASH_SOUND;
    if (cut->form == SCN_TORN_BEFORE)
        return;
    if (call->kind == SIM_FLASH_ERASE) {
        count_erase(flash, addr);
        if (sound)
            sim_flash_tear_erase(flash, sim_flash_sector_of(flash, addr), cut);
        return;
    }
    if (watch)
        check_overwrite(flash, addr, call->data + off, flash->base->page_bytes);
    flash->stats.programs++;
    if (sound)
        sim_flash_tear_program(flash, addr, call->data + off, cut);
}

enum sim_flash_end sim_flash_carry_out(struct sim_flash *flash, const struct sim_flash_call *call,
                                       const struct sim_flash_cut *cut, bool watch, uint32_t *begun)
{
    uint32_t to = cut ? cut->unit : call->units;
    uint32_t done = whole_units(flash, call, 0, to, watch);
    *begun = done + 1;
    if (done < to)
        return SIM_FLASH_END_FAILED;
    if (cut) {
        torn_unit(flash, call, cut, watch);
        if (cut->then == SIM_FLASH_POWER_GOES)
            return SIM_FLASH_END_CUT;
        uint32_t addr = call->addr + cut->unit * sim_flash_unit_bytes(flash, call);
        if (cut->then == SIM_FLASH_CALL_FAILS || sim_flash_defect_at(flash, addr) == SIM_FLASH_WORN)
            return SIM_FLASH_END_FAILED;
        done = whole_units(flash, call, cut->unit + 1, call->units, watch);
        *begun = done + 1;
        if (done < call->units)
            return SIM_FLASH_END_FAILED;
    }
    *begun = call->units;
    return SIM_FLASH_END_DONE;
}

void sim_flash_apply(struct sim_flash *flash, const struct sim_flash_call *call,
                     const struct sim_flash_cut *cut)
{
    uint32_t begun;
    assert(call->addr <= flash->base->bytes && call->len <= flash->base->bytes - call->addr);
    assert(call->addr % sim_flash_unit_bytes(flash, call) == 0 && call->units > 0);
    assert(call->len / sim_flash_unit_bytes(flash, call) == call->units);
    assert(call->kind == SIM_FLASH_ERASE ? call->units == 1 : call->data != NULL);
    assert(!cut || (cut->unit < call->units && cut->form > SCN_TORN_ANY && cut->form < SCN_TORNS &&
                    cut->then <= SIM_FLASH_CALL_LIES));
    if (sim_flash_carry_out(flash, call, cut, false, &begun) == SIM_FLASH_END_CUT)
        flash->stats.cuts++;
}
