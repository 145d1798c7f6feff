/* A board as a body: QEMU, and the gateway on its OTA line. */
#include "world_internal.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An operation that went on so long ago has probably ended (the longest takes 400 ms of the board's
 * time): the board's own probe is asked. */
static const double ASK_AFTER_S = 1.0;
static const double STOPPED_S_MAX = 2.0;
/* About one a second. A board is called unreachable after 100 s. */
enum { SILENT_LOOKS_MAX = 20, HALTED_LOOKS_MAX = 10 };

/* ---- Made ---- */

static void to_board(void *ctx, const void *bytes, size_t len)
{
    struct sim_body *body = ctx;
    if (rig_board_is_on(body->board))
        rig_board_link_write(body->board, bytes, len);
}

static int open_gateway(struct sim_body *body)
{
    rig_factory_gateway(&body->gateway_config, body->connect_to, body->given, body->rw->http);
    body->gateway_config.write = to_board;
    body->gateway_config.ctx = body;
    return gateway_create(&body->gateway, &body->gateway_config);
}

static int open_board(struct sim_body *body, char *message, size_t len)
{
    body->board_config = (struct rig_board_config){
        .loop = body->given->run->loop,
        .qemu = body->rw->qemu,
        .rom = body->rw->rom,
        .flash = body->given->flash,
        .folder = body->given->folder,
        .stepped = true,
        .events = rw_events,
        .ctx = body,
    };
    return rig_board_create(&body->board, &body->board_config, message, len);
}

int rw_open(void *ctx, struct sim_body **out, const struct sim_body_device *device, char *message,
            size_t len)
{
    struct sim_body *body = *out = calloc(1, sizeof *body);
    snprintf(message, len, "no memory for %s", device->unit->id);
    if (!body)
        return -1;
    body->rw = ctx;
    body->given = device;
    if (!open_board(body, message, len) && !open_gateway(body))
        return 0;
    rw_close(body);
    *out = NULL;
    return -1;
}

void rw_close(struct sim_body *body)
{
    if (!body)
        return;
    rig_board_free(body->board);
    gateway_free(body->gateway);
    free(body);
}

int rw_make(struct sim_body *body, uint8_t *bootloader, uint32_t len, char *message,
            size_t message_len)
{
    return rig_factory_make(body->given, bootloader, len, message, message_len);
}

/* ---- Power ---- */

void rw_began(struct sim_body *body)
{
    body->stands = body->end_said = body->owes = body->jumped = false;
    body->began_at = ev_time();
    body->pid = rig_board_pid(body->board);
    body->stopped_at = 0;
    body->silent = body->halted = (struct rw_streak){0};
}

int rw_on(struct sim_body *body, char *message, size_t len)
{
    if (rig_board_power_on(body->board, message, len))
        return -1;
    rw_began(body);
    gateway_power_on(body->gateway);
    return 0;
}

/* Long enough for a group that was stopped and goes on as a whole (^Z). */
static bool is_stopped(struct sim_body *body)
{
    double now = ev_time();
    if (!rig_board_is_stopped(body->board))
        body->stopped_at = 0;
    else if (body->stopped_at <= 0)
        body->stopped_at = now;
    return body->stopped_at > 0 && now - body->stopped_at > STOPPED_S_MAX;
}

static bool lasts(struct rw_streak *streak, bool seen, unsigned looks_max)
{
    if (!seen)
        streak->looks = 0;
    else if (!streak->looks++)
        streak->since = ev_time();
    return streak->looks > looks_max;
}

/* Since the last look, at which it was asked. */
static bool is_silent(struct sim_body *body)
{
    struct rig_board_facts facts;
    rig_board_facts(body->board, &facts);
    bool silent = facts.answers == body->answers;
    body->answers = facts.answers;
    rig_board_ask(body->board);
    return lasts(&body->silent, silent, SILENT_LOOKS_MAX);
}

static void qemu_is(const struct sim_body *body, const char *what, double since, char *why,
                    size_t len)
{
    char clock[RIG_FACTORY_CLOCK_MAX];
    rig_factory_clock(clock, (int64_t)((ev_time() - since) * 1000));
    snprintf(why, len, "its QEMU (pid %d) %s since %s: nothing is known of the board",
             (int)body->pid, what, clock);
}

