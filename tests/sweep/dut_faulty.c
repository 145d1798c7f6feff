/*
 * Brickyard's own device, which is sound, with one fault of our choice around it: each breaks one
 * rule of the oracle (test_oracle.c has the table). Without a fault it passes.
 */
#include "fault.h"
#include "sim/dut_own.h"

enum { PAGE_MAX = 4096 };

/* Set at the start of each session; the statics are as after a reset there. */
static const struct dut_port *real;
static struct dut_port port;
static struct dut_unit unit;
static const struct dut_boot *booted;
static struct dut own;
static bool rolled_back; /* told in this session */

static bool has_image(uint32_t slot)
{
    uint8_t magic[4];
    return !real->read(real->ctx, unit.layout.slot_addr[slot], magic, sizeof magic) &&
           !memcmp(magic, "BYI1", sizeof magic);
}

static void program(uint32_t addr, uint8_t value, uint32_t len)
{
    static uint8_t page[PAGE_MAX];
    memset(page, value, sizeof page);
    real->program(real->ctx, addr, page, len);
}

static void say(enum dut_status status, const char *firmware_id)
{
    struct dut_report report = {.status = status,
                                .firmware_id = firmware_id ? firmware_id : "",
                                .version = "",
                                .text = "a fault speaks"};
    real->report(real->ctx, &report);
}

/* ---- What the device sees of the world ---- */

static void report(void *ctx, const struct dut_report *said)
{
    struct dut_report lie = *said;
    rolled_back |= said->status == DUT_SAYS_ROLLED_BACK;
    if (has_fault("tells-nothing") && said->status != DUT_SAYS_PROGRESS)
        return;
    if (has_fault("says-rolled-back") && said->status == DUT_SAYS_CONFIRMED)
        lie.status = DUT_SAYS_ROLLED_BACK;
    if (has_fault("says-confirmed") && said->status == DUT_SAYS_ROLLED_BACK)
        lie.status = DUT_SAYS_CONFIRMED;
    if (has_fault("says-another-version") && said->status == DUT_SAYS_CONFIRMED)
        lie.version = "9.9.9";
    if (has_fault("says-refused-is-installed") && said->status == DUT_SAYS_REFUSED)
        lie.status = DUT_SAYS_CONFIRMED;
    if (has_fault("calls-it-a-download") && said->status == DUT_SAYS_ROLLED_BACK)
        lie.status = DUT_SAYS_DOWNLOAD_FAILED;
    real->report(ctx, &lie);
}

static bool offer(void *ctx, struct dut_offer *out)
{
    if (has_fault("does-not-ask") || !real->offer(ctx, out))
        return false;
    if (has_fault("confirms-once-more") && out->kind == DUT_OFFER_ROLLBACK)
        say(DUT_SAYS_CONFIRMED, "");
    return true;
}

static bool check(void *ctx, enum dut_check which)
{
    return has_fault("confirms-unchecked") || real->check(ctx, which);
}

static void enter(const struct dut_port *from, const struct dut_boot *boot)
{
    real = from;
    port = *from;
    unit = *from->unit;
    booted = boot;
    rolled_back = false;
    if (has_fault("tries-too-often"))
        unit.trial_boots = 15;
    port.unit = &unit;
    port.report = report;
    port.offer = offer;
    port.check = check;
}

/* ---- The bootloader ---- */

/* Jumps to what lies in the other slot. */
static void turn(struct dut_boot *out, bool trial)
{
    if (out->trial || !has_image(!out->slot))
        return;
    out->slot = !out->slot;
    out->image_addr = unit.layout.slot_addr[out->slot];
    out->trial = trial;
    out->handoff[0] = out->slot;
    out->handoff[1] = trial;
}

static void boot(void *ram, const struct dut_port *from, enum dut_reset reset, struct dut_boot *out)
{
    enter(from, NULL);
    own.boot(ram, &port, reset, out);
    if (has_fault("boots-nothing") && out->trial)
        out->boots = false;
    if (has_fault("jumps-out"))
        out->image_addr = unit.layout.flash_bytes;
    if (has_fault("jumps-beside"))
        out->image_addr += unit.layout.page_bytes;
    if (has_fault("arms-no-watchdog"))
        out->watchdog_s = out->handoff[3] = 0;
    if (has_fault("trial-for-good"))
        out->trial = false;
    if (has_fault("boots-the-other") && reset == DUT_RESET_POWER_ON)
        turn(out, false);
    if (has_fault("forgets-the-rollback") && reset == DUT_RESET_POWER_ON)
        turn(out, true);
    if (has_fault("tries-again-at-once") && reset == DUT_RESET_WATCHDOG)
        turn(out, true);
}

