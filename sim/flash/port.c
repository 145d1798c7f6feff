/* The port that bootloader and agent see: checks, time, cuts, and then the cells. */
#include "cells.h"

#include <string.h>

static void violation(struct sim_flash *flash, enum sim_flash_violation kind, uint32_t addr)
{
    flash->stats.violations++;
    if (flash->hooks.violation)
        flash->hooks.violation(flash->hooks.ctx, kind, addr);
}

/* True: refused, and the violation is reported. */
static bool refused(struct sim_flash *flash, uint32_t addr, uint32_t len, uint32_t unit)
{
    if (addr > flash->base->bytes || len > flash->base->bytes - addr) {
        violation(flash, SIM_FLASH_V_BOUNDS, addr);
        return true;
    }
    if (addr % unit != 0 || len % unit != 0) {
        violation(flash, SIM_FLASH_V_ALIGN, addr);
        return true;
    }
    return false;
}

/* Reported, and then carried out: silicon knows no running image. */
static void check_protected(struct sim_flash *flash, uint32_t addr, uint32_t len)
{
    bool running = flash->protect_from < flash->protect_to && addr < flash->protect_to &&
                   addr + len > flash->protect_from;
    if (running || addr < flash->boot_protect_to)
        violation(flash, SIM_FLASH_V_PROTECTED, addr);
}

/* Within one sector: a 1 asked of a cell that holds 0. One report, at the first such byte. */
static void check_overwrite(struct sim_flash *flash, uint32_t addr, const uint8_t *data,
                            uint32_t len)
{
    const uint8_t *content = sim_flash_content(flash, sim_flash_sector_of(flash, addr));
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
    violation(flash, SIM_FLASH_V_OVERWRITE, addr + first);
}

static _Noreturn void cut_call(struct sim_flash *flash, enum sim_flash_op_kind kind, uint32_t addr,
                               const struct sim_flash_hit *hit)
{
    if (flash->hooks.torn)
        flash->hooks.torn(flash->hooks.ctx, kind, addr, hit->form);
    sim_flash_power_lost(flash, hit->at_us);
}

static _Noreturn void cut_program(struct sim_flash *flash, uint32_t addr, const uint8_t *data,
                                  const struct sim_flash_hit *hit)
{
    if (hit->form != SCN_TORN_BEFORE) {
        check_overwrite(flash, addr, data, flash->base->page_bytes);
        flash->stats.programs++;
        sim_flash_tear_program(flash, addr, data, hit->form);
    }
    cut_call(flash, SIM_FLASH_PROGRAM, addr, hit);
}

/* Whole pages of one sector. 0, or -1 when the sector is worn. */
static int program_in_sector(struct sim_flash *flash, uint32_t addr, const uint8_t *data,
                             uint32_t len)
{
    enum sim_flash_defect defect = sim_flash_defect_of(flash, sim_flash_sector_of(flash, addr));
    if (len == 0)
        return 0;
    if (defect == SIM_FLASH_WORN)
        return -1;
    check_overwrite(flash, addr, data, len);
    if (defect == SIM_FLASH_SOUND)
        sim_flash_clear_bits(flash, addr, data, len);
    flash->stats.programs += len / flash->base->page_bytes;
    return 0;
}

int sim_flash_port_program(void *ctx, uint32_t addr, const void *data, uint32_t len)
{
    struct sim_flash *flash = ctx;
    const uint8_t *bytes = data;
    uint32_t page = flash->base->page_bytes, page_us = flash->timing->program_us;
    if (refused(flash, addr, len, page))
        return -1;
    if (len == 0)
        return 0;
    struct sim_flash_call call = {SIM_FLASH_PROGRAM, addr, len, len / page};
    check_protected(flash, addr, len);
    struct sim_flash_hit hit = sim_flash_hit_find(flash, &call, page_us);
    uint32_t whole = hit.unit == SIM_FLASH_NO_CUT ? len : hit.unit * page;
    for (uint32_t done = 0, chunk; done < whole; done += chunk) {
        chunk = sim_flash_sector_rest(flash, addr + done, whole - done);
        if (program_in_sector(flash, addr + done, bytes + done, chunk) != 0) {
            *flash->now_us += (int64_t)(done / page + 1) * page_us;
            return -1;
        }
    }
    if (hit.unit != SIM_FLASH_NO_CUT)
        cut_program(flash, addr + whole, bytes + whole, &hit);
    *flash->now_us += (int64_t)call.units * page_us;
    if (flash->hooks.after)
        flash->hooks.after(flash->hooks.ctx, &call);
    return 0;
}

