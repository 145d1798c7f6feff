/*
 * What happens because nothing happened: silence after a notification, after a reboot, after a
 * confirmation; and the few things done for a device at a time of its own. Each device has one
 * place in a queue, by the earliest of its deadlines. A deadline that moves back stays where it is
 * and is looked at too early once.
 */
#include "camp.h"

enum { PING_EVERY_H = 1, PING_ANSWER_S = 60 };

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t silent_at(const struct camp *camp, const struct camp_device *it)
{
    if (it->outcome != REP_OUT_PENDING || it->deferred || camp_is_held(camp))
        return CAMP_NEVER;
    return it->silent_us;
}

static int64_t brick_at(const struct camp *camp, const struct camp_device *it)
{
    if (it->status != CAMP_ST_REBOOTING || it->presumed)
        return CAMP_NEVER;
    return it->heard_us + camp->config->plan->presumed_brick_us;
}

/* Once a day, as long as nothing was heard about the update and the deadline is ahead. */
static int64_t renotify_at(const struct camp *camp, const struct camp_device *it)
{
    if (it->outcome != REP_OUT_PENDING || it->status != CAMP_ST_NONE || camp->state != CAMP_RUNNING)
        return CAMP_NEVER;
    int64_t at_us = it->notified_us + CAMP_DAY;
    return at_us < silent_at(camp, it) ? at_us : CAMP_NEVER;
}

static int64_t ping_at(const struct camp *camp, uint32_t device)
{
    const struct camp_device *it = &camp->device[device];
    if (it->measured.ping_out)
        return it->measured.ping_us + PING_ANSWER_S * CAMP_SECOND * camp->pace;
    if (camp->at_phase < 0 || it->outcome != REP_OUT_CONFIRMED || camp->state != CAMP_RUNNING)
        return CAMP_NEVER;
    const struct camp_phase_now *phase = &camp->phase[camp->at_phase];
    if (phase->hold_from_us < 0 || phase->lab != camp->config->device[device].lab ||
        !camp_gate_ping(phase))
        return CAMP_NEVER;
    if (it->measured.ping_us < phase->hold_from_us)
        return camp->now_us > phase->hold_from_us ? camp->now_us : phase->hold_from_us;
    return it->measured.ping_us + PING_EVERY_H * CAMP_HOUR;
}

/* By whole hours from the moment at which the device became quiet. */
static int64_t quiet_at(const struct camp *camp, uint32_t device)
{
    int64_t from_us = camp_quiet_from(camp, device);
    if (from_us == CAMP_NEVER || camp->config->device[device].telemetry_every_us <= 0)
        return CAMP_NEVER;
    if (camp->now_us < from_us)
        return from_us;
    return from_us + ((camp->now_us - from_us) / CAMP_HOUR + 1) * CAMP_HOUR;
}

int64_t camp_device_due(const struct camp *camp, uint32_t device)
{
    const struct camp_device *it = &camp->device[device];
    if (it->enrolled_us < 0)
        return CAMP_NEVER;
    int64_t due_us = earlier(silent_at(camp, it), brick_at(camp, it));
    due_us = earlier(due_us, renotify_at(camp, it));
    due_us = earlier(due_us, it->approve_us);
    due_us = earlier(due_us, ping_at(camp, device));
    if (camp->state == CAMP_RUNNING || camp->state == CAMP_OBSERVING)
        due_us = earlier(due_us, quiet_at(camp, device));
    return due_us;
}

void camp_device_rearm(struct camp *camp, uint32_t device)
{
    int64_t due_us = camp_device_due(camp, device);
    if (due_us < sim_queue_at(&camp->due, device))
        sim_queue_set(&camp->due, device, due_us);
}

static void presume_brick(struct camp *camp, uint32_t device)
{
    struct camp_device *it = camp_change_begin(camp, device);
    it->presumed = true;
    it->outcome = REP_OUT_SILENT;
    it->outcome_us = camp->now_us;
    camp_alert_device(camp, CAMP_ALERT_PRESUMED_BRICK, device, camp->now_us);
    camp_change_end(camp, device);
}

static void fall_silent(struct camp *camp, uint32_t device)
{
    struct camp_device *it = camp_change_begin(camp, device);
    it->outcome = REP_OUT_SILENT;
    it->outcome_us = camp->now_us;
    camp_change_end(camp, device);
}

static void notify_again(struct camp *camp, uint32_t device)
{
    camp->device[device].notified_us = camp->now_us;
    camp_mark_row(camp, device);
    camp_send(camp, device, CAMP_CMD_NONE);
}

static void approve(struct camp *camp, uint32_t device)
{
    camp->device[device].approve_us = CAMP_NEVER;
    camp_mark_row(camp, device);
    if (camp->state == CAMP_RUNNING)
        camp_send(camp, device, CAMP_CMD_APPLY);
}

static void ping(struct camp *camp, uint32_t device)
{
    struct camp_measured *measured = &camp_change_begin(camp, device)->measured;
    if (measured->ping_out) {
        measured->ping_out = 0;
        measured->answers++;
        measured->answers_bad++;
    } else {
        camp_send(camp, device, CAMP_CMD_PING);
        measured->ping_out = camp->send_number;
        measured->ping_us = camp->now_us;
    }
    camp_change_end_measured(camp, device);
}

static void device_run(struct camp *camp, uint32_t device)
{
    int64_t now_us = camp->now_us;
    const struct camp_device *it = &camp->device[device];
    if (it->approve_us <= now_us)
        approve(camp, device);
    if (brick_at(camp, it) <= now_us)
        presume_brick(camp, device);
    if (silent_at(camp, it) <= now_us)
        fall_silent(camp, device);
    if (renotify_at(camp, it) <= now_us)
        notify_again(camp, device);
    if (ping_at(camp, device) <= now_us)
        ping(camp, device);
    if (camp->state == CAMP_RUNNING || camp->state == CAMP_OBSERVING)
        camp_measure_quiet(camp, device);
}

void camp_deadlines_run(struct camp *camp)
{
    uint32_t device;
    while (sim_queue_peek(&camp->due, &device) <= camp->now_us) {
        camp->dirty = true; /* the time of this tick is remembered */
        device_run(camp, device);
        sim_queue_set(&camp->due, device, camp_device_due(camp, device));
    }
}
