/* Frames of the OTA line, drawn in FORMAT.md: header fields to bytes and back, COBS around them. */
#ifndef LINK_FRAME_H
#define LINK_FRAME_H

#include "link/channel_state.h"

enum link_frame_type { LINK_FRAME_HELLO = 1, LINK_FRAME_DATA, LINK_FRAME_ACK };

enum {
    LINK_FLAG_FIRST = 1, /* DATA: the message begins with this frame */
    LINK_FLAG_LAST = 2,  /* DATA: it ends with this one */
    LINK_FLAG_GAP = 4,   /* ACK: something came that was no next frame; say again from ack on */
};

struct link_frame {
    uint8_t type, flags, kind, credit;
    uint64_t from, to; /* 48 bits: session << 16 | life */
    uint16_t seq, ack, taken, len;
    const uint8_t *payload;
};

/* Makes channel->out the frame, ready to be sent. */
void link_frame_put(struct link_channel *channel, const struct link_frame *frame);
/* Any bytes. False: CRC or form are wrong, which is counted. */
bool link_frame_get(struct link_frame *out, struct link_counters *counters, const uint8_t *bytes,
                    uint32_t len);

/* One byte of the line. The number of bytes of a frame that it closes, 0: none. */
uint32_t link_cobs_take(struct link_channel *channel, uint8_t byte);

#endif
