/* The run: ticks, the campaign service, and the end. */
#include "fleet_internal.h"
#include "rep/db.h"
#include "sim/registry.h"
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

static const int64_t HOUR_US = 3600000000, DAY_US = 86400000000;

int sim_fleet_say(struct sim_fleet *fleet, const char *what, int error)
{
    snprintf(fleet->message, fleet->message_len, "%s", what);
    return error;
}

static void on_campaign_event(void *ctx, int64_t at_us, const char *kind, const char *text)
{
    struct sim_fleet *fleet = ctx;
    (void)kind;
    sim_log_event(&fleet->log, at_us, SIM_EV_PHASE, XXH3_64bits(text, strlen(text)), 0, text);
}

static int build_registry(struct sim_fleet *fleet)
{
    fleet->registry = sim_registry_create(&fleet->world.roster, fleet->world.pace);
    return fleet->registry ? 0 : -1;
}

static int open_service(struct sim_fleet *fleet)
{
    const struct sim_artifact *candidate = &fleet->world.artifact[fleet->world.candidate];
    fleet->camp_config = (struct camp_config){
        .plan = &fleet->scn->campaign,
        .device = fleet->registry,
        .devices = fleet->devices,
        .campaign_id = fleet->scn->name,
        .manifest = fleet->world.manifest,
        .candidate = candidate->from->version,
        .rollback_version = fleet->scn->campaign.rollback_version,
        .seed = fleet->scn->seed,
        .start_us = fleet->scn->start_us,
        .pace = fleet->world.pace,
        .burn_in = fleet->options->burn_in ? &fleet->options->burn_in->phase : NULL};
    if (camp_open(&fleet->camp, &fleet->camp_config, fleet->db))
        return sim_fleet_say(fleet, "the campaign service could not be opened on its database",
                             SIM_FLEET_EDB);
    camp_on_event(fleet->camp, on_campaign_event, fleet);
    return 0;
}

static int restart_service(struct sim_fleet *fleet)
{
    camp_close(fleet->camp);
    fleet->camp = NULL;
    return open_service(fleet);
}

static int build_parts(struct sim_fleet *fleet)
{
    fleet->parts = fleet->options->jobs < SIM_CREW_MAX ? fleet->options->jobs : SIM_CREW_MAX;
    if (fleet->options->ground)
        fleet->parts = 1; /* the thread of its loop */
    fleet->part = calloc(fleet->parts, sizeof *fleet->part);
    fleet->seen_changes = calloc(fleet->devices, sizeof *fleet->seen_changes);
    fleet->disbelief = calloc(fleet->devices, sizeof *fleet->disbelief);
    if (!fleet->part || !fleet->seen_changes || !fleet->disbelief)
        return -1;
    for (uint32_t p = 0; p < fleet->parts; p++) {
        struct sim_part *part = &fleet->part[p];
        uint32_t nodes = fleet->devices / fleet->parts + 1;
        part->changed = calloc(fleet->devices, sizeof *part->changed);
        if (!part->changed || sim_queue_init(&part->queue, nodes) ||
            sim_shard_init(&part->shard, &fleet->world))
            return -1;
    }
    return 0;
}

static int build_devices(struct sim_fleet *fleet)
{
    const struct sim_fleet_options *options = fleet->options;
    const struct sim_unit *traced = NULL;
    fleet->traced = UINT32_MAX;
    if (options->trace_device) {
        traced = sim_roster_find(&fleet->world.roster, options->trace_device);
        if (!traced) {
            snprintf(fleet->message, fleet->message_len,
                     "--trace %s: no such device; accepted: 0 to %u, or an id like %s",
                     options->trace_device, fleet->devices - 1, fleet->world.roster.unit[0].id);
            return SIM_FLEET_EDEVICE;
        }
        fleet->traced = traced->number;
    }
    fleet->device = calloc(fleet->devices, sizeof *fleet->device);
    if (!fleet->device)
        return sim_fleet_say(fleet, "no memory for the devices", SIM_FLEET_EMEMORY);
    if (options->ground && options->ground->devices)
        return 0; /* it has its own */
    for (uint32_t d = 0; d < fleet->devices; d++) {
        bool trace = fleet->traced == d;
        fleet->device[d] = sim_device_create(&fleet->world, d, trace ? options->trace : NULL);
        if (!fleet->device[d])
            return sim_fleet_say(fleet, "no memory for the devices", SIM_FLEET_EMEMORY);
        sim_queue_set(&fleet->part[d % fleet->parts].queue, d / fleet->parts, fleet->now_us);
    }
    if (options->mutate && options->mutate_device < fleet->devices) {
        struct sim_log *log = sim_device_log_for_test(fleet->device[options->mutate_device]);
        log->mutate = options->mutate;
        log->mutate_sequence = options->mutate_event;
    }
    return 0;
}

