/* Power: taken, what that leaves in the file, the start after it; and ends that nobody ordered. */
#include "stepped_internal.h"
#include <string.h>
#include <time.h>

/* Ends by itself in a row, without a word to the broker between them, which the oracle calls a boot
 * loop; and boots that found no slot. */
enum { SUDDEN_ENDS_MAX = 5, DEAD_BOOTS_MAX = 3, END_WITHIN_MS = 5000 };
static const int64_t RESTART_US = 1000000;

/* The unit that is in progress now, where the part would take as long as it was given. */
static uint32_t unit_now(const struct st_device *dev)
{
    const struct st_op *op = &dev->op;
    int64_t passed = st_now_us(dev->st) - op->seen_us;
    if (op->resumed || op->takes_us <= 0 || passed >= op->takes_us)
        return op->call.units - 1;
    return (uint32_t)(passed * op->call.units / op->takes_us);
}

void st_off(struct st_device *dev)
{
    dev->power = ST_OFF;
    dev->st->kind->off(dev->body);
}

void st_heard(void *ctx)
{
    struct st_device *dev = ctx;
    if (dev->doom && dev->power == ST_ON)
        st_cut(dev, dev->doom, NULL);
}

/* The operation in progress, if there is one, is torn. */
static bool tear(struct st_device *dev, enum scn_torn form, const struct sim_flash_cut *wanted)
{
    struct sim_flash_cut cut = {.unit = 0, .form = form};
    struct sim_rng reading;
    if (!dev->op.open)
        return false;
    if (wanted)
        cut = *wanted;
    else
        cut.unit = unit_now(dev);
    sim_rng_init(&reading, dev->st->scn->seed, dev->number, SIM_RNG_UNSTABLE, dev->seen.cuts);
    dev->op.open = false;
    if (sim_stepped_tear(&dev->flash, dev->flash_fd, &dev->op.call, &cut, &reading))
        snprintf(dev->st->lost, sizeof dev->st->lost, "%s/flash can't be written", dev->folder);
    uint32_t row = dev->booting ? SIM_CUT_BOOT : (uint32_t)dev->state;
    dev->st->fleet.shard->cuts[row][st_region(dev, dev->op.call.addr)][cut.form]++;
    dev->st->counts.forms[cut.form]++;
    st_note(dev, "%s at 0x%06x, unit %u, left %s (%s)",
            dev->op.call.kind == SIM_FLASH_ERASE ? "erase" : "program", dev->op.call.addr, cut.unit,
            scn_torn_name((int)cut.form), scn_region_name((int)st_region(dev, dev->op.call.addr)));
    return true;
}

void st_count_cut(struct st_device *dev, const struct sim_fault *fault, bool aimed)
{
    struct st_counts *counts = &dev->st->counts;
    if (aimed)
        counts->kills_at_operation++;
    else if (dev->st->scn->fault[fault->fault].has_at)
        counts->kills_at_random++;
    else
        counts->kills_at_state++;
}

void st_cut(struct st_device *dev, struct sim_fault *fault, const struct sim_flash_cut *cut)
{
    if (dev->st->kind->free) {
        st_free_cut(dev, fault);
        return;
    }
    int64_t off_us = fault->for_us > 0 ? fault->for_us : ST_DEFAULT_OFF_US;
    dev->doom = NULL;
    st_off(dev);
    if (dev->st->lost[0]) /* its file proves nothing, and the run is over */
        return;
    if (!cut)
        st_catch_up(dev);
    if (!tear(dev, fault->form, cut)) {
        uint32_t row = dev->booting ? SIM_CUT_BOOT : (uint32_t)dev->state;
        dev->st->fleet.shard->cuts[row][SIM_CUT_NO_OP][SCN_TORN_NOTHING]++;
        st_note(dev, "cut between flash operations");
    }
    st_compare(dev);
    st_count_cut(dev, fault, cut != NULL);
    dev->seen.cuts++;
    dev->connected = false;
    dev->lost_us = st_now_us(dev->st);
    st_fired(dev, fault);
    st_preempt(dev);
    st_after(dev, ST_TIMER_RESUME, SIM_NEVER);
    st_after(dev, ST_TIMER_POWER, st_now_us(dev->st) + off_us);
}

void st_power_on(struct st_device *dev)
{
    struct sim_stepped *st = dev->st;
    st_after(dev, ST_TIMER_POWER, SIM_NEVER);
    if (dev->power != ST_OFF || st->ended)
        return;
    st->counts.power_ons += dev->spawned;
    st_note(dev, "started");
    dev->said[0] = dev->alarm[0] = '\0';
    st_ail(dev);
    if (st->kind->on(dev->body, st->lost, sizeof st->lost))
        return;
    dev->power = ST_ON;
    dev->dark = false;
    dev->lost_us = st_now_us(st);
    dev->spawned = true;
    st->counts.starts++;
    st_reboots(dev);
    st_arm(dev);
}

