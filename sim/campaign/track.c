/*
 * Following devices by what they say. A status counts when its seq is new; an older one was
 * overtaken and only shows that the device is alive. The last attempt's outcome wins.
 */
#include "camp.h"

#include <string.h>

void camp_heard(struct camp *camp, uint32_t device, int64_t at_us)
{
    struct camp_device *it = &camp->device[device];
    if (at_us <= it->heard_us)
        return;
    if (!it->presumed) {
        it->heard_us = at_us;
        return;
    }
    it = camp_change_begin(camp, device);
    it->heard_us = at_us;
    it->presumed = false;
    bool waits = at_us < it->silent_us || it->deferred || camp_is_held(camp);
    it->outcome = waits ? REP_OUT_PENDING : REP_OUT_SILENT;
    it->outcome_us = it->outcome == REP_OUT_SILENT ? at_us : -1;
    camp_change_end(camp, device);
    camp_event(camp, "device", "%s speaks again: it is no brick", camp->config->device[device].id);
}

/* A device that rolled back refuses the notification that a resume sent it, and stays rolled back
 * for the reason that it gave. */
static bool refuses_again(const struct camp_device *it, enum camp_status_kind status)
{
    return status == CAMP_ST_REFUSED &&
           (it->outcome == REP_OUT_ROLLED_BACK || it->outcome == REP_OUT_ROLLED_BACK_BY_CAMPAIGN);
}

/* It was told to wait and its deadline passed: the campaign's doing, and no outcome. A resume
 * notifies it anew. */
static bool gave_up_by_order(const struct camp_device *it)
{
    return it->deferred && strcmp(it->reason, "deadline") == 0 &&
           (it->outcome == REP_OUT_PENDING || it->outcome == REP_OUT_DOWNLOAD_FAILED);
}

/* The outcome that a status gives, REP_OUT_NONE when it gives none. */
static enum rep_outcome outcome_of(const struct camp_device *it, enum camp_status_kind status)
{
    switch (status) {
    case CAMP_ST_DOWNLOAD_FAILED:
        return REP_OUT_DOWNLOAD_FAILED;
    case CAMP_ST_VERIFY_FAILED:
        return REP_OUT_VERIFY_FAILED;
    case CAMP_ST_CONFIRMED:
        return REP_OUT_CONFIRMED;
    case CAMP_ST_ROLLED_BACK:
        return it->ordered ? REP_OUT_ROLLED_BACK_BY_CAMPAIGN : REP_OUT_ROLLED_BACK;
    case CAMP_ST_REFUSED:
        /* The answer to a notification that was sent twice undoes nothing. */
        return it->outcome == REP_OUT_CONFIRMED || gave_up_by_order(it) ? REP_OUT_NONE
                                                                        : REP_OUT_REFUSED;
    default:
        return REP_OUT_NONE;
    }
}

static void alert_for(struct camp *camp, uint32_t device, int64_t at_us)
{
    const struct camp_device *it = &camp->device[device];
    switch (it->outcome) {
    case REP_OUT_DOWNLOAD_FAILED:
        camp_alert_device(camp, CAMP_ALERT_DOWNLOAD_FAILED, device, at_us);
        break;
    case REP_OUT_VERIFY_FAILED:
        camp_alert_device(camp, CAMP_ALERT_VERIFY_FAILED, device, at_us);
        break;
    case REP_OUT_REFUSED:
        camp_alert_device(camp, CAMP_ALERT_REFUSED, device, at_us);
        break;
    case REP_OUT_ROLLED_BACK:
        camp_alert_device(camp,
                          camp_reason_is_boot(it->reason) ? CAMP_ALERT_ROLLED_BACK_BOOT
                                                          : CAMP_ALERT_ROLLED_BACK_HEALTH,
                          device, at_us);
        break;
    default:
        break;
    }
}

/* A confirmed device that falls back by itself within 48 h had an unplanned reset. */
static bool is_late_crash(const struct camp_device *it, enum rep_outcome outcome, int64_t at_us)
{
    return outcome == REP_OUT_ROLLED_BACK && it->confirmed_us >= 0 &&
           at_us - it->confirmed_us <= 2 * CAMP_DAY && camp_reason_is_boot(it->reason);
}

static void outcome_set(struct camp *camp, uint32_t device, enum rep_outcome outcome, int64_t at_us)
{
    struct camp_device *it = &camp->device[device];
    if (is_late_crash(it, outcome, at_us))
        it->crashed = true;
    if (outcome == REP_OUT_CONFIRMED && it->outcome == REP_OUT_CONFIRMED)
        return; /* said twice; the first time counts */
    it->outcome = (uint8_t)outcome;
    it->outcome_us = at_us;
    if (outcome == REP_OUT_CONFIRMED && it->confirmed_us < 0) {
        it->confirmed_us = at_us;
        camp_measure_confirmed(camp, device);
    }
    alert_for(camp, device, at_us);
}

static void version_set(struct camp_device *it, const char *version, int64_t at_us)
{
    if (at_us >= it->version_us) {
        memcpy(it->version, version, sizeof it->version);
        it->version_us = at_us;
    }
}

/* at_us: its arrival. */
static void status_apply(struct camp *camp, uint32_t device, const struct camp_wire_status *status,
                         int64_t said_us, int64_t at_us)
{
    struct camp_device *it = &camp->device[device];
    if (refuses_again(it, status->status))
        return;
    it->status = (uint8_t)status->status;
    memcpy(it->reason, status->reason, sizeof it->reason);
    enum rep_outcome outcome = outcome_of(it, status->status);
    if (outcome != REP_OUT_NONE)
        outcome_set(camp, device, outcome, said_us);
    it->approve_us = CAMP_NEVER;
    if (status->status == CAMP_ST_WAITING_APPLY && camp->config->plan->approval &&
        camp->state == CAMP_RUNNING)
        it->approve_us = at_us + 10 * CAMP_SECOND;
    if (outcome == REP_OUT_CONFIRMED && camp->state == CAMP_ROLLING_BACK && !it->ordered) {
        it->ordered = true;
        camp_send(camp, device, CAMP_CMD_ROLLBACK);
    }
}

void camp_status(struct camp *camp, uint32_t device, const char *json, uint32_t len, int64_t at_us)
{
    struct camp_wire_status status;
    camp->counts.statuses++;
    camp->dirty = true; /* what was heard and what was new is known to the last one */
    if (device >= camp->config->devices || !camp_wire_status(&status, json, len) ||
        strcmp(status.device_id, camp->config->device[device].id) != 0) {
        camp->counts.dropped++;
        camp->dirty = true;
        return;
    }
    int64_t said_us = camp_said_us(camp, device, json, len, at_us);
    camp_heard(camp, device, at_us);
    struct camp_device *it = camp_change_begin(camp, device);
    if (status.seq <= it->seq) {
        camp->counts.late++;
        camp->dirty = true;
    } else {
        it->seq = status.seq;
        version_set(it, status.version, said_us);
        if (it->enrolled_us >= 0 && strcmp(status.campaign_id, camp->config->campaign_id) == 0) {
            status_apply(camp, device, &status, said_us, at_us);
        } else {
            camp->counts.foreign++;
            camp->dirty = true;
        }
    }
    camp_change_end(camp, device);
    camp_device_rearm(camp, device);
}