/* ---- The application ---- */

/* Never comes to rest, and the flash is another each time: bit after bit of the other slot. */
static enum dut_run count_boots(void)
{
    uint8_t page[PAGE_MAX];
    uint32_t addr = unit.layout.slot_addr[!booted->slot], size = unit.layout.page_bytes;
    for (;; addr += size) {
        real->read(real->ctx, addr, page, size);
        for (uint32_t bit = 0; bit < 8 * size; bit++) {
            if (!(page[bit / 8] >> bit % 8 & 1))
                continue;
            page[bit / 8] &= (uint8_t) ~(1u << bit % 8);
            real->program(real->ctx, addr, page, size);
            return DUT_RUN_RESET;
        }
    }
}

static void write_wrongly(void)
{
    uint32_t page = unit.layout.page_bytes, free_addr = unit.layout.slot_addr[!booted->slot];
    if (has_fault("writes-the-bootloader"))
        program(0, 0, page);
    if (has_fault("writes-what-runs"))
        program(booted->image_addr, 0, page);
    if (has_fault("writes-the-application"))
        program(unit.layout.data_addr + unit.layout.journal_bytes, 0, page);
    if (has_fault("programs-beside-a-page"))
        program(free_addr + 1, 0, page);
    if (has_fault("programs-half-a-page"))
        program(free_addr, 0, page / 2);
    if (has_fault("erases-beside-a-sector"))
        real->erase(real->ctx, free_addr + page);
    if (has_fault("programs-out-of-the-flash"))
        program(unit.layout.flash_bytes, 0, page);
    if (has_fault("raises-bits")) {
        program(free_addr, 0x0F, page);
        program(free_addr, 0x1F, page);
    }
}

/* An answer without a deed. */
static enum dut_run answer(enum dut_status status)
{
    struct dut_offer wanted;
    if (real->offer(real->ctx, &wanted))
        say(status, wanted.image.firmware_id);
    return DUT_RUN_IDLE;
}

static bool is_order(void)
{
    struct dut_offer wanted;
    return real->offer(real->ctx, &wanted) && wanted.kind == DUT_OFFER_ROLLBACK;
}

static enum dut_run run(void *ram, const struct dut_port *from, enum dut_reset reset,
                        const struct dut_boot *boot_out)
{
    enter(from, boot_out);
    write_wrongly();
    if (has_fault("refuses-all") ||
        (has_fault("refuses-further") && boot_out->slot == 1 && !boot_out->trial) ||
        (has_fault("disobeys") && is_order()))
        return answer(DUT_SAYS_REFUSED);
    if (has_fault("stays-on-trial") && boot_out->trial)
        return answer(DUT_SAYS_DOWNLOAD_FAILED);
    if (has_fault("confirms-without-a-deed"))
        return answer(DUT_SAYS_CONFIRMED);
    if (has_fault("boots-for-ever"))
        return DUT_RUN_RESET;
    if (has_fault("counts-for-ever"))
        return count_boots();
    while (has_fault("runs-for-ever"))
        real->now_ms(real->ctx);
    enum dut_run how = own.run(ram, &port, reset, boot_out);
    /* The watchdog ends this: the bootloader sees what it is told to misunderstand. */
    if (has_fault("tries-again-at-once") && rolled_back)
        real->sleep_until(real->ctx, INT64_MAX);
    return how;
}

static int factory(void *ram, const struct dut_port *from, const struct dut_image *image)
{
    return has_fault("fails-in-the-factory") ? -1 : own.factory(ram, from, image);
}

const struct dut *dut_device(void)
{
    static struct dut device;
    own = device = *dut_own_device();
    device.name = "faulty";
    device.factory = factory;
    device.boot = boot;
    device.run = run;
    return &device;
}
