/*
 * The OTA line of a board that has no network of its own: a reliable, ordered channel of messages
 * over a UART that may lose, add and change bytes, stop in the middle, or belong to a liar. Both
 * ends are this code; freestanding C11: no heap, clock or I/O. FORMAT.md draws the frames: COBS
 * with a closing 0, type, session, sequence, acknowledgement, credit, length, payload up to 1,024
 * bytes, CRC-32.
 *
 * Delivered: every message once, in order, or the channel starts anew. An end that was reset begins
 * a new session; the other end is told by LINK_EV_RESTARTED, and what it had not delivered is gone.
 * The sender holds at most as many unacknowledged frames as the receiver gave credit for: a
 * receiver that does not take its messages stops the sender, never its own ring.
 *
 * Owned by the caller; no pointer is kept but those of the configuration. Times are milliseconds of
 * any clock that does not go back.
 */
#ifndef LINK_CHANNEL_H
#define LINK_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    LINK_PAYLOAD_MAX = 1024, /* of one frame */
    LINK_MESSAGE_MAX = 9216, /* of one message, in several frames */
    LINK_WINDOW = 4,         /* frames on their way, each direction */
};

enum link_event {
    LINK_EV_NONE,
    LINK_EV_UP,        /* both ends know each other's session; after each of the next two as well */
    LINK_EV_RESTARTED, /* the other end began a new session: what was under way is lost. UP follows
                        */
    LINK_EV_DOWN,      /* nothing heard for silence_ms; goes on trying. Nothing is lost by it */
    LINK_EV_MESSAGE,   /* kind, bytes, len: valid until the next link_next */
};

struct link_config {
    uint32_t session;    /* other than any before it: random, or a boot counter */
    uint32_t retry_ms;   /* 1 .. 3,600,000, else 200: first repetition of an unacknowledged frame,
                          * beside   what the line itself takes; doubles until it is 8 times as long */
    uint32_t silence_ms; /* 3 .. 3,600,000, else 5,000; a keep-alive is sent at a third of it */
};

struct link_counters { /* of this end, since link_init */
    uint32_t frames_sent, frames_repeated, frames_taken;
    uint32_t crc_errors, format_errors, duplicates, restarts;
};

struct link_channel; /* link/channel_state.h holds its members, for whoever owns one */

void link_init(struct link_channel *channel, const struct link_config *config, uint32_t now_ms);

/* Bytes as they come, any number of them. */
void link_input(struct link_channel *channel, const void *bytes, size_t len, uint32_t now_ms);
/* Up to max bytes that have to go out now; 0: nothing (until link_wait_ms has passed). */
size_t link_output(struct link_channel *channel, void *out, size_t max, uint32_t now_ms);
/* Milliseconds until link_output has something to say by itself; UINT32_MAX: never. */
uint32_t link_wait_ms(const struct link_channel *channel, uint32_t now_ms);

struct link_delivery {
    enum link_event event;
    uint8_t kind;
    const uint8_t *bytes;
    uint32_t len;
};
/* The next event, or LINK_EV_NONE. Taking a message gives its credit back. */
enum link_event link_next(struct link_channel *channel, struct link_delivery *out);

/* Room for a message of len bytes (kind: link/message.h)? It is copied. False: no room now, or the
 * channel is not up; try again after the next link_next or acknowledgement. */
bool link_send(struct link_channel *channel, uint8_t kind, const void *bytes, uint32_t len);
/* Messages of this connection: handed to link_send, and those of them which the other end has done
 * with, because it asked for the one behind (link_next). What is counted by link_taken was dealt
 * with, not only received: a reset of the other end does not lose it. Both begin at 0 with each
 * LINK_EV_RESTARTED. */
uint32_t link_sent(const struct link_channel *channel);
uint32_t link_taken(const struct link_channel *channel);
/* False too while LINK_EV_UP or LINK_EV_RESTARTED waits to be asked for. */
bool link_is_up(const struct link_channel *channel);
const struct link_counters *link_counters(const struct link_channel *channel);

#endif