/* An erase that began has stressed the sector, whether it ends or not. */
static void count_erase(struct sim_flash *flash, uint32_t sector)
{
    flash->stats.erases++;
    if (sim_flash_defect_of(flash, sector) != SIM_FLASH_SOUND)
        return;
    struct sim_flash_leaf *leaf = sim_flash_leaf_own(flash, sector);
    uint32_t wear = ++leaf->wear[sector % SIM_FLASH_LEAF_SECTORS];
    if (wear > flash->stats.wear_max)
        flash->stats.wear_max = wear;
}

static _Noreturn void cut_erase(struct sim_flash *flash, uint32_t addr,
                                const struct sim_flash_hit *hit)
{
    uint32_t sector = sim_flash_sector_of(flash, addr);
    if (hit->form != SCN_TORN_BEFORE) {
        count_erase(flash, sector);
        sim_flash_tear_erase(flash, sector, hit->form);
    }
    cut_call(flash, SIM_FLASH_ERASE, addr, hit);
}

int sim_flash_port_erase(void *ctx, uint32_t addr)
{
    struct sim_flash *flash = ctx;
    uint32_t size = flash->base->sector_bytes, sector = sim_flash_sector_of(flash, addr);
    if (refused(flash, addr, size, size))
        return -1;
    struct sim_flash_call call = {SIM_FLASH_ERASE, addr, size, 1};
    check_protected(flash, addr, size);
    struct sim_flash_hit hit = sim_flash_hit_find(flash, &call, flash->timing->erase_us);
    if (hit.unit != SIM_FLASH_NO_CUT)
        cut_erase(flash, addr, &hit);
    *flash->now_us += flash->timing->erase_us;
    enum sim_flash_defect defect = sim_flash_defect_of(flash, sector);
    if (defect == SIM_FLASH_WORN)
        return -1;
    count_erase(flash, sector);
    if (defect == SIM_FLASH_SOUND)
        sim_flash_erase_cells(flash, sector);
    if (flash->hooks.after)
        flash->hooks.after(flash->hooks.ctx, &call);
    return 0;
}

/* Unstable bits of one sector's part that was read: each falls anew at each read. */
static void disturb(struct sim_flash *flash, const uint8_t *mask, uint8_t *out, uint32_t len)
{
    struct sim_flash_noise noise = {.rng = &flash->read_rng};
    for (uint32_t i = 0; i < len; i++)
        if (mask[i])
            out[i] &= (uint8_t) ~(mask[i] & sim_flash_noise_byte(&noise));
}

static void read_in_sector(struct sim_flash *flash, uint32_t addr, uint8_t *out, uint32_t len)
{
    uint32_t sector = sim_flash_sector_of(flash, addr), from = addr % flash->base->sector_bytes;
    const uint8_t *content = sim_flash_content(flash, sector);
    const uint8_t *mask = sim_flash_unstable(flash, sector);
    if (content)
        memcpy(out, content + from, len);
    else
        memset(out, 0xFF, len);
    if (mask)
        disturb(flash, mask + from, out, len);
}

int sim_flash_port_read(void *ctx, uint32_t addr, void *out, uint32_t len)
{
    struct sim_flash *flash = ctx;
    uint8_t *bytes = out;
    if (refused(flash, addr, len, 1))
        return -1;
    /* Rounded up, so that a loop which polls one byte does not stand still in time. */
    int64_t cost_us = ((int64_t)len * flash->timing->read_us_per_4k + 4095) / 4096;
    if (flash->cut_at_us < *flash->now_us + cost_us || flash->cut_at_us <= *flash->now_us)
        sim_flash_power_lost(flash, flash->cut_at_us);
    for (uint32_t done = 0, chunk; done < len; done += chunk) {
        chunk = sim_flash_sector_rest(flash, addr + done, len - done);
        read_in_sector(flash, addr + done, bytes + done, chunk);
    }
    *flash->now_us += cost_us;
    return 0;
}
