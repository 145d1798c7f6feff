/* The oracle at a body: what its flash file says, never what the body says of itself. */
#include "stepped_internal.h"
#include <stdarg.h>
#include <string.h>

static const int64_t CONSOLE_LATE_US = 2000000;

void st_break(struct st_device *dev, enum rep_promise promise, const char *format, ...)
{
    struct st_witness *seen = &dev->seen;
    char what[REP_TEXT_MAX];
    va_list list;
    va_start(list, format);
    vsnprintf(what, sizeof what, format, list);
    va_end(list);
    if (!seen->broken[promise]++)
        memcpy(seen->broken_what[promise], what, sizeof what);
    st_note(dev, "BROKEN %s: %s", rep_promise_name((int)promise), what);
}

static bool first_broken(const struct sim_stepped *st, uint32_t *device, int *promise)
{
    for (*device = 0; *device < st->devices; ++*device)
        for (*promise = 0; *promise < REP_PROMISES; ++*promise)
            if (st->device[*device].seen.broken[*promise])
                return true;
    return false;
}

void st_say_lost(const struct sim_stepped *st, char *message, size_t len)
{
    uint32_t device;
    int promise;
    if (!st->device || !first_broken(st, &device, &promise)) {
        snprintf(message, len, "%s", st->lost);
        return;
    }
    const struct st_device *dev = &st->device[device];
    snprintf(message, len, "%.40s had broken promise %s (%.80s), then: %s", dev->unit->id,
             rep_promise_name(promise), dev->seen.broken_what[promise], st->lost);
}

void st_die(struct st_device *dev, enum rep_brick brick, const char *why)
{
    st_off(dev);
    dev->power = ST_DEAD;
    dev->seen.brick = brick;
    dev->seen.version[0] = '\0';
    for (int timer = 0; timer < ST_TIMERS; timer++)
        st_after(dev, (enum st_timer)timer, SIM_NEVER);
    st_break(dev, REP_PROMISE_NO_BRICK, "%s", why);
}

static struct sim_oracle *oracle(const struct st_device *dev)
{
    return dev->st->fleet.shard->oracle;
}

static const char *may_run(const struct st_device *dev, const struct sim_oracle_slot *slot)
{
    return sim_oracle_may_run(slot, dev->group->device_type, dev->unit->hw_revision,
                              dev->seen.counter_floor);
}

bool st_boots_again(struct st_device *dev)
{
    for (int slot = 0; slot < BOOT_SLOTS; slot++) {
        struct sim_oracle_slot held;
        sim_oracle_slot(oracle(dev), &dev->flash, slot, &held);
        if (!may_run(dev, &held))
            return true;
    }
    return false;
}

bool st_bootloader_is_whole(struct st_device *dev)
{
    uint32_t size = dev->flash.base->sector_bytes;
    uint32_t bytes = dev->st->yard.world->layout.bootloader_bytes;
    uint8_t held[ST_OP_DATA_MAX];
    for (uint32_t at = 0; at < bytes; at += size < sizeof held ? size : (uint32_t)sizeof held) {
        uint32_t left = bytes - at, len = left < size ? left : size;
        len = len < sizeof held ? len : (uint32_t)sizeof held;
        sim_flash_peek(&dev->flash, at, held, len, 1);
        if (memcmp(held, dev->bootloader + at, len) != 0)
            return false;
    }
    return true;
}

/* ---- Operations ---- */

static bool only_clears(const struct st_device *dev, const struct sim_flash_call *call)
{
    uint8_t old[ST_OP_DATA_MAX], rising = 0;
    sim_flash_peek(&dev->flash, call->addr, old, call->len, 1);
    for (uint32_t i = 0; i < call->len; i++)
        rising |= (uint8_t)(call->data[i] & ~old[i]);
    return !rising;
}

/* What can be seen from outside before the mark: that long without a reset, by this clock, and no
 * check that was made to fail. Its first telemetry may still be on its way to the service. */
bool st_healthy(const struct st_device *dev)
{
    /* The firmware counts milliseconds, at both ends. */
    int64_t free_us = dev->st->scn->device.fault_free_us - 2000;
    /* What a console tells comes late, the boot perhaps later than the mark. */
    if (dev->st->kind->free)
        free_us -= free_us / 2 < CONSOLE_LATE_US ? free_us / 2 : CONSOLE_LATE_US;
    int64_t least_us = st_own_us(dev->st, free_us);
    return !dev->seen.ailments && st_now_us(dev->st) - dev->seen.app_start_us >= least_us;
}

