/* The application: how this firmware behaves on this device, from its start to its crashes. */
#include "device_internal.h"
#include <string.h>

static bool afflicted(const struct sim_device *dev, uint32_t firmware, uint32_t affliction,
                      struct scn_ratio chance)
{
    return sim_afflicted(dev->world, dev->unit->number, firmware, affliction, chance);
}

static void ail_by_firmware(struct sim_device *dev)
{
    struct sim_ailment *ail = &dev->ailment;
    if (dev->firmware == UINT32_MAX)
        return;
    const struct scn_behaviour *b = &dev->world->artifact[dev->firmware].from->behaviour;
    ail->fails = afflicted(dev, dev->firmware, SIM_AFFLICT_BOOT_FAILS, b->boot_fails);
    ail->hang = afflicted(dev, dev->firmware, SIM_AFFLICT_HANGS, b->hangs);
    for (uint32_t h = 0; h < AGENT_HEALTH_CHECKS; h++)
        ail->health[h] = afflicted(dev, dev->firmware, SIM_AFFLICT_HEALTH + h, b->health[h]);
    if (afflicted(dev, dev->firmware, SIM_AFFLICT_MIGRATION, b->migration))
        dev->data_migrated = true;
    else if (dev->data_migrated && dev->firmware != dev->world->candidate)
        ail->unreachable = true; /* the new version's data, which the old one can't read */
}

static void ail_by_fault(struct sim_device *dev)
{
    struct sim_ailment *ail = &dev->ailment;
    if (!dev->outcome.trial || dev->firmware != dev->world->candidate)
        return;
    struct sim_fault *fault = sim_fault_boot(&dev->faults);
    if (!fault)
        return;
    ail->fault = fault->how;
    dev_log(dev, SIM_EV_FAULT_ARMED, fault->fault, fault->how, "boot failure: %s",
            scn_how_name((int)fault->how));
    if (fault->how == SCN_HOW_HANG)
        ail->hang = true;
    else if (fault->how == SCN_HOW_HARD_FAULT)
        ail->fails = true;
    else if (fault->how >= SCN_HOW_HEALTH_MQTT && fault->how <= SCN_HOW_HEALTH_HARD_FAULT)
        ail->health[fault->how - SCN_HOW_HEALTH_MQTT] = true;
    dev_fired(dev, fault);
}

/* The next crash of a confirmed image: one draw a day, and a moment in the day that it hits. */
static int64_t next_crash_us(const struct sim_device *dev)
{
    const int64_t day = 86400000000;
    if (dev->firmware == UINT32_MAX || dev->confirmed_us < 0)
        return SIM_NEVER;
    const struct scn_behaviour *b = &dev->world->artifact[dev->firmware].from->behaviour;
    if (b->crash_per_day.num <= 0)
        return SIM_NEVER;
    int64_t from = dev->confirmed_us + b->crash_onset_us;
    int64_t first = dev->now_us > from ? (dev->now_us - from) / day : 0;
    for (int64_t d = first; d < first + 60; d++) {
        struct sim_rng rng;
        sim_rng_init(&rng, dev->world->scn->seed, dev->unit->number, SIM_RNG_CRASH,
                     dev->firmware * 4096 + (uint32_t)d);
        if (!sim_rng_chance(&rng, b->crash_per_day.num, b->crash_per_day.den))
            continue;
        int64_t at = from + d * day + (int64_t)sim_rng_below(&rng, 86400) * 1000000;
        if (at > dev->now_us)
            return at;
    }
    return SIM_NEVER;
}

void dev_crash(struct sim_device *dev)
{
    dev_log(dev, SIM_EV_CRASH, dev->firmware, 0, "hard fault in %s", dev->truth_version);
    dev_reset(dev, BOOT_RESET_HARD_FAULT, 10000);
    dev_telemetry_reset(dev);
}

