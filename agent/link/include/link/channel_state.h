/* The members of struct link_channel, private to agent/link: only for whoever owns one. */
#ifndef LINK_CHANNEL_STATE_H
#define LINK_CHANNEL_STATE_H

#include "link/channel.h"

enum {
    LINK_HEADER = 24, /* of a frame, before the payload */
    LINK_FRAME_MAX = LINK_HEADER + LINK_PAYLOAD_MAX + 4,
    LINK_COBS_MAX = LINK_FRAME_MAX / 254 + 1,  /* what COBS adds at most */
    LINK_ENTRY = 4,                            /* before each message in a queue: kind, 0, len */
    LINK_SLOT = LINK_ENTRY + LINK_PAYLOAD_MAX, /* what one frame may need of a queue */
    LINK_QUEUE = LINK_ENTRY + LINK_MESSAGE_MAX + LINK_SLOT,
};

/* A frame's worth of the sending queue that was not acknowledged yet. */
struct link_flight {
    uint16_t at, len; /* in tx.queue */
    uint8_t kind, flags;
};

struct link_channel {
    struct link_config config;
    struct link_counters counters;
    bool connected; /* mine and theirs name the connection */
    bool down;      /* connected, and silent */
    uint64_t mine, theirs;
    uint64_t offer;     /* mine of the next connection */
    uint64_t candidate; /* theirs of the next connection, as far as it is known; 0: not */
    uint8_t offers;     /* so often HELLO was sent for it */
    bool hello_due, probe_due, ack_due, gap_due;
    bool tell_restart, tell_up, tell_down;
    uint32_t heard_ms, said_ms, hello_ms;

    struct {
        uint8_t queue[LINK_QUEUE]; /* messages: entry and bytes */
        uint32_t cut, tail;        /* next byte to be framed; end of what there is */
        uint32_t left;             /* bytes of the message that is being cut */
        uint8_t kind;              /* of it */
        bool open;                 /* one is being cut */
        struct link_flight flight[LINK_WINDOW];
        uint8_t flights, next; /* frames in flight; how many of them were said since going back */
        uint16_t base;         /* the first one's number */
        uint16_t edge;         /* first number that there is no credit for */
        bool gone_back;        /* for this base, by a GAP */
        bool repeated;         /* frames up to timed were said twice: no time is measured by them */
        uint16_t timed;
        bool timing;
        uint8_t backoff; /* doublings */
        uint32_t timer_ms, timed_ms, rtt_ms;
        uint32_t sent, taken; /* messages, in this connection */
    } tx;

    struct {
        uint8_t queue[LINK_QUEUE];  /* whole messages, then perhaps the beginning of one */
        uint32_t head, whole, tail; /* next to deliver; end of the whole ones; end */
        bool open;                  /* a message has begun and not ended */
        bool held;                  /* the one before head is the receiver's until link_next */
        uint16_t next;              /* frame that is expected */
        uint16_t taken;             /* messages, in this connection */
        bool held_counts;           /* the held one belongs to this connection */
    } rx;

    uint8_t in[LINK_FRAME_MAX]; /* the frame that is coming in, without COBS */
    uint32_t in_len;
    uint8_t in_left, in_code;
    bool in_bad;

    uint8_t out[2 + LINK_COBS_MAX + LINK_FRAME_MAX]; /* the frame that is going out */
    uint32_t out_at, out_len;
};

#endif