static int64_t next_tick(const struct sim_fleet *fleet)
{
    int64_t start = fleet->scn->start_us;
    int64_t run = sim_crew_next(fleet), post = sim_post_next(fleet),
            act = camp_next_at(fleet->camp);
    int64_t event = sim_schedule_next(fleet);
    if (event < act)
        act = event;
    if (post < act)
        act = post;
    if (run == SIM_NEVER && act == SIM_NEVER && fleet->done_at_us == SIM_NEVER)
        return SIM_NEVER;
    /* A device that is due at t has to be run beyond t; a message that is due at t may wait for t.
     */
    int64_t tick =
        run == SIM_NEVER ? SIM_NEVER : start + ((run - start) / SIM_TICK_US + 1) * SIM_TICK_US;
    if (act != SIM_NEVER) {
        int64_t at = start + (act - start + SIM_TICK_US - 1) / SIM_TICK_US * SIM_TICK_US;
        tick = at < tick ? at : tick;
    }
    if (fleet->done_at_us !=
        SIM_NEVER) { /* the end is looked for at its own times, whoever is due */
        int64_t look =
            fleet->done_at_us + ((fleet->now_us - fleet->done_at_us) / HOUR_US + 1) * HOUR_US;
        tick = look < tick ? look : tick;
    }
    return tick > fleet->now_us ? tick : fleet->now_us + SIM_TICK_US;
}

/* What was not committed is lost: it is, at this moment, nothing. */
static int service_dies(struct sim_fleet *fleet, const struct sim_service_event *event)
{
    sim_log_event(&fleet->log, fleet->now_us, SIM_EV_RESTART, event->number, 0, NULL);
    return restart_service(fleet);
}

static bool forgets(const struct sim_fleet *fleet, uint32_t fault)
{
    enum scn_how how = fleet->scn->fault[fault].how;
    if (how == SCN_HOW_ANY) /* nobody's fault in particular */
        return sim_rng_at(fleet->scn->seed, UINT32_MAX, SIM_RNG_FAULT_DETAIL, fault) % 2;
    return how == SCN_HOW_FORGET;
}

static int broker_restarts(struct sim_fleet *fleet, const struct sim_service_event *event)
{
    const struct sim_ground *ground = fleet->options->ground;
    bool forget = forgets(fleet, event->number);
    sim_log_event(&fleet->log, fleet->now_us, SIM_EV_RESTART, event->number, 1 + forget, NULL);
    if (ground)
        return ground->restart_broker(ground->ctx, forget, fleet->message, fleet->message_len)
                   ? SIM_FLEET_ELOST
                   : 0;
    for (uint32_t d = 0; d < fleet->devices; d++) {
        int64_t next;
        sim_device_broker_restarts(fleet->device[d], forget, event->at_us, &next);
        sim_queue_set(&fleet->part[d % fleet->parts].queue, d / fleet->parts, next);
    }
    return 0;
}

static int operator_orders(struct sim_fleet *fleet, const struct sim_service_event *event)
{
    static const enum camp_operator_action as[SCN_ORDER_ACTIONS] = {
        [SCN_ORDER_PAUSE] = CAMP_OPERATOR_PAUSE,
        [SCN_ORDER_RESUME] = CAMP_OPERATOR_RESUME,
        [SCN_ORDER_ROLLBACK] = CAMP_OPERATOR_ROLLBACK,
    };
    enum scn_order_action action = fleet->scn->campaign.order[event->number].action;
    sim_log_event(&fleet->log, fleet->now_us, SIM_EV_OPERATOR, action, event->number,
                  scn_order_name((int)action));
    return camp_operator(fleet->camp, as[action], event->at_us)
               ? sim_fleet_say(fleet, "an operator's order was not taken", SIM_FLEET_EMEMORY)
               : 0;
}

int sim_fleet_service_events(struct sim_fleet *fleet)
{
    const struct sim_service_event *event;
    int error = 0;
    while (!error && (event = sim_schedule_take(fleet)))
        error = event->is_order ? operator_orders(fleet, event)
                : fleet->scn->fault[event->number].kind == SCN_FAULT_BROKER_RESTART
                    ? broker_restarts(fleet, event)
                    : service_dies(fleet, event);
    return error;
}

