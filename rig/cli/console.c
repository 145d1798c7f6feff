/*
 * `brickyard rig console`: lines with their UTC, until a marker, a time, Ctrl-C, or the
 * console's end. On a terminal, without other options, one types to the board, and what it says is
 * shown raw, prompts too.
 *
 * It takes no lock: one looks at a board that one switches from another terminal. But it leaves a
 * board alone that a run has.
 */
#include "cli_internal.h"
#include "keyboard.h"
#include "text.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { FOR_MS_MAX = 7 * 86400000 };

struct options {
    char *send, *until, *for_text;
};

struct session {
    struct ev_loop *loop;
    struct rig_console *console;
    const struct rig_bench_board *board;
    struct rig_cli_keyboard keyboard;
    const char *until;
    bool typed, met, ended, interrupted;
    char gone[256];
};

/* The line's own time, as in transcripts. */
static void print_line(void *ctx, const struct rig_console_line *line)
{
    struct session *s = ctx;
    if (s->ended)
        return;
    struct timespec now;
    char at[RIG_TIME_TEXT];
    clock_gettime(CLOCK_REALTIME, &now);
    int64_t us = (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
    us -= rig_port_now_us() - line->at_us;
    rig_transcript_time(at, us);
    if (!s->typed)
        printf("%s  %s%s\n", at, line->text, line->shortened ? " [cut]" : "");
    fflush(stdout);
    s->ended = s->met; /* more may have been read already */
    if (s->ended)
        ev_break(s->loop, EVBREAK_ALL);
}

static void on_bytes(void *ctx, const void *bytes, size_t len)
{
    struct session *s = ctx;
    if (!s->typed)
        return;
    fwrite(bytes, 1, len, stdout);
    fflush(stdout);
}

static void on_gone(void *ctx, const char *why)
{
    struct session *s = ctx;
    snprintf(s->gone, sizeof s->gone, "%s", why);
    ev_break(s->loop, EVBREAK_ALL);
}

static void on_marker(void *ctx, const struct rig_console_line *line)
{
    struct session *s = ctx;
    (void)line;
    s->met = true; /* printed next, and then it ends */
}

static void on_time(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)timer;
    (void)events;
    ev_break(loop, EVBREAK_ALL);
}

static void on_signal(struct ev_loop *loop, ev_signal *watcher, int events)
{
    struct session *s = watcher->data;
    (void)events;
    s->interrupted = true;
    ev_break(loop, EVBREAK_ALL);
}

static void on_key(void *ctx, const void *bytes, size_t len)
{
    struct session *s = ctx;
    rig_console_write(s->console, bytes, len); /* full or gone: as on any terminal, it is lost */
}

static int judge(const struct session *s, const char *for_text)
{
    if (*s->gone)
        return rig_cli_say("console", RIG_CLI_INFRASTRUCTURE,
                           "%s: its console is gone: %s; is it plugged in?", s->board->name,
                           s->gone);
    if (s->met || !s->until)
        return RIG_CLI_OK;
    if (s->interrupted)
        return rig_cli_say("console", RIG_CLI_UNMET, "%s: ended before /%s/ came", s->board->name,
                           s->until);
    return rig_cli_say("console", RIG_CLI_UNMET, "%s: /%s/ did not come within %s", s->board->name,
                       s->until, for_text);
}

static int send_text(struct session *s, const char *text)
{
    size_t len;
    char *bytes = rig_cli_text(text, &len);
    if (!bytes)
        return rig_cli_say("console", RIG_CLI_USAGE,
                           "--send %s: accepted: text with \\r, \\n, \\t, \\\\ and \\xHH", text);
    int error = rig_console_write(s->console, bytes, len);
    free(bytes);
    return error ? rig_cli_say("console", RIG_CLI_INFRASTRUCTURE, "%s: --send: %s", s->board->name,
                               rig_error_name(error))
                 : RIG_CLI_OK;
}