/* A process that is frozen from outside looks asleep, and one that waits for a disk does not look
 * stopped either: whether it answers is what counts. */
static bool qemu_failed(struct sim_body *body, char *why, size_t len)
{
    char what[128];
    bool silent = is_silent(body), stopped = is_stopped(body);
    const char *halted = rig_board_halted(body->board);
    snprintf(what, sizeof what, "says that it is \"%s\", and not for the rig's sake,", halted);
    bool stands = lasts(&body->halted, *halted, HALTED_LOOKS_MAX);
    if (stopped)
        qemu_is(body, "has been stopped from outside (SIGSTOP)", body->stopped_at, why, len);
    else if (silent)
        qemu_is(body, "does not answer (frozen, hung, or waiting for its disk)", body->silent.since,
                why, len);
    else if (stands)
        qemu_is(body, what, body->halted.since, why, len);
    return stopped || silent || stands;
}

void rw_watch(struct sim_body *body, int64_t open_ms, bool at_end)
{
    const struct sim_body_events *tell = &body->given->events;
    char why[RW_WHY_MAX];
    if (qemu_failed(body, why, sizeof why) ||
        rig_factory_gateway_failed(body->gateway, open_ms, at_end, why, sizeof why))
        tell->lost(tell->ctx, why);
}

/* What was begun last, as the board itself noted it before it went dark. */
static void look_back(struct sim_body *body)
{
    struct rig_op op;
    bool ended;
    if (!rig_board_last_op(body->board, &op, &ended) || op.number < body->op.number)
        return;
    if (op.number > body->op.number) {
        body->op = op;
        if (op.data && op.len <= sizeof body->data)
            memcpy(body->data, op.data, op.len);
        body->op.data = op.data && op.len <= sizeof body->data ? body->data : NULL;
        body->has_op = true;
    }
    body->op_ended |= ended;
}

/* The file may lack what the board had seen as done, and a firmware had built on it. */
static void tell_unclean(struct sim_body *body)
{
    const struct sim_body_events *tell = &body->given->events;
    char why[RW_WHY_MAX];
    body->rw->counts.unclean++;
    snprintf(
        why, sizeof why,
        "its QEMU (pid %d) did not stop in time as its power was to go, and was killed: what it "
        "had not written yet is lost, by this host's fault and not the board's",
        (int)body->pid);
    tell->lost(tell->ctx, why);
}

void rw_off(struct sim_body *body)
{
    if (!rig_board_is_on(body->board))
        return;
    bool stood = body->stands;
    struct rig_board_facts before, after;
    rig_board_facts(body->board, &before);
    rig_board_power_off(body->board);
    rig_board_facts(body->board, &after);
    gateway_power_lost(body->gateway);
    if (!stood)
        look_back(body);
    body->stands = false;
    if (after.unclean != before.unclean)
        tell_unclean(body);
}

void rw_go_on(struct sim_body *body)
{
    if (!body->stands)
        return;
    body->stands = false;
    body->went_on_at = ev_time();
    rig_board_go_on(body->board);
}

/* ---- Operations ---- */

/* A board that stands, or is off, tells whether an operation has ended. One that runs on without
 * another one is asked: the host's time is no proof, its QEMU may have had none of it. */
static bool is_over(const struct sim_body *body)
{
    struct rig_op op;
    bool ended;
    if (body->op_ended)
        return true;
    if (!rig_board_is_on(body->board) || body->stands ||
        ev_time() - body->went_on_at <= ASK_AFTER_S)
        return false;
    rig_board_ask(body->board);
    return rig_board_last_op(body->board, &op, &ended) && op.number == body->op.number && ended;
}

bool rw_last_op(struct sim_body *body, struct sim_body_op *out)
{
    if (!body->has_op)
        return false;
    body->op_ended = is_over(body);
    const struct rig_op *op = &body->op;
    *out = (struct sim_body_op){.number = op->number,
                                .in_progress = !body->op_ended,
                                .call = {.kind = op->erase ? SIM_FLASH_ERASE : SIM_FLASH_PROGRAM,
                                         .addr = op->addr,
                                         .len = op->len,
                                         .data = op->data}};
    return true;
}
