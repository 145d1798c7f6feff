/*
 * Brickyard's own device again: as a witness of the rules for plugins, with a description that the
 * host has to refuse, with a canonical form that leaves out too much, or with a memory which the
 * host does not reset (all chosen by SWEEP_FAULT).
 */
#include "fault.h"
#include "sim/dut_own.h"

static struct dut own;
static const struct dut_port *real;
static struct dut_port port;

/* ---- A witness: boots nothing as soon as a rule does not hold ---- */

static int zero, seven = 7; /* .bss and .data */

static bool is_as_after_reset(const uint8_t *ram)
{
    static bool seen;
    bool fresh = zero == 0 && seven == 7 && !seen;
    zero = 1;
    seven = 8;
    seen = true;
    for (uint32_t i = 0; i < own.ram_bytes; i++)
        fresh &= ram[i] == 0xA5;
    return fresh;
}

/* ---- Tells of each write that it came back from ---- */

static int told_program(void *ctx, uint32_t addr, const void *data, uint32_t len)
{
    real->note(ctx, "a write begins");
    int error = real->program(ctx, addr, data, len);
    real->note(ctx, "a write came back");
    return error;
}

static int told_erase(void *ctx, uint32_t addr)
{
    real->note(ctx, "a write begins");
    int error = real->erase(ctx, addr);
    real->note(ctx, "a write came back");
    return error;
}

/* ---- A memory beside the flash, for as long as the plugin is loaded ---- */

static uint32_t *calls;

__attribute__((constructor)) static void make_calls(void)
{
    calls = calloc(1, sizeof *calls);
}

__attribute__((destructor)) static void free_calls(void)
{
    free(calls);
}

static void enter(const struct dut_port *from)
{
    real = from;
    port = *from;
    if (has_fault("tells-writes"))
        port.program = told_program, port.erase = told_erase;
    ++*calls;
}

static void boot(void *ram, const struct dut_port *from, enum dut_reset reset, struct dut_boot *out)
{
    bool fresh = is_as_after_reset(ram);
    enter(from);
    own.boot(ram, &port, reset, out);
    out->boots &= fresh;
    if (has_fault("boots-by-the-count") && *calls % 50 == 49)
        out->boots = false;
}

/* Where nothing was downloaded yet, and where a download erases first: it does no harm. */
static void write_count(uint32_t running)
{
    uint32_t addr = real->unit->layout.slot_addr[!running], bytes = real->unit->layout.page_bytes;
    uint8_t page[4096];
    real->read(real->ctx, addr, page, bytes);
    for (uint32_t i = 0; i < bytes; i++)
        if (page[i] != 0xFF)
            return;
    memset(page, 0, bytes);
    page[0] = (uint8_t)*calls;
    real->program(real->ctx, addr, page, bytes);
}

static enum dut_run run(void *ram, const struct dut_port *from, enum dut_reset reset,
                        const struct dut_boot *booted)
{
    if (!is_as_after_reset(ram))
        return DUT_RUN_RESET; /* for ever */
    enter(from);
    if ((has_fault("writes-by-the-count") && *calls % 3 == 0) || has_fault("writes-the-count"))
        write_count(booted->slot);
    return own.run(ram, &port, reset, booted);
}

/* ---- Descriptions ---- */

static uint32_t ranges(const struct dut_unit *unit, struct dut_range *out, uint32_t max)
{
    uint32_t count = own.ranges(unit, out, max);
    if (has_fault("range-beyond-the-flash"))
        out[0].len = unit->layout.flash_bytes;
    if (has_fault("range-wraps"))
        out[0].addr = UINT32_MAX - unit->layout.sector_bytes + 1;
    if (has_fault("range-of-half-a-sector"))
        out[0].len = unit->layout.sector_bytes / 2;
    if (has_fault("range-of-a-high-part"))
        out[0].part = DUT_PARTS;
    return has_fault("too-many-ranges") ? max + 1 : count;
}

/* The journal or the config means nothing, says this one. */
static uint32_t canonical(void *ram, const struct dut_port *view, uint32_t part, uint8_t *out,
                          uint32_t max)
{
    if (!has_fault("unsound-canonical"))
        return own.canonical(ram, view, part, out, max);
    out[0] = 1;
    return 1;
}

const struct dut *dut_device(void)
{
    static struct dut device;
    own = device = *dut_own_device();
    device.name = "odd";
    device.boot = boot;
    device.run = run;
    device.ranges = ranges;
    device.canonical = canonical;
    if (has_fault("abi"))
        device.abi = DUT_ABI + 1;
    if (has_fault("no-name"))
        device.name = NULL;
    if (has_fault("no-run"))
        device.run = NULL;
    if (has_fault("no-variants"))
        device.variants = 0;
    return has_fault("null") ? NULL : &device;
}