static int talk(struct session *s, const struct options *o, int64_t for_ms)
{
    ev_timer timer;
    ev_signal interrupt, terminate;
    ev_timer_init(&timer, on_time, (double)for_ms / 1000, 0.);
    ev_signal_init(&interrupt, on_signal, SIGINT);
    ev_signal_init(&terminate, on_signal, SIGTERM);
    interrupt.data = terminate.data = s;
    ev_signal_start(s->loop, &interrupt);
    ev_signal_start(s->loop, &terminate);
    if (for_ms)
        ev_timer_start(s->loop, &timer);
    int code = o->send ? send_text(s, o->send) : RIG_CLI_OK;
    if (!code) {
        if (s->typed)
            rig_cli_keyboard_start(&s->keyboard, s->loop, on_key, s);
        if (!*s->gone)
            ev_run(s->loop, 0);
        rig_cli_keyboard_stop(&s->keyboard);
        code = judge(s, o->for_text);
    }
    ev_timer_stop(s->loop, &timer);
    ev_signal_stop(s->loop, &interrupt);
    ev_signal_stop(s->loop, &terminate);
    return code;
}

static int open_console(struct session *s, const struct options *o, int64_t for_ms)
{
    char message[512];
    struct rig_marker *marker = NULL;
    const struct rig_console_config config = {
        .loop = s->loop,
        .at = s->board->console,
        .events = {.line = print_line, .bytes = on_bytes, .gone = on_gone},
        .ctx = s};
    if (rig_console_open(&s->console, &config, message, sizeof message))
        return rig_cli_say("console", RIG_CLI_INFRASTRUCTURE, "%s: %s", s->board->name, message);
    int code = s->until && rig_marker_add(&marker, s->console, s->until, on_marker, s, message,
                                          sizeof message)
                   ? rig_cli_say("console", RIG_CLI_USAGE, "--until: %s", message)
                   : talk(s, o, for_ms);
    rig_console_free(s->console);
    return code;
}

static bool is_free(const struct rig_cli_seat *seat)
{
    char owner[300];
    rig_lock_owner(seat->bench, seat->board, owner, sizeof owner);
    if (!*owner)
        return true;
    rig_cli_say("console", RIG_CLI_USAGE, "%s is in use by %s; its console is left to them",
                seat->board->name, owner);
    return false;
}

static int console(const struct rig_cli_args *args, void *ctx)
{
    const struct options *o = ctx;
    char message[512];
    struct rig_cli_seat seat = {0};
    int64_t for_ms = 0;
    if (!rig_cli_duration("console", "--for", o->for_text, 1, FOR_MS_MAX, &for_ms))
        return RIG_CLI_USAGE;
    if (o->until && rig_marker_check(o->until, message, sizeof message))
        return rig_cli_say("console", RIG_CLI_USAGE, "--until: %s", message);
    int code = rig_cli_find(&seat, "console", args);
    if (!code && !seat.board->console.path && !seat.board->console.host)
        code = rig_cli_say("console", RIG_CLI_USAGE, "%s has no `console:` in line %d of %s",
                           seat.board->name, seat.board->row, seat.bench->file);
    if (!code && !is_free(&seat))
        code = RIG_CLI_USAGE;
    if (!code)
        code = rig_cli_emulated(&seat);
    if (!code) {
        struct session s = {.loop = ev_loop_new(EVFLAG_AUTO),
                            .board = seat.board,
                            .until = o->until,
                            .typed = !o->until && !o->send && !for_ms && isatty(STDIN_FILENO) &&
                                     isatty(STDOUT_FILENO)};
        code = s.loop ? open_console(&s, o, for_ms)
                      : rig_cli_say("console", RIG_CLI_INFRASTRUCTURE, "out of memory");
        if (s.loop)
            ev_loop_destroy(s.loop);
    }
    rig_cli_leave(&seat);
    return code;
}

int rig_cli_console(int argc, char **argv)
{
    struct options o = {0};
    const struct poptOption own[] = {
        {"send", 0, POPT_ARG_STRING, &o.send, 0,
         "is sent first; \\r, \\n, \\t, \\\\ and \\xHH are understood, and a line feed is added "
         "where neither \\r nor \\n ends it",
         "TEXT"},
        {"until", 0, POPT_ARG_STRING, &o.until, 0,
         "ends when a line matches (0); 7: it did not come", "REGEX"},
        {"for", 0, POPT_ARG_STRING, &o.for_text, 0, "ends after this time", "30s"},
        POPT_TABLEEND};
    const struct rig_cli_form form = {.name = "console",
                                      .words = "BOARD",
                                      .least = 1,
                                      .most = 1,
                                      .option = own,
                                      .run = console,
                                      .ctx = &o};
    int code = rig_cli_run(&form, argc, argv);
    free(o.send);
    free(o.until);
    free(o.for_text);
    return code;
}
