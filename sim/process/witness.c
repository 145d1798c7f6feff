/* The oracle at a process: what its flash file says, never what the daemon says of itself. */
#include "process_internal.h"
#include <stdarg.h>
#include <string.h>

enum { RESTLESS_BOOTS_MAX = 40 };

void pw_break(struct pw_device *dev, enum rep_promise promise, const char *format, ...)
{
    struct pw_witness *seen = &dev->seen;
    char what[REP_TEXT_MAX];
    va_list list;
    va_start(list, format);
    vsnprintf(what, sizeof what, format, list);
    va_end(list);
    if (!seen->broken[promise]++)
        memcpy(seen->broken_what[promise], what, sizeof what);
    pw_note(dev, "BROKEN %s: %s", rep_promise_name((int)promise), what);
}

void pw_die(struct pw_device *dev, enum rep_brick brick, const char *why)
{
    pw_kill(dev);
    dev->power = PW_DEAD;
    dev->seen.brick = brick;
    dev->seen.version[0] = '\0';
    for (int timer = 0; timer < PW_TIMERS; timer++)
        pw_after(dev, (enum pw_timer)timer, SIM_NEVER);
    pw_break(dev, REP_PROMISE_NO_BRICK, "%s", why);
}

static struct sim_oracle *oracle(const struct pw_device *dev)
{
    return dev->pw->fleet.shard->oracle;
}

static const char *may_run(const struct pw_device *dev, const struct sim_oracle_slot *slot)
{
    return sim_oracle_may_run(slot, dev->group->device_type, dev->unit->hw_revision,
                              dev->seen.counter_floor);
}

bool pw_boots_again(struct pw_device *dev)
{
    for (int slot = 0; slot < BOOT_SLOTS; slot++) {
        struct sim_oracle_slot held;
        sim_oracle_slot(oracle(dev), &dev->flash, slot, &held);
        if (!may_run(dev, &held))
            return true;
    }
    return false;
}

/* ---- Operations ---- */

static bool only_clears(const struct pw_device *dev, const struct sim_flash_call *call)
{
    uint8_t old[AGENT_OP_DATA_MAX], rising = 0;
    sim_flash_peek(&dev->flash, call->addr, old, call->len, 1);
    for (uint32_t i = 0; i < call->len; i++)
        rising |= (uint8_t)(call->data[i] & ~old[i]);
    return !rising;
}

/* What can be seen from outside before the mark: that long without a reset, by this clock, and no
 * check that was made to fail. Its first telemetry may still be on its way to the service. */
static bool healthy(const struct pw_device *dev)
{
    /* The daemon counts milliseconds, at both ends. */
    int64_t least_us = pw_own_us(dev->pw, dev->pw->scn->device.fault_free_us - 2000);
    return !dev->seen.ailments && pw_now_us(dev->pw) - dev->seen.app_start_us >= least_us;
}

static void witness_running_slot(struct pw_device *dev, const struct sim_flash_call *call)
{
    if (call->addr < boot_layout_trailer(&dev->pw->world->layout, dev->seen.running_slot))
        pw_break(dev, REP_PROMISE_RUNNING_IMAGE, "the running image was written at 0x%06x",
                 call->addr);
    else if (call->kind == SIM_FLASH_ERASE)
        pw_break(dev, REP_PROMISE_RUNNING_IMAGE, "the running slot's trailer was erased");
    else if (!dev->seen.running_confirmed && !healthy(dev))
        pw_break(dev, REP_PROMISE_CONFIRM_HEALTHY,
                 "confirmed before all five checks had passed (%.3f s after the boot%s)",
                 (double)(pw_now_us(dev->pw) - dev->seen.app_start_us) / 1e6 /
                     (double)dev->pw->scn->campaign.time_scale,
                 dev->seen.ailments ? ", and one is made to fail" : "");
    else if (!dev->seen.running_confirmed && !dev->seen.telemetry_heard)
        dev->seen.telemetry_owed = true;
}

void pw_witness_call(struct pw_device *dev, const struct sim_flash_call *call)
{
    if (call->kind == SIM_FLASH_PROGRAM && !only_clears(dev, call))
        pw_break(dev, REP_PROMISE_FLASH_DISCIPLINE, "program of a bit that is not erased");
    switch (pw_region(dev, call->addr)) {
    case SCN_REGION_BOOTLOADER:
        pw_break(dev, REP_PROMISE_RUNNING_IMAGE, "the bootloader was written");
        break;
    case SCN_REGION_DATA:
        pw_break(dev, REP_PROMISE_RUNNING_IMAGE, "the application's data partition was written");
        break;
    case SCN_REGION_RUNNING_SLOT:
        witness_running_slot(dev, call);
        break;
    default:
        break;
    }
}

