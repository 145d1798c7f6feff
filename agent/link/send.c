/* Messages into frames, repeated from the first unacknowledged one on (go-back-N). */
#include "channel_inside.h"
#include <string.h>

void link_send_reset(struct link_channel *channel)
{
    memset(&channel->tx, 0, sizeof channel->tx);
    channel->tx.timer_ms = channel->heard_ms;
}

/* The oldest byte that may be said again. */
static uint32_t head(const struct link_channel *channel)
{
    return channel->tx.flights ? channel->tx.flight[0].at : channel->tx.cut;
}

static void compact(struct link_channel *channel)
{
    uint32_t from = head(channel);
    memmove(channel->tx.queue, channel->tx.queue + from, channel->tx.tail - from);
    for (uint32_t i = 0; i < channel->tx.flights; i++)
        channel->tx.flight[i].at = (uint16_t)(channel->tx.flight[i].at - from);
    channel->tx.cut -= from;
    channel->tx.tail -= from;
}

bool link_send(struct link_channel *channel, uint8_t kind, const void *bytes, uint32_t len)
{
    if (!link_is_up(channel) || len > LINK_MESSAGE_MAX)
        return false;
    if (LINK_QUEUE - (channel->tx.tail - head(channel)) < LINK_ENTRY + len)
        return false;
    if (LINK_QUEUE - channel->tx.tail < LINK_ENTRY + len)
        compact(channel);
    uint8_t *entry = channel->tx.queue + channel->tx.tail;
    entry[0] = kind;
    entry[1] = 0;
    entry[2] = (uint8_t)len;
    entry[3] = (uint8_t)(len >> 8);
    if (len)
        memcpy(entry + LINK_ENTRY, bytes, len);
    channel->tx.tail += LINK_ENTRY + len;
    channel->tx.sent++;
    return true;
}

uint32_t link_sent(const struct link_channel *channel)
{
    return channel->tx.sent;
}

uint32_t link_taken(const struct link_channel *channel)
{
    return channel->tx.taken;
}

static uint32_t patience_ms(const struct link_channel *channel)
{
    return (channel->config.retry_ms << channel->tx.backoff) + 2 * channel->tx.rtt_ms;
}

/* Frames that were said once only tell how long an answer takes (Karn and Partridge, 1987). */
static void measure(struct link_channel *channel, uint32_t now_ms)
{
    uint32_t limit_ms = 4 * channel->config.retry_ms;
    uint32_t took_ms = now_ms - channel->tx.timed_ms;
    channel->tx.timing = false;
    if (took_ms > limit_ms)
        took_ms = limit_ms;
    channel->tx.rtt_ms =
        took_ms > channel->tx.rtt_ms ? took_ms : (7 * channel->tx.rtt_ms + took_ms) / 8;
    channel->tx.backoff = 0;
}

static void acknowledged(struct link_channel *channel, uint32_t frames, uint32_t now_ms)
{
    uint32_t left = channel->tx.flights - frames;
    memmove(channel->tx.flight, channel->tx.flight + frames, left * sizeof channel->tx.flight[0]);
    channel->tx.flights = (uint8_t)left;
    channel->tx.next = (uint8_t)(channel->tx.next > frames ? channel->tx.next - frames : 0);
    channel->tx.base = (uint16_t)(channel->tx.base + frames);
    channel->tx.gone_back = false;
    channel->tx.timer_ms = now_ms;
    if (channel->tx.backoff)
        channel->tx.backoff--;
    if (channel->tx.timing && (uint16_t)(channel->tx.base - channel->tx.timed - 1) < LINK_WINDOW)
        measure(channel, now_ms);
}

void link_send_again(struct link_channel *channel, uint32_t now_ms)
{
    channel->tx.next = 0;
    channel->tx.timing = false;
    channel->tx.backoff = 0;
    channel->tx.timer_ms = now_ms;
}

/* A GAP is obeyed once for each base: who repeats it gets no flood. */
static void gap(struct link_channel *channel, uint32_t now_ms)
{
    if (channel->tx.gone_back || !channel->tx.next)
        return;
    channel->tx.gone_back = true;
    channel->tx.next = 0;
    channel->tx.timing = false;
    channel->tx.timer_ms = now_ms;
}

