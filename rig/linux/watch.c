/* What the board says: console lines, resets, its end; and the cut that is planned upon them. */
#include "linux_internal.h"
#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ---- The planned cut ---- */

static void on_cut(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct rig_linux *board = timer->data;
    (void)loop, (void)events;
    struct rig_linux_cut cut = {.asked_us = board->delay_us,
                                .got_us = lb_now_us() - board->plan_us};
    cut.clean = rig_linux_power_off(board);
    if (board->config.events.cut)
        board->config.events.cut(board->config.ctx, &cut);
}

static void begin_delay(struct rig_linux *board)
{
    board->marker[0] = '\0';
    board->plan_us = lb_now_us();
    ev_now_update(board->config.loop);
    ev_timer_stop(board->config.loop, &board->cut);
    ev_timer_init(&board->cut, on_cut, (double)board->delay_us / 1e6, 0);
    board->cut.data = board;
    ev_timer_start(board->config.loop, &board->cut);
}

void rig_linux_plan(struct rig_linux *board, const char *marker, uint32_t delay_us)
{
    if (board->going)
        return;
    assert(board->child.pid);
    ev_timer_stop(board->config.loop, &board->cut);
    board->delay_us = delay_us;
    snprintf(board->marker, sizeof board->marker, "%s", marker ? marker : "");
    if (!marker)
        begin_delay(board);
}

/* ---- Console ---- */

static void hand_over(struct rig_linux *board, const char *line)
{
    if (board->marker[0] && strstr(line, board->marker))
        begin_delay(board);
    if (board->config.events.console)
        board->config.events.console(board->config.ctx, line);
}

/* A line's event may power the board off, which reads the rest. */
void lb_console(struct rig_linux *board)
{
    char line[RIG_LINE_MAX];
    while (board->console >= 0) {
        ssize_t got = rig_lines_read(&board->lines, board->console);
        if (got <= 0) {
            if (got == 0) /* QEMU is gone */
                ev_io_stop(board->config.loop, &board->hear);
            return;
        }
        while (rig_lines_next(&board->lines, line))
            hand_over(board, line);
    }
}

static void on_console(struct ev_loop *loop, ev_io *io, int events)
{
    (void)loop, (void)events;
    lb_console(io->data);
}

/* ---- QMP ---- */

static void on_event(void *ctx, const char *name, const json_t *data, int64_t at_us)
{
    struct rig_linux *board = ctx;
    (void)data, (void)at_us;
    if (!strcmp(name, "WATCHDOG"))
        board->bitten = true;
    if (strcmp(name, "RESET") || board->resets_waiting == LB_RESETS_MAX)
        return;
    board->resets[board->resets_waiting++] = board->bitten    ? RIG_RESET_WATCHDOG
                                             : board->pressed ? RIG_RESET_PIN
                                                              : RIG_RESET_GUEST;
    board->bitten = board->pressed = false;
    ev_timer_start(board->config.loop, &board->tell);
}

static void on_tell(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct rig_linux *board = timer->data;
    (void)loop, (void)events;
    while (board->resets_waiting) {
        enum rig_reset reset = board->resets[0];
        board->resets_waiting--;
        memmove(board->resets, board->resets + 1, board->resets_waiting * sizeof board->resets[0]);
        if (board->config.events.reset)
            board->config.events.reset(board->config.ctx, reset);
    }
}

int rig_linux_reset(struct rig_linux *board)
{
    if (!board->child.pid)
        return -1;
    board->pressed = true;
    return rig_qmp_send(board->qmp, "system_reset", NULL, NULL, NULL);
}

/* ---- Begin and end ---- */

static void on_ends(struct ev_loop *loop, ev_io *io, int events)
{
    struct rig_linux *board = io->data;
    (void)loop, (void)events;
    ev_io_stop(board->config.loop, io);
    int status = rig_child_wait(&board->child, 0);
    lb_console(board);
    lb_deaf(board);
    if (board->config.events.ended)
        board->config.events.ended(board->config.ctx, status);
}

int lb_hear(struct rig_linux *board, int console, int qmp)
{
    static const struct rig_qmp_events events = {.event = on_event};
    board->console = console;
    fcntl(console, F_SETFL, O_NONBLOCK);
    rig_lines_reset(&board->lines);
    board->resets_waiting = 0;
    board->bitten = board->pressed = false;
    board->marker[0] = '\0';
    ev_timer_init(&board->tell, on_tell, 0, 0);
    ev_io_init(&board->hear, on_console, console, EV_READ);
    ev_io_init(&board->ends, on_ends, board->child.pidfd, EV_READ);
    board->tell.data = board->hear.data = board->ends.data = board;
    ev_io_start(board->config.loop, &board->hear);
    ev_io_start(board->config.loop, &board->ends);
    return rig_qmp_open(&board->qmp, board->config.loop, qmp, &events, board);
}

void lb_deaf(struct rig_linux *board)
{
    ev_io_stop(board->config.loop, &board->hear);
    ev_io_stop(board->config.loop, &board->ends);
    ev_timer_stop(board->config.loop, &board->tell);
    ev_timer_stop(board->config.loop, &board->cut);
    rig_qmp_close(board->qmp);
    board->qmp = NULL;
    if (board->console >= 0)
        close(board->console);
    board->console = -1;
}
