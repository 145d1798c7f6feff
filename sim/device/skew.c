/* The device's own clock, when it is wrong: what the agent is told, and what certificates are held
 * against. */
#include "device_internal.h"

/* Servers have certificates from a day before the start, for ten years (sim/loopback). */
static const int64_t DAY_US = 86400000000;
enum { VALID_FROM_DAYS = -1, VALID_TO_DAYS = 3650 };

int64_t dev_clock_ms(const struct sim_device *dev)
{
    return (dev->now_us + dev->skew_us) / 1000;
}

int64_t sim_device_skew_us(const struct sim_device *dev)
{
    return dev->skew_us;
}

bool dev_clock_refuses(const struct sim_device *dev)
{
    int64_t days = (dev->now_us + dev->skew_us - dev->world->scn->start_us) / DAY_US;
    return dev->skew_us && (days < VALID_FROM_DAYS || days >= VALID_TO_DAYS);
}

static bool skews(const struct sim_device *dev, const struct sim_fault *fault)
{
    return fault->kind == SCN_FAULT_CLOCK_SKEW && fault->until_us > dev->now_us;
}

void dev_clock_used(struct sim_device *dev)
{
    if (!dev->skew_us)
        return;
    for (uint32_t i = 0; i < dev->faults.count; i++) {
        struct sim_fault *fault = &dev->faults.fault[i];
        if (skews(dev, fault) && fault->left > 0)
            dev_fired(dev, fault);
    }
}

/* Nobody looked at the clock in its time. */
static void end_unused(struct sim_device *dev)
{
    for (uint32_t i = 0; i < dev->faults.count; i++) {
        struct sim_fault *fault = &dev->faults.fault[i];
        if (fault->kind == SCN_FAULT_CLOCK_SKEW && fault->until_us && fault->left > 0 &&
            fault->until_us <= dev->now_us)
            dev_trouble_ends(dev, fault);
    }
}

/* The sum of all that lasts, and when the first of them ends. */
static int64_t skew_now(const struct sim_device *dev, int64_t *until_us)
{
    int64_t sum_us = 0;
    *until_us = SIM_NEVER;
    for (uint32_t i = 0; i < dev->faults.count; i++) {
        const struct sim_fault *fault = &dev->faults.fault[i];
        if (!skews(dev, fault))
            continue;
        sum_us += dev->world->scn->fault[fault->fault].by_us;
        *until_us = fault->until_us < *until_us ? fault->until_us : *until_us;
    }
    return sum_us;
}

void dev_clock_set(struct sim_device *dev)
{
    int64_t from_ms = dev_clock_ms(dev);
    end_unused(dev);
    dev->skew_us = skew_now(dev, &dev->timer[TIMER_CLOCK]);
    dev_log(dev, SIM_EV_CLOCK, (uint64_t)dev->skew_us, 0, "set %+lld s from what is right",
            (long long)(dev->skew_us / 1000000));
    if (dev->power != POWER_APP)
        return;
    agent_clock_set(dev->agent, from_ms, dev_clock_ms(dev));
    dev_agent_input(dev, &(struct agent_event){.kind = AGENT_EV_TIME});
}

void dev_begin_skew(struct sim_device *dev, struct sim_fault *fault)
{
    fault->until_us = dev->now_us + fault->for_us;
    fault->at_us = SIM_NEVER;
    sim_fault_arm(fault);
    dev_clock_set(dev);
}