bool link_send_told(struct link_channel *channel, const struct link_frame *frame, uint32_t now_ms)
{
    uint16_t frames = (uint16_t)(frame->ack - channel->tx.base);
    uint16_t messages = (uint16_t)(frame->taken - (uint16_t)channel->tx.taken);
    uint32_t under_way = channel->tx.sent - channel->tx.taken;
    bool late = frames >= 0x8000; /* said before another one that came first */
    if (late)
        return true;
    if (frames > channel->tx.flights)
        return false;
    if (messages <= under_way)
        channel->tx.taken += messages;
    else if (messages < 0x8000)
        return false;
    if (frames)
        acknowledged(channel, frames, now_ms);
    uint8_t credit = frame->credit < LINK_WINDOW ? frame->credit : LINK_WINDOW;
    uint16_t edge = (uint16_t)(frame->ack + credit);
    if ((uint16_t)(edge - channel->tx.edge) <= 2 * LINK_WINDOW)
        channel->tx.edge = edge;
    if (frame->flags & LINK_FLAG_GAP)
        gap(channel, now_ms);
    return true;
}

static bool has_credit(const struct link_channel *channel)
{
    uint16_t number = (uint16_t)(channel->tx.base + channel->tx.flights);
    return channel->tx.flights < LINK_WINDOW &&
           (uint16_t)(channel->tx.edge - number - 1) < LINK_WINDOW;
}

static bool has_more(const struct link_channel *channel)
{
    return channel->tx.open || channel->tx.cut < channel->tx.tail;
}

/* Cuts the next frame off the queue. */
static void cut(struct link_channel *channel)
{
    struct link_flight *flight = &channel->tx.flight[channel->tx.flights++];
    *flight = (struct link_flight){0};
    if (!channel->tx.open) {
        const uint8_t *entry = channel->tx.queue + channel->tx.cut;
        channel->tx.kind = entry[0];
        channel->tx.left = entry[2] | (uint32_t)entry[3] << 8;
        channel->tx.cut += LINK_ENTRY;
        flight->flags = LINK_FLAG_FIRST;
    }
    uint32_t len = channel->tx.left < LINK_PAYLOAD_MAX ? channel->tx.left : LINK_PAYLOAD_MAX;
    flight->at = (uint16_t)channel->tx.cut;
    flight->len = (uint16_t)len;
    flight->kind = channel->tx.kind;
    channel->tx.cut += len;
    channel->tx.left -= len;
    channel->tx.open = channel->tx.left > 0;
    if (!channel->tx.open)
        flight->flags |= LINK_FLAG_LAST;
}

static bool is_new(const struct link_channel *channel)
{
    return channel->tx.next == channel->tx.flights;
}

uint32_t link_send_wait_ms(const struct link_channel *channel, uint32_t now_ms)
{
    if (!is_new(channel) || (has_more(channel) && has_credit(channel)))
        return 0;
    if (!channel->tx.flights && !has_more(channel))
        return UINT32_MAX;
    return link_left_ms(channel->tx.timer_ms, patience_ms(channel), now_ms);
}

/* Nobody has answered for too long: goes back, or asks for the credit that may have been lost. */
static void impatient(struct link_channel *channel, uint32_t now_ms)
{
    if (channel->tx.backoff < LINK_BACKOFF_MAX)
        channel->tx.backoff++;
    channel->tx.timer_ms = now_ms;
    channel->tx.timing = false;
    if (channel->tx.flights)
        channel->tx.next = 0;
    else
        channel->probe_due = true;
}

bool link_send_frame(struct link_channel *channel, struct link_frame *out, uint32_t now_ms)
{
    bool waiting = channel->tx.flights || has_more(channel);
    bool ready = !is_new(channel) || (has_more(channel) && has_credit(channel));
    if (waiting && !ready && !link_left_ms(channel->tx.timer_ms, patience_ms(channel), now_ms))
        impatient(channel, now_ms);
    if (is_new(channel)) {
        if (!has_more(channel) || !has_credit(channel))
            return false;
        if (!channel->tx.flights)
            channel->tx.timer_ms = now_ms;
        cut(channel);
        if (!channel->tx.timing) {
            channel->tx.timing = true;
            channel->tx.timed = (uint16_t)(channel->tx.base + channel->tx.next);
            channel->tx.timed_ms = now_ms;
        }
    } else {
        channel->counters.frames_repeated++;
    }
    const struct link_flight *flight = &channel->tx.flight[channel->tx.next];
    out->seq = (uint16_t)(channel->tx.base + channel->tx.next++);
    out->flags = flight->flags;
    out->kind = flight->kind;
    out->len = flight->len;
    out->payload = channel->tx.queue + flight->at;
    return true;
}
