/* See board.h. */
#include "board.h"
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static const char scenario[] =
    "scenario: free\nsummary: one board\nseed: 3\nstart: 2026-11-01T10:00:00Z\n"
    "fleet:\n  - {group: pumps, count: 1, firmware: 1.0.0}\n"
    "device: {fault_free: 10s, trial_boots: 3}\n"
    "firmware:\n  1.0.0: {size: 8KiB}\n  1.1.0: {size: 8KiB}\n"
    "campaign:\n  to: 1.1.0\n  time_scale: 1\n"
    "  phases:\n    - {name: all, share: 100%, hold: 1m, gates: []}\n"
    "faults:\n  - {kind: power_loss, during: boot, times: 2, off_for: 5s}\n";

static struct scn *scn;
struct sim_world world;
struct sim_shard shard;
struct sim_stepped st;
struct st_device dev;
uint8_t *part; /* what the board's flash holds */
bool legible, dark_at_once;
unsigned cuts, offs, ons, looks, watches;
int64_t watched_open_ms;
bool watched_at_end;
static struct sim_body_op op; /* of the body that stands still */

/* ---- The body ---- */

static bool flash(struct sim_body *body, uint8_t *out, uint32_t len)
{
    (void)body;
    looks++;
    if (legible)
        memcpy(out, part, len);
    return legible;
}

static int on(struct sim_body *body, char *message, size_t len)
{
    (void)body, (void)message, (void)len;
    ons++;
    return 0;
}

static void off(struct sim_body *body)
{
    (void)body;
    if (dev.cutting && !st.ended) { /* a cut goes when it goes */
        cuts++;
        return;
    }
    offs++;
    if (dark_at_once)
        st_dark(&dev);
}

static void watch(struct sim_body *body, int64_t open_ms, bool at_end)
{
    (void)body;
    watches++;
    watched_open_ms = open_ms;
    watched_at_end = at_end;
}

static const struct sim_body_kind kind = {.name = "board",
                                          .what = "board",
                                          .waits = true,
                                          .free = true,
                                          .flash = flash,
                                          .on = on,
                                          .off = off,
                                          .watch = watch};

static bool last_op(struct sim_body *body, struct sim_body_op *out)
{
    (void)body;
    *out = op;
    return op.number != 0;
}

static void go_on(struct sim_body *body)
{
    (void)body;
    op.in_progress = false;
}

static const struct sim_body_kind kind_still = {.name = "board",
                                                .what = "board",
                                                .waits = true,
                                                .on = on,
                                                .off = off,
                                                .last_op = last_op,
                                                .go_on = go_on};

static void open_device(const struct sim_body_kind *of)
{
    st =
        (struct sim_stepped){.scn = scn, .kind = of, .started = true, .devices = 1, .device = &dev};
    st.yard.scn = scn;
    st.yard.world = &world;
    world.pace = 1;
    sim_yard_set_clock(&st.yard, scn->start_us);
    st.flash_bytes = world.layout.data_addr + world.layout.data_bytes;
    st.fleet.shard = &shard;
    cr_assert_eq(sim_queue_init(&st.due, ST_TIMERS), 0);
    dev = (struct st_device){.st = &st,
                             .unit = &world.roster.unit[0],
                             .group = &scn->group[0],
                             .flash_fd = -1,
                             .faults = sim_faults_of(&world.faults, 0)};
    dev.seen = (struct st_witness){.running_slot = -1, .counter_floor = 1, .confirmed_us = -1};
    snprintf(dev.seen.version, sizeof dev.seen.version, "1.0.0");
    cr_assert_eq(sim_flash_init(&dev.flash, &world.base[0], &world.known, &world.timing,
                                &dev.clock_us, scn->seed, 0),
                 0);
}

static void begin(const struct sim_body_kind *of, bool faults)
{
    struct scn_messages messages = {0};
    char why[512];
    cr_assert_eq(scn_parse(&scn, "free.yaml", scenario, sizeof scenario - 1, NULL, &messages), 0);
    cr_assert_eq(sim_world_build(&world, scn, why, sizeof why), 0, "%s", why);
    cr_assert_eq(sim_shard_init(&shard, &world), 0);
    open_device(of);
    dev.faults.count = faults ? dev.faults.count : 0;
    const struct sim_flash_base *base = &world.base[0];
    part = malloc(st.flash_bytes);
    memset(part, 0xFF, st.flash_bytes);
    for (uint32_t at = 0; at < st.flash_bytes; at += base->sector_bytes)
        if (base->sector[at / base->sector_bytes])
            memcpy(part + at, base->sector[at / base->sector_bytes], base->sector_bytes);
    dev.bootloader = malloc(world.layout.bootloader_bytes);
    memcpy(dev.bootloader, part, world.layout.bootloader_bytes);
    dev.file = part;
    op = (struct sim_body_op){0};
    legible = true;
    dark_at_once = false;
    cuts = offs = ons = looks = watches = 0;
    st_power_on(&dev);
}

void board_open(void)
{
    begin(&kind, false);
}

void board_open_cuts(void)
{
    begin(&kind, true);
}

void board_open_still(void)
{
    begin(&kind_still, false);
}

void board_close(void)
{
    sim_flash_free(&dev.flash);
    sim_queue_free(&st.due);
    sim_shard_free(&shard);
    sim_world_free(&world);
    scn_free(scn);
    free(part);
    free(dev.bootloader);
}

uint64_t broken(void)
{
    uint64_t sum = 0;
    for (int p = 0; p < REP_PROMISES; p++)
        sum += dev.seen.broken[p];
    return sum;
}

void boot(const char *slot, const char *trial, const char *version)
{
    char line[160];
    snprintf(line, sizeof line, "level=info device=d event=boot slot=%.8s trial=%.8s reset=\"x\"",
             slot, trial);
    st_said(&dev, line);
    snprintf(line, sizeof line, "time=t level=info device=d event=firmware version=%.40s boots=1",
             version);
    st_said(&dev, line);
}

void operates(enum sim_flash_op_kind kind_of, uint32_t addr, const uint8_t *page)
{
    uint32_t len =
        kind_of == SIM_FLASH_ERASE ? dev.flash.base->sector_bytes : dev.flash.base->page_bytes;
    op = (struct sim_body_op){op.number + 1, true, {kind_of, addr, len, 0, page}};
    st_stands(&dev);
    if (kind_of == SIM_FLASH_ERASE)
        memset(part + addr, 0xFF, len);
    else
        for (uint32_t i = 0; i < len; i++)
            part[addr + i] &= page[i];
    st_settle(&dev);
}

/* Everything in slot A is erased. */
void wipe_running(void)
{
    memset(part + world.layout.slot_addr[0], 0xFF, world.layout.slot_bytes);
}

/* One byte of what the factory wrote. */
void spoil_bootloader(void)
{
    part[world.layout.bootloader_bytes - 1] ^= 1;
}
