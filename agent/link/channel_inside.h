/* Between the files of the channel. */
#ifndef LINK_CHANNEL_INSIDE_H
#define LINK_CHANNEL_INSIDE_H

#include "frame.h"

enum { LINK_OFFERS_MAX = 8, LINK_BACKOFF_MAX = 3 };

/* channel.c: both ends have begun anew; theirs is the other's name in it. */
void link_adopt(struct link_channel *channel, uint64_t theirs, uint32_t now_ms);
/* The offer is spent: a name is used for one connection; 65,535 of them until it comes again. */
void link_next_life(struct link_channel *channel);
/* Notices silence. */
void link_tick(struct link_channel *channel, uint32_t now_ms);

/* receive.c: a frame of the connection. */
void link_receive_reset(struct link_channel *channel);
void link_receive_data(struct link_channel *channel, const struct link_frame *frame);
uint8_t link_receive_credit(const struct link_channel *channel);

/* send.c */
void link_send_reset(struct link_channel *channel);
/* Acknowledgement, credit and taken of a frame. False: they can't be true, nothing was changed. */
bool link_send_told(struct link_channel *channel, const struct link_frame *frame, uint32_t now_ms);
void link_send_again(struct link_channel *channel, uint32_t now_ms); /* from base on, now */
uint32_t link_send_wait_ms(const struct link_channel *channel, uint32_t now_ms);
/* The next DATA frame that may go out now; false: none. */
bool link_send_frame(struct link_channel *channel, struct link_frame *out, uint32_t now_ms);

/* handshake.c: what a frame of another connection means. True: it is of the present one now. */
bool link_shake(struct link_channel *channel, const struct link_frame *frame, uint32_t now_ms);
/* A frame of the connection says what cannot follow from it: both begin anew. */
void link_disagree(struct link_channel *channel);
bool link_hello_wanted(const struct link_channel *channel);
uint32_t link_hello_wait_ms(const struct link_channel *channel, uint32_t now_ms);

/* Time left until begin_ms + span_ms, on a clock that wraps. */
static inline uint32_t link_left_ms(uint32_t begin_ms, uint32_t span_ms, uint32_t now_ms)
{
    uint32_t gone_ms = now_ms - begin_ms;
    return gone_ms < span_ms ? span_ms - gone_ms : 0;
}

#endif
