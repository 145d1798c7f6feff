/*
 * What a board does, as the ground understands it. Its console is the log. What the daemon tells
 * otherwise is told as the daemon does, resets before the bootloader's first operation:
 *
 *   the bootloader      event=boot, before it jumps; event=no_boot, event=stay: it waits
 *                       for ever, and is off. The firmware, whose lines begin with time=, can't
 *                       speak for it
 *   watchdog            event=watchdog_reset
 *   by the firmware     its own event=end how=software; a hard fault says nothing: event=end
 *                       how=hard_fault is said for it
 *
 * A reset does not take the flash's power: an operation in progress there ends as if nothing had
 * been. It can't fall on a board that stands, since its clock stands too. But it can fall between
 * the note and the last byte over the bus: then nothing of it, or a part, was begun. QEMU stands
 * still and its file is whole when a reset is told, so the file says which; event=operation_cut is
 * what the daemon says of that.
 */
#include "rig/log_line.h"
#include "world_internal.h"
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void say(struct sim_body *body, const char *line)
{
    const struct sim_body_events *tell = &body->given->events;
    tell->said(tell->ctx, line);
}

static void nothing_to_boot(struct sim_body *body)
{
    const struct sim_body_events *tell = &body->given->events;
    rw_off(body);
    tell->ended(tell->ctx, "in the bootloader, which boots nothing", false, true);
}

static void say_renamed(struct sim_body *body, const char *line)
{
    char renamed[RW_LINE_MAX];
    rig_log_disown_boot(line, renamed, sizeof renamed);
    say(body, renamed);
}

/* The firmware's first line. */
static void note_start(struct sim_body *body)
{
    body->rw->counts.boots++;
    if (body->began_at > 0)
        rw_booted(body->rw, (uint32_t)((ev_time() - body->began_at) * 1000));
    body->began_at = 0;
}

static void on_console(void *ctx, const char *line)
{
    struct sim_body *body = ctx;
    const struct sim_body_events *tell = &body->given->events;
    bool was_on = rig_board_is_on(body->board), firmware = rig_log_of_firmware(line);
    if (rig_log_is(line, "end") && body->end_said)
        return; /* it was told before it was read */
    bool boot = !firmware && rig_log_is(line, "boot");
    body->jumped |= boot;
    body->end_said = !boot && (body->end_said || rig_log_is(line, "end"));
    if (firmware && rig_log_is(line, "firmware"))
        note_start(body);
    if (firmware && rig_log_is(line, "boot"))
        say_renamed(body, line);
    else
        say(body, line);
    if (was_on)
        tell->heard(tell->ctx);
    bool is_on = was_on && rig_board_is_on(body->board);
    if (is_on && !firmware && (rig_log_is(line, "no_boot") || rig_log_is(line, "stay")))
        nothing_to_boot(body);
}

static void on_link(void *ctx, const void *bytes, size_t len)
{
    struct sim_body *body = ctx;
    gateway_input(body->gateway, bytes, len);
}

static void on_stands(void *ctx, const struct rig_op *op)
{
    struct sim_body *body = ctx;
    const struct sim_body_events *tell = &body->given->events;
    bool fits = op->data && op->len <= sizeof body->data;
    body->op = *op;
    if (fits)
        memcpy(body->data, op->data, op->len);
    body->op.data = fits ? body->data : NULL;
    body->has_op = body->stands = body->owes = true;
    body->op_ended = false;
    tell->stands(tell->ctx);
}

