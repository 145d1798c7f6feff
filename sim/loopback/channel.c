#include "channel.h"
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { READ_BYTES = 65536, READS_AT_ONCE = 16 };

void lb_channel_open(struct lb_channel *channel, int fd)
{
    *channel = (struct lb_channel){.fd = fd};
    int flags = fcntl(fd, F_GETFL);
    bool quick = flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0;
    assert(quick);
    (void)quick;
}

void lb_channel_close(struct lb_channel *channel)
{
    if (channel->fd >= 0)
        close(channel->fd);
    free(channel->in.at);
    free(channel->out.at);
    *channel = (struct lb_channel){.fd = -1, .over = true};
}

/* Place for so many bytes behind what is there; NULL: no memory. */
static uint8_t *make_room(struct lb_bytes *bytes, uint32_t more)
{
    if (bytes->from) {
        memmove(bytes->at, bytes->at + bytes->from, bytes->to - bytes->from);
        bytes->to -= bytes->from;
        bytes->from = 0;
    }
    uint64_t wanted = (uint64_t)bytes->to + more, room = bytes->room ? bytes->room : 4096;
    while (room < wanted)
        room *= 2;
    if (room > INT32_MAX)
        return NULL;
    if (room != bytes->room) {
        uint8_t *grown = realloc(bytes->at, room);
        if (!grown)
            return NULL;
        bytes->at = grown;
        bytes->room = (uint32_t)room;
    }
    return bytes->at + bytes->to;
}

static bool later(void)
{
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

static void send_some(struct lb_channel *channel)
{
    struct lb_bytes *out = &channel->out;
    while (!channel->over && out->from < out->to) {
        ssize_t sent = send(channel->fd, out->at + out->from, out->to - out->from, MSG_NOSIGNAL);
        if (sent < 0 && later())
            return;
        /* Whoever does not read any more has still said something: that is read before. */
        if (sent < 0)
            out->from = out->to;
        else
            out->from += (uint32_t)sent;
    }
}

static void receive_some(struct lb_channel *channel)
{
    for (int reads = 0; !channel->over && reads < READS_AT_ONCE; reads++) {
        uint8_t *at = make_room(&channel->in, READ_BYTES);
        ssize_t got = at ? recv(channel->fd, at, READ_BYTES, 0) : 0;
        if (got < 0 && later())
            return;
        if (got <= 0)
            channel->over = true;
        else
            channel->in.to += (uint32_t)got;
        if (got < READ_BYTES)
            return;
    }
}

void lb_channel_put(struct lb_channel *channel, const struct lb_frame *frame)
{
    uint32_t bytes = lb_frame_bytes(frame);
    if (channel->over)
        return;
    uint8_t *at = channel->out.to + bytes <= channel->out.room ? channel->out.at + channel->out.to
                                                               : make_room(&channel->out, bytes);
    if (!at) {
        channel->over = true;
        return;
    }
    lb_frame_put(at, frame);
    channel->out.to += bytes;
    if (channel->out.to - channel->out.from >= READ_BYTES)
        send_some(channel);
}

bool lb_channel_waits(const struct lb_channel *channel)
{
    return !channel->over && channel->out.from < channel->out.to;
}

void lb_channel_move(struct lb_channel *channel)
{
    send_some(channel);
    receive_some(channel);
}

bool lb_channel_next(struct lb_channel *channel, struct lb_frame *out)
{
    struct lb_bytes *in = &channel->in;
    uint32_t used = 0;
    if (channel->broken || in->from == in->to)
        return false;
    int got = lb_frame_get(out, &used, in->at + in->from, in->to - in->from);
    channel->broken = got < 0;
    in->from += used;
    return got > 0;
}
