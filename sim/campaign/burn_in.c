/*
 * A lab phase that was done before, by a burn-in (rig/burnin): its result and its gates take the
 * phase's place. Nobody is enrolled for it; it starts and ends in one tick.
 */
#include "camp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What was compared, in the campaign's own words, which name the denominator (`of:`), the treatment
 * of silence and the limit; whoever adds cycles up says so behind a semicolon. */
static bool same_measure(const struct rep_gate *gate, const struct scn_gate *plan)
{
    char words[REP_TEXT_MAX];
    size_t len = strlen(camp_gate_words(plan, words, sizeof words));
    return !strncmp(gate->comparison, words, len) &&
           (!gate->comparison[len] || gate->comparison[len] == ';');
}

static const struct rep_gate *gate_as(const struct rep_phase *burn_in, const struct scn_gate *plan)
{
    for (uint32_t i = 0; i < burn_in->gates; i++)
        if (!strcmp(burn_in->gate[i].metric, scn_metric_name((int)plan->metric)) &&
            !strcmp(burn_in->gate[i].limit, plan->text) && same_measure(&burn_in->gate[i], plan))
            return &burn_in->gate[i];
    return NULL;
}

/* A mean's denominator is no number of devices: what it had to have is known, not what it had. */
static int64_t sample_of(const struct rep_gate *gate, const struct scn_gate *plan)
{
    return camp_gate_is_mean(plan->metric) ? (int64_t)gate->min_sample : gate->denominator;
}

/* Green by fewer than the plan wants is not judged by the plan's measure. */
static bool judges(const struct rep_phase *burn_in, const struct scn_gate *plan)
{
    const struct rep_gate *gate = gate_as(burn_in, plan);
    return gate &&
           (gate->state != REP_GATE_GREEN || sample_of(gate, plan) >= (int64_t)plan->min_sample);
}

const struct scn_gate *camp_burn_in_lacks(const struct scn_campaign *plan,
                                          const struct rep_phase *burn_in)
{
    for (uint32_t p = 0; p < plan->phases; p++)
        for (uint32_t g = 0; plan->phase[p].size == SCN_SIZE_LAB && g < plan->phase[p].gates; g++)
            if (!judges(burn_in, &plan->phase[p].gate[g]))
                return &plan->phase[p].gate[g];
    return NULL;
}

bool camp_burn_in_takes(const struct camp *camp, const struct camp_phase_now *phase)
{
    return camp->config->burn_in && phase->lab && !camp_phase_is_observation(camp, phase);
}

void camp_burn_in_start(struct camp *camp, struct camp_phase_now *phase)
{
    const struct rep_phase *burn_in = camp->config->burn_in;
    phase->cohort = burn_in->cohort;
    phase->hold_from_us = camp->now_us;
    camp->enrol_next_us = CAMP_NEVER;
    for (uint32_t i = 0; i < phase->plan->gates; i++) {
        const struct rep_gate *gate = gate_as(burn_in, &phase->plan->gate[i]);
        phase->gate[i].state = gate->state;
        phase->gate[i].numerator = gate->numerator;
        phase->gate[i].denominator = gate->denominator;
    }
    camp_event(camp, "phase", "%s was done by a burn-in: %u of %u confirmed", phase->plan->name,
               burn_in->confirmed, burn_in->cohort);
}

bool camp_burn_in_passes(const struct camp *camp)
{
    /* Told once already: the operator resumed in spite of it. */
    return camp->config->burn_in->result == REP_PHASE_PASSED ||
           camp->alert_count[CAMP_ALERT_BURN_IN] > 0;
}

void camp_burn_in_counts(const struct camp *camp, struct camp_phase_now *phase)
{
    const struct rep_phase *burn_in = camp->config->burn_in;
    phase->confirmed = burn_in->confirmed;
    phase->rolled_back = burn_in->rolled_back;
    phase->bricked = burn_in->bricked;
}

int camp_burn_in_gates(const struct camp *camp, const struct camp_phase_now *phase,
                       struct rep_phase *out)
{
    const struct rep_phase *burn_in = camp->config->burn_in;
    out->gate = calloc(burn_in->gates ? burn_in->gates : 1, sizeof *out->gate);
    if (!out->gate)
        return CAMP_EMEMORY;
    out->gates = burn_in->gates;
    for (uint32_t i = 0; i < out->gates; i++) {
        out->gate[i] = burn_in->gate[i];
        out->gate[i].at_s =
            phase->started_us < 0 ? -1 : (phase->started_us - camp->config->start_us) / CAMP_SECOND;
    }
    return CAMP_OK;
}
