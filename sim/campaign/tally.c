/*
 * The running totals. A device's contribution is a pure function of its state: taken out before a
 * change and put in after it, so that no counter is ever adjusted by hand and a restart rebuilds
 * all of them.
 */
#include "camp.h"

/* Ordered to wait and waiting: nothing more happens on it by itself. */
static bool is_parked(const struct camp_device *device)
{
    if (!device->deferred)
        return false;
    switch (device->status) {
    case CAMP_ST_NONE:
    case CAMP_ST_NOTIFIED:
    case CAMP_ST_SCHEDULED:
    case CAMP_ST_VERIFIED:
    case CAMP_ST_WAITING_APPLY:
    case CAMP_ST_REFUSED: /* its deadline passed while it waited */
        return true;
    default:
        return false;
    }
}

static void apply_outcome(struct camp_tally *tally, const struct camp_device *device, int64_t sign)
{
    if (device->phase >= 0)
        tally->selected += sign;
    tally->outcome[device->outcome] += sign;
    if (device->presumed)
        tally->presumed += sign;
    if (device->outcome == REP_OUT_PENDING && !is_parked(device))
        tally->under_way += sign;
    if (device->confirmed_us >= 0)
        tally->confirmed_ever += sign;
    if (device->crashed)
        tally->crashed += sign;
}

static void apply_means(struct camp_tally *tally, const struct camp_measured *measured,
                        int64_t sign)
{
    const struct camp_span *before = &measured->before, *after = &measured->after;
    if (!before->received || !after->received)
        return;
    tally->compared += sign;
    tally->memory_before += sign * (before->memory / before->received);
    tally->memory_after += sign * (after->memory / after->received);
    tally->cpu_before += sign * (before->cpu / before->received);
    tally->cpu_after += sign * (after->cpu / after->received);
    tally->energy_before += sign * (before->energy / before->received);
    tally->energy_after += sign * (after->energy / after->received);
}

static void apply_measured(struct camp_tally *tally, const struct camp_device *device, int64_t sign)
{
    const struct camp_measured *measured = &device->measured;
    tally->answers += sign * measured->answers;
    tally->answers_bad += sign * measured->answers_bad;
    tally->pings_open += measured->ping_out ? sign : 0;
    if (device->confirmed_us < 0)
        return;
    int64_t missed = measured->after.expected - measured->after.received;
    tally->expected += sign * measured->after.expected;
    tally->missed += missed > 0 ? sign * missed : 0;
    apply_means(tally, measured, sign);
}

void camp_tally_apply(struct camp *camp, uint32_t device, int sign)
{
    struct camp_tally *tally = camp_tally_of(camp, device);
    apply_outcome(tally, &camp->device[device], sign);
    apply_measured(tally, &camp->device[device], sign);
}

struct camp_device *camp_change_begin(struct camp *camp, uint32_t device)
{
    camp_tally_apply(camp, device, -1);
    return &camp->device[device];
}

void camp_mark_row(struct camp *camp, uint32_t device)
{
    if (!camp->device[device].dirty) {
        camp->device[device].dirty = true;
        camp->dirty_row[camp->dirty_rows++] = device;
    }
}

void camp_change_end(struct camp *camp, uint32_t device)
{
    camp_tally_apply(camp, device, +1);
    camp_mark_row(camp, device);
    camp->changed = true;
}

void camp_change_end_measured(struct camp *camp, uint32_t device)
{
    camp_tally_apply(camp, device, +1);
    if (!camp->device[device].dirty_measured) {
        camp->device[device].dirty_measured = true;
        camp->dirty_measured[camp->dirty_measureds++] = device;
    }
    camp->changed = true;
}

int64_t camp_tally_decided(const struct camp_tally *tally)
{
    int64_t decided = 0;
    for (int outcome = 0; outcome < REP_OUTCOMES; outcome++)
        if (outcome != REP_OUT_NONE && outcome != REP_OUT_PENDING)
            decided += tally->outcome[outcome];
    return decided;
}
