/* Resets and boots: the ROM, the bootloader core, and what the oracle sees at the jump. */
#include "device_internal.h"
#include <string.h>

/* Boots without one quiet minute of the application after which the oracle calls it a loop. */
enum { RESTLESS_BOOTS_MAX = 40, DEAD_BOOTS_MAX = 3 };

/* A reset that the agent asked for ends its state as a transition would; any other takes it away.
 */
static void end_state(struct sim_device *dev, enum boot_reset reset)
{
    if (dev->power == POWER_APP && reset == BOOT_RESET_SOFTWARE) {
        enum scn_during state = (enum scn_during)(SCN_DURING_IDLE + (int)dev->state);
        struct sim_fault *fault = sim_fault_leave(&dev->faults, state);
        if (fault)
            dev_cut_now(dev, fault);
        dev_state_ends(dev, state);
    }
    dev_preempt(dev);
}

void dev_reset(struct sim_device *dev, enum boot_reset reset, int64_t after_us)
{
    if (dev->power == POWER_DEAD)
        return;
    end_state(dev, reset);
    dev_stop_app(dev);
    dev->power = POWER_ROM;
    dev->reset = reset;
    dev_log(dev, SIM_EV_RESET, reset, 0, "%s", boot_reset_name((int)reset));
    dev->timer[TIMER_BOOT] = dev->now_us + dev_own_us(dev, after_us);
}

/* The mask ROM runs whatever the bootloader region holds; what is not the factory's code does not
 * run. */
bool dev_bootloader_intact(const struct sim_device *dev)
{
    const struct sim_flash_base *base = &dev->world->base[dev->unit->group];
    uint8_t have[4096];
    uint32_t step = base->sector_bytes < sizeof have ? base->sector_bytes : sizeof have;
    if (!dev->hardware_damage)
        return true;
    for (uint32_t at = 0; at < dev->world->layout.bootloader_bytes; at += step) {
        const uint8_t *sector = base->sector[at / base->sector_bytes];
        sim_flash_peek(&dev->flash, at, have, step, 1);
        for (uint32_t i = 0; i < step; i++)
            if (have[i] != (sector ? sector[at % base->sector_bytes + i] : 0xFF))
                return false;
    }
    return true;
}

static void die(struct sim_device *dev, enum rep_brick brick, const char *why)
{
    dev->brick = brick;
    dev->power = POWER_DEAD;
    dev->truth_version[0] = 0;
    for (int t = 0; t < TIMERS; t++)
        dev->timer[t] = SIM_NEVER;
    dev_log(dev, SIM_EV_NO_BOOT, brick, 0, "%s", why);
    if (brick != REP_BRICK_HARDWARE)
        dev_break(dev, REP_PROMISE_NO_BRICK, why);
}

static bool run_bootloader(struct sim_device *dev)
{
    dev->flash.protect_from = dev->flash.protect_to = 0;
    dev->running_slot = -1;
    dev->in_rom = true;
    struct sim_fault *fault;
    while ((fault = sim_fault_enter(&dev->faults, SCN_DURING_BOOT)))
        dev_strike(dev, fault);
    int error = boot_run(&dev->env, dev->reset, &dev->outcome);
    fault = sim_fault_leave(&dev->faults, SCN_DURING_BOOT);
    if (fault)
        dev_cut_now(dev, fault);
    dev_state_ends(dev, SCN_DURING_BOOT);
    dev->in_rom = false;
    return !error && dev->outcome.slot != BOOT_SLOT_NONE;
}

void dev_boot(struct sim_device *dev)
{
    dev->boots++;
    if (!dev_bootloader_intact(dev)) {
        die(dev, REP_BRICK_HARDWARE, "the bootloader region is damaged");
        return;
    }
    if (!run_bootloader(dev)) {
        /* No slot verified. Bits that read unstably may read better next time: the ROM tries again.
         */
        dev_log(dev, SIM_EV_BOOT, UINT64_MAX, 0, "no slot boots (A: %s, B: %s)",
                boot_verdict_name((int)dev->outcome.verdict[0]),
                boot_verdict_name((int)dev->outcome.verdict[1]));
        if (++dev->dead_boots >= DEAD_BOOTS_MAX)
            die(dev, dev->hardware_damage ? REP_BRICK_HARDWARE : REP_BRICK_NO_BOOT,
                "no slot verifies");
        else
            dev_reset(dev, BOOT_RESET_WATCHDOG, dev->world->scn->device.watchdog_us);
        return;
    }
    dev->dead_boots = 0;
    if (++dev->restless_boots > RESTLESS_BOOTS_MAX) {
        die(dev, REP_BRICK_BOOT_LOOP, "it boots again and again");
        return;
    }
    dev_log(dev, SIM_EV_BOOT, (uint64_t)dev->outcome.slot,
            (uint64_t)dev->outcome.cause << 8 | dev->outcome.trial, "slot %c%s%s%s",
            'A' + dev->outcome.slot, dev->outcome.trial ? ", trial" : "",
            dev->outcome.cause ? ", " : "",
            dev->outcome.cause ? boot_cause_name((int)dev->outcome.cause) : "");
    dev->timer[TIMER_APP] = dev->now_us + dev_own_us(dev, 400000);
}
