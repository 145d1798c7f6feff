#include "world.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char manifest[] = "{\"firmware_id\":\"fw-2.4.0\",\"version\":\"2.4.0\"}";

static void info_init(struct world *world, uint32_t i, bool lab)
{
    static const char *const sites[] = {"s-00", "s-01", "s-02", "s-03", "s-04"};
    struct camp_device_info *info = &world->info[i];
    snprintf(info->id, sizeof info->id, "dev-%05u", i);
    info->group = lab ? "lab" : "pumps";
    info->site = lab ? "lab" : sites[i % 5];
    info->zone_posix = "UTC0";
    info->criticality = i % 2 ? "low" : "high";
    info->ota_window = "";
    info->device_type = "pump";
    info->hw_revision = "Rev-A";
    info->version = "2.3.1";
    info->lab = lab;
    info->telemetry_every_us = 5 * MINUTE;
}

void world_init(struct world *world, uint32_t labs, uint32_t fleet)
{
    uint32_t devices = labs + fleet;
    *world = (struct world){.now_us = START};
    world->info = calloc(devices, sizeof *world->info);
    world->device = calloc(devices, sizeof *world->device);
    int error = sim_queue_init(&world->queue, devices);
    assert(!error && world->info && world->device);
    (void)error;
    for (uint32_t i = 0; i < devices; i++) {
        info_init(world, i, i < labs);
        world->device[i].confirmed_us = -1;
        world->device[i].notified_us = -1;
        world->device[i].telemetry_us = START + (i * 7919 % 86400) * SECOND;
    }
    scn_standard_phases(&world->plan, labs > 0);
    world->plan.observe_us = 7 * DAY;
    world->plan.silent_after_us = 48 * HOUR;
    world->plan.presumed_brick_us = 12 * HOUR;
    world->config = (struct camp_config){
        .plan = &world->plan,
        .device = world->info,
        .devices = devices,
        .campaign_id = "camp-1",
        .manifest = manifest,
        .candidate = "2.4.0",
        .rollback_version = "2.3.1",
        .seed = 1,
        .start_us = START,
    };
}

static void rearm(struct world *world, uint32_t device)
{
    const struct device *it = &world->device[device];
    int64_t next = world->no_telemetry ? INT64_MAX : it->telemetry_us;
    for (uint32_t i = 0; i < it->messages; i++)
        if (it->message[i].at_us < next)
            next = it->message[i].at_us;
    sim_queue_set(&world->queue, device, next);
}

static void service_open(struct world *world)
{
    int error = camp_open(&world->camp, &world->config, world->db);
    if (error)
        fprintf(stderr, "%s\n", camp_message(world->camp));
    assert(error == CAMP_OK);
}