static int service_acts(struct sim_fleet *fleet)
{
    int error = sim_fleet_service_events(fleet);
    if (error)
        return error;
    sim_post_to_service(fleet, fleet->now_us);
    if (camp_tick(fleet->camp, fleet->now_us))
        return sim_fleet_say(fleet, camp_message(fleet->camp), SIM_FLEET_EDB);
    if (fleet->options->restart_every && ++fleet->ticks % fleet->options->restart_every == 0) {
        error = restart_service(fleet);
        if (error)
            return error;
    }
    return sim_post_to_devices(fleet)
               ? sim_fleet_say(fleet, "no memory for messages", SIM_FLEET_EMEMORY)
               : 0;
}

void sim_fleet_show(const struct sim_fleet *fleet)
{
    struct rep_progress_now now = {.virtual_us = fleet->now_us - fleet->scn->start_us};
    camp_progress(fleet->camp, &now.phase, &now.cohort, &now.confirmed, &now.rolled_back,
                  &now.bricked);
    int64_t end_us = camp_end_estimate_us(fleet->camp);
    now.virtual_end_us = end_us < 0 ? 0 : end_us - fleet->scn->start_us; /* 0: not known */
    rep_progress_show(fleet->options->progress, &now);
}

bool sim_fleet_goes_on(struct sim_fleet *fleet)
{
    bool waits = camp_state(fleet->camp) == CAMP_PAUSED && sim_schedule_orders_ahead(fleet);
    if (!waits && camp_done(fleet->camp))
        return false;
    fleet->done_at_us = SIM_NEVER;
    fleet->gave_up = fleet->now_us - fleet->scn->start_us > fleet->days_max * DAY_US;
    return true;
}

/* Over: the campaign has nothing more to do by itself, no order is ahead that could wake it, and
 * the devices have come to rest. Looked at by whole hours: a tick that found nothing to do (a
 * restarted service has fewer of them) must not end the run. */
static bool over(struct sim_fleet *fleet)
{
    if (sim_fleet_goes_on(fleet))
        return fleet->gave_up;
    if (fleet->done_at_us == SIM_NEVER)
        fleet->done_at_us = fleet->now_us;
    int64_t since = fleet->now_us - fleet->done_at_us;
    return since > 0 && since % HOUR_US == 0 &&
           (since >= SIM_SETTLE_HOURS * HOUR_US || sim_fleet_settled(fleet));
}

static int run(struct sim_fleet *fleet)
{
    while (!over(fleet)) {
        int64_t tick = next_tick(fleet);
        if (tick == SIM_NEVER)
            break;
        sim_crew_run(fleet, tick);
        fleet->now_us = tick;
        if (sim_post_collect(fleet))
            return sim_fleet_say(fleet, "no memory for messages", SIM_FLEET_EMEMORY);
        int error = service_acts(fleet);
        if (error)
            return error;
        sim_belief_follow(fleet);
        if (fleet->options->progress)
            sim_fleet_show(fleet);
    }
    return 0;
}

static bool downloads_failed(const struct sim_fleet *fleet)
{
    for (uint32_t d = 0; d < fleet->devices; d++) {
        struct camp_belief belief;
        struct sim_truth truth;
        camp_belief(fleet->camp, d, &belief);
        sim_fleet_truth(fleet, d, &truth);
        if (belief.outcome == REP_OUT_DOWNLOAD_FAILED || truth.state == AGENT_DOWNLOADING ||
            truth.state == AGENT_DOWNLOAD_FAILED)
            return true;
    }
    return false;
}

static int inspect(struct sim_fleet *fleet)
{
    const struct sim_ground *ground = fleet->options->ground;
    for (uint32_t d = 0; d < fleet->devices; d++)
        sim_fleet_inspect(fleet, d);
    if (ground && ground->held_out &&
        ground->held_out(ground->ctx, fleet->message, fleet->message_len))
        return SIM_FLEET_ELOST;
    if (ground && ground->store_serves && downloads_failed(fleet) &&
        ground->store_serves(ground->ctx, fleet->message, fleet->message_len))
        return SIM_FLEET_ELOST;
    sim_belief_end(fleet);
    return 0;
}

/* With all that is known before the run, for whoever finds the file after a crash. */
static int create_database(struct sim_fleet *fleet)
{
    struct rep_result known;
    rep_result_init(&known);
    sim_fleet_identify(fleet, &known);
    int error =
        rep_db_create(&fleet->db, fleet->options->db_path, fleet->scn->name, fleet->scn->seed);
    return error ? error : rep_db_describe(fleet->db, &known);
}