static void witness_confirmed(struct pw_device *dev)
{
    struct pw_witness *seen = &dev->seen;
    struct sim_oracle_slot other;
    sim_oracle_slot(oracle(dev), &dev->flash, 1 - seen->running_slot, &other);
    uint32_t counter = seen->running.security_counter;
    if (other.valid && other.confirmed && other.security_counter < counter)
        counter = other.security_counter;
    if (counter > seen->counter_floor)
        seen->counter_floor = counter;
    seen->running_confirmed = true;
    seen->restless_boots = 0;
    if (seen->confirmed_us < 0)
        seen->confirmed_us = pw_now_us(dev->pw);
    pw_note(dev, "%s is confirmed in slot %c", seen->version, 'A' + seen->running_slot);
    pw_configure(dev);
}

void pw_witness_done(struct pw_device *dev, const struct sim_flash_call *call)
{
    struct pw_witness *seen = &dev->seen;
    if (seen->running_slot < 0 || seen->running_confirmed ||
        pw_region(dev, call->addr) != SCN_REGION_RUNNING_SLOT)
        return;
    sim_oracle_slot(oracle(dev), &dev->flash, seen->running_slot, &seen->running);
    if (seen->running.confirmed)
        witness_confirmed(dev);
}

/* ---- Boots ---- */

/* The slot that the bootloader jumped to, by what it left in the config (bootloader/DESIGN.md,
 * Decision): a trial that has begun runs the next slot, anything else the active one; without a
 * config the slot that was confirmed last. */
static int slot_that_runs(const struct pw_device *dev)
{
    struct sim_oracle_config config;
    struct sim_oracle_slot slot[BOOT_SLOTS];
    sim_oracle_config(oracle(dev), &dev->flash, &config);
    if (config.valid && config.active < BOOT_SLOTS && config.next < BOOT_SLOTS) {
        bool begun =
            config.next != config.active && config.trial_left < dev->pw->scn->device.trial_boots;
        return begun ? config.next : config.active;
    }
    for (int s = 0; s < BOOT_SLOTS; s++)
        sim_oracle_slot(oracle(dev), &dev->flash, s, &slot[s]);
    return slot[1].confirmed_number > slot[0].confirmed_number;
}

static void witness_trials(struct pw_device *dev, bool changed)
{
    struct pw_witness *seen = &dev->seen;
    if (changed || seen->running_confirmed)
        seen->trial_boots = 0;
    if (seen->running_confirmed)
        return;
    /* One more than granted is what losing both config copies may cost. */
    if (++seen->trial_boots > dev->pw->scn->device.trial_boots + 1)
        pw_break(dev, REP_PROMISE_CONFIRM_HEALTHY, "an unconfirmed image outlived its trial boots");
}

/* The boot failure that its configuration held has taken effect. */
static void witness_failing(struct pw_device *dev)
{
    struct sim_fault *fault = dev->failing;
    bool trial = !dev->seen.running_confirmed &&
                 pw_firmware_of(dev, dev->seen.version) == dev->pw->world->candidate;
    if (!fault || !trial)
        return;
    pw_fired(dev, fault);
    pw_configure(dev); /* what the next boot is to meet */
}

static void see_running(struct pw_device *dev)
{
    struct pw_witness *seen = &dev->seen;
    int slot = slot_that_runs(dev);
    sim_oracle_slot(oracle(dev), &dev->flash, slot, &seen->running);
    const char *why = may_run(dev, &seen->running);
    if (why)
        pw_break(dev, REP_PROMISE_VERIFIED_CODE, "%s", why);
    bool changed = strcmp(seen->version, seen->running.version) != 0;
    if (changed) {
        seen->changes++;
        seen->changed_us = pw_now_us(dev->pw);
        seen->confirmed_us = seen->running.confirmed ? seen->changed_us : -1;
        memcpy(seen->version, seen->running.version, sizeof seen->version);
    }
    seen->running_slot = slot;
    seen->running_confirmed = seen->running.confirmed;
    witness_trials(dev, changed);
}

