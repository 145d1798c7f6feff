/* Frames to bytes and back; COBS (Cheshire and Baker, 1999). */
#include "frame.h"
#include "boot/image.h"
#include <string.h>

enum {
    AT_TYPE = 0,
    AT_FLAGS = 1,
    AT_KIND = 2,
    AT_CREDIT = 3,
    AT_FROM = 4,
    AT_TO = 10,
    AT_SEQ = 16,
    AT_ACK = 18,
    AT_TAKEN = 20,
    AT_LEN = 22,
    AT_PAYLOAD = LINK_HEADER,
    ID_BYTES = 6
};

static void put(uint8_t *out, uint64_t value, uint32_t bytes)
{
    for (uint32_t i = 0; i < bytes; i++)
        out[i] = (uint8_t)(value >> (8 * i));
}

static uint64_t get(const uint8_t *in, uint32_t bytes)
{
    uint64_t value = 0;
    for (uint32_t i = bytes; i > 0; i--)
        value = value << 8 | in[i - 1];
    return value;
}

/* In place: the plain bytes lie at the buffer's end, behind the place that COBS may add, and are
 * overtaken by nothing that is written. */
static uint32_t cobs_encode(uint8_t *out, const uint8_t *in, uint32_t len)
{
    uint32_t code_at = 0, end = 1;
    uint8_t code = 1;
    for (uint32_t i = 0; i < len; i++) {
        if (in[i]) {
            out[end++] = in[i];
            code++;
        }
        if (!in[i] || (code == 0xFF && i + 1 < len)) {
            out[code_at] = code;
            code_at = end++;
            code = 1;
        }
    }
    out[code_at] = code;
    return end;
}

void link_frame_put(struct link_channel *channel, const struct link_frame *frame)
{
    uint8_t *plain = channel->out + 1 + LINK_COBS_MAX;
    uint32_t len = AT_PAYLOAD + frame->len;
    plain[AT_TYPE] = frame->type;
    plain[AT_FLAGS] = frame->flags;
    plain[AT_KIND] = frame->kind;
    plain[AT_CREDIT] = frame->credit;
    put(plain + AT_FROM, frame->from, ID_BYTES);
    put(plain + AT_TO, frame->to, ID_BYTES);
    put(plain + AT_SEQ, frame->seq, 2);
    put(plain + AT_ACK, frame->ack, 2);
    put(plain + AT_TAKEN, frame->taken, 2);
    put(plain + AT_LEN, frame->len, 2);
    if (frame->len)
        memcpy(plain + AT_PAYLOAD, frame->payload, frame->len);
    put(plain + len, boot_crc32(0, plain, len), 4);
    channel->out[0] = 0; /* whatever the line made up before is closed by it */
    channel->out_len = 1 + cobs_encode(channel->out + 1, plain, len + 4);
    channel->out[channel->out_len++] = 0;
    channel->out_at = 0;
}

static bool form_is_right(const struct link_frame *frame, uint32_t len)
{
    static const uint8_t flags_of[] = {[LINK_FRAME_HELLO] = 0,
                                       [LINK_FRAME_DATA] = LINK_FLAG_FIRST | LINK_FLAG_LAST,
                                       [LINK_FRAME_ACK] = LINK_FLAG_GAP};
    if (frame->type < LINK_FRAME_HELLO || frame->type > LINK_FRAME_ACK || !frame->from)
        return false;
    if (frame->flags & ~flags_of[frame->type])
        return false;
    return frame->len <= LINK_PAYLOAD_MAX && len == (uint32_t)AT_PAYLOAD + frame->len + 4 &&
           (frame->type == LINK_FRAME_DATA || (!frame->len && !frame->kind));
}

bool link_frame_get(struct link_frame *out, struct link_counters *counters, const uint8_t *bytes,
                    uint32_t len)
{
    if (len < AT_PAYLOAD + 4) {
        counters->format_errors++;
        return false;
    }
    if (get(bytes + len - 4, 4) != boot_crc32(0, bytes, len - 4)) {
        counters->crc_errors++;
        return false;
    }
    *out = (struct link_frame){
        .type = bytes[AT_TYPE],
        .flags = bytes[AT_FLAGS],
        .kind = bytes[AT_KIND],
        .credit = bytes[AT_CREDIT],
        .from = get(bytes + AT_FROM, ID_BYTES),
        .to = get(bytes + AT_TO, ID_BYTES),
        .seq = (uint16_t)get(bytes + AT_SEQ, 2),
        .ack = (uint16_t)get(bytes + AT_ACK, 2),
        .taken = (uint16_t)get(bytes + AT_TAKEN, 2),
        .len = (uint16_t)get(bytes + AT_LEN, 2),
        .payload = bytes + AT_PAYLOAD,
    };
    if (!form_is_right(out, len)) {
        counters->format_errors++;
        return false;
    }
    return true;
}

static void append(struct link_channel *channel, uint8_t byte)
{
    if (channel->in_len < sizeof channel->in)
        channel->in[channel->in_len++] = byte;
    else
        channel->in_bad = true;
}

static uint32_t close_frame(struct link_channel *channel)
{
    uint32_t len = channel->in_len;
    bool good = !channel->in_bad && !channel->in_left;
    channel->in_len = 0;
    channel->in_left = channel->in_code = 0;
    channel->in_bad = false;
    if (!good)
        channel->counters.format_errors++;
    return good ? len : 0;
}

uint32_t link_cobs_take(struct link_channel *channel, uint8_t byte)
{
    if (!byte)
        return close_frame(channel);
    if (channel->in_left) {
        channel->in_left--;
        append(channel, byte);
        return 0;
    }
    if (channel->in_code && channel->in_code != 0xFF)
        append(channel, 0);
    channel->in_code = byte;
    channel->in_left = (uint8_t)(byte - 1);
    return 0;
}
