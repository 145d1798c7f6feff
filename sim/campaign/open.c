/*
 * Opening, ticking, closing. A tick: what fell due by itself, then what the operator ordered, then
 * the phases, then one commit, and only then the events and the messages.
 */
#include "camp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int error_config(struct camp *camp, const char *what, const char *which)
{
    snprintf(camp->message, sizeof camp->message, "campaign: %s%s", what, which);
    return CAMP_ECONFIG;
}

static const struct camp_device_info *device_named(const struct camp_config *config, const char *id)
{
    for (uint32_t i = 0; i < config->devices; i++)
        if (strcmp(config->device[i].id, id) == 0)
            return &config->device[i];
    return NULL;
}

/* A device that a phase names must be there, and be no lab device: those have a phase of their own.
 */
static int check_named(struct camp *camp, const struct scn_phase *plan)
{
    if (plan->size != SCN_SIZE_DEVICES)
        return CAMP_OK;
    for (uint32_t i = 0; i < plan->devices_count; i++) {
        const struct camp_device_info *info = device_named(camp->config, plan->devices[i]);
        if (!info || info->lab)
            return error_config(
                camp, info ? "a phase names a lab device: " : "no such device: ", plan->devices[i]);
    }
    return CAMP_OK;
}

static int check_config(struct camp *camp)
{
    const struct camp_config *config = camp->config;
    if (!config->plan->phases || config->plan->phases > SCN_PHASES_MAX)
        return error_config(camp, "it has no phases", "");
    if (!config->devices || config->devices > SCN_DEVICES_MAX)
        return error_config(camp, "it has no devices", "");
    if (strlen(config->campaign_id) >= REP_NAME_MAX || strpbrk(config->campaign_id, "\"\\"))
        return error_config(camp, "its id cannot be sent: ", config->campaign_id);
    if (config->burn_in && camp_burn_in_lacks(config->plan, config->burn_in))
        return error_config(camp, "the burn-in did not judge a gate of its lab phase", "");
    int error = CAMP_OK;
    for (uint32_t i = 0; i < config->plan->phases && !error; i++)
        error = check_named(camp, &config->plan->phase[i]);
    return error;
}

static void phase_open(struct camp *camp, const struct scn_phase *plan, bool lab)
{
    camp->phase[camp->phases++] = (struct camp_phase_now){
        .plan = plan, .lab = lab, .started_us = -1, .hold_from_us = -1, .ended_us = -1};
}

/* The observation is watched by those gates of the last phase that time can still turn. */
static void observation_open(struct camp *camp, const struct scn_phase *last)
{
    struct scn_phase *plan = &camp->observation;
    snprintf(plan->name, sizeof plan->name, "observation");
    plan->size = last->size;
    plan->hold_us = camp->config->plan->observe_us;
    for (uint32_t i = 0; i < last->gates; i++) {
        enum scn_metric metric = last->gate[i].metric;
        if (metric == SCN_METRIC_BRICK || metric == SCN_METRIC_CRASH ||
            metric == SCN_METRIC_TELEMETRY_GAP)
            plan->gate[plan->gates++] = last->gate[i];
    }
    phase_open(camp, plan, last->size == SCN_SIZE_LAB);
}

static void phases_open(struct camp *camp)
{
    const struct scn_campaign *plan = camp->config->plan;
    for (uint32_t i = 0; i < plan->phases; i++)
        phase_open(camp, &plan->phase[i], plan->phase[i].size == SCN_SIZE_LAB);
    if (plan->observe_us > 0)
        observation_open(camp, &plan->phase[plan->phases - 1]);
    for (uint32_t i = 0; i < camp->config->devices; i++) {
        int64_t every_us = camp->config->device[i].telemetry_every_us;
        if (every_us > 0 &&
            (!camp->telemetry_every_min_us || every_us < camp->telemetry_every_min_us))
            camp->telemetry_every_min_us = every_us;
    }
}

static const struct camp_device fresh_device = {
    .phase = -1,
    .enrolled_us = -1,
    .notified_us = -1,
    .heard_us = -1,
    .outcome_us = -1,
    .confirmed_us = -1,
    .approve_us = CAMP_NEVER,
    .silent_us = -1,
    .version_us = -1,
    .measured = {.last_us = -1,
                 .before.base_us = -1,
                 .after.base_us = -1,
                 .ping_us = -1,
                 .reset_us = -1,
                 .crash_us = -1,
                 .total = -1,
                 .total_us = -1},
};

