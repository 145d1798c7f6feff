/*
 * The operator's orders: pause, resume, rollback. They are taken at a tick like any input. A pause
 * leaves the phase open and stops its clocks; a resume gives every device that waits a fresh
 * chance, and overrules the gates that had stopped the campaign. README has the tables.
 */
#include "camp.h"

static const char *const action_names[CAMP_OPERATOR_ACTIONS] = {"pause", "resume", "rollback"};

int camp_operator(struct camp *camp, enum camp_operator_action action, int64_t at_us)
{
    if ((int)action < 0 || action >= CAMP_OPERATOR_ACTIONS)
        return CAMP_ECONFIG;
    if (camp->orders == CAMP_ORDERS_MAX)
        return CAMP_EMEMORY;
    camp->order[camp->orders++] = (struct camp_order){action, at_us};
    return CAMP_OK;
}

bool camp_is_held(const struct camp *camp)
{
    return camp->state == CAMP_PAUSED && camp->at_phase >= 0 &&
           camp->phase[camp->at_phase].result == REP_PHASE_NOT_REACHED;
}

/* The gates' last numbers are written with the phase: nothing judges them again before a resume. */
static bool pause_now(struct camp *camp, int64_t at_us)
{
    if (camp->state != CAMP_RUNNING && camp->state != CAMP_OBSERVING)
        return false;
    struct camp_phase_now *phase = &camp->phase[camp->at_phase];
    phase->dirty = true;
    camp_alert_campaign(camp, CAMP_ALERT_PAUSED, REP_ALERT_OPERATIONS, phase->plan->name, at_us);
    camp_stop(camp, false);
    return true;
}

static bool has_red(const struct camp_phase_now *phase)
{
    for (uint32_t i = 0; i < phase->plan->gates; i++)
        if (phase->gate[i].state == REP_GATE_RED && !phase->gate[i].overruled)
            return true;
    return false;
}

/* A phase that gates had stopped goes on without them; where it was stopped for want of data,
 * without those that had none. */
static void phase_reopen(struct camp *camp, struct camp_phase_now *phase)
{
    enum rep_gate_state stopped_by = has_red(phase) ? REP_GATE_RED : REP_GATE_HOLD;
    for (uint32_t i = 0; i < phase->plan->gates; i++) {
        struct camp_gate_now *gate = &phase->gate[i];
        if (gate->state != stopped_by || gate->overruled)
            continue;
        gate->overruled = true;
        camp_event(camp, "operator", "%s of %s is overruled",
                   scn_metric_name((int)phase->plan->gate[i].metric), phase->plan->name);
    }
    phase->result = REP_PHASE_NOT_REACHED;
    phase->ended_us = -1;
}

static void phase_resume(struct camp *camp, struct camp_phase_now *phase)
{
    if (phase->result == REP_PHASE_STOPPED)
        phase_reopen(camp, phase);
    if (phase->hold_from_us >= 0)
        phase->paused_us += camp->now_us - camp->stopped_us;
    phase->dirty = true;
}

/* A trial under way judges itself, and would take a notification for one of another update. */
static bool waits_by_order(const struct camp_device *it)
{
    bool open = it->outcome == REP_OUT_PENDING || it->outcome == REP_OUT_DOWNLOAD_FAILED ||
                it->outcome == REP_OUT_SILENT;
    return it->deferred && open && !it->presumed && it->status != CAMP_ST_APPLYING &&
           it->status != CAMP_ST_REBOOTING && it->status != CAMP_ST_HEALTH_CHECK;
}

/*
 * The notification brings the new deadline, and begins the update anew on a device that gave up at
 * the old one; `apply` ends the deferral. A device takes them in this order.
 */
static void device_resume(struct camp *camp, uint32_t device)
{
    struct camp_device *it = &camp->device[device];
    bool waits = waits_by_order(it);
    if (!it->deferred && it->outcome != REP_OUT_PENDING)
        return;
    camp_change_begin(camp, device);
    it->deferred = false;
    it->silent_us = camp_chance_us(camp, device) + camp->config->plan->silent_after_us;
    if (waits) {
        it->notified_us = camp->now_us;
        if (it->status == CAMP_ST_REFUSED)
            it->status = CAMP_ST_NONE;
    }
    camp_change_end(camp, device);
    if (waits) {
        camp_send(camp, device, CAMP_CMD_NONE);
        camp_send(camp, device, CAMP_CMD_APPLY);
    }
}

static bool resume_now(struct camp *camp)
{
    if (camp->state != CAMP_PAUSED)
        return false;
    struct camp_phase_now *phase = &camp->phase[camp->at_phase];
    bool observation = camp_phase_is_observation(camp, phase);
    phase_resume(camp, phase);
    camp->state = observation ? CAMP_OBSERVING : CAMP_RUNNING;
    camp->stopped_us = -1;
    camp->dirty = camp->changed = true;
    for (uint32_t i = 0; i < camp->config->devices; i++) {
        device_resume(camp, i);
        camp_device_rearm(camp, i);
    }
    if (!observation)
        camp_lanes_fill(camp);
    camp_event(camp, "state", "resumed in %s", phase->plan->name);
    return true;
}

static bool rollback_now(struct camp *camp, int64_t at_us)
{
    if (camp->state != CAMP_RUNNING && camp->state != CAMP_OBSERVING && camp->state != CAMP_PAUSED)
        return false;
    struct camp_phase_now *phase = &camp->phase[camp->at_phase];
    camp_alert_campaign(camp, CAMP_ALERT_ROLLBACK_ORDERED, REP_ALERT_OPERATIONS, phase->plan->name,
                        at_us);
    if (phase->result == REP_PHASE_NOT_REACHED)
        camp_phase_close(camp, phase, REP_PHASE_STOPPED);
    camp_stop(camp, true);
    return true;
}

static bool order_take(struct camp *camp, const struct camp_order *order)
{
    switch (order->action) {
    case CAMP_OPERATOR_PAUSE:
        return pause_now(camp, order->at_us);
    case CAMP_OPERATOR_RESUME:
        return resume_now(camp);
    default:
        return rollback_now(camp, order->at_us);
    }
}

void camp_operator_run(struct camp *camp)
{
    for (uint32_t i = 0; i < camp->orders; i++) {
        const char *name = action_names[camp->order[i].action];
        bool taken = order_take(camp, &camp->order[i]);
        camp_event(camp, "operator", "%s%s", name,
                   taken ? "" : ": ignored, it makes no sense in this state");
        camp->dirty = true;
    }
    camp->orders = 0;
}