static void witness_running_slot(struct st_device *dev, const struct sim_flash_call *call)
{
    if (call->addr < boot_layout_trailer(&dev->st->yard.world->layout, dev->seen.running_slot))
        st_break(dev, REP_PROMISE_RUNNING_IMAGE, "the running image was written at 0x%06x",
                 call->addr);
    else if (call->kind == SIM_FLASH_ERASE)
        st_break(dev, REP_PROMISE_RUNNING_IMAGE, "the running slot's trailer was erased");
    else if (!dev->seen.running_confirmed && !st_healthy(dev))
        st_break(dev, REP_PROMISE_CONFIRM_HEALTHY,
                 "confirmed before all five checks had passed (%.3f s after the boot%s)",
                 (double)(st_now_us(dev->st) - dev->seen.app_start_us) / 1e6 /
                     (double)dev->st->scn->campaign.time_scale,
                 dev->seen.ailments ? ", and one is made to fail" : "");
    else if (!dev->seen.running_confirmed && !dev->seen.telemetry_heard)
        dev->seen.telemetry_owed = true;
}

/* No application runs, as far as anyone knows: it is the bootloader, or a firmware whose log says
 * that it ended. */
static void witness_at_boot(struct st_device *dev, const struct sim_flash_call *call)
{
    bool confirms;
    const char *what = sim_oracle_at_boot(oracle(dev), &dev->flash, call, &confirms);
    if (what)
        st_break(dev, confirms ? REP_PROMISE_CONFIRM_HEALTHY : REP_PROMISE_RUNNING_IMAGE,
                 "%s (0x%06x)", what, call->addr);
}

void st_witness_call(struct st_device *dev, const struct sim_flash_call *call)
{
    if (call->kind == SIM_FLASH_PROGRAM && !only_clears(dev, call))
        st_break(dev, REP_PROMISE_FLASH_DISCIPLINE, "program of a bit that is not erased");
    if (dev->seen.running_slot < 0)
        witness_at_boot(dev, call);
    switch (st_region(dev, call->addr)) {
    case SCN_REGION_BOOTLOADER:
        st_break(dev, REP_PROMISE_RUNNING_IMAGE, "the bootloader was written");
        break;
    case SCN_REGION_DATA:
        st_break(dev, REP_PROMISE_RUNNING_IMAGE, "the application's data partition was written");
        break;
    case SCN_REGION_RUNNING_SLOT:
        witness_running_slot(dev, call);
        break;
    default:
        break;
    }
}

/* No older image than those that are confirmed may run any more. */
void st_witness_floor(struct st_device *dev)
{
    struct st_witness *seen = &dev->seen;
    struct sim_oracle_slot other;
    sim_oracle_slot(oracle(dev), &dev->flash, 1 - seen->running_slot, &other);
    uint32_t counter = seen->running.security_counter;
    if (other.valid && other.confirmed && other.security_counter < counter)
        counter = other.security_counter;
    if (counter > seen->counter_floor)
        seen->counter_floor = counter;
}

static void witness_confirmed(struct st_device *dev)
{
    struct st_witness *seen = &dev->seen;
    st_witness_floor(dev);
    seen->running_confirmed = true;
    seen->restless_boots = 0;
    if (seen->confirmed_us < 0)
        seen->confirmed_us = st_now_us(dev->st);
    st_note(dev, "%s is confirmed in slot %c", seen->version, 'A' + seen->running_slot);
    st_ail(dev);
}

void st_witness_done(struct st_device *dev, const struct sim_flash_call *call)
{
    struct st_witness *seen = &dev->seen;
    if (seen->running_slot < 0 || seen->running_confirmed ||
        st_region(dev, call->addr) != SCN_REGION_RUNNING_SLOT)
        return;
    sim_oracle_slot(oracle(dev), &dev->flash, seen->running_slot, &seen->running);
    if (seen->running.confirmed)
        witness_confirmed(dev);
}

/* ---- Boots ---- */

/* The slot that the bootloader jumped to, by what it left in the config (bootloader/DESIGN.md,
 * Decision): a trial that has begun runs the next slot, anything else the active one; without a
 * config the slot that was confirmed last. */