static void start_agent(struct sim_device *dev)
{
    const struct agent_boot boot = {.slot = dev->outcome.slot,
                                    .trial = dev->outcome.trial,
                                    .reset = dev->reset,
                                    .cause = dev->outcome.cause};
    dev->power = POWER_APP;
    dev->state = AGENT_IDLE;
    dev_clock_used(dev);
    agent_start(dev->agent, &dev->agent_config, &boot, dev_clock_ms(dev));
    dev->state = agent_state(dev->agent);
    dev_interlock(dev);
    dev_agent_drain(dev);
}

static void schedule_life(struct sim_device *dev)
{
    int64_t now = dev->now_us;
    int64_t connects = 1000000 + sim_rng_below(&dev->link_rng, 2000000);
    connects += 2 * dev_delay_us(dev, 200);
    dev->timer[TIMER_CONFIG] = now + dev_own_us(dev, 200000);
    dev->timer[TIMER_DRIVERS] = now + dev_own_us(dev, 500000);
    dev->timer[TIMER_MQTT] = now + dev_own_us(dev, connects);
    if (dev->outcome.trial)
        dev->timer[TIMER_WATCHDOG] =
            dev->app_start_us + dev_own_us(dev, dev->world->scn->device.watchdog_us);
    dev->timer[TIMER_CRASH] = next_crash_us(dev);
    if (dev->ailment.health[AGENT_HEALTH_HARD_FAULT] && !dev->running_confirmed) {
        int64_t most_s = dev->world->scn->device.fault_free_us / 1000000;
        int64_t runs_s = sim_rng_below(&dev->link_rng, (uint32_t)(most_s > 1 ? most_s - 1 : 1));
        dev->timer[TIMER_CRASH] = now + dev_own_us(dev, 500000 + 1000000 * runs_s);
    }
    if (dev->ailment.fault == SCN_HOW_RESET_LOOP || dev->ailment.fault == SCN_HOW_BROWN_OUT)
        dev->timer[TIMER_RESET] = now + dev_own_us(dev, 5000000);
    if (dev->ailment.health[AGENT_HEALTH_MQTT] || dev->ailment.unreachable)
        dev->timer[TIMER_MQTT] = SIM_NEVER;
}

/* The agent never gets to run: the application hangs until the watchdog bites, or faults at once.
 */
static void fail_at_start(struct sim_device *dev)
{
    int64_t watchdog_us = dev->world->scn->device.watchdog_us;
    if (dev->ailment.hang) {
        dev->timer[TIMER_WATCHDOG] = dev->now_us + dev_own_us(dev, watchdog_us);
        dev_log(dev, SIM_EV_HANG, 0, 0, "until the watchdog bites");
    } else {
        dev->timer[TIMER_CRASH] = dev->now_us + dev_own_us(dev, 10000);
    }
}

void dev_app_start(struct sim_device *dev)
{
    dev_witness_boot(dev);
    dev->ailment = (struct sim_ailment){0};
    dev->interlock_told = false;
    dev->app_start_us = dev->now_us;
    dev->connected_at_first_us = -1;
    dev->connected = dev->drivers_ok = dev->config_ok = dev->telemetry_ok = false;
    ail_by_firmware(dev);
    ail_by_fault(dev);
    dev_log(dev, SIM_EV_APP_START, dev->firmware, dev->outcome.trial, "%s%s", dev->truth_version,
            dev->outcome.trial ? " on trial" : "");
    if (dev->ailment.hang || dev->ailment.fails) {
        fail_at_start(dev);
        return;
    }
    start_agent(dev);
    if (dev->power == POWER_APP)
        schedule_life(dev);
}