static int check_ground(struct sim_fleet *fleet)
{
    const struct sim_ground *ground = fleet->options->ground;
    for (uint32_t f = 0; ground && !ground->restart_broker && f < fleet->scn->faults; f++)
        if (fleet->scn->fault[f].kind == SCN_FAULT_BROKER_RESTART)
            return sim_fleet_say(fleet,
                                 "faults: broker_restart: this world has no broker of its own; "
                                 "accepted: --world virtual, --world loopback",
                                 SIM_FLEET_EGROUND);
    return 0;
}

static int prepare(struct sim_fleet *fleet)
{
    char why[512];
    const struct sim_ground *ground = fleet->options->ground;
    if (check_ground(fleet))
        return SIM_FLEET_EGROUND;
    if (sim_world_build(&fleet->world, fleet->scn, why, sizeof why))
        return sim_fleet_say(fleet, why, SIM_FLEET_EWORLD);
    if (fleet->options->burn_in && sim_fleet_check_burn_in(fleet))
        return SIM_FLEET_EWORLD;
    if (ground && ground->prepare(ground->ctx, &fleet->world, why, sizeof why))
        return sim_fleet_say(fleet, why, SIM_FLEET_EGROUND);
    fleet->devices = fleet->world.roster.count;
    fleet->now_us = fleet->scn->start_us;
    fleet->done_at_us = SIM_NEVER;
    fleet->days_max =
        fleet->options->days_max ? fleet->options->days_max : sim_schedule_days_max(fleet);
    sim_log_init(&fleet->log, fleet->devices, fleet->now_us);
    if (sim_schedule_build(fleet) || build_registry(fleet) || build_parts(fleet))
        return sim_fleet_say(fleet, "no memory for the fleet", SIM_FLEET_EMEMORY);
    int error = build_devices(fleet);
    if (error)
        return error;
    if (create_database(fleet)) {
        snprintf(fleet->message, fleet->message_len, "%s: %s",
                 fleet->options->db_path ? fleet->options->db_path : "result database",
                 rep_db_message(fleet->db));
        return SIM_FLEET_EOUTPUT;
    }
    error = open_service(fleet);
    if (!error && ground)
        return sim_wall_open(fleet);
    if (!error && sim_crew_start(fleet))
        return sim_fleet_say(fleet, "threads could not be started", SIM_FLEET_EMEMORY);
    return error;
}

static void clean_up(struct sim_fleet *fleet)
{
    sim_crew_stop(fleet);
    if (fleet->options->ground)
        fleet->options->ground->close(fleet->options->ground->ctx);
    if (fleet->camp)
        camp_close(fleet->camp);
    for (uint32_t d = 0; fleet->device && d < fleet->devices; d++)
        sim_device_free(fleet->device[d]);
    for (uint32_t p = 0; fleet->part && p < fleet->parts; p++) {
        sim_shard_free(&fleet->part[p].shard);
        sim_queue_free(&fleet->part[p].queue);
        free(fleet->part[p].changed);
    }
    sim_post_free(fleet);
    free(fleet->device);
    free(fleet->part);
    free(fleet->seen_changes);
    free(fleet->disbelief);
    free(fleet->registry);
    free(fleet->service_event);
    sqlite3_close(fleet->db);
    sim_world_free(&fleet->world);
}

/* Stores the result and reads it back, so that every form shows what the database holds. */
static int finish(struct sim_fleet *fleet, struct rep_result *out)
{
    struct rep_result made;
    rep_result_init(&made);
    int error = sim_fleet_collect(fleet, &made);
    if (!error && rep_db_write(fleet->db, &made))
        error = sim_fleet_say(fleet, rep_db_message(fleet->db), SIM_FLEET_EDB);
    if (!error && rep_db_read(fleet->db, out))
        error = sim_fleet_say(fleet, rep_db_message(fleet->db), SIM_FLEET_EDB);
    rep_result_free(&made);
    return error;
}

int sim_fleet_run(struct rep_result *out, const struct scn *scn,
                  const struct sim_fleet_options *options, char *message, size_t message_len)
{
    struct sim_fleet *fleet = calloc(1, sizeof *fleet);
    rep_result_init(out);
    *message = 0;
    if (!fleet)
        return SIM_FLEET_EMEMORY;
    *fleet = (struct sim_fleet){.wall_start = sim_fleet_wall_s(),
                                .scn = scn,
                                .options = options,
                                .message = message,
                                .message_len = message_len};
    int error = prepare(fleet);
    if (!error)
        error = options->ground ? sim_wall_run(fleet) : run(fleet);
    sim_crew_stop(fleet);
    if (!error)
        error = inspect(fleet);
    if (!error)
        error = finish(fleet, out);
    clean_up(fleet);
    free(fleet);
    return error;
}
