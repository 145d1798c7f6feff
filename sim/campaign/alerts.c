/*
 * Alerts and events. One table says who is told of what. A device is alerted once for each kind, a
 * kind 20 times and then once more in sum: a bad firmware must not bury its own message.
 */
#include "camp.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    enum rep_alert_level level;
    const char *text;
} alert_table[CAMP_ALERT_KINDS] = {
    [CAMP_ALERT_DOWNLOAD_FAILED] = {REP_ALERT_OPERATIONS, "download failed"},
    [CAMP_ALERT_VERIFY_FAILED] = {REP_ALERT_OPERATIONS, "verification failed"},
    [CAMP_ALERT_REFUSED] = {REP_ALERT_OPERATIONS, "update refused"},
    [CAMP_ALERT_ROLLED_BACK_BOOT] = {REP_ALERT_ON_CALL,
                                     "rolled back, the new firmware did not boot"},
    [CAMP_ALERT_ROLLED_BACK_HEALTH] = {REP_ALERT_OPERATIONS, "rolled back, health check failed"},
    [CAMP_ALERT_PRESUMED_BRICK] = {REP_ALERT_ON_CALL, "presumed brick: no message since rebooting"},
    [CAMP_ALERT_GATE] = {REP_ALERT_OPERATIONS, "gate stopped the campaign"}, /* see gate_levels */
    [CAMP_ALERT_NO_DATA] = {REP_ALERT_OPERATIONS, "no data to judge the phase by"},
    [CAMP_ALERT_PAUSED] = {REP_ALERT_OPERATIONS, "paused by the operator"},
    [CAMP_ALERT_ROLLBACK_ORDERED] = {REP_ALERT_OPERATIONS, "rolled back by the operator"},
    [CAMP_ALERT_BURN_IN] = {REP_ALERT_OPERATIONS, "the burn-in failed"},
};

static const enum rep_alert_level gate_levels[SCN_METRICS] = {
    [SCN_METRIC_SUCCESS] = REP_ALERT_OPERATIONS,
    [SCN_METRIC_CRASH] = REP_ALERT_ON_CALL,
    [SCN_METRIC_TELEMETRY_GAP] = REP_ALERT_OPERATIONS,
    [SCN_METRIC_BRICK] = REP_ALERT_ENGINEERING_LEAD,
    [SCN_METRIC_ROLLBACK] = REP_ALERT_ENGINEERING_LEAD,
    [SCN_METRIC_COMMAND_MS] = REP_ALERT_OPERATIONS,
    [SCN_METRIC_MEMORY] = REP_ALERT_OPERATIONS,
    [SCN_METRIC_CPU] = REP_ALERT_OPERATIONS,
};

enum rep_alert_level camp_gate_level(enum scn_metric metric)
{
    return gate_levels[metric];
}

bool camp_reason_is_boot(const char *reason)
{
    static const char *const boot[] = {"watchdog",     "trials_used", "boot_verify",
                                       "faulty_boots", "config_lost", "health_hard_fault"};
    for (size_t i = 0; i < sizeof boot / sizeof boot[0]; i++)
        if (strcmp(reason, boot[i]) == 0)
            return true;
    return false;
}

void camp_event(struct camp *camp, const char *kind, const char *format, ...)
{
    if (camp->events == camp->events_room) {
        uint32_t room = camp->events_room ? camp->events_room * 2 : 16;
        struct camp_event *event = realloc(camp->event, sizeof *event * room);
        if (!event)
            return; /* an event is for the log only; the tables have the truth */
        camp->event = event;
        camp->events_room = room;
    }
    struct camp_event *event = &camp->event[camp->events++];
    event->kind = kind;
    va_list args;
    va_start(args, format);
    vsnprintf(event->text, sizeof event->text, format, args);
    va_end(args);
}

int camp_alert_restore(struct camp *camp, const struct camp_alert *alert)
{
    if (camp->alerts == camp->alerts_room) {
        uint32_t room = camp->alerts_room ? camp->alerts_room * 2 : 16;
        struct camp_alert *grown = realloc(camp->alert, sizeof *grown * room);
        if (!grown)
            return CAMP_EMEMORY;
        camp->alert = grown;
        camp->alerts_room = room;
    }
    camp->alert[camp->alerts++] = *alert;
    camp->alert_count[alert->kind]++;
    return CAMP_OK;
}

static void alert_add(struct camp *camp, const struct camp_alert *alert)
{
    bool of_device = alert->device >= 0;
    if (camp_alert_restore(camp, alert) != CAMP_OK) {
        camp->broken = true; /* the next tick says so and ends the run */
        return;
    }
    camp_event(camp, "alert", "%s: %s%s%s", rep_alert_level_name((int)alert->level), alert->cause,
               of_device ? ", " : "", of_device ? camp->config->device[alert->device].id : "");
}

void camp_alert_device(struct camp *camp, enum camp_alert_kind kind, uint32_t device, int64_t at_us)
{
    struct camp_device *it = &camp->device[device];
    if (it->alerted & 1u << kind)
        return;
    it->alerted |= 1u << kind;
    if (camp->alert_count[kind] > CAMP_ALERTS_PER_KIND)
        return;
    struct camp_alert alert = {at_us, kind, alert_table[kind].level, (int32_t)device, ""};
    const char *text = alert_table[kind].text;
    if (camp->alert_count[kind] == CAMP_ALERTS_PER_KIND) {
        alert.device = -1;
        snprintf(alert.cause, sizeof alert.cause, "%s: and more devices", text);
    } else {
        snprintf(alert.cause, sizeof alert.cause, "%s%s%s", text, it->reason[0] ? ": " : "",
                 it->reason);
    }
    alert_add(camp, &alert);
}

void camp_alert_campaign(struct camp *camp, enum camp_alert_kind kind, enum rep_alert_level level,
                         const char *cause, int64_t at_us)
{
    struct camp_alert alert = {at_us, kind, level, -1, ""};
    snprintf(alert.cause, sizeof alert.cause, "%s: %s", alert_table[kind].text, cause);
    alert_add(camp, &alert);
}
