/*
 * Who is chosen for a phase, and when each of them is notified: cohorts are cumulative and rounded
 * up, chosen by seed among the eligible; notifications wait for the window, the rate and, with
 * stagger, the sun.
 */
#include "camp.h"
#include "sim/rng.h"

#include <stdlib.h>
#include <string.h>

static bool where_matches(const char *wanted, const char *is)
{
    return wanted[0] == '\0' || (is && strcmp(wanted, is) == 0);
}

static bool is_eligible(const struct camp *camp, const struct scn_phase *plan, uint32_t device)
{
    const struct camp_device_info *info = &camp->config->device[device];
    return camp->device[device].phase < 0 && info->lab == (plan->size == SCN_SIZE_LAB) &&
           where_matches(plan->where_site, info->site) &&
           where_matches(plan->where_group, info->group) &&
           where_matches(plan->where_criticality, info->criticality);
}

static void select_device(struct camp *camp, uint32_t device, uint32_t position)
{
    struct camp_device *it = camp_change_begin(camp, device);
    it->phase = camp->at_phase;
    it->position = position;
    camp_change_end(camp, device);
}

/* How many the phase adds to those that earlier phases selected. */
static uint32_t wanted_count(const struct camp *camp, const struct scn_phase *plan)
{
    uint32_t labs = 0;
    for (uint32_t i = 0; i < camp->config->devices; i++)
        labs += camp->config->device[i].lab;
    uint32_t fleet = camp->config->devices - labs, target = 0;
    if (plan->size == SCN_SIZE_LAB)
        return labs;
    if (plan->size == SCN_SIZE_SHARE)
        target = scn_ratio_ceil(plan->share, fleet);
    else if (plan->size == SCN_SIZE_COUNT)
        target = plan->count < fleet ? plan->count : fleet;
    uint32_t before = (uint32_t)camp->tally[0].selected;
    return target > before ? target - before : 0;
}

/* The first `wanted` places of a Fisher-Yates shuffle; each phase has a stream of its own. */
static uint32_t select_by_seed(struct camp *camp, const struct scn_phase *plan, uint32_t wanted)
{
    uint32_t eligible = 0, *list = camp->waiting;
    for (uint32_t i = 0; i < camp->config->devices; i++)
        if (is_eligible(camp, plan, i))
            list[eligible++] = i;
    struct sim_rng rng;
    sim_rng_init(&rng, camp->config->seed, 0, SIM_RNG_SERVICE, (uint32_t)camp->at_phase);
    uint32_t chosen = 0;
    for (; chosen < wanted && chosen < eligible; chosen++) {
        uint32_t other = chosen + sim_rng_below(&rng, eligible - chosen);
        uint32_t device = list[other];
        list[other] = list[chosen];
        list[chosen] = device;
        select_device(camp, device, chosen);
    }
    return chosen;
}

static uint32_t select_by_name(struct camp *camp, const struct scn_phase *plan)
{
    uint32_t chosen = 0;
    for (uint32_t i = 0; i < camp->config->devices; i++)
        for (uint32_t k = 0; k < plan->devices_count; k++)
            if (strcmp(camp->config->device[i].id, plan->devices[k]) == 0 &&
                is_eligible(camp, plan, i))
                select_device(camp, i, chosen++);
    return chosen;
}

void camp_select(struct camp *camp, struct camp_phase_now *phase)
{
    const struct scn_phase *plan = phase->plan;
    uint32_t wanted, chosen;
    if (plan->size == SCN_SIZE_DEVICES) {
        wanted = plan->devices_count;
        chosen = select_by_name(camp, plan);
    } else {
        wanted = wanted_count(camp, plan);
        chosen = select_by_seed(camp, plan, wanted);
    }
    phase->cohort = (uint32_t)camp->tally[phase->lab].selected;
    camp_event(camp, "phase", "%s begins: %u devices, %u of them new", plan->name, phase->cohort,
               chosen);
    if (chosen < wanted)
        camp_event(camp, "note", "%s: only %u of %u devices are eligible", plan->name, chosen,
                   wanted);
    camp_lanes_fill(camp);
}

static void lane_refresh(struct camp_lane *lane, int64_t now_us)
{
    int64_t next_ms;
    if (lane->always) {
        lane->open = true;
        lane->until_us = CAMP_NEVER;
    } else if (now_us >= lane->until_us) {
        lane->open = agent_window_open(&lane->window, &lane->zone, now_us / 1000, &next_ms);
        lane->until_us = next_ms * 1000;
    }
}

/* The lane whose first device is next, NULL when no open lane has one. */
static struct camp_lane *lane_next(struct camp *camp, bool stagger)
{
    struct camp_lane *best = NULL;
    uint32_t best_key = 0;
    for (uint32_t i = 0; i < camp->lanes; i++) {
        struct camp_lane *lane = &camp->lane[i];
        if (lane->head == lane->end || !lane->open)
            continue;
        uint32_t key = stagger ? lane->rank : camp->device[camp->waiting[lane->head]].position;
        if (!best || key < best_key) {
            best = lane;
            best_key = key;
        }
    }
    return best;
}

static void notify_first(struct camp *camp, struct camp_lane *lane)
{
    uint32_t device = camp->waiting[lane->head++];
    camp->waiting_count--;
    struct camp_device *it = camp_change_begin(camp, device);
    it->enrolled_us = it->notified_us = camp->now_us;
    it->outcome = REP_OUT_PENDING;
    camp_change_end(camp, device);
    camp_send(camp, device, CAMP_CMD_NONE);
    camp_device_rearm(camp, device);
}

/*
 * Under a rate, enrolments have nominal times at least 1/rate apart, and happen at the first tick
 * at or after them. A nominal time never lags its tick by a whole tick, so with ticks on their 10 s
 * grid no 60 minutes hold more than the rate.
 */
static bool rate_allows(struct camp *camp, uint32_t rate_per_hour)
{
    if (rate_per_hour == 0)
        return true;
    if (camp->rate_next_us > camp->now_us)
        return false;
    if (camp->rate_next_us <= camp->now_us - 10 * CAMP_SECOND)
        camp->rate_next_us = camp->now_us;
    camp->rate_next_us += (CAMP_HOUR + rate_per_hour - 1) / rate_per_hour;
    camp->dirty = true;
    return true;
}

static int64_t next_opening_us(const struct camp *camp)
{
    int64_t next_us = CAMP_NEVER;
    for (uint32_t i = 0; i < camp->lanes; i++)
        if (camp->lane[i].head != camp->lane[i].end && camp->lane[i].until_us < next_us)
            next_us = camp->lane[i].until_us;
    return next_us;
}

/* When enrolment goes on: at the next nominal time if an open lane waits for it, else at the next
 * opening. */
void camp_enrol_rearm(struct camp *camp)
{
    for (uint32_t i = 0; i < camp->lanes; i++)
        if (camp->lane[i].head != camp->lane[i].end)
            lane_refresh(&camp->lane[i], camp->now_us);
    bool open = lane_next(camp, false) != NULL;
    camp->enrol_next_us = open ? camp->rate_next_us : next_opening_us(camp);
}

void camp_enrol(struct camp *camp)
{
    const struct scn_phase *plan = camp->phase[camp->at_phase].plan;
    if (camp->now_us < camp->enrol_next_us)
        return;
    camp->dirty = true; /* so that a restarted service knows that this was looked at */
    camp_enrol_rearm(camp);
    struct camp_lane *lane;
    while ((lane = lane_next(camp, plan->stagger)) && rate_allows(camp, plan->rate_per_hour))
        notify_first(camp, lane);
    camp_enrol_rearm(camp);
}