static void describe(const struct st_device *dev, const char *how, char out[REP_TEXT_MAX])
{
    /* What a sanitizer says first, else what was said last. */
    enum { ROOM = 140 };
    const char *said = dev->alarm[0] ? dev->alarm : dev->said[0] ? dev->said : "nothing";
    size_t len = strlen(said), from = !dev->alarm[0] && len > ROOM ? len - ROOM : 0;
    snprintf(out, REP_TEXT_MAX, "%.12s ended by itself, %.60s; it said: %s%.*s",
             dev->st->kind->what, how, from ? "..." : "", ROOM, said + from);
}

static const char *why_no_boot(struct st_device *dev)
{
    if (!st_bootloader_is_whole(dev))
        return "nothing boots: its bootloader region is not what the factory wrote";
    return st_boots_again(dev) ? "the bootloader refuses a flash that holds a good slot"
                               : "no slot verifies";
}

static void no_boot(struct st_device *dev)
{
    if (++dev->seen.dead_boots >= DEAD_BOOTS_MAX)
        st_die(dev, REP_BRICK_NO_BOOT, why_no_boot(dev));
}

static void count_end(struct st_device *dev, const char *what, bool nothing_to_boot)
{
    struct sim_stepped *st = dev->st;
    st_preempt(dev);
    if (nothing_to_boot)
        no_boot(dev);
    else
        st_break(dev, REP_PROMISE_NO_BRICK, "%s", what);
    dev->seen.crashes_after_confirm += dev->seen.confirmed_us >= 0;
    if (dev->power != ST_DEAD && ++dev->seen.sudden_ends >= SUDDEN_ENDS_MAX)
        st_die(dev, REP_BRICK_BOOT_LOOP, "it ends by itself after every start");
    if (dev->power != ST_DEAD && !st->ended)
        st_after(dev, ST_TIMER_POWER, st_now_us(st) + st_own_us(st, RESTART_US));
}

void st_ended(void *ctx, const char *how, bool clean, bool nothing_to_boot)
{
    struct st_device *dev = ctx;
    struct sim_stepped *st = dev->st;
    char what[REP_TEXT_MAX];
    dev->power = ST_OFF;
    if (st->lost[0])
        return;
    if (st->kind->free) {
        st_free_look(dev); /* what it found, or did not find, is judged by what is there */
        dev->looked = true;
    } else {
        st_catch_up(dev);
        if (dev->op.open)
            st_take_file(dev);
        st_compare(dev);
    }
    dev->connected = false;
    dev->lost_us = st_now_us(st);
    dev->doom = NULL;
    st_after(dev, ST_TIMER_RESUME, SIM_NEVER);
    if (st->ended && clean)
        return;
    st->counts.sudden_ends++;
    describe(dev, how, what);
    st_note(dev, "%s", what);
    if (st->started || dev->known)
        count_end(dev, what, nothing_to_boot);
    else /* nothing was done to it yet: it is not the device's fault */
        snprintf(st->lost, sizeof st->lost, "%s: before the campaign began, %s", dev->unit->id,
                 what);
}

/* ---- The end of the run ---- */

/* Its power goes after the operation that it is doing: there the part still has it. */
static void switch_off(struct st_device *dev)
{
    if (dev->power != ST_ON)
        return;
    st_off(dev);
    st_settle(dev);
    if (dev->op.open && dev->op.resumed &&
        sim_stepped_tear(&dev->flash, dev->flash_fd, &dev->op.call, NULL, &(struct sim_rng){0}))
        snprintf(dev->st->lost, sizeof dev->st->lost, "%s can't be written", dev->flash_path);
    dev->op.open = false;
}

/* Operations are still seen, and done at once. False: it is off. */
static bool lead_to_end(struct st_device *dev)
{
    const struct sim_body_kind *kind = dev->st->kind;
    if (dev->power == ST_ON && kind->read)
        kind->read(dev->body);
    if (dev->power == ST_ON && dev->op.open && !dev->op.resumed)
        st_resume(dev);
    if (dev->power == ST_ON && kind->look)
        kind->look(dev->body);
    return dev->power == ST_ON;
}

static void ask_all(struct sim_stepped *st)
{
    bool left = true;
    for (uint32_t d = 0; d < st->devices; d++)
        if (st->device[d].power == ST_ON)
            st->kind->ask_to_end(st->device[d].body);
    for (int ms = 0; ms < END_WITHIN_MS && left; ms++) {
        left = false;
        for (uint32_t d = 0; d < st->devices; d++)
            left |= lead_to_end(&st->device[d]);
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    for (uint32_t d = 0; d < st->devices; d++)
        if (st->device[d].power == ST_ON) {
            st_off(&st->device[d]);
            if (!st->lost[0])
                st_break(&st->device[d], REP_PROMISE_CONVERGENCE,
                         "it did not end within 5 s of SIGTERM");
        }
}

void st_end_all(struct sim_stepped *st)
{
    for (uint32_t d = 0; d < st->devices; d++) {
        st_watch_end(&st->device[d]);
        st_witness_end(&st->device[d]);
    }
    st->ended = true;
    if (st->kind->free) {
        st_free_end_all(st);
        return;
    }
    if (st->kind->ask_to_end)
        ask_all(st);
    for (uint32_t d = 0; d < st->devices; d++)
        switch_off(&st->device[d]);
}
