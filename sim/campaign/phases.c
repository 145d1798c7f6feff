/*
 * Phases one after the other, then the observation, which is a phase that selects nobody:
 *
 *   select -> enrol -> 95 % have an outcome: hold begins -> hold over and everybody notified:
 * judged
 *                 \________ a gate is red at any moment: trigger ________/
 */
#include "camp.h"

enum { HOLD_PERCENT = 95 };

static struct camp_phase_now *current(struct camp *camp)
{
    return &camp->phase[camp->at_phase];
}

bool camp_phase_is_observation(const struct camp *camp, const struct camp_phase_now *phase)
{
    return phase->plan == &camp->observation;
}

static void phase_start(struct camp *camp)
{
    struct camp_phase_now *phase = current(camp);
    phase->started_us = camp->now_us;
    phase->dirty = camp->dirty = camp->changed = true;
    for (uint32_t i = 0; i < phase->plan->gates; i++)
        phase->gate[i].at_us = camp->now_us;
    if (camp_burn_in_takes(camp, phase)) {
        camp_burn_in_start(camp, phase);
        return;
    }
    if (!camp_phase_is_observation(camp, phase)) {
        camp_select(camp, phase);
        return;
    }
    camp->state = CAMP_OBSERVING;
    phase->cohort = (uint32_t)camp->tally[phase->lab].selected;
    phase->hold_from_us = camp->now_us;
    camp->enrol_next_us = CAMP_NEVER;
    camp_event(camp, "phase", "observation begins: %u devices", phase->cohort);
}

void camp_phase_close(struct camp *camp, struct camp_phase_now *phase, enum rep_phase_result result)
{
    const struct camp_tally *tally = &camp->tally[phase->lab];
    phase->result = result;
    phase->ended_us = camp->now_us;
    phase->confirmed = (uint32_t)tally->outcome[REP_OUT_CONFIRMED];
    phase->rolled_back = (uint32_t)tally->outcome[REP_OUT_ROLLED_BACK];
    phase->bricked = (uint32_t)tally->presumed;
    if (camp_burn_in_takes(camp, phase))
        camp_burn_in_counts(camp, phase);
    phase->dirty = camp->dirty = true;
    camp_event(camp, "phase", "%s %s: %u of %u confirmed", phase->plan->name,
               result == REP_PHASE_PASSED ? "passed" : "stopped", phase->confirmed, phase->cohort);
}

/* Pings begin with the hold. */
static void hold_start(struct camp *camp, struct camp_phase_now *phase)
{
    phase->hold_from_us = camp->now_us;
    phase->dirty = true;
    camp_event(camp, "phase", "%s is held: %d %% of its devices have an outcome", phase->plan->name,
               HOLD_PERCENT);
    if (!camp_gate_ping(phase))
        return;
    for (uint32_t i = 0; i < camp->config->devices; i++)
        camp_device_rearm(camp, i);
    camp_deadlines_run(camp);
}

static void hold_look(struct camp *camp, struct camp_phase_now *phase)
{
    if (phase->hold_from_us < 0 &&
        camp_tally_decided(&camp->tally[phase->lab]) * 100 >= (int64_t)HOLD_PERCENT * phase->cohort)
        hold_start(camp, phase);
}

int64_t camp_hold_end_us(const struct camp_phase_now *phase)
{
    return phase->hold_from_us + phase->plan->hold_us + phase->paused_us;
}

static bool hold_is_over(const struct camp *camp, const struct camp_phase_now *phase)
{
    return phase->hold_from_us >= 0 && camp->waiting_count == 0 &&
           camp->now_us >= camp_hold_end_us(phase);
}

static int64_t no_data_at(const struct camp *camp, const struct camp_phase_now *phase)
{
    return camp_hold_end_us(phase) + camp->config->plan->silent_after_us;
}

static void phase_pass(struct camp *camp, struct camp_phase_now *phase)
{
    camp_phase_close(camp, phase, REP_PHASE_PASSED);
    if (camp->at_phase + 1 < (int32_t)camp->phases) {
        camp->at_phase++;
        phase_start(camp);
        return;
    }
    camp->state = CAMP_FINISHED;
    camp_event(camp, "state", "finished");
}

static bool burn_in_judge(struct camp *camp, struct camp_phase_now *phase)
{
    bool passes = camp_burn_in_passes(camp);
    if (passes)
        phase_pass(camp, phase);
    else
        camp_trigger_burn_in(camp, phase);
    return passes;
}

/* Judges the current phase; true when the campaign moved on and the next one must be looked at. */
static bool phase_judge(struct camp *camp, struct camp_phase_now *phase)
{
    bool over = hold_is_over(camp, phase), all_green;
    if (camp_burn_in_takes(camp, phase))
        return burn_in_judge(camp, phase);
    if (!over && !camp->changed)
        return false;
    camp->changed = false;
    const struct scn_gate *red = camp_gates_judge(camp, phase, over, &all_green);
    if (red) {
        camp_trigger(camp, phase);
    } else if (over && all_green) {
        phase_pass(camp, phase);
        return true;
    } else if (over && camp->now_us >= no_data_at(camp, phase)) {
        camp_trigger_no_data(camp, phase);
    }
    return false;
}

void camp_phases_begin(struct camp *camp)
{
    if (camp->at_phase >= 0)
        return;
    camp->at_phase = 0;
    phase_start(camp);
}

void camp_phases_run(struct camp *camp)
{
    bool again = true;
    while (again && (camp->state == CAMP_RUNNING || camp->state == CAMP_OBSERVING)) {
        if (camp->state == CAMP_RUNNING)
            camp_enrol(camp);
        hold_look(camp, current(camp));
        again = phase_judge(camp, current(camp));
    }
    if (camp->state == CAMP_ROLLING_BACK)
        camp_rollback_finish(camp);
}

int64_t camp_phase_next_at(const struct camp *camp)
{
    if (camp->at_phase < 0)
        return camp->config->start_us;
    if (camp->state == CAMP_PAUSED || camp->state == CAMP_ROLLING_BACK) {
        int64_t end_us = camp->stopped_us + camp->config->plan->silent_after_us;
        return camp->now_us < end_us ? end_us : CAMP_NEVER;
    }
    if (camp->state != CAMP_RUNNING && camp->state != CAMP_OBSERVING)
        return CAMP_NEVER;
    const struct camp_phase_now *phase = &camp->phase[camp->at_phase];
    if (phase->hold_from_us < 0)
        return camp->enrol_next_us;
    int64_t next_us = camp_hold_end_us(phase);
    if (camp->now_us >= next_us)
        next_us = camp->waiting_count ? CAMP_NEVER : no_data_at(camp, phase);
    return next_us < camp->enrol_next_us ? next_us : camp->enrol_next_us;
}
