/* Telemetry in runs: what was sent since the last report, worked out from the time instead of
 * simulated one message at a time. */
#include "device_internal.h"
#include <string.h>

/* Base figures of the pump monitor; the scenario's behaviour is relative to them. */
enum { BASE_ENERGY_MW = 1200, BASE_MEMORY_KB = 24000, BASE_CPU_PERMILLE = 180 };
static const int64_t CRASH_WITHIN_US = 48 * INT64_C(3600000000);

static int64_t scaled(int64_t base, struct scn_ratio change)
{
    return base + base * change.num / change.den;
}

static int64_t grown(int64_t base, struct scn_ratio per_day, int64_t age_us)
{
    return base + base * per_day.num / per_day.den * (age_us / 3600000000) / 24;
}

/* Messages first..last (numbers since the epoch of this device) which were really sent. */
static uint32_t sent(const struct sim_device *dev, int64_t first, int64_t last,
                     struct scn_ratio gap)
{
    if (gap.num <= 0)
        return (uint32_t)(last - first + 1);
    uint64_t seed = dev->world->scn->seed;
    const uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
    uint64_t limit = ((uint64_t)gap.num << 32) / (uint64_t)gap.den;
    uint32_t block[4], count = 0;
    for (int64_t n = first; n <= last; n++) {
        if (n == first || n % 4 == 0) {
            const uint32_t counter[4] = {dev->unit->number, SIM_RNG_TELEMETRY, (uint32_t)(n / 4),
                                         dev->firmware};
            sim_philox4x32(counter, key, block);
        }
        count += block[n % 4] >= limit;
    }
    return count;
}

/* Sends a run of messages, or the bare news of resets, with what this firmware measures. */
static void tell(struct sim_device *dev, struct sim_telemetry *run, const char *version)
{
    const struct scn_behaviour *b = &dev->world->artifact[dev->firmware].from->behaviour;
    int64_t age = dev->confirmed_us >= 0 ? dev->now_us - dev->confirmed_us : 0;
    memcpy(run->version, version, sizeof run->version);
    run->energy_mw = scaled(BASE_ENERGY_MW, b->energy);
    run->memory_kb = grown(BASE_MEMORY_KB, b->memory_growth, age);
    run->cpu_permille = scaled(BASE_CPU_PERMILLE, b->cpu);
    if (dev->wire)
        dev_wire_telemetry(dev, run);
    else
        dev_send_up(dev, SIM_UP_TELEMETRY, dev->now_us, run, sizeof *run);
}

static struct sim_telemetry one_message(const struct sim_device *dev)
{
    return (struct sim_telemetry){.first_us = dev->now_us, .last_us = dev->now_us, .received = 1};
}

void dev_telemetry_first(struct sim_device *dev)
{
    struct sim_telemetry run = one_message(dev);
    dev->timer[TIMER_TELEMETRY_ACK] = SIM_NEVER;
    if (dev->ailment.health[AGENT_HEALTH_TELEMETRY])
        return;
    if (!dev->wire)
        dev->timer[TIMER_TELEMETRY_ACK] = dev->now_us + 2 * dev_delay_us(dev, 200);
    else if (dev->firmware != UINT32_MAX)
        tell(dev, &run, dev->truth_version);
}

/* Message n of this device may be one of those that its firmware leaves out. */
void dev_telemetry_message(struct sim_device *dev)
{
    struct sim_telemetry run = one_message(dev);
    int64_t period = dev_own_us(dev, dev->group->telemetry_every_us);
    if (!dev->connected || dev->firmware == UINT32_MAX || period <= 0)
        return;
    const struct scn_behaviour *b = &dev->world->artifact[dev->firmware].from->behaviour;
    int64_t n = (dev->now_us - dev->world->born_us) / period; /* never negative */
    if (sent(dev, n, n, b->telemetry_gap))
        tell(dev, &run, dev->truth_version);
    dev->timer[TIMER_FLUSH] = dev->now_us + period;
}

void dev_telemetry_flush(struct sim_device *dev)
{
    int64_t from =
        dev->connected_us > dev->telemetry_from_us ? dev->connected_us : dev->telemetry_from_us;
    int64_t period = dev->group->telemetry_every_us, start = dev->world->scn->start_us;
    dev->telemetry_from_us = dev->now_us;
    if (dev->wire || !dev->connected || dev->holed || dev->firmware == UINT32_MAX || period <= 0)
        return;
    uint64_t phase =
        sim_rng_at(dev->world->scn->seed, dev->unit->number, SIM_RNG_TELEMETRY, UINT32_MAX) %
        (uint64_t)period;
    int64_t origin = start - period + (int64_t)phase; /* message n leaves at origin + n * period */
    int64_t first = (from - origin + period - 1) / period;
    int64_t last = (dev->now_us - 1 - origin) / period;
    if (last < first)
        return;
    const struct scn_behaviour *b = &dev->world->artifact[dev->firmware].from->behaviour;
    struct sim_telemetry run = {.first_us = origin + first * period,
                                .last_us = origin + last * period,
                                .received = sent(dev, first, last, b->telemetry_gap)};
    if (!run.received)
        return;
    dev_log(dev, SIM_EV_TELEMETRY, (uint64_t)run.first_us, run.received, "%u of %lld messages",
            run.received, (long long)(last - first + 1));
    tell(dev, &run, dev->truth_version);
}

/* The resets of a trial are told by its status; what ran before the reset still stands in dev. */
void dev_telemetry_reset(struct sim_device *dev)
{
    if (!dev->running_confirmed)
        return;
    /* What was not told of another image by now is not worth a second list. */
    if (strcmp(dev->reset_version, dev->truth_version) != 0)
        dev->resets = dev->news_resets = 0;
    memcpy(dev->reset_version, dev->truth_version, sizeof dev->reset_version);
    if (!dev->resets++)
        dev->first_reset_us = dev->now_us;
    dev->last_reset_us = dev->now_us;
    if (dev->firmware == dev->world->candidate && dev->confirmed_us >= 0 &&
        dev->now_us - dev->confirmed_us <= CRASH_WITHIN_US)
        dev->crashes_after_confirm++;
}

/* Told at once and by itself, so that it depends on no interval whether and when the service learns
 * of a reset. */
void dev_telemetry_connected(struct sim_device *dev)
{
    if (!dev->resets || dev->firmware == UINT32_MAX || dev->group->telemetry_every_us <= 0)
        return;
    struct sim_telemetry run = {.first_us = dev->now_us,
                                .last_us = dev->now_us,
                                .resets = dev->resets,
                                .first_reset_us = dev->first_reset_us,
                                .last_reset_us = dev->last_reset_us};
    dev_log(dev, SIM_EV_TELEMETRY, (uint64_t)run.first_reset_us, run.resets, "%u unplanned resets",
            run.resets);
    dev->resets = 0;
    tell(dev, &run, dev->reset_version);
    if (!dev->wire)
        return;
    /* A wire may lose it: it is told again, until it was acknowledged. */
    dev->resets = dev->news_resets = run.resets;
    dev->news_seq = dev->telemetry_seq;
}
