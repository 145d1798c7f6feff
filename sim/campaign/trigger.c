/*
 * A gate is red: the campaign pauses at once, by itself. Nobody further is notified; whoever has
 * not applied yet is told not to; with on_trigger rollback every confirmed device is ordered back.
 * README has the table.
 */
#include "camp.h"

#include <stdio.h>

/* What a device is told when the campaign stops, by the last that was heard of it. */
static enum camp_command command_at_stop(const struct camp_device *it, bool rollback)
{
    if (it->enrolled_us < 0)
        return CAMP_CMD_NONE; /* queued: never notified */
    if (it->outcome == REP_OUT_CONFIRMED)
        return rollback ? CAMP_CMD_ROLLBACK : CAMP_CMD_NONE;
    switch (it->status) {
    case CAMP_ST_REBOOTING:
    case CAMP_ST_HEALTH_CHECK: /* judges itself; a confirmation is answered later if need be */
    case CAMP_ST_CONFIRMED:
    case CAMP_ST_ROLLED_BACK:
    case CAMP_ST_REFUSED:
    case CAMP_ST_VERIFY_FAILED:
        return CAMP_CMD_NONE;
    default: /* may not have heard of it, downloads, retries, or waits to apply */
        return it->deferred ? CAMP_CMD_NONE : CAMP_CMD_DEFER;
    }
}

static void devices_stop(struct camp *camp, bool rollback)
{
    for (uint32_t i = 0; i < camp->config->devices; i++) {
        enum camp_command command = command_at_stop(&camp->device[i], rollback);
        if (command == CAMP_CMD_NONE)
            continue;
        struct camp_device *it = camp_change_begin(camp, i);
        it->deferred = command == CAMP_CMD_DEFER;
        it->ordered = command == CAMP_CMD_ROLLBACK;
        camp_change_end(camp, i);
        camp_send(camp, i, command);
    }
}

void camp_stop(struct camp *camp, bool rollback)
{
    camp->state = rollback ? CAMP_ROLLING_BACK : CAMP_PAUSED;
    camp->stopped_us = camp->now_us;
    camp->enrol_next_us = CAMP_NEVER;
    camp->dirty = true;
    devices_stop(camp, rollback);
    camp_event(camp, "state", "%s", rollback ? "rolling back" : "paused");
}

static void campaign_stop(struct camp *camp, struct camp_phase_now *phase)
{
    camp_phase_close(camp, phase, REP_PHASE_STOPPED);
    camp_stop(camp, camp->config->plan->on_trigger == SCN_TRIGGER_ROLLBACK);
}

static void gate_alert(struct camp *camp, const struct camp_phase_now *phase, uint32_t gate)
{
    const struct scn_gate *plan = &phase->plan->gate[gate];
    const struct camp_gate_now *now = &phase->gate[gate];
    char cause[REP_TEXT_MAX];
    snprintf(cause, sizeof cause, "%s %s in %s, %lld of %lld", scn_metric_name((int)plan->metric),
             plan->text, phase->plan->name, (long long)now->numerator, (long long)now->denominator);
    camp_alert_campaign(camp, CAMP_ALERT_GATE, camp_gate_level(plan->metric), cause, camp->now_us);
}

/* One device too many may turn several gates red at once: each alerts those who answer for it. */
void camp_trigger(struct camp *camp, struct camp_phase_now *phase)
{
    for (uint32_t i = 0; i < phase->plan->gates; i++)
        if (phase->gate[i].state == REP_GATE_RED && !phase->gate[i].overruled)
            gate_alert(camp, phase, i);
    campaign_stop(camp, phase);
}

void camp_trigger_burn_in(struct camp *camp, struct camp_phase_now *phase)
{
    camp_alert_campaign(camp, CAMP_ALERT_BURN_IN, REP_ALERT_OPERATIONS, phase->plan->name,
                        camp->now_us);
    camp_trigger(camp, phase);
}

void camp_trigger_no_data(struct camp *camp, struct camp_phase_now *phase)
{
    camp_alert_campaign(camp, CAMP_ALERT_NO_DATA, REP_ALERT_OPERATIONS, phase->plan->name,
                        camp->now_us);
    campaign_stop(camp, phase);
}

static bool is_quiet(const struct camp *camp)
{
    int64_t waited_us = camp_heard_until_us(camp) - camp->stopped_us;
    return camp->tally[0].under_way + camp->tally[1].under_way == 0 ||
           waited_us >= camp->config->plan->silent_after_us;
}

void camp_rollback_finish(struct camp *camp)
{
    int64_t confirmed =
        camp->tally[0].outcome[REP_OUT_CONFIRMED] + camp->tally[1].outcome[REP_OUT_CONFIRMED];
    int64_t waited_us = camp->now_us - camp->stopped_us;
    if (waited_us < camp->config->plan->silent_after_us && (confirmed > 0 || !is_quiet(camp)))
        return;
    camp->state = CAMP_STOPPED;
    camp->dirty = true;
    camp_event(camp, "state", "stopped, %lld devices still on the new version",
               (long long)confirmed);
}

bool camp_done(const struct camp *camp)
{
    switch (camp->state) {
    case CAMP_STOPPED:
    case CAMP_FINISHED:
        return true;
    case CAMP_PAUSED:
        return is_quiet(camp);
    default:
        return false;
    }
}
