/* The port that bootloader and agent see: checks, time, cuts, and then the cells. */
#include "cells.h"

#include <string.h>

void sim_flash_violated(struct sim_flash *flash, enum sim_flash_violation kind, uint32_t addr)
{
    flash->stats.violations++;
    if (flash->hooks.violation)
        flash->hooks.violation(flash->hooks.ctx, kind, addr);
}

/* True: refused, and the violation is reported. */
static bool refused(struct sim_flash *flash, uint32_t addr, uint32_t len, uint32_t unit)
{
    if (addr > flash->base->bytes || len > flash->base->bytes - addr) {
        sim_flash_violated(flash, SIM_FLASH_V_BOUNDS, addr);
        return true;
    }
    if (addr % unit != 0 || len % unit != 0) {
        sim_flash_violated(flash, SIM_FLASH_V_ALIGN, addr);
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
        sim_flash_violated(flash, SIM_FLASH_V_PROTECTED, addr);
}

static _Noreturn void cut_call(struct sim_flash *flash, const struct sim_flash_call *call,
                               const struct sim_flash_hit *hit)
{
    uint32_t addr = call->addr + hit->cut.unit * sim_flash_unit_bytes(flash, call);
    if (flash->hooks.torn)
        flash->hooks.torn(flash->hooks.ctx, call->kind, addr, hit->cut.form);
    sim_flash_power_lost(flash, hit->at_us);
}

/* A call that was not refused: 0, -1, or no return. */
static int call_made(struct sim_flash *flash, const struct sim_flash_call *call, uint32_t unit_us)
{
    check_protected(flash, call->addr, call->len);
    struct sim_flash_hit hit = sim_flash_hit_find(flash, call, unit_us);
    const struct sim_flash_cut *cut = hit.cut.unit == SIM_FLASH_NO_CUT ? NULL : &hit.cut;
    uint32_t begun;
    enum sim_flash_end end = sim_flash_carry_out(flash, call, cut, true, &begun);
    if (end == SIM_FLASH_END_CUT)
        cut_call(flash, call, &hit);
    *flash->now_us += (int64_t)begun * unit_us;
    if (end == SIM_FLASH_END_FAILED)
        return -1;
    if (flash->hooks.after)
        flash->hooks.after(flash->hooks.ctx, call);
    return 0;
}

int sim_flash_port_program(void *ctx, uint32_t addr, const void *data, uint32_t len)
{
    struct sim_flash *flash = ctx;
    uint32_t page = flash->base->page_bytes;
    if (refused(flash, addr, len, page))
        return -1;
    if (len == 0)
        return 0;
    struct sim_flash_call call = {SIM_FLASH_PROGRAM, addr, len, len / page, data};
    return call_made(flash, &call, flash->timing->program_us);
}

int sim_flash_port_erase(void *ctx, uint32_t addr)
{
    struct sim_flash *flash = ctx;
    uint32_t size = flash->base->sector_bytes;
    if (refused(flash, addr, size, size))
        return -1;
    struct sim_flash_call call = {SIM_FLASH_ERASE, addr, size, 1, NULL};
    return call_made(flash, &call, flash->timing->erase_us);
}

static bool any_set(const uint8_t *mask, uint32_t len)
{
    for (uint32_t i = 0; i < len; i++)
        if (mask[i])
            return true;
    return false;
}

/* Unstable bits of one sector's part that was read: each falls as the hook says, or else anew at
 * each read. */
static void disturb(struct sim_flash *flash, uint32_t addr, const uint8_t *mask, uint8_t *out,
                    uint32_t len)
{
    if (flash->hooks.unstable) {
        if (any_set(mask, len))
            flash->hooks.unstable(flash->hooks.ctx, addr, mask, out, len);
        return;
    }
    struct sim_flash_noise noise = {.rng = &flash->read_rng};
    for (uint32_t i = 0; i < len; i++)
        if (mask[i])
            out[i] &= (uint8_t) ~(mask[i] & sim_flash_noise_byte(&noise));
}

static void read_in_sector(struct sim_flash *flash, uint32_t addr, uint8_t *out, uint32_t len)
{
    uint32_t sector = sim_flash_sector_of(flash, addr), from = addr % flash->base->sector_bytes;
    const uint8_t *content = sim_flash_sector_bytes(flash, sector);
    const uint8_t *mask = sim_flash_sector_mask(flash, sector);
    if (content)
        memcpy(out, content + from, len);
    else
        memset(out, 0xFF, len);
    if (mask)
        disturb(flash, addr, mask + from, out, len);
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
