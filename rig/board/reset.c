/*
 * Straps and resets. QEMU's reset takes the levels off the GPIO pins, which no reset of a real
 * board does; so no reset happens by itself: QEMU stands still instead (-action), the rig resets
 * it, puts the straps back, and lets it run. The guest sees one reset and the same straps.
 *
 * QMP's WATCHDOG event comes up to a second late when there was one before: the run state is asked
 * instead (or gdb's signal, on a stepped board).
 */
#include "board_internal.h"
#include <stdio.h>
#include <string.h>

enum { RESET_PIN_BIT = 1, STRAP_BITS = 8 };

static json_t *action(const char *reboot)
{
    return json_pack("{s:s}", "reboot", reboot);
}

static void set_strap(struct rig_board *board, unsigned bit, bool high)
{
    char pin[16];
    snprintf(pin, sizeof pin, "gpioA%u", bit);
    rig_qmp_send(
        board->qmp, "qom-set",
        json_pack("{s:s,s:s,s:b}", "path", "/machine/soc/gpio", "property", pin, "value", high),
        NULL, NULL);
}

/* After a reset all are low. */
static void set_straps(struct rig_board *board)
{
    uint32_t levels = board->straps | (board->pin ? BOARD_STRAP_RESET_PIN : 0);
    for (unsigned bit = 0; bit < STRAP_BITS; bit++)
        if (levels >> bit & 1)
            set_strap(board, bit, true);
}

int rig_board_strap(struct rig_board *board, unsigned bit, bool high)
{
    if (bit >= STRAP_BITS || bit == RESET_PIN_BIT)
        return -1;
    board->straps = high ? board->straps | 1U << bit : board->straps & ~(1U << bit);
    if (board->started && !board->reviving && !board->going)
        set_strap(board, bit, high);
    return 0;
}

/* The boot was seen on the console: the latch falls. */
void bb_pin_down(struct rig_board *board)
{
    if (!board->pin || board->reviving)
        return;
    board->pin = false;
    if (!board->going)
        set_strap(board, RESET_PIN_BIT, false);
}

static void straps_are_set(void *ctx, const json_t *result, const char *error)
{
    struct rig_board *board = ctx;
    if (!result) {
        if (rig_qmp_fd(board->qmp) >= 0) /* else it is lost already, and that is told */
            bb_lost(board, error, false);
        return;
    }
    board->started = true;
    if (board->gdb && board->as_watchdog)
        bb_step_begin_as_watchdog(board);
    else if (board->gdb)
        bb_step_begin(board);
}

void bb_begin(struct rig_board *board)
{
    set_straps(board);
    rig_qmp_send(board->qmp, board->gdb ? "query-status" : "cont", NULL, straps_are_set, board);
}

void bb_revive(struct rig_board *board, enum rig_reset as)
{
    if (board->going || board->reviving)
        return;
    board->reviving = true;
    board->revive_as = as;
    board->reset_wanted = board->begins = false;
    board->step = BB_RUNS;
    rig_qmp_send(board->qmp, "set-action", action("reset"), NULL, NULL);
    rig_qmp_send(board->qmp, "system_reset", NULL, NULL, NULL);
    rig_qmp_send(board->qmp, "set-action", action("shutdown"), NULL, NULL);
}

/* A second reset may be on its way by now: then that one lets it go. */
static void straps_are_back(void *ctx, const json_t *result, const char *error)
{
    struct rig_board *board = ctx;
    (void)error;
    if (result && !board->reviving && !board->going)
        bb_step_begin(board);
}

static void revived(struct rig_board *board)
{
    unsigned life = board->life;
    if (board->gdb)
        rig_gdb_work(board->gdb); /* a hit from before the reset is none any more */
    bb_wires_work(board);         /* what it said before */
    if (board->life != life || board->going)
        return;
    board->facts.resets++;
    if (board->config.events.reset)
        board->config.events.reset(board->config.ctx, board->revive_as);
    if (board->life != life || board->going)
        return;
    board->reviving = false;
    board->stop_sent = false;
    set_straps(board);
    /* A stepped board goes on by gdb: its bytes keep their order, and one that came while the
     * machine runs would stop it. */
    if (board->gdb)
        rig_qmp_send(board->qmp, "query-status", NULL, straps_are_back, board);
    else
        rig_qmp_send(board->qmp, "cont", NULL, NULL, NULL);
}

void bb_pull(struct rig_board *board)
{
    board->pin = true;
    board->stop_sent = true;
    rig_qmp_send(board->qmp, "stop", NULL, NULL, NULL);
    bb_revive(board, RIG_RESET_PIN);
}

int rig_board_reset(struct rig_board *board)
{
    if (!board->started || board->going)
        return -1;
    if (board->reviving) {
        board->pin = true;
        board->revive_as = RIG_RESET_PIN;
    } else if (board->step == BB_LOOKS || board->step == BB_STEPS) {
        board->reset_wanted = true;
    } else {
        bb_pull(board);
    }
    return 0;
}

static void why_stopped(void *ctx, const json_t *result, const char *error)
{
    struct rig_board *board = ctx;
    const char *status = json_string_value(json_object_get(result, "status"));
    (void)error;
    if (status && !strcmp(status, "watchdog"))
        bb_revive(board, RIG_RESET_WATCHDOG);
}

void bb_qmp_event(void *ctx, const char *name, const json_t *data, int64_t at_us)
{
    struct rig_board *board = ctx;
    if (!strcmp(name, "STOP")) {
        board->stopped_at_us = at_us;
        if (!board->gdb && !board->stop_sent && !board->reviving)
            rig_qmp_send(board->qmp, "query-status", NULL, why_stopped, board);
    } else if (!strcmp(name, "SHUTDOWN")) {
        if (json_is_true(json_object_get(data, "guest")))
            bb_revive(board, RIG_RESET_GUEST);
        else if (!board->going)
            bb_ended(board, rig_child_kill(&board->child)); /* a signal from outside */
    } else if (!strcmp(name, "RESET") && board->reviving) {
        revived(board);
    }
}
