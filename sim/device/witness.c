/* The oracle at a device: what runs, what is written where, and whether a confirmation was
 * deserved. It reads flash and the device's surroundings, never what agent or bootloader say of
 * themselves. */
#include "device_internal.h"
#include <string.h>

void dev_break(struct sim_device *dev, enum rep_promise promise, const char *what)
{
    if (!dev->broken[promise]++)
        dev->broken_what[promise] = what;
    dev_log(dev, SIM_EV_PROMISE, promise, 0, "BROKEN %s: %s", rep_promise_name((int)promise), what);
}

enum scn_region dev_region(const struct sim_device *dev, uint32_t addr)
{
    return sim_fault_region(&dev->world->layout, dev->running_slot, addr);
}

static bool healthy(const struct sim_device *dev)
{
    const struct scn_device *limit = &dev->world->scn->device;
    return dev->connected_at_first_us >= 0 &&
           dev->connected_at_first_us - dev->app_start_us <=
               dev_own_us(dev, limit->mqtt_within_us) &&
           dev->drivers_ok && dev->config_ok && dev->telemetry_ok &&
           /* the agent counts milliseconds */
           dev->now_us / 1000 - dev->app_start_us / 1000 >=
               dev_own_us(dev, limit->fault_free_us) / 1000;
}

/* A mark on the trailer of a running image that was not confirmed is the confirmation itself. */
static void witness_running_slot(struct sim_device *dev, const struct sim_flash_call *call)
{
    if (call->kind == SIM_FLASH_ERASE)
        dev_break(dev, REP_PROMISE_RUNNING_IMAGE, "the running slot's trailer was erased");
    else if (!dev->running_confirmed && !healthy(dev))
        dev_break(dev, REP_PROMISE_CONFIRM_HEALTHY, "confirmed before all five checks had passed");
}

static void witness_at_boot(struct sim_device *dev, const struct sim_flash_call *call)
{
    bool confirms;
    const char *what = sim_oracle_at_boot(dev->shard->oracle, &dev->flash, call, &confirms);
    if (what)
        dev_break(dev, confirms ? REP_PROMISE_CONFIRM_HEALTHY : REP_PROMISE_RUNNING_IMAGE, what);
}

void dev_witness_call(struct sim_device *dev, const struct sim_flash_call *call)
{
    if (dev->running_slot < 0)
        witness_at_boot(dev, call);
    switch (dev_region(dev, call->addr)) {
    case SCN_REGION_RUNNING_SLOT:
        if (call->addr >= boot_layout_trailer(&dev->world->layout, dev->running_slot))
            witness_running_slot(dev, call);
        break;
    case SCN_REGION_DATA:
        dev_break(dev, REP_PROMISE_RUNNING_IMAGE, "the application's data partition was written");
        break;
    default:
        break;
    }
}

static void witness_trials(struct sim_device *dev, bool changed)
{
    if (changed || dev->running_confirmed)
        dev->trial_boots_seen = 0;
    if (dev->running_confirmed)
        return;
    /* One trial more than granted is what losing both config copies may cost (DESIGN section 3). */
    if (++dev->trial_boots_seen > dev->world->scn->device.trial_boots + 1)
        dev_break(dev, REP_PROMISE_CONFIRM_HEALTHY,
                  "an unconfirmed image outlived its trial boots");
}

static uint32_t firmware_of(const struct sim_device *dev, const char *version)
{
    const struct scn *scn = dev->world->scn;
    for (uint32_t i = 0; i < scn->firmwares; i++)
        if (!strcmp(dev->world->artifact[i].header.version, version))
            return i;
    return UINT32_MAX;
}

void dev_witness_boot(struct sim_device *dev)
{
    const struct boot_layout *layout = &dev->world->layout;
    int slot = dev->outcome.slot;
    sim_oracle_slot(dev->shard->oracle, &dev->flash, slot, &dev->running);
    const char *why = sim_oracle_may_run(&dev->running, dev->group->device_type,
                                         dev->unit->hw_revision, dev->counter_floor);
    if (why)
        dev_break(dev, REP_PROMISE_VERIFIED_CODE, why);
    bool changed = strcmp(dev->truth_version, dev->running.version) != 0;
    if (changed) {
        dev->changes++;
        dev->changed_us = dev->now_us;
        dev->confirmed_us = dev->running.confirmed ? dev->now_us : -1;
        memcpy(dev->truth_version, dev->running.version, sizeof dev->truth_version);
    }
    dev->running_slot = slot;
    dev->running_confirmed = dev->running.confirmed;
    dev->firmware = firmware_of(dev, dev->running.version);
    dev->flash.protect_from = layout->slot_addr[slot];
    dev->flash.protect_to = boot_layout_trailer(layout, slot);
    witness_trials(dev, changed);
}

static bool any_slot_boots(struct sim_device *dev)
{
    for (int slot = 0; slot < BOOT_SLOTS; slot++) {
        struct sim_oracle_slot held;
        sim_oracle_slot(dev->shard->oracle, &dev->flash, slot, &held);
        if (!sim_oracle_may_run(&held, dev->group->device_type, dev->unit->hw_revision,
                                dev->counter_floor))
            return true;
    }
    return false;
}

/* A device that still runs from damaged flash, or is off, is a brick too if its next power cycle
 * finds nothing to boot. */
static void inspect_boot(struct sim_device *dev)
{
    bool intact = dev_bootloader_intact(dev);
    if (dev->brick || (intact && any_slot_boots(dev)))
        return;
    dev->brick = dev->hardware_damage ? REP_BRICK_HARDWARE : REP_BRICK_NO_BOOT;
    dev_log(dev, SIM_EV_NO_BOOT, dev->brick, 0, "it would not boot again: %s",
            intact ? "no slot verifies" : "the bootloader region is damaged");
    if (!dev->hardware_damage)
        dev_break(dev, REP_PROMISE_NO_BRICK, "no slot verifies");
}

void sim_device_inspect(struct sim_device *dev, struct sim_shard *shard, bool whole_data)
{
    const struct boot_layout *layout = &dev->world->layout;
    dev->shard = shard;
    if (dev->hardware_damage || dev->power == POWER_OFF)
        inspect_boot(dev);
    if (dev->hardware_damage || !whole_data)
        return;
    uint32_t from = layout->data_addr + layout->journal_bytes;
    uint32_t len = layout->data_bytes - layout->journal_bytes;
    struct sim_flash fresh;
    if (sim_flash_init(&fresh, &dev->world->base[dev->unit->group], &dev->world->known,
                       &dev->world->timing, &dev->now_us, 0, 0))
        return;
    if (!dev->data_damage &&
        sim_oracle_region_hash(&dev->flash, from, len) != sim_oracle_region_hash(&fresh, from, len))
        dev_break(dev, REP_PROMISE_RUNNING_IMAGE, "the data partition is not what it was");
    if (sim_oracle_region_hash(&dev->flash, 0, layout->bootloader_bytes) !=
        sim_oracle_region_hash(&fresh, 0, layout->bootloader_bytes))
        dev_break(dev, REP_PROMISE_RUNNING_IMAGE, "the bootloader region is not what it was");
    sim_flash_free(&fresh);
}