int st_slot_that_runs(const struct st_device *dev)
{
    struct sim_oracle_config config;
    struct sim_oracle_slot slot[BOOT_SLOTS];
    sim_oracle_config(oracle(dev), &dev->flash, &config);
    if (config.valid && config.active < BOOT_SLOTS && config.next < BOOT_SLOTS) {
        bool begun =
            config.next != config.active && config.trial_left < dev->st->scn->device.trial_boots;
        return begun ? config.next : config.active;
    }
    for (int s = 0; s < BOOT_SLOTS; s++)
        sim_oracle_slot(oracle(dev), &dev->flash, s, &slot[s]);
    return slot[1].confirmed_number > slot[0].confirmed_number;
}

void st_witness_trials(struct st_device *dev, bool changed)
{
    struct st_witness *seen = &dev->seen;
    if (changed || seen->running_confirmed)
        seen->trial_boots = 0;
    if (seen->running_confirmed)
        return;
    /* One more than granted is what losing both config copies may cost. */
    if (++seen->trial_boots > dev->st->scn->device.trial_boots + 1)
        st_break(dev, REP_PROMISE_CONFIRM_HEALTHY, "an unconfirmed image outlived its trial boots");
}

/* The boot failure that the body was made to show has taken effect. */
static void witness_failing(struct st_device *dev)
{
    struct sim_fault *fault = dev->failing;
    bool trial = !dev->seen.running_confirmed &&
                 st_firmware_of(dev, dev->seen.version) == dev->st->yard.world->candidate;
    if (!fault || !trial)
        return;
    st_fired(dev, fault);
    st_ail(dev); /* what the next boot is to meet */
}

bool st_witness_version(struct st_device *dev, const char *version, bool confirmed)
{
    struct st_witness *seen = &dev->seen;
    if (!strcmp(seen->version, version))
        return false;
    seen->changes++;
    seen->changed_us = st_now_us(dev->st);
    seen->confirmed_us = confirmed ? seen->changed_us : -1;
    snprintf(seen->version, sizeof seen->version, "%s", version);
    return true;
}

static void see_running(struct st_device *dev)
{
    struct st_witness *seen = &dev->seen;
    int slot = st_slot_that_runs(dev);
    sim_oracle_slot(oracle(dev), &dev->flash, slot, &seen->running);
    const char *why = may_run(dev, &seen->running);
    if (why)
        st_break(dev, REP_PROMISE_VERIFIED_CODE, "%s", why);
    bool changed = st_witness_version(dev, seen->running.version, seen->running.confirmed);
    seen->running_slot = slot;
    seen->running_confirmed = seen->running.confirmed;
    st_witness_trials(dev, changed);
}

void st_witness_boot(struct st_device *dev)
{
    struct st_witness *seen = &dev->seen;
    seen->boots++;
    seen->dead_boots = 0;
    dev->compare_owed = true; /* as soon as it stands still: what a body wrote may come late */
    see_running(dev);
    uint32_t firmware = st_firmware_of(dev, seen->version);
    seen->ailments =
        firmware == UINT32_MAX || seen->running_confirmed ? 0 : st_ailments(dev, firmware);
    st_note(dev, "boot %u: %s in slot %c, %s", seen->boots, seen->version, 'A' + seen->running_slot,
            seen->running_confirmed ? "confirmed" : "on trial");
    if (++seen->restless_boots > ST_RESTLESS_BOOTS_MAX)
        st_die(dev, REP_BRICK_BOOT_LOOP, "it boots again and again");
    else
        witness_failing(dev);
}

/* What was judged is the slot of the config. Another one may hold anything. */
void st_witness_said(struct st_device *dev, int slot)
{
    const struct st_witness *seen = &dev->seen;
    if (dev->power != ST_DEAD && slot != seen->running_slot)
        st_break(dev, REP_PROMISE_VERIFIED_CODE,
                 "its bootloader jumps to slot %c, and by its config slot %c runs", 'A' + slot,
                 'A' + seen->running_slot);
}

/* ---- For the fleet ---- */

static int64_t away_until_us(const struct st_device *dev)
{
    if (dev->power == ST_DEAD)
        return 0;
    int64_t off = dev->power == ST_OFF && !dev->st->ended
                      ? sim_queue_at(&dev->st->due, dev->number * ST_TIMERS + ST_TIMER_POWER)
                      : 0;
    off = off == SIM_NEVER ? 0 : off;
    return off > dev->mqtt_down_until_us ? off : dev->mqtt_down_until_us;
}

