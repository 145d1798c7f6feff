/*
 * Power off: QMP `stop`, which drains the NOR model's late writes into the file, then SIGKILL. What
 * QEMU had said is delivered while it is waited for: a full pipe would keep it from stopping.
 */
#include "board_internal.h"
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { DIES_WITHIN_MS = 5000, STOP_LEAST_MS = 2000 };

struct last_words {
    bool stopped, probed;
    struct rig_board *board;
};

static void stopped(void *ctx, const json_t *result, const char *error)
{
    (void)error;
    ((struct last_words *)ctx)->stopped = result != NULL;
}

static void probed(void *ctx, const json_t *result, const char *error)
{
    struct last_words *words = ctx;
    struct rig_board *board = words->board;
    (void)error;
    words->probed = true;
    board->probe_known = bb_probe_parse(&board->probe, result);
}

static bool waits(const struct rig_board *board, const struct last_words *words)
{
    return rig_qmp_fd(board->qmp) >= 0 && !(words->stopped && words->probed);
}

/* Who owes an answer already has been waited for, and one that is held from outside (SIGSTOP) has
 * as much as ^Z needs to go on again. */
static int64_t stop_within_ms(const struct rig_board *board)
{
    uint32_t given = board->config.stop_within_ms;
    int64_t within = given ? given : RIG_BOARD_STOP_WITHIN_MS;
    int64_t left = within - (board->asked_ms ? bb_now_ms() - board->asked_ms : 0);
    int64_t least = within < STOP_LEAST_MS ? within : STOP_LEAST_MS;
    return left > least && !rig_child_is_stopped(&board->child) ? left : least;
}

/* Until it stands still for good. */
static void stop(struct rig_board *board)
{
    struct last_words words = {.board = board};
    int64_t left = stop_within_ms(board), until = bb_now_ms() + left;
    board->stop_sent = true;
    rig_qmp_send(board->qmp, "stop", NULL, stopped, &words);
    bb_probe_ask(board, probed, &words);
    rig_qmp_work(board->qmp);
    while (waits(board, &words) && left > 0) {
        struct pollfd wait[] = {
            {.fd = rig_qmp_fd(board->qmp), .events = rig_qmp_wants(board->qmp)},
            {.fd = board->console.fd, .events = POLLIN},
            {.fd = board->link.fd, .events = POLLIN},
            {.fd = board->trace.fd, .events = POLLIN},
            {.fd = board->said.fd, .events = POLLIN},
        };
        poll(wait, sizeof wait / sizeof wait[0], (int)left);
        rig_qmp_work(board->qmp);
        bb_wires_work(board);
        left = until - bb_now_ms();
    }
    if (!words.stopped)
        board->facts.unclean++;
}

static int64_t wall_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* Neither stepped nor traced: the probe is all that is known. */
static void last_by_probe(struct rig_board *board)
{
    const struct board_probe *probe = &board->probe;
    if (!board->probe_known || !probe->begun)
        return;
    board->number = board->base + probe->begun;
    bb_remember(board, &(struct rig_op){.number = board->number,
                                        .erase = probe->kind == 2,
                                        .addr = probe->addr,
                                        .len = probe->len});
    board->last_ended = probe->begun == probe->ended;
}

/* It stands, or was let go on and QEMU's `stop` came before the step: nothing is done yet, and the
 * probe tells of the operation before. */
static bool stands_still(const struct rig_board *board)
{
    return board->step == BB_STANDS ||
           (board->begins && board->probe_known && board->probe.begun == board->begun_then);
}

static void last_words(struct rig_board *board)
{
    if (board->config.stepped) {
        board->last_ended =
            !stands_still(board) && board->probe_known && board->probe.begun == board->probe.ended;
    } else if (board->config.traced) {
        int64_t stopped_us = board->stopped_at_us ? board->stopped_at_us : wall_us();
        int64_t busy_us = board->last.erase ? BB_ERASE_US : BB_PROGRAM_US;
        board->last_ended = stopped_us - board->last_at_us >= busy_us;
    } else {
        last_by_probe(board);
    }
}

void bb_release(struct rig_board *board)
{
    board->life++;
    if (ev_is_active(&board->ends))
        ev_io_stop(board->loop, &board->ends);
    ev_timer_stop(board->loop, &board->dies);
    bb_wires_close(board);
    rig_qmp_close(board->qmp);
    rig_gdb_close(board->gdb);
    board->qmp = NULL;
    board->gdb = NULL;
    board->started = board->reviving = board->pin = board->reset_wanted = board->stop_sent = false;
    board->fails = board->dying = board->watched = false;
    board->asked_ms = 0;
    board->halted[0] = '\0';
}

void rig_board_power_fails(struct rig_board *board)
{
    if (!board->started || board->going || board->fails)
        return;
    board->fails = board->stop_sent = true;
    board->stopped_at_us = 0;
    rig_qmp_send(board->qmp, "stop", NULL, NULL, NULL);
    rig_qmp_work(board->qmp);
}

void rig_board_power_off(struct rig_board *board)
{
    if (!board->child.pid || (board->going && !board->dying))
        return;
    board->going = true;
    board->dying = false;
    ev_timer_stop(board->loop, &board->dies);
    ev_io_stop(board->loop, &board->ends);
    int64_t begun_us = wall_us();
    if (!board->fails)
        board->stopped_at_us = 0; /* else: it stands still already, perhaps */
    board->probe_known = false;
    if (board->started && board->step != BB_STANDS) /* else it has stopped, and its file is whole */
        stop(board);
    rig_child_kill(&board->child);
    board->facts.power_off_us = wall_us() - begun_us;
    bb_wires_work(board); /* to the end */
    last_words(board);
    bb_release(board);
    board->going = false;
    board->step = BB_RUNS;
}

/* The child is gone already. */
void bb_ended(struct rig_board *board, int status)
{
    board->going = true;
    board->dying = false;
    board->stopped_at_us = 0;
    board->probe_known = false;
    bb_wires_work(board);
    last_words(board);
    bb_release(board);
    board->going = false;
    board->step = BB_RUNS;
    if (board->config.events.ended)
        board->config.events.ended(board->config.ctx, status);
}

static void give_up(struct rig_board *board)
{
    board->given_up = true;
    bb_ended(board, rig_child_kill(&board->child));
}

static void on_dies(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct rig_board *board = timer->data;
    size_t len = strlen(board->lost_why);
    (void)loop, (void)events;
    snprintf(board->lost_why + len, sizeof board->lost_why - len, ", and did not end within %d s",
             DIES_WITHIN_MS / 1000);
    give_up(board);
}

/* Killed by us it would look like an end from outside: a core file of a busy host has its time,
 * while the loop goes on for others. But who talks rubbish does not end for that. */
void bb_lost(void *ctx, const char *why, bool ended)
{
    struct rig_board *board = ctx;
    if (board->going || !board->child.pid)
        return;
    snprintf(board->lost_why, sizeof board->lost_why, "%s", why);
    if (!board->last_said[0])
        snprintf(board->last_said, sizeof board->last_said, "%s", why);
    board->going = true; /* nothing else may be begun meanwhile */
    if (!ended) {
        give_up(board);
        return;
    }
    board->dying = true;
    ev_timer_init(&board->dies, on_dies, DIES_WITHIN_MS / 1000.0, 0);
    board->dies.data = board;
    ev_now_update(board->loop);
    ev_timer_start(board->loop, &board->dies);
}
