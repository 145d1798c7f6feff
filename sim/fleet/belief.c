/* Belief and truth: what the service believes of a device, against what its flash says (promise 5).
 */
#include "fleet_internal.h"
#include <string.h>

static bool believed(const struct sim_fleet *fleet, uint32_t device)
{
    struct camp_belief belief;
    struct sim_truth truth;
    sim_fleet_truth(fleet, device, &truth);
    camp_belief(fleet->camp, device, &belief);
    return !strcmp(belief.version, truth.version);
}

static void note_new(struct sim_fleet *fleet)
{
    for (uint32_t p = 0; p < fleet->parts; p++) {
        struct sim_part *part = &fleet->part[p];
        for (uint32_t i = 0; i < part->changes; i++) {
            struct sim_truth truth;
            uint32_t device = part->changed[i], k = 0;
            sim_fleet_truth(fleet, device, &truth);
            while (k < fleet->disbeliefs && fleet->disbelief[k].device != device)
                k++;
            if (k < fleet->disbeliefs)
                continue;
            fleet->disbelief[fleet->disbeliefs++] =
                (struct sim_disbelief){device, truth.changed_us};
        }
        part->changes = 0;
    }
}

void sim_belief_follow(struct sim_fleet *fleet)
{
    note_new(fleet);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < fleet->disbeliefs; i++) {
        struct sim_disbelief one = fleet->disbelief[i];
        if (!believed(fleet, one.device)) {
            fleet->disbelief[kept++] = one;
            continue;
        }
        int64_t lasted = fleet->now_us - one.since_us;
        if (lasted > fleet->belief_wrong_longest_us)
            fleet->belief_wrong_longest_us = lasted;
    }
    fleet->disbeliefs = kept;
}

/* A device that the campaign holds on purpose (paused, or not enrolled) is where it should be. */
static bool held(const struct sim_fleet *fleet, const struct sim_truth *truth)
{
    enum camp_state state = camp_state(fleet->camp);
    return state != CAMP_FINISHED && state != CAMP_OBSERVING && truth->powered &&
           truth->connected &&
           (truth->state == AGENT_WAITING_APPLY || truth->state == AGENT_DOWNLOAD_SCHEDULED ||
            truth->state == AGENT_DOWNLOAD_FAILED || truth->state == AGENT_DOWNLOADING);
}

/* A fault that lasts (power, link, broker) keeps it out of reach: convergence is promised for after
 * the faults, and the service can't know what it was not told. */
static bool away(const struct sim_truth *truth, int64_t at_us)
{
    return !truth->brick && truth->away_until_us > at_us;
}

/* Whoever stays away for longer than stragglers are given is not waited for. */
bool sim_fleet_settled(const struct sim_fleet *fleet)
{
    int64_t latest_us = fleet->done_at_us + SIM_SETTLE_HOURS * INT64_C(3600000000);
    for (uint32_t d = 0; d < fleet->devices; d++) {
        struct sim_truth truth;
        sim_fleet_truth(fleet, d, &truth);
        if (!truth.settled && !truth.brick && !held(fleet, &truth) && !away(&truth, latest_us))
            return false;
    }
    return true;
}

void sim_belief_end(struct sim_fleet *fleet)
{
    fleet->diverged = fleet->belief_wrong = fleet->away = 0;
    for (uint32_t d = 0; d < fleet->devices; d++) {
        struct sim_truth truth;
        sim_fleet_truth(fleet, d, &truth);
        if (truth.brick) /* the oracle's bricks are counted apart */
            continue;
        if (away(&truth, fleet->now_us)) {
            fleet->away++;
            continue;
        }
        fleet->diverged += !truth.settled && !held(fleet, &truth);
        fleet->belief_wrong += !believed(fleet, d);
    }
    for (uint32_t i = 0; i < fleet->disbeliefs; i++) {
        struct sim_truth truth;
        sim_fleet_truth(fleet, fleet->disbelief[i].device, &truth);
        int64_t lasted = fleet->now_us - fleet->disbelief[i].since_us;
        if (!away(&truth, fleet->now_us) && lasted > fleet->belief_wrong_longest_us)
            fleet->belief_wrong_longest_us = lasted;
    }
}
