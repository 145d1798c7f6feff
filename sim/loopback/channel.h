/*
 * One end of the stream between the parent of a loopback world and a worker: frames out, frames in,
 * without waiting. Owned by the caller; the descriptor is closed by lb_channel_close. One thread.
 * NULL is misuse.
 */
#ifndef SIM_LOOPBACK_CHANNEL_H
#define SIM_LOOPBACK_CHANNEL_H

#include "frames.h"
#include <stdbool.h>

struct lb_bytes {
    uint8_t *at;
    uint32_t from, to, room;
};

struct lb_channel {
    int fd;
    struct lb_bytes in, out;
    bool over; /* the other end is closed, or there is no memory: nothing comes or goes any more */
    bool broken; /* what came is no frame */
};

/* Takes the descriptor of a stream socket. */
void lb_channel_open(struct lb_channel *channel, int fd);
void lb_channel_close(struct lb_channel *channel);
/* Copied; sent by the next lb_channel_move, or now if that is much. */
void lb_channel_put(struct lb_channel *channel, const struct lb_frame *frame);
bool lb_channel_waits(const struct lb_channel *channel); /* something is still to be sent */
/* Sends and takes what goes without waiting. What was read borrows from before becomes invalid. */
void lb_channel_move(struct lb_channel *channel);
/* The next frame that has arrived, false: none. Valid until the next lb_channel_move. */
bool lb_channel_next(struct lb_channel *channel, struct lb_frame *out);

#endif