/* Also one that never gets out of its bootloader: else nobody would call that a brick. */
static bool is_powered(const struct st_device *dev)
{
    return dev->st->ended ? dev->was_powered : dev->power == ST_ON;
}

static bool is_connected(const struct st_device *dev)
{
    return dev->st->ended ? dev->was_connected : dev->connected;
}

static bool is_settled(const struct st_device *dev)
{
    if (dev->st->ended)
        return dev->was_settled;
    return is_powered(dev) && !dev->booting && dev->connected && dev->seen.running_confirmed &&
           dev->state == AGENT_IDLE && !dev->op.open;
}

/* The ends that are ordered after the run are no part of it. */
void st_witness_end(struct st_device *dev)
{
    dev->was_settled = is_settled(dev);
    dev->was_powered = is_powered(dev);
    dev->was_connected = is_connected(dev);
    dev->was_booting = dev->was_powered && dev->booting;
}

static void truth(void *ctx, uint32_t device, struct sim_truth *out)
{
    const struct sim_stepped *st = ctx;
    const struct st_device *dev = &st->device[device];
    const struct st_witness *seen = &dev->seen;
    *out = (struct sim_truth){
        .version = seen->version,
        .state = dev->state,
        .powered = is_powered(dev),
        .connected = is_connected(dev),
        .settled = is_settled(dev),
        .away_until_us = away_until_us(dev),
        .lost_us = dev->lost_us > dev->mqtt_down_until_us ? dev->lost_us : dev->mqtt_down_until_us,
        .brick = seen->brick,
        .boots = seen->boots,
        .cuts = seen->cuts,
        .changes = seen->changes,
        .changed_us = seen->changed_us,
        .crashes_after_confirm = seen->crashes_after_confirm,
        .flash = dev->flash.stats,
    };
    memcpy(out->broken, seen->broken, sizeof out->broken);
    for (uint32_t p = 0; p < REP_PROMISES; p++)
        out->broken_what[p] = seen->broken_what[p];
}

static uint32_t changes(void *ctx, uint32_t device)
{
    const struct sim_stepped *st = ctx;
    return st->device[device].seen.changes;
}

static void inspect_regions(struct st_device *dev, bool whole_data)
{
    const struct sim_world *world = dev->st->yard.world;
    const struct boot_layout *layout = &world->layout;
    uint32_t from = layout->data_addr + layout->journal_bytes;
    uint32_t len = layout->data_bytes - layout->journal_bytes;
    struct sim_flash fresh;
    if (!st_bootloader_is_whole(dev))
        st_break(dev, REP_PROMISE_RUNNING_IMAGE, "the bootloader region is not what it was");
    if (sim_flash_init(&fresh, &world->base[dev->unit->group], &world->known, &world->timing,
                       &dev->clock_us, 0, 0))
        return;
    if (whole_data &&
        sim_oracle_region_hash(&dev->flash, from, len) != sim_oracle_region_hash(&fresh, from, len))
        st_break(dev, REP_PROMISE_RUNNING_IMAGE, "the data partition is not what it was");
    sim_flash_free(&fresh);
}

/* What the flash says of a device at the end; NULL: nothing. */
static const char *why_dead(struct st_device *dev)
{
    if (!st_boots_again(dev))
        return "no slot verifies";
    if (dev->was_booting && !st_bootloader_is_whole(dev))
        return "it does not come up, and its bootloader region is not what the factory wrote";
    return NULL;
}

/* The run is over: the bodies are told to end before the first one is looked at, so that their
 * files are whole, and what they say at their end counts. What is at rest stays as it was. */
static void inspect(void *ctx, uint32_t device, bool whole_data)
{
    struct sim_stepped *st = ctx;
    struct st_device *dev = &st->device[device];
    if (!st->ended)
        st_end_all(st);
    if (!st->kind->free) {
        st_catch_up(dev);
        st_compare(dev);
    }
    bool legible = !st->kind->free || dev->flash_known;
    if (legible)
        inspect_regions(dev, whole_data);
    if (dev->seen.telemetry_owed)
        st_break(dev, REP_PROMISE_CONFIRM_HEALTHY, "confirmed, but no telemetry ever came of it");
    const char *why = dev->seen.brick || !legible ? NULL : why_dead(dev);
    if (!why)
        return;
    dev->seen.brick = REP_BRICK_NO_BOOT;
    st_break(dev, REP_PROMISE_NO_BRICK, "%s", why);
}

const struct sim_ground_devices st_devices = {truth, changes, inspect};