static int devices_open(struct camp *camp)
{
    uint32_t devices = camp->config->devices;
    camp->device = calloc(devices, sizeof *camp->device);
    camp->dirty_row = malloc(sizeof *camp->dirty_row * devices);
    camp->dirty_measured = malloc(sizeof *camp->dirty_measured * devices);
    camp->waiting = malloc(sizeof *camp->waiting * devices);
    if (!camp->device || !camp->dirty_row || !camp->dirty_measured || !camp->waiting ||
        sim_queue_init(&camp->due, devices) != 0)
        return CAMP_EMEMORY;
    for (uint32_t i = 0; i < devices; i++) {
        struct camp_device *it = &camp->device[i];
        *it = fresh_device;
        snprintf(it->version, sizeof it->version, "%s", camp->config->device[i].version);
    }
    return CAMP_OK;
}

static int open_all(struct camp *camp)
{
    int error = check_config(camp);
    if (!error)
        error = devices_open(camp);
    if (error)
        return error;
    phases_open(camp);
    error = camp_lanes_open(camp);
    if (!error)
        error = camp_outgoing_open(camp);
    if (!error)
        error = camp_store_open(camp);
    if (!error)
        error = camp_load(camp);
    return error;
}

int camp_open(struct camp **out, const struct camp_config *config, sqlite3 *db)
{
    struct camp *camp = calloc(1, sizeof *camp);
    *out = camp;
    if (!camp)
        return CAMP_EMEMORY;
    camp->config = config;
    camp->db = db;
    camp->at_phase = -1;
    camp->now_us = config->start_us;
    camp->stopped_us = -1;
    camp->keep_from = INT64_MAX;
    camp->pace = config->pace ? config->pace : 1;
    camp->rate_next_us = INT64_MIN;
    camp->enrol_next_us = CAMP_NEVER;
    int error = open_all(camp);
    camp->broken =
        error != CAMP_OK; /* it keeps the message, and nothing else may be done with it */
    if (error == CAMP_EMEMORY)
        snprintf(camp->message, sizeof camp->message, "campaign: out of memory");
    return error;
}

void camp_close(struct camp *camp)
{
    if (!camp)
        return;
    camp_store_close(camp);
    sim_queue_free(&camp->due);
    for (uint32_t i = 0; camp->device && i < camp->config->devices; i++)
        free(camp->device[i].measured.mark);
    free(camp->device);
    free(camp->dirty_row);
    free(camp->dirty_measured);
    free(camp->waiting);
    free(camp->lane);
    free(camp->alert);
    free(camp->send);
    free(camp->payload);
    free(camp->event);
    free(camp);
}

const char *camp_message(const struct camp *camp)
{
    return camp->message;
}

void camp_on_event(struct camp *camp,
                   void (*hook)(void *ctx, int64_t at_us, const char *kind, const char *text),
                   void *ctx)
{
    camp->on_event = hook;
    camp->on_event_ctx = ctx;
}

static void events_tell(struct camp *camp)
{
    for (uint32_t i = 0; i < camp->events && camp->on_event; i++)
        camp->on_event(camp->on_event_ctx, camp->now_us, camp->event[i].kind, camp->event[i].text);
    camp->events = 0;
}

int camp_tick(struct camp *camp, int64_t now_us)
{
    if (camp->broken)
        return CAMP_EDB;
    /* That this time came is remembered: a restarted service must not ask for it again and again.
     */
    if (camp_phase_next_at(camp) <= now_us)
        camp->dirty = true;
    camp->now_us = now_us;
    if (!camp->deaf)
        camp_deadlines_run(camp);
    camp_phases_begin(camp);
    camp_operator_run(camp);
    if (!camp->deaf)
        camp_phases_run(camp);
    if (camp->broken) {
        snprintf(camp->message, sizeof camp->message, "campaign: out of memory");
        return CAMP_EMEMORY;
    }
    int error = camp_store_commit(camp);
    if (error) {
        camp->broken = true;
        return error;
    }
    events_tell(camp);
    return CAMP_OK;
}

int64_t camp_next_at(const struct camp *camp)
{
    int64_t phase_us = camp->orders ? camp->order[0].at_us : camp_phase_next_at(camp);
    uint32_t device;
    int64_t device_us = sim_queue_peek(&camp->due, &device);
    return phase_us < device_us ? phase_us : device_us;
}

int64_t camp_latest_us(const struct camp *camp)
{
    int64_t latest_us = camp->now_us;
    for (uint32_t i = 0; i < camp->config->devices; i++)
        if (camp->device[i].heard_us > latest_us)
            latest_us = camp->device[i].heard_us;
    return latest_us;
}

enum camp_state camp_state(const struct camp *camp)
{
    return camp->state;
}
