/*
 * Before against after the update, over the confirmed devices of the fleet. Before: from the start
 * of the campaign until a device confirmed, while it ran the old firmware; after: since it
 * confirmed.
 */
#include "camp.h"

#include <stdio.h>

struct sums {
    int64_t before_us, after_us, before_resets, after_resets;
    int64_t before_expected, before_received, after_expected, after_received;
};

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static void sum_device(struct sums *sums, const struct camp_device *it, int64_t every_us)
{
    const struct camp_span *before = &it->measured.before, *after = &it->measured.after;
    sums->before_us += before->expected * every_us;
    sums->after_us += after->expected * every_us;
    sums->before_resets += before->resets;
    sums->after_resets += after->resets;
    sums->before_expected += before->expected;
    sums->before_received += least(before->received, before->expected);
    sums->after_expected += after->expected;
    sums->after_received += least(after->received, after->expected);
}

static struct rep_observation row(const char *metric, const char *unit, int64_t before_num,
                                  int64_t before_den, int64_t after_num, int64_t after_den)
{
    struct rep_observation out = {.before_num = before_num,
                                  .before_den = before_den,
                                  .after_num = after_num,
                                  .after_den = after_den};
    snprintf(out.metric, sizeof out.metric, "%s", metric);
    snprintf(out.unit, sizeof out.unit, "%s", unit);
    return out;
}

/* Without a crash the hours are a lower bound: as if the first came right now. No hours, no data.
 */
static bool bound(int64_t hours, int64_t *crashes)
{
    if (hours > 0 && *crashes > 0)
        return false;
    *crashes = hours > 0; /* the denominator */
    return hours > 0;
}

static struct rep_observation row_mtbf(const struct sums *sums)
{
    struct rep_observation out = row("mtbf", "h", sums->before_us / CAMP_HOUR, sums->before_resets,
                                     sums->after_us / CAMP_HOUR, sums->after_resets);
    out.before_lower_bound = bound(out.before_num, &out.before_den);
    out.lower_bound = bound(out.after_num, &out.after_den);
    return out;
}

void camp_observe(const struct camp *camp, struct rep_observation out[CAMP_OBSERVATIONS])
{
    struct sums sums = {0};
    for (uint32_t i = 0; i < camp->config->devices; i++)
        if (!camp->config->device[i].lab && camp->device[i].outcome == REP_OUT_CONFIRMED)
            sum_device(&sums, &camp->device[i], camp->config->device[i].telemetry_every_us);
    const struct camp_tally *fleet = &camp->tally[0];
    out[0] = row_mtbf(&sums);
    out[1] = row("energy", "mW", fleet->energy_before, fleet->compared, fleet->energy_after,
                 fleet->compared);
    out[2] = row("memory", "kB", fleet->memory_before, fleet->compared, fleet->memory_after,
                 fleet->compared);
    out[3] = row("cpu", "permille", fleet->cpu_before, fleet->compared, fleet->cpu_after,
                 fleet->compared);
    out[4] = row("telemetry_quality", "received/expected", sums.before_received,
                 sums.before_expected, sums.after_received, sums.after_expected);
}