/* All bits that the operation clears, or sets, are so in the file. */
static bool was_done(const struct sim_body *body)
{
    uint8_t bytes[BOARD_NOR_SECTOR], wrong = 0;
    const struct rig_op *op = &body->op;
    int fd = open(body->given->flash, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd >= 0 && op->len <= sizeof bytes ? pread(fd, bytes, op->len, op->addr) : -1;
    if (fd >= 0)
        close(fd);
    for (uint32_t i = 0; got == (ssize_t)op->len && i < op->len; i++)
        wrong |= op->erase ? (uint8_t)~bytes[i] : op->data ? (uint8_t)(bytes[i] & ~op->data[i]) : 0;
    return got == (ssize_t)op->len && !wrong;
}

static void settle_op(struct sim_body *body)
{
    char line[96];
    if (!body->has_op || body->op_ended)
        return;
    if (!was_done(body)) {
        snprintf(line, sizeof line, "level=warn event=operation_cut number=%" PRIu64,
                 body->op.number);
        say(body, line);
    }
    body->op_ended = true;
}

static void on_reset(void *ctx, enum rig_reset reset)
{
    static const char *const line[] = {
        [RIG_RESET_WATCHDOG] = "level=warn event=watchdog_reset",
        [RIG_RESET_GUEST] = "level=warn event=end how=hard_fault",
    };
    struct sim_body *body = ctx;
    body->rw->counts.resets[reset]++;
    settle_op(body);
    body->owes = body->jumped = false;
    body->began_at = ev_time();
    if (reset == RIG_RESET_WATCHDOG || (reset == RIG_RESET_GUEST && !body->end_said))
        say(body, line[reset]);
    body->end_said = true;
}

static void tell_given_up(struct sim_body *body)
{
    const struct sim_body_events *tell = &body->given->events;
    char why[RW_WHY_MAX], when[RIG_FACTORY_CLOCK_MAX];
    rig_factory_clock(when, 0);
    snprintf(
        why, sizeof why,
        "its QEMU (pid %d) was given up and ended at %s: %.200s: nothing is known of the board",
        (int)body->pid, when, rig_board_given_up(body->board));
    tell->lost(tell->ctx, why);
}

/* Killed, or crashed: an error of QEMU's is none of the board's, whoever provoked it. */
static void tell_gone(struct sim_body *body, int status)
{
    const struct sim_body_events *tell = &body->given->events;
    char why[RW_WHY_MAX], when[RIG_FACTORY_CLOCK_MAX];
    bool killed = WIFSIGNALED(status);
    rig_factory_clock(when, 0);
    snprintf(why, sizeof why,
             "its QEMU (pid %d) ended at %s, %s %d%s%s: nothing is known of the board; look at who "
             "kills processes here (out of memory?); it said: %.200s",
             (int)body->pid, when, killed ? "killed by signal" : "with exit code",
             killed ? WTERMSIG(status) : WEXITSTATUS(status), killed ? ", " : "",
             killed ? strsignal(WTERMSIG(status)) : "", rig_board_said(body->board));
    tell->lost(tell->ctx, why);
}

/* ---- A processor that is locked up ---- */

static bool locked_up(const struct sim_body *body, int status)
{
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT &&
           strstr(rig_board_said(body->board), "fatal: Lockup");
}

static void do_op(const struct rig_op *op, uint8_t *bytes)
{
    for (uint32_t i = 0; i < op->len; i++)
        bytes[i] = op->erase ? 0xFF : (uint8_t)(bytes[i] & op->data[i]);
}

/* The part has kept its power, and does what it was told. All before is in the file: QEMU had
 * written it when the board stood. 0 or -1. */
static int complete_op(struct sim_body *body)
{
    uint8_t bytes[BOARD_NOR_SECTOR];
    const struct rig_op *op = &body->op;
    if (!body->owes)
        return 0;
    if (op->len > sizeof bytes || (!op->erase && !op->data))
        return -1;
    int fd = open(body->given->flash, O_RDWR | O_CLOEXEC);
    bool done = fd >= 0 && pread(fd, bytes, op->len, op->addr) == (ssize_t)op->len;
    if (done)
        do_op(op, bytes);
    done = done && pwrite(fd, bytes, op->len, op->addr) == (ssize_t)op->len;
    if (fd >= 0)
        close(fd);
    body->op_ended |= done;
    return done ? 0 : -1;
}

static void tell_lock_up(struct sim_body *body)
{
    char line[RW_LINE_MAX];
    body->rw->counts.lock_ups++;
    snprintf(line, sizeof line, "level=error event=lock_up said=\"%.400s\"",
             rig_board_said(body->board));
    say(body, line);
}

/* No handler runs on a board then; its watchdog, which runs since before the jump, ends that. */
static void restart(struct sim_body *body)
{
    const struct sim_body_events *tell = &body->given->events;
    char message[RW_WHY_MAX / 2] = "its flash file can't be written", why[RW_WHY_MAX];
    if (complete_op(body) || rig_board_restart(body->board, message, sizeof message)) {
        snprintf(why, sizeof why,
                 "its firmware locked the processor up, which ends QEMU, and the watchdog reset "
                 "that would have come can't be shown: %s",
                 message);
        gateway_power_lost(body->gateway);
        tell->lost(tell->ctx, why);
        return;
    }
    on_reset(body, RIG_RESET_WATCHDOG);
    bool said = body->end_said;
    rw_began(body);
    body->end_said = said;
}

static void on_ended(void *ctx, int status)
{
    struct sim_body *body = ctx;
    const struct sim_body_events *tell = &body->given->events;
    bool lock_up = locked_up(body, status);
    body->stands = false;
    if (lock_up)
        tell_lock_up(body);
    if (lock_up && body->jumped) {
        restart(body);
        return;
    }
    gateway_power_lost(body->gateway);
    if (*rig_board_given_up(body->board))
        tell_given_up(body);
    else if (lock_up && !complete_op(body))
        tell->ended(tell->ctx, "locked up in the bootloader, under no watchdog", false, false);
    else
        tell_gone(body, status);
}

const struct rig_board_events rw_events = {
    .console = on_console,
    .link = on_link,
    .stands = on_stands,
    .reset = on_reset,
    .ended = on_ended,
};
