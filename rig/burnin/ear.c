#include "ear.h"
#include "rig/port.h"
#include "stop.h"
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* A ping that is answered after this many others was lost. */
enum { ASKED = 8, SAMPLES_MAX = 4096 };

struct asked {
    int64_t number, at_us; /* number 0: none */
};

struct board {
    struct asked asked[ASKED];
    uint32_t next;
    int64_t *sample;
    uint32_t samples, room;
    enum { WAITS, CONFIRMED, ROLLED_BACK } state;
};

struct bi_ear {
    const struct sim_ground *inner;
    struct sim_ground ground;
    struct bi_ear_hooks hooks;
    struct sim_ground_sink sink; /* the fleet's */
    struct board *board;
    uint32_t boards;
    bool gave_way, any_broken;
    uint64_t broken[REP_PROMISES];
    char what[REP_PROMISES][REP_TEXT_MAX];
};

static void keep(struct board *board, int64_t us)
{
    if (board->samples == board->room) {
        uint32_t room = board->room ? board->room * 2 : 16;
        int64_t *grown = room <= SAMPLES_MAX ? realloc(board->sample, room * sizeof *grown) : NULL;
        if (!grown)
            return;
        board->sample = grown;
        board->room = room;
    }
    board->sample[board->samples++] = us;
}

static void answered(struct board *board, const char *id)
{
    long long number = *id == 'c' ? atoll(id + 1) : 0;
    for (uint32_t i = 0; i < ASKED && number > 0; i++)
        if (board->asked[i].number == number) {
            keep(board, rig_port_now_us() - board->asked[i].at_us);
            board->asked[i].number = 0;
        }
}

static const char *member(const json_t *root, const char *key)
{
    const char *text = json_string_value(json_object_get(root, key));
    return text ? text : "";
}

static void listen_to(struct board *board, enum sim_said what, const char *json, uint32_t len)
{
    json_t *root = json_loadb(json, len, 0, NULL);
    const char *status = what == SIM_SAID_STATUS ? member(root, "status") : "";
    if (!strcmp(status, "confirmed"))
        board->state = CONFIRMED;
    else if (!strcmp(status, "rolled_back"))
        board->state = ROLLED_BACK;
    if (what == SIM_SAID_TELEMETRY)
        answered(board, member(root, "pong"));
    json_decref(root);
}

static void said(void *ctx, enum sim_said what, uint32_t device, const char *json, uint32_t len,
                 int64_t at_us)
{
    struct bi_ear *ear = ctx;
    if (device < ear->boards)
        listen_to(&ear->board[device], what, json, len);
    ear->sink.said(ear->sink.ctx, what, device, json, len, at_us);
}

/* ---- The ground ---- */

static int prepare(void *ctx, struct sim_world *world, char *message, size_t len)
{
    struct bi_ear *ear = ctx;
    int error = ear->inner->prepare(ear->inner->ctx, world, message, len);
    if (!error)
        bi_stop_release(); /* there is a loop that takes them */
    return error;
}

static int open_ground(void *ctx, const struct sim_ground_fleet *fleet, char *message, size_t len)
{
    struct bi_ear *ear = ctx;
    struct sim_ground_fleet mine = *fleet;
    ear->board = calloc(fleet->devices, sizeof *ear->board);
    if (!ear->board) {
        snprintf(message, len, "no memory for the boards");
        return -1;
    }
    ear->boards = fleet->devices;
    ear->sink = fleet->sink;
    mine.sink = (struct sim_ground_sink){said, ear};
    return ear->inner->open(ear->inner->ctx, &mine, message, len);
}

static void note_broken(struct bi_ear *ear, const struct sim_truth *truth)
{
    for (int p = 0; p < REP_PROMISES; p++) {
        if (!truth->broken[p] || p == REP_PROMISE_CONVERGENCE || p == REP_PROMISE_SAME_RUN)
            continue;
        if (!ear->broken[p] && truth->broken_what[p])
            snprintf(ear->what[p], sizeof ear->what[p], "%s", truth->broken_what[p]);
        ear->broken[p] += truth->broken[p];
        ear->any_broken = true;
    }
}

/* Once: the ground is still open, and closed next. */
static void give_way(struct bi_ear *ear)
{
    const struct sim_ground_devices *of = ear->inner->devices;
    for (uint32_t i = 0; of && !ear->gave_way && i < ear->boards; i++) {
        struct sim_truth truth;
        of->truth(ear->inner->ctx, i, &truth);
        note_broken(ear, &truth);
    }
    ear->gave_way = true;
}

static int run(void *ctx, int64_t until_us, int64_t *now_us, char *message, size_t len)
{
    struct bi_ear *ear = ctx;
    int error = ear->inner->run(ear->inner->ctx, until_us, now_us, message, len);
    struct bi_ear_now now = {.boards = ear->boards};
    for (uint32_t i = 0; i < ear->boards; i++) {
        now.confirmed += ear->board[i].state == CONFIRMED;
        now.rolled_back += ear->board[i].state == ROLLED_BACK;
    }
    if (ear->hooks.pulse)
        ear->hooks.pulse(ear->hooks.ctx, &now);
    if (error)
        give_way(ear);
    return error;
}