void pw_witness_boot(struct pw_device *dev)
{
    struct pw_witness *seen = &dev->seen;
    seen->boots++;
    seen->dead_boots = 0;
    if (!dev->op.open)
        pw_compare(dev);
    see_running(dev);
    uint32_t firmware = pw_firmware_of(dev, seen->version);
    seen->ailments =
        firmware == UINT32_MAX || seen->running_confirmed ? 0 : pw_ailments(dev, firmware);
    pw_note(dev, "boot %u: %s in slot %c, %s", seen->boots, seen->version, 'A' + seen->running_slot,
            seen->running_confirmed ? "confirmed" : "on trial");
    if (++seen->restless_boots > RESTLESS_BOOTS_MAX)
        pw_die(dev, REP_BRICK_BOOT_LOOP, "it boots again and again");
    else
        witness_failing(dev);
}

/* ---- For the fleet ---- */

static int64_t away_until_us(const struct pw_device *dev)
{
    if (dev->power == PW_DEAD)
        return 0;
    int64_t off = dev->power == PW_OFF && !dev->pw->ended
                      ? sim_queue_at(&dev->pw->due, dev->number * PW_TIMERS + PW_TIMER_POWER)
                      : 0;
    off = off == SIM_NEVER ? 0 : off;
    return off > dev->mqtt_down_until_us ? off : dev->mqtt_down_until_us;
}

static bool is_powered(const struct pw_device *dev)
{
    return dev->pw->ended ? dev->was_powered : dev->power == PW_ON && !dev->booting;
}

static bool is_connected(const struct pw_device *dev)
{
    return dev->pw->ended ? dev->was_connected : dev->connected;
}

static bool is_settled(const struct pw_device *dev)
{
    if (dev->pw->ended)
        return dev->was_settled;
    return is_powered(dev) && dev->connected && dev->seen.running_confirmed &&
           dev->state == AGENT_IDLE && !dev->op.open;
}

/* The ends that are ordered after the run are no part of it. */
void pw_witness_end(struct pw_device *dev)
{
    dev->was_settled = is_settled(dev);
    dev->was_powered = is_powered(dev);
    dev->was_connected = is_connected(dev);
}

static void truth(void *ctx, uint32_t device, struct sim_truth *out)
{
    const struct sim_processes *pw = ctx;
    const struct pw_device *dev = &pw->device[device];
    const struct pw_witness *seen = &dev->seen;
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
    const struct sim_processes *pw = ctx;
    return pw->device[device].seen.changes;
}

static void inspect_regions(struct pw_device *dev, bool whole_data)
{
    const struct sim_world *world = dev->pw->world;
    const struct boot_layout *layout = &world->layout;
    uint32_t from = layout->data_addr + layout->journal_bytes;
    uint32_t len = layout->data_bytes - layout->journal_bytes;
    struct sim_flash fresh;
    if (sim_flash_init(&fresh, &world->base[dev->unit->group], &world->known, &world->timing,
                       &dev->clock_us, 0, 0))
        return;
    if (whole_data &&
        sim_oracle_region_hash(&dev->flash, from, len) != sim_oracle_region_hash(&fresh, from, len))
        pw_break(dev, REP_PROMISE_RUNNING_IMAGE, "the data partition is not what it was");
    if (sim_oracle_region_hash(&dev->flash, 0, layout->bootloader_bytes) !=
        sim_oracle_region_hash(&fresh, 0, layout->bootloader_bytes))
        pw_break(dev, REP_PROMISE_RUNNING_IMAGE, "the bootloader region is not what it was");
    sim_flash_free(&fresh);
}

/* The run is over: the daemons are told to end before the first one is looked at, so that their
 * files are whole, and what they say at their end counts. What is at rest stays as it was. */
static void inspect(void *ctx, uint32_t device, bool whole_data)
{
    struct sim_processes *pw = ctx;
    struct pw_device *dev = &pw->device[device];
    if (!pw->ended)
        pw_end_all(pw);
    pw_catch_up(dev);
    pw_compare(dev);
    inspect_regions(dev, whole_data);
    if (dev->seen.telemetry_owed)
        pw_break(dev, REP_PROMISE_CONFIRM_HEALTHY, "confirmed, but no telemetry ever came of it");
    if (dev->seen.brick || pw_boots_again(dev))
        return;
    dev->seen.brick = REP_BRICK_NO_BOOT;
    pw_break(dev, REP_PROMISE_NO_BRICK, "no slot verifies");
}

const struct sim_ground_devices pw_devices = {truth, changes, inspect};