void world_open(struct world *world)
{
    int error =
        sqlite3_open_v2(":memory:", &world->db,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
    assert(error == SQLITE_OK);
    (void)error;
    sqlite3_exec(world->db, "PRAGMA journal_mode=MEMORY; PRAGMA synchronous=OFF", NULL, NULL, NULL);
    for (uint32_t i = 0; i < world->config.devices && world->no_telemetry; i++)
        world->info[i].telemetry_every_us = 0; /* none is expected either */
    service_open(world);
    for (uint32_t i = 0; i < world->config.devices; i++)
        rearm(world, i);
}

void world_free(struct world *world)
{
    camp_close(world->camp);
    sqlite3_close(world->db);
    sim_queue_free(&world->queue);
    free(world->info);
    free(world->device);
    free(world->input);
}

static void plan_message(struct world *world, uint32_t device, int64_t after_us, const char *status,
                         const char *reason)
{
    struct device *it = &world->device[device];
    assert(it->messages < 16);
    it->message[it->messages++] =
        (struct message){.at_us = world->now_us + after_us, .status = status, .reason = reason};
}

static void plan_trial(struct world *world, uint32_t device, enum script script)
{
    plan_message(world, device, 11 * MINUTE, "applying", "");
    plan_message(world, device, 11 * MINUTE + SECOND, "rebooting", "");
    if (script == BRICKS)
        return;
    int64_t wake = script == SLEEPS ? 20 * HOUR : 12 * MINUTE;
    if (script == ROLLS_BACK) {
        plan_message(world, device, wake, "rolled_back", "watchdog");
        return;
    }
    plan_message(world, device, wake, "health_check", "");
    if (script == UNHEALTHY)
        plan_message(world, device, wake + MINUTE, "rolled_back", "health_config");
    else
        plan_message(world, device, wake + MINUTE, "confirmed", "");
}

static bool obeys(const struct device *it)
{
    return it->script == OBEYS || it->script == OBEYS_BADLY;
}

/* What was planned does not happen: the agent waits for the order, or for its deadline. */
static void on_defer(struct world *world, uint32_t device)
{
    struct device *it = &world->device[device];
    it->defers++;
    if (!obeys(it) || it->confirmed_us >= 0)
        return;
    it->waits = true;
    it->messages = 0;
    plan_message(world, device, SECOND, "waiting_apply", "deferred");
    plan_message(world, device, it->deadline_us - world->now_us, "refused", "deadline");
}

static void on_apply(struct world *world, uint32_t device)
{
    struct device *it = &world->device[device];
    bool first = it->applies++ == 0;
    if (it->waits)
        it->messages = 0; /* the deadline that it had is the old one */
    if (it->waits || (first && it->script != MUTE))
        plan_trial(world, device, it->script == OBEYS_BADLY ? ROLLS_BACK : it->script);
    it->waits = false;
}

static void on_notification(struct world *world, uint32_t device)
{
    struct device *it = &world->device[device];
    bool first = it->notifications++ == 0;
    it->deadline_us = world->now_us + world->plan.silent_after_us;
    if (first)
        it->notified_us = world->now_us;
    if (world->on_notified)
        world->on_notified(world, device);
    if (!first || it->script == MUTE)
        return;
    plan_message(world, device, 2 * SECOND, "notified", "");
    if (it->script == REFUSES) {
        plan_message(world, device, 3 * SECOND, "refused", "hw_revision");
        return;
    }
    plan_message(world, device, MINUTE, "downloading", "");
    if (it->script == DOWNLOADS_ON)
        return;
    if (it->script == DOWNLOAD_FAILS || it->script == DOWNLOAD_LATER) {
        plan_message(world, device, 10 * MINUTE, "download_failed", "network");
        if (it->script == DOWNLOAD_LATER)
            plan_message(world, device, DAY, "confirmed", "");
        return;
    }
    if (it->script == VERIFY_FAILS) {
        plan_message(world, device, 10 * MINUTE, "verify_failed", "checksum");
        return;
    }
    plan_message(world, device, 10 * MINUTE, "verified", "");
    if (world->plan.approval)
        plan_message(world, device, 10 * MINUTE + SECOND, "waiting_apply", "");
    else
        plan_trial(world, device, it->script == OBEYS_BADLY ? ROLLS_BACK : it->script);
}

static void on_ping(struct world *world, uint32_t device, const char *payload)
{
    struct device *it = &world->device[device];
    it->pings++;
    if (it->script == NO_PONG)
        return;
    const char *id = strstr(payload, "\"command_id\":\"") + strlen("\"command_id\":\"");
    plan_message(world, device, it->script == SLOW_PONG ? 700000 : 90000, NULL, "");
    struct message *pong = &it->message[it->messages - 1];
    snprintf(pong->id, sizeof pong->id, "%.*s", (int)strcspn(id, "\""), id);
}

static void on_command(struct world *world, uint32_t device, const char *payload)
{
    struct device *it = &world->device[device];
    if (strstr(payload, "\"defer\"")) {
        on_defer(world, device);
    } else if (strstr(payload, "\"apply\"")) {
        on_apply(world, device);
    } else if (strstr(payload, "\"ping\"")) {
        on_ping(world, device, payload);
    } else if (strstr(payload, "\"rollback\"") && it->rollbacks++ == 0) {
        plan_message(world, device, MINUTE, "rebooting", "");
        plan_message(world, device, 3 * MINUTE, "rolled_back", "operator");
    }
}

static struct input *input_new(struct world *world, uint32_t device, int64_t at_us)
{
    if (world->inputs == world->inputs_room) {
        world->inputs_room = world->inputs_room ? world->inputs_room * 2 : 64;
        world->input = realloc(world->input, sizeof *world->input * world->inputs_room);
        assert(world->input);
    }
    struct input *input = &world->input[world->inputs++];
    *input = (struct input){.device = device, .at_us = at_us};
    return input;
}

static void status_json(struct world *world, char *out, size_t room, uint32_t device, uint32_t seq,
                        const char *status, const char *reason)
{
    const struct device *it = &world->device[device];
    snprintf(
        out, room,
        "{\"device_id\":\"%s\",\"campaign_id\":\"camp-1\",\"firmware_id\":\"fw-2.4.0\",\"seq\":%u,"
        "\"at\":\"2026-03-19T10:00:00Z\",\"status\":\"%s\",\"reason\":\"%s\",\"version\":\"%s\","
        "\"slot\":0}",
        world->info[device].id, seq, status, reason, it->on_candidate ? "2.4.0" : "2.3.1");
}

static void deliver_message(struct world *world, uint32_t device, const struct message *message)
{
    struct device *it = &world->device[device];
    struct input *input = input_new(world, device, message->at_us);
    if (!message->status) {
        input->pong = true;
        snprintf(input->json, sizeof input->json,
                 "{\"device_id\":\"%s\",\"seq\":1,\"pong\":\"%s\"}", world->info[device].id,
                 message->id);
        return;
    }
    if (strcmp(message->status, "health_check") == 0)
        it->on_candidate = true;
    if (strcmp(message->status, "rolled_back") == 0)
        it->on_candidate = false;
    if (strcmp(message->status, "confirmed") == 0) {
        it->confirmed_us = message->at_us;
        it->on_candidate = true;
    }
    status_json(world, input->json, sizeof input->json, device, ++it->seq, message->status,
                message->reason);
}

/* One run for the time since the last one: a day, or what is left of it. */
static void deliver_telemetry(struct world *world, uint32_t device)
{
    struct device *it = &world->device[device];
    int64_t last_us = it->telemetry_us, first_us = last_us - DAY + 5 * MINUTE;
    it->telemetry_us += DAY;
    if (first_us < START)
        first_us += (START - first_us + 5 * MINUTE - 1) / (5 * MINUTE) * (5 * MINUTE);
    if (first_us > last_us || (it->script == QUIET && it->confirmed_us >= 0) ||
        (it->confirmed_us < 0 && it->on_candidate) || it->script == BRICKS)
        return;
    if (it->confirmed_us > first_us)
        first_us += (it->confirmed_us - first_us + 5 * MINUTE - 1) / (5 * MINUTE) * (5 * MINUTE);
    struct input *input = input_new(world, device, last_us);
    input->telemetry = true;
    bool grown = it->script == GROWS && it->on_candidate;
    input->run = (struct camp_telemetry){
        .device = device,
        .first_us = first_us,
        .last_us = last_us,
        .received = (uint32_t)((last_us - first_us) / (5 * MINUTE)) + 1,
        .energy_mw = 1000,
        .memory_kb = grown ? 3000 : 2000,
        .cpu_permille = 200,
    };
    snprintf(input->run.version, sizeof input->run.version, "%s",
             it->on_candidate ? "2.4.0" : "2.3.1");
    int64_t crash_us = it->confirmed_us + 3 * HOUR;
    if (it->script == CRASHES && it->confirmed_us >= 0 && !it->crash_told && crash_us <= last_us) {
        it->crash_told = true;
        input->run.resets = 1;
        input->run.first_reset_us = input->run.last_reset_us = crash_us;
    }
}

static void device_deliver(struct world *world, uint32_t device, int64_t at_us)
{
    struct device *it = &world->device[device];
    for (uint32_t i = 0; i < it->messages; i++) {
        if (it->message[i].at_us != at_us)
            continue;
        struct message message = it->message[i];
        memmove(&it->message[i], &it->message[i + 1], sizeof message * (it->messages - i - 1));
        it->messages--;
        deliver_message(world, device, &message);
        break;
    }
    if (!world->no_telemetry && it->telemetry_us == at_us)
        deliver_telemetry(world, device);
    rearm(world, device);
}

static void feed(struct world *world)
{
    for (uint32_t i = world->orders_done; i < world->orders; i++)
        if (world->order[i].at_us <= world->now_us)
            camp_operator(world->camp, world->order[i].action, world->order[i].at_us);
    for (uint32_t i = 0; i < world->inputs; i++) {
        const struct input *input = &world->input[i];
        if (input->telemetry)
            camp_telemetry(world->camp, &input->run);
        else if (input->pong)
            camp_pong(world->camp, input->device, input->json, (uint32_t)strlen(input->json),
                      input->at_us);
        else
            camp_status(world->camp, input->device, input->json, (uint32_t)strlen(input->json),
                        input->at_us);
    }
}

static double cpu_s(void)
{
    struct timespec at;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &at);
    return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

static void reopen(struct world *world)
{
    camp_close(world->camp);
    service_open(world);
}

static void take_outputs(struct world *world)
{
    struct camp_out out;
    while (camp_next_out(world->camp, &out)) {
        if (out.kind == CAMP_OUT_NOTIFICATION) {
            snprintf(world->last_notification, sizeof world->last_notification, "%.*s",
                     (int)out.len, out.payload);
            on_notification(world, out.device);
        } else {
            char payload[512];
            snprintf(payload, sizeof payload, "%.*s", (int)out.len, out.payload);
            on_command(world, out.device, payload);
        }
        rearm(world, out.device);
    }
}

static int64_t next_order(const struct world *world)
{
    return world->orders_done < world->orders ? world->order[world->orders_done].at_us : INT64_MAX;
}

void world_order(struct world *world, int64_t at_us, enum camp_operator_action action)
{
    assert(world->orders < 8);
    world->order[world->orders++] = (struct order){at_us, action};
}

static void tick(struct world *world)
{
    /* Every second tick: one that is killed at each never learns that a message was taken. */
    if (world->restart == KILL_BEFORE_COMMIT && world->ticks % 2) {
        feed(world);
        reopen(world);
    }
    double before_s = cpu_s();
    feed(world);
    int error = camp_tick(world->camp, world->now_us);
    world->service_s += cpu_s() - before_s;
    if (error)
        fprintf(stderr, "%s\n", camp_message(world->camp));
    assert(error == CAMP_OK);
    world->ticks++;
    while (next_order(world) <= world->now_us)
        world->orders_done++;
    world->inputs = 0;
    if (world->restart == RESTART_EACH_TICK)
        reopen(world);
    take_outputs(world);
}

void world_tick(struct world *world)
{
    world->now_us += 10 * SECOND;
    tick(world);
}

void world_run(struct world *world, int64_t until_us)
{
    while (!camp_done(world->camp) || next_order(world) != INT64_MAX) {
        uint32_t device;
        int64_t next_us = sim_queue_peek(&world->queue, &device),
                due_us = camp_next_at(world->camp);
        next_us = due_us < next_us ? due_us : next_us;
        next_us = next_order(world) < next_us ? next_order(world) : next_us;
        if (next_us > until_us)
            break;
        if (next_us < world->now_us + 1 && world->ticks)
            next_us = world->now_us + 1;
        world->now_us = (next_us + 10 * SECOND - 1) / (10 * SECOND) * (10 * SECOND);
        int64_t at_us;
        while ((at_us = sim_queue_peek(&world->queue, &device)) <= world->now_us)
            device_deliver(world, device, at_us);
        tick(world);
    }
}

void world_run_days(struct world *world, int days)
{
    world_run(world, START + days * DAY);
}

struct scn_phase *world_single_phase(struct world *world, int64_t hold_us)
{
    world->plan.phases = 1;
    world->plan.phase[0] = (struct scn_phase){
        .name = "all", .size = SCN_SIZE_SHARE, .share = {1, 1}, .hold_us = hold_us};
    return &world->plan.phase[0];
}

void world_gate(struct scn_phase *phase, enum scn_metric metric, enum scn_compare compare,
                int64_t num, int64_t den)
{
    struct scn_gate *gate = &phase->gate[phase->gates++];
    *gate = (struct scn_gate){
        .metric = metric, .compare = compare, .limit = {num, den}, .min_sample = 1};
    gate->limit_value = 500;
    snprintf(gate->text, sizeof gate->text, "%s %lld/%lld", scn_compare_name((int)compare),
             (long long)num, (long long)den);
}

void world_say(struct world *world, uint32_t device, uint32_t seq, const char *status,
               const char *reason)
{
    char json[400];
    status_json(world, json, sizeof json, device, seq, status, reason);
    camp_status(world->camp, device, json, (uint32_t)strlen(json), world->now_us);
}

uint32_t world_count(const struct world *world, enum rep_outcome outcome)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < world->config.devices; i++) {
        struct camp_belief belief;
        camp_belief(world->camp, i, &belief);
        count += belief.outcome == outcome;
    }
    return count;
}

const struct rep_phase *world_phase(const struct rep_result *result, const char *name_part)
{
    for (uint32_t i = 0; i < result->phases; i++)
        if (strstr(result->phase[i].name, name_part))
            return &result->phase[i];
    return NULL;
}

const struct rep_gate *world_find_gate(const struct rep_phase *phase, const char *metric)
{
    for (uint32_t i = 0; i < phase->gates; i++)
        if (strcmp(phase->gate[i].metric, metric) == 0)
            return &phase->gate[i];
    return NULL;
}