static bool taken(void *ctx)
{
    struct bi_ear *ear = ctx;
    return ear->inner->taken(ear->inner->ctx);
}

static bool is_ping(const struct camp_out *out)
{
    json_t *root = json_loadb(out->payload, out->len, 0, NULL);
    bool found = out->kind == CAMP_OUT_COMMAND && !strcmp(member(root, "command"), "ping");
    json_decref(root);
    return found;
}

static int send_out(void *ctx, const struct camp_out *out)
{
    struct bi_ear *ear = ctx;
    if (out->device < ear->boards && is_ping(out)) {
        struct board *board = &ear->board[out->device];
        board->asked[board->next++ % ASKED] = (struct asked){out->number, rig_port_now_us()};
    }
    return ear->inner->send(ear->inner->ctx, out);
}

static int restart_broker(void *ctx, bool forgets, char *message, size_t len)
{
    struct bi_ear *ear = ctx;
    return ear->inner->restart_broker(ear->inner->ctx, forgets, message, len);
}

static int64_t answered_from(void *ctx)
{
    struct bi_ear *ear = ctx;
    return ear->inner->answered_from(ear->inner->ctx);
}

static int held_out(void *ctx, char *message, size_t len)
{
    struct bi_ear *ear = ctx;
    int error = ear->inner->held_out(ear->inner->ctx, message, len);
    if (error)
        give_way(ear);
    return error;
}

static int store_serves(void *ctx, char *message, size_t len)
{
    struct bi_ear *ear = ctx;
    return ear->inner->store_serves(ear->inner->ctx, message, len);
}

static int report(void *ctx, struct rep_result *result)
{
    struct bi_ear *ear = ctx;
    if (ear->hooks.report)
        ear->hooks.report(ear->hooks.ctx, ear->boards);
    return ear->inner->report(ear->inner->ctx, result);
}

static void close_ground(void *ctx)
{
    struct bi_ear *ear = ctx;
    bi_stop_hold(); /* it ends its loop, and nobody would take them */
    ear->inner->close(ear->inner->ctx);
}

/* Devices are asked by the inner ground's own context. */
static void truth(void *ctx, uint32_t device, struct sim_truth *out)
{
    struct bi_ear *ear = ctx;
    ear->inner->devices->truth(ear->inner->ctx, device, out);
}

static uint32_t changes(void *ctx, uint32_t device)
{
    struct bi_ear *ear = ctx;
    return ear->inner->devices->changes(ear->inner->ctx, device);
}

static void inspect(void *ctx, uint32_t device, bool whole_data)
{
    struct bi_ear *ear = ctx;
    bi_stop_hold(); /* the run is over: its boards are switched off, and judged */
    ear->inner->devices->inspect(ear->inner->ctx, device, whole_data);
}

static const struct sim_ground_devices devices = {truth, changes, inspect};

struct bi_ear *bi_ear_create(const struct sim_ground *inner, const struct bi_ear_hooks *hooks)
{
    struct bi_ear *ear = calloc(1, sizeof *ear);
    if (!ear)
        return NULL;
    ear->inner = inner;
    ear->hooks = *hooks;
    ear->ground =
        (struct sim_ground){.name = inner->name,
                            .ctx = ear,
                            .devices = inner->devices ? &devices : NULL,
                            .prepare = prepare,
                            .open = open_ground,
                            .run = run,
                            .taken = taken,
                            .send = send_out,
                            .restart_broker = inner->restart_broker ? restart_broker : NULL,
                            .answered_from = inner->answered_from ? answered_from : NULL,
                            .held_out = inner->held_out ? held_out : NULL,
                            .store_serves = inner->store_serves ? store_serves : NULL,
                            .report = report,
                            .close = close_ground};
    return ear;
}

void bi_ear_free(struct bi_ear *ear)
{
    if (!ear)
        return;
    for (uint32_t i = 0; i < ear->boards; i++)
        free(ear->board[i].sample);
    free(ear->board);
    free(ear);
}

const struct sim_ground *bi_ear_ground(struct bi_ear *ear)
{
    return &ear->ground;
}

static int by_length(const void *a, const void *b)
{
    int64_t x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return (x > y) - (x < y);
}

bool bi_ear_round_trip(const struct bi_ear *ear, uint32_t board, int64_t *worst_us,
                       int64_t *median_us)
{
    if (board >= ear->boards || !ear->board[board].samples)
        return false;
    const struct board *it = &ear->board[board];
    qsort(it->sample, it->samples, sizeof *it->sample, by_length);
    *worst_us = it->sample[it->samples - 1];
    *median_us = it->sample[(it->samples - 1) / 2];
    return true;
}

bool bi_ear_broken(const struct bi_ear *ear, uint64_t broken[REP_PROMISES],
                   char what[REP_PROMISES][REP_TEXT_MAX])
{
    if (!ear->any_broken)
        return false;
    memcpy(broken, ear->broken, sizeof ear->broken);
    memcpy(what, ear->what, sizeof ear->what);
    for (int p = 0; p < REP_PROMISES; p++)
        if (!broken[p])
            snprintf(what[p], REP_TEXT_MAX, "the bench gave way before it was checked");
    return true;
}
