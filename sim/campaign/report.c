/*
 * What the service says of itself: beliefs, progress, and its part of the result of a run.
 */
#include "camp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void camp_belief(const struct camp *camp, uint32_t device, struct camp_belief *out)
{
    const struct camp_device *it = &camp->device[device];
    *out = (struct camp_belief){
        .version = it->version,
        .outcome = (enum rep_outcome)it->outcome,
        .presumed_bricked = it->presumed,
        .phase = it->phase,
        .enrolled_us = it->enrolled_us,
        .outcome_us = it->outcome_us,
    };
    memcpy(out->reason, it->reason, sizeof out->reason);
}

void camp_progress(const struct camp *camp, const char **phase, uint32_t *cohort,
                   uint32_t *confirmed, uint32_t *rolled_back, uint32_t *bricked)
{
    const struct camp_phase_now *now = &camp->phase[camp->at_phase < 0 ? 0 : camp->at_phase];
    const struct camp_tally *tally = &camp->tally[now->lab];
    *phase = now->plan->name;
    *cohort = now->cohort;
    *confirmed = (uint32_t)tally->outcome[REP_OUT_CONFIRMED];
    *rolled_back = (uint32_t)tally->outcome[REP_OUT_ROLLED_BACK];
    *bricked = (uint32_t)tally->presumed;
}

void camp_figures(const struct camp *camp, uint32_t device, struct camp_figures *out)
{
    const struct camp_device *it = &camp->device[device];
    *out = (struct camp_figures){.expected = it->measured.after.expected,
                                 .received = it->measured.after.received,
                                 .answers = it->measured.answers,
                                 .answers_bad = it->measured.answers_bad,
                                 .crashed = it->crashed,
                                 .notified_us = it->notified_us,
                                 .confirmed_us = it->confirmed_us};
}

/* A phase whose hold began ends with it; one that still enrols has that and its windows ahead. */
static int64_t phase_end_us(const struct camp *camp, const struct camp_phase_now *phase)
{
    int64_t end_us = phase->hold_from_us >= 0 ? camp_hold_end_us(phase)
                                              : phase->started_us + CAMP_DAY + phase->plan->hold_us;
    return end_us > camp->now_us ? end_us : camp->now_us;
}

int64_t camp_end_estimate_us(const struct camp *camp)
{
    if (camp->state == CAMP_FINISHED)
        return camp->now_us;
    if (camp->state != CAMP_RUNNING && camp->state != CAMP_OBSERVING)
        return -1;
    int64_t end_us = camp->config->start_us;
    uint32_t ahead = 0;
    if (camp->at_phase >= 0) {
        end_us = phase_end_us(camp, &camp->phase[camp->at_phase]);
        ahead = (uint32_t)camp->at_phase + 1;
    }
    for (; ahead < camp->phases; ahead++) {
        const struct camp_phase_now *phase = &camp->phase[ahead];
        end_us += phase->plan->hold_us + (camp_phase_is_observation(camp, phase) ? 0 : CAMP_DAY);
    }
    return end_us;
}

void camp_counts(const struct camp *camp, struct camp_counts *out)
{
    *out = camp->counts;
}

static int64_t seconds(const struct camp *camp, int64_t at_us)
{
    return at_us < 0 ? -1 : (at_us - camp->config->start_us) / CAMP_SECOND;
}

static int report_gates(const struct camp *camp, const struct camp_phase_now *phase,
                        struct rep_phase *out)
{
    if (camp_burn_in_takes(camp, phase))
        return camp_burn_in_gates(camp, phase, out);
    out->gate = calloc(phase->plan->gates ? phase->plan->gates : 1, sizeof *out->gate);
    if (!out->gate)
        return CAMP_EMEMORY;
    out->gates = phase->plan->gates;
    for (uint32_t i = 0; i < out->gates; i++) {
        const struct scn_gate *plan = &phase->plan->gate[i];
        const struct camp_gate_now *now = &phase->gate[i];
        struct rep_gate *gate = &out->gate[i];
        snprintf(gate->metric, sizeof gate->metric, "%s", scn_metric_name((int)plan->metric));
        snprintf(gate->limit, sizeof gate->limit, "%s", plan->text);
        camp_gate_words(plan, gate->comparison, sizeof gate->comparison);
        gate->numerator = now->numerator;
        gate->denominator = now->denominator;
        gate->min_sample = plan->min_sample;
        gate->state = now->state;
        gate->at_s = phase->started_us < 0 ? -1 : seconds(camp, now->at_us);
    }
    return CAMP_OK;
}

static int report_phase(const struct camp *camp, const struct camp_phase_now *phase,
                        struct rep_phase *out)
{
    const struct camp_tally *tally = &camp->tally[phase->lab];
    bool open = phase->started_us >= 0 && phase->ended_us < 0;
    snprintf(out->name, sizeof out->name, "%s", phase->plan->name);
    out->result = phase->result;
    out->started_s = seconds(camp, phase->started_us);
    out->hold_from_s = seconds(camp, phase->hold_from_us);
    out->ended_s = seconds(camp, phase->ended_us);
    out->cohort = phase->cohort;
    out->confirmed = open ? (uint32_t)tally->outcome[REP_OUT_CONFIRMED] : phase->confirmed;
    out->rolled_back = open ? (uint32_t)tally->outcome[REP_OUT_ROLLED_BACK] : phase->rolled_back;
    out->bricked = open ? (uint32_t)tally->presumed : phase->bricked;
    return report_gates(camp, phase, out);
}

static void report_alert(const struct camp *camp, const struct camp_alert *alert,
                         struct rep_alert *out)
{
    out->at_s = seconds(camp, alert->at_us);
    out->level = alert->level;
    memcpy(out->cause, alert->cause, sizeof out->cause);
    if (alert->device >= 0)
        snprintf(out->device, sizeof out->device, "%s", camp->config->device[alert->device].id);
}

int camp_report(const struct camp *camp, struct rep_result *result)
{
    result->phase = calloc(camp->phases, sizeof *result->phase);
    result->alert = calloc(camp->alerts ? camp->alerts : 1, sizeof *result->alert);
    result->observation = calloc(CAMP_OBSERVATIONS, sizeof *result->observation);
    if (!result->phase || !result->alert || !result->observation)
        return CAMP_EMEMORY;
    for (uint32_t i = 0; i < camp->phases; i++) {
        if (report_phase(camp, &camp->phase[i], &result->phase[i]) != CAMP_OK)
            return CAMP_EMEMORY;
        result->phases = i + 1;
    }
    for (uint32_t i = 0; i < camp->alerts; i++)
        report_alert(camp, &camp->alert[i], &result->alert[i]);
    result->alerts = camp->alerts;
    camp_observe(camp, result->observation);
    result->observations = CAMP_OBSERVATIONS;
    result->presumed_bricked = (uint32_t)(camp->tally[0].presumed + camp->tally[1].presumed);
    return CAMP_OK;
}
