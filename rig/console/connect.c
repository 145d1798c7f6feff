/* Opening, losing, and opening again. */
#include "console_internal.h"
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

static const double retry_s = 1.0;

/* A host that lost its power sends no end of the connection: it is asked after 10 s of silence. */
static void keep_alive(int fd)
{
    int idle_s = 10, interval_s = 5, times = 3;
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof idle_s);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval_s, sizeof interval_s);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &times, sizeof times);
}

static void use(struct rig_console *console, int fd)
{
    console->fd = fd;
    console->lost[0] = '\0';
    if (console->config.at.kind == RIG_CONSOLE_TCP)
        keep_alive(fd);
    ev_io_set(&console->in, fd, EV_READ);
    ev_io_set(&console->out, fd, EV_WRITE);
    rig_console_intake_start(console);
}

static int open_here(int *fd, const struct rig_console_at *at, char *message, size_t len)
{
    struct rig_serial serial = {.path = at->path, .baud = at->baud, .no_hangup = true};
    switch (at->kind) {
    case RIG_CONSOLE_SERIAL:
        return rig_port_serial(fd, &serial, message, len);
    case RIG_CONSOLE_UNIX:
        return rig_port_unix(fd, at->path, message, len);
    case RIG_CONSOLE_TCP:
        return rig_port_tcp(fd, at->host, at->port, RIG_DIAL_MS, message, len);
    }
    return rig_port_say(RIG_EUNSUPPORTED, message, len, "no such kind of console");
}

int rig_console_connect(struct rig_console *console, char *message, size_t len)
{
    int fd;
    int error = open_here(&fd, &console->config.at, message, len);
    if (!error)
        use(console, fd);
    return error;
}

/* What a serial port has not yet sent would hold up its closing for 30 s. */
void rig_console_hang_up(struct rig_console *console)
{
    struct ev_loop *loop = console->config.loop;
    if (console->fd < 0)
        return;
    ev_io_stop(loop, &console->in);
    ev_io_stop(loop, &console->out);
    ev_timer_stop(loop, &console->again);
    if (console->config.at.kind == RIG_CONSOLE_SERIAL)
        tcflush(console->fd, TCIOFLUSH);
    close(console->fd);
    console->fd = -1;
    console->out_at = console->out_have = 0;
}

static void retry_later(struct rig_console *console)
{
    ev_timer_stop(console->config.loop, &console->retry);
    ev_timer_set(&console->retry, retry_s, 0);
    ev_timer_start(console->config.loop, &console->retry);
}

void rig_console_lose(struct rig_console *console, const char *why)
{
    char text[RIG_CONSOLE_WHY + 32];
    rig_console_hang_up(console);
    rig_console_intake_finish(console);
    console->facts.gone++;
    snprintf(text, sizeof text, "console gone: %s", why);
    rig_console_remark(console, text);
    retry_later(console);
    if (console->config.events.gone)
        console->config.events.gone(console->config.ctx, why);
}

static void welcome(struct rig_console *console)
{
    rig_console_remark(console, "console back");
    if (console->config.events.back)
        console->config.events.back(console->config.ctx);
}

static void on_dialled(struct ev_loop *loop, ev_async *watcher, int events)
{
    struct rig_console *console = watcher->data;
    int fd;
    (void)loop, (void)events;
    if (!console->dial || !rig_dial_take(console->dial, &fd))
        return;
    console->dial = NULL;
    if (fd < 0) {
        retry_later(console);
        return;
    }
    use(console, fd);
    welcome(console);
}

static void on_retry(struct ev_loop *loop, ev_timer *watcher, int events)
{
    struct rig_console *console = watcher->data;
    const struct rig_console_at *at = &console->config.at;
    char message[RIG_CONSOLE_WHY];
    (void)events;
    if (at->kind == RIG_CONSOLE_TCP) {
        console->dial = rig_dial_begin(at->host, at->port, loop, &console->dialled);
        if (!console->dial)
            retry_later(console);
    } else if (rig_console_connect(console, message, sizeof message)) {
        retry_later(console);
    } else {
        welcome(console);
    }
}

void rig_console_watch_init(struct rig_console *console)
{
    ev_init(&console->in, rig_console_on_readable);
    ev_init(&console->out, rig_console_on_writable);
    ev_init(&console->again, rig_console_on_again);
    ev_init(&console->retry, on_retry);
    ev_async_init(&console->dialled, on_dialled);
    console->in.data = console->out.data = console;
    console->again.data = console->retry.data = console->dialled.data = console;
    if (console->config.at.kind == RIG_CONSOLE_TCP)
        ev_async_start(console->config.loop, &console->dialled);
}

void rig_console_watch_stop(struct rig_console *console)
{
    rig_dial_abandon(console->dial);
    console->dial = NULL;
    ev_timer_stop(console->config.loop, &console->retry);
    ev_timer_stop(console->config.loop, &console->again);
    ev_async_stop(console->config.loop, &console->dialled);
}
