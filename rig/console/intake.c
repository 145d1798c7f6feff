/* What comes from the board: how much of it is looked at, and in what slices. */
#include "console_internal.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    SLICE_US = 2000,
    RATE_DEFAULT = 1 << 20,
    BURST_MIN = 2 * (RIG_CONSOLE_LINE_MAX + 1), /* so that a line is whole at any rate */
    WAIT_BYTES = 4096,                          /* a throttled stream is read so much at a time */
    US_PER_S = 1000000
};

static int64_t utc_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * US_PER_S + now.tv_nsec / 1000;
}

static int64_t rate(const struct rig_console *console)
{
    return console->config.bytes_per_s ? console->config.bytes_per_s : RATE_DEFAULT;
}

/* A quarter of a second's bytes may come at once. */
static int64_t burst(const struct rig_console *console)
{
    int64_t quarter = rate(console) / 4;
    return quarter > BURST_MIN ? quarter : BURST_MIN;
}

/* The clock moves on only by whole bytes, so that slow rates lose nothing to rounding. */
static void refill(struct rig_console *console, int64_t now_us)
{
    int64_t passed = now_us - console->tokens_us;
    int64_t most = burst(console);
    if (passed >= most * US_PER_S / rate(console)) {
        console->tokens = most;
        console->tokens_us = now_us;
        return;
    }
    int64_t more = passed * rate(console) / US_PER_S;
    console->tokens_us += more * US_PER_S / rate(console);
    console->tokens = console->tokens + more < most ? console->tokens + more : most;
}

void rig_console_again(struct rig_console *console, int64_t in_us)
{
    ev_timer_stop(console->config.loop, &console->again);
    ev_timer_set(&console->again, (double)in_us / US_PER_S, 0);
    ev_timer_start(console->config.loop, &console->again);
}

void rig_console_intake_start(struct rig_console *console)
{
    console->at = console->have = console->gap = 0;
    console->tokens = burst(console);
    console->tokens_us = rig_port_now_us();
    console->flooded = false;
    ev_io_start(console->config.loop, &console->in);
}

void rig_console_say(struct rig_console *console, const char *sign, const char *text)
{
    rig_transcript_line(&console->transcript, utc_us(), sign, text);
}

static void tell_flood(struct rig_console *console)
{
    char text[64];
    if (!console->flood)
        return;
    snprintf(text, sizeof text, "flood: %" PRIu64 " bytes thrown away", console->flood);
    console->flood = 0;
    rig_console_say(console, "-- ", text);
}

void rig_console_break(struct rig_console *console)
{
    char text[RIG_CONSOLE_LINE_MAX + 1];
    if (rig_line_end(&console->line, text))
        rig_console_say(console, "", text);
    tell_flood(console);
    rig_transcript_flush(&console->transcript);
}

void rig_console_intake_finish(struct rig_console *console)
{
    console->at = console->have = console->gap = 0;
    rig_console_break(console);
}

static void tell_line(struct rig_console *console)
{
    struct rig_console_line line = {.text = console->line.text,
                                    .at_us = console->chunk_us,
                                    .shortened = console->line.shortened};
    console->facts.lines++;
    console->facts.shortened += line.shortened;
    rig_transcript_line(&console->transcript, console->chunk_utc_us, "", line.text);
    rig_console_mark(console, &line);
    if (console->config.events.line)
        console->config.events.line(console->config.ctx, &line);
}

/* One slice of the chunk; the next comes when the loop has turned. */
static void work(struct rig_console *console)
{
    struct ev_loop *loop = console->config.loop;
    int64_t end_us = rig_port_now_us() + SLICE_US;
    while (console->at < console->have && rig_port_now_us() < end_us) {
        bool whole;
        console->at += rig_line_take(&console->line, &whole, console->chunk + console->at,
                                     console->have - console->at);
        if (whole)
            tell_line(console);
    }
    rig_transcript_flush(&console->transcript);
    if (console->at < console->have) {
        ev_io_stop(loop, &console->in);
        rig_console_again(console, 0);
        return;
    }
    if (console->gap) {
        rig_line_gap(&console->line);
        console->flood += console->gap;
        console->gap = 0;
    }
    ev_io_start(loop, &console->in);
    if (console->lost[0])
        rig_console_again(console, 0);
}

/* No lines, no markers, no transcript: every byte counts, and a flood is held back by not reading
 * it. */
static bool is_raw(const struct rig_console *console)
{
    return !console->config.events.line && !console->config.transcript &&
           !rig_console_has_markers(console);
}

/* How many of n bytes are looked at. Once there was too much, nothing is until half of a burst may
 * be: whole lines instead of a few bytes here and there. */
static size_t share(struct rig_console *console, size_t n)
{
    if (console->flooded && console->tokens < burst(console) / 2)
        return 0;
    console->flooded = (int64_t)n > console->tokens;
    return console->flooded ? (size_t)console->tokens : n;
}

static void take_in(struct rig_console *console, size_t n, bool raw)
{
    size_t looked = raw ? n : share(console, n);
    console->tokens -= (int64_t)looked;
    console->chunk_us = console->heard_us = rig_port_now_us();
    console->chunk_utc_us = utc_us();
    console->facts.bytes += n;
    console->facts.thrown_away += n - looked;
    console->at = raw ? looked : 0;
    console->have = looked;
    console->gap = n - looked;
    if (looked && !raw)
        tell_flood(console);
    if (looked && console->config.events.bytes)
        console->config.events.bytes(console->config.ctx, console->chunk, looked);
    work(console);
}

static void no_bytes(struct rig_console *console, ssize_t n, int failed)
{
    char why[RIG_CONSOLE_WHY];
    bool nothing_yet = n < 0 && (failed == EAGAIN || failed == EWOULDBLOCK || failed == EINTR);
    if (nothing_yet && !console->lost[0]) {
        ev_io_start(console->config.loop, &console->in);
        return;
    }
    /* A pty says EIO when its other side has closed. */
    const char *closed = n == 0 || failed == EIO ? "closed by the other side" : strerror(failed);
    snprintf(why, sizeof why, "%s", nothing_yet ? console->lost : closed);
    rig_console_lose(console, why);
}

static void read_once(struct rig_console *console)
{
    bool raw = is_raw(console);
    size_t room = RIG_CONSOLE_CHUNK;
    int64_t enough = burst(console) / 2 < WAIT_BYTES ? burst(console) / 2 : WAIT_BYTES;
    refill(console, rig_port_now_us());
    if (raw && console->tokens < enough) {
        ev_io_stop(console->config.loop, &console->in);
        rig_console_again(console, (enough - console->tokens) * US_PER_S / rate(console) + 1);
        return;
    }
    if (raw && console->tokens < RIG_CONSOLE_CHUNK)
        room = (size_t)console->tokens;
    ssize_t n = read(console->fd, console->chunk, room);
    if (n <= 0)
        no_bytes(console, n, errno);
    else
        take_in(console, (size_t)n, raw);
}

void rig_console_on_readable(struct ev_loop *loop, ev_io *watcher, int events)
{
    (void)loop, (void)events;
    read_once(watcher->data);
}

void rig_console_on_again(struct ev_loop *loop, ev_timer *watcher, int events)
{
    struct rig_console *console = watcher->data;
    (void)loop, (void)events;
    if (console->at < console->have)
        work(console);
    else
        read_once(console);
}