/* The confirmation is durable: from now on the watchdog is kicked. */
void dev_confirmed(struct sim_device *dev)
{
    sim_oracle_slot(dev->shard->oracle, &dev->flash, dev->running_slot, &dev->running);
    dev->timer[TIMER_WATCHDOG] = SIM_NEVER;
    if (!dev->running.confirmed) {
        dev_break(dev, REP_PROMISE_CONFIRM_HEALTHY,
                  "said to be confirmed, but flash does not hold the mark");
        return;
    }
    struct sim_oracle_slot other;
    sim_oracle_slot(dev->shard->oracle, &dev->flash, 1 - dev->running_slot, &other);
    uint32_t counter = dev->running.security_counter;
    if (other.valid && other.confirmed && other.security_counter < counter)
        counter = other.security_counter;
    if (counter > dev->counter_floor)
        dev->counter_floor = counter;
    dev->running_confirmed = true;
    dev->restless_boots = 0;
    if (dev->confirmed_us < 0)
        dev->confirmed_us = dev->now_us;
    dev->timer[TIMER_CRASH] = next_crash_us(dev);
    dev_log(dev, SIM_EV_CONFIRMED, (uint64_t)dev->running_slot, dev->running.confirmed_number,
            "%s in slot %c", dev->truth_version, 'A' + dev->running_slot);
}

static void health_event(struct sim_device *dev, enum agent_event_kind kind,
                         enum agent_health check, bool *seen, const char *what)
{
    *seen = !dev->ailment.health[check];
    dev_log(dev, SIM_EV_HEALTH, check, *seen, "%s %s", what, *seen ? "ok" : "FAILED");
    dev_agent_input(dev, &(struct agent_event){.kind = kind, .ok = *seen});
}

void dev_config_loaded(struct sim_device *dev)
{
    health_event(dev, AGENT_EV_CONFIG, AGENT_HEALTH_CONFIG, &dev->config_ok, "configuration");
}

void dev_drivers_ready(struct sim_device *dev)
{
    health_event(dev, AGENT_EV_DRIVERS, AGENT_HEALTH_DRIVERS, &dev->drivers_ok, "drivers");
}

void dev_telemetry_acknowledged(struct sim_device *dev)
{
    if (dev->running_confirmed)
        dev->restless_boots = 0;
    health_event(dev, AGENT_EV_TELEMETRY, AGENT_HEALTH_TELEMETRY, &dev->telemetry_ok,
                 "first telemetry");
}

/* The process that may not be interrupted runs in half hours, each drawn by itself. */
void dev_interlock(struct sim_device *dev)
{
    const int64_t half_hour = 1800000000;
    struct scn_ratio share = dev->group->active_process;
    if (share.num <= 0)
        return;
    struct sim_rng rng;
    sim_rng_init(&rng, dev->world->scn->seed, dev->unit->number, SIM_RNG_INTERLOCK,
                 (uint32_t)((dev->now_us - dev->world->scn->start_us) / half_hour));
    bool active = sim_rng_chance(&rng, share.num, share.den);
    bool told = dev->interlock_told && dev->interlock == active;
    dev->interlock = active;
    dev->interlock_told = true;
    dev->timer[TIMER_INTERLOCK] =
        dev->state == AGENT_IDLE
            ? SIM_NEVER
            : dev->now_us + half_hour - (dev->now_us - dev->world->scn->start_us) % half_hour;
    if (told)
        return;
    dev_log(dev, SIM_EV_INTERLOCK, active, 0, "%s",
            active ? "active process runs" : "no active process");
    dev_agent_input(dev, &(struct agent_event){.kind = AGENT_EV_INTERLOCK, .ok = active});
}

void dev_state(void *ctx, enum agent_state from, enum agent_state to)
{
    struct sim_device *dev = ctx;
    struct sim_fault *fault =
        sim_fault_leave(&dev->faults, (enum scn_during)(SCN_DURING_IDLE + (int)from));
    if (fault)
        dev_cut_now(dev, fault);
    dev_state_ends(dev, (enum scn_during)(SCN_DURING_IDLE + (int)from));
    dev->state = to;
    dev_log(dev, SIM_EV_STATE, from, to, "%s -> %s", agent_state_name((int)from),
            agent_state_name((int)to));
    if (from == AGENT_IDLE)
        dev->timer[TIMER_INTERLOCK] = dev->now_us;
    while ((fault = sim_fault_enter(&dev->faults, (enum scn_during)(SCN_DURING_IDLE + (int)to))))
        dev_strike(dev, fault);
}
