/* What goes to the board: a buffer that is written as the other side reads. */
#include "console_internal.h"
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* As much as goes without waiting; 0, or an errno. */
static int drain(struct rig_console *console)
{
    bool socket = console->config.at.kind != RIG_CONSOLE_SERIAL;
    while (console->out_at < console->out_have) {
        const char *from = console->outgoing + console->out_at;
        size_t len = console->out_have - console->out_at;
        ssize_t n = socket ? send(console->fd, from, len, MSG_NOSIGNAL | MSG_DONTWAIT)
                           : write(console->fd, from, len);
        if (n > 0)
            console->out_at += (size_t)n;
        else if (n < 0 && errno != EINTR)
            return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : errno;
        else if (!n)
            return 0;
    }
    console->out_at = console->out_have = 0;
    return 0;
}

/* The loop tells it: who writes does not expect a callback from there. */
static void find_lost(struct rig_console *console, int failed)
{
    snprintf(console->lost, sizeof console->lost, "%s", strerror(failed));
    rig_console_again(console, 0);
}

void rig_console_on_writable(struct ev_loop *loop, ev_io *watcher, int events)
{
    struct rig_console *console = watcher->data;
    (void)events;
    int failed = drain(console);
    if (failed)
        find_lost(console, failed);
    if (failed || !console->out_have)
        ev_io_stop(loop, watcher);
}

static bool make_room(struct rig_console *console, size_t len)
{
    if (!console->outgoing && !(console->outgoing = malloc(RIG_CONSOLE_OUT)))
        return false;
    size_t waits = console->out_have - console->out_at;
    if (len > RIG_CONSOLE_OUT - waits)
        return false;
    if (len > RIG_CONSOLE_OUT - console->out_have) {
        memmove(console->outgoing, console->outgoing + console->out_at, waits);
        console->out_at = 0;
        console->out_have = waits;
    }
    return true;
}

int rig_console_write(struct rig_console *console, const void *bytes, size_t len)
{
    assert(console && (bytes || !len));
    if (console->fd < 0 || console->lost[0])
        return RIG_EGONE;
    if (!len)
        return RIG_OK;
    if (!make_room(console, len))
        return RIG_ESILENT;
    memcpy(console->outgoing + console->out_have, bytes, len);
    console->out_have += len;
    int failed = drain(console);
    if (failed) {
        find_lost(console, failed);
        return RIG_EGONE;
    }
    if (console->out_have)
        ev_io_start(console->config.loop, &console->out);
    return RIG_OK;
}
