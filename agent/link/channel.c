/* The interface: bytes in, bytes out, events. */
#include "channel_inside.h"
#include <string.h>

enum { SESSION_SHIFT = 16, LIFE_MASK = 0xFFFF, MS_MAX = 3600000, SILENCE_MS_MIN = 3 };

void link_next_life(struct link_channel *channel)
{
    uint64_t life = (channel->offer + 1) & LIFE_MASK;
    channel->offer = (channel->offer & ~(uint64_t)LIFE_MASK) | (life ? life : 1);
}

void link_init(struct link_channel *channel, const struct link_config *config, uint32_t now_ms)
{
    memset(channel, 0, sizeof *channel);
    channel->config = *config;
    if (!config->retry_ms || config->retry_ms > MS_MAX)
        channel->config.retry_ms = 200;
    if (config->silence_ms < SILENCE_MS_MIN || config->silence_ms > MS_MAX)
        channel->config.silence_ms = 5000;
    channel->offer = (uint64_t)config->session << SESSION_SHIFT | 1;
    channel->hello_due = true;
    channel->heard_ms = channel->said_ms = channel->hello_ms = now_ms;
}

void link_adopt(struct link_channel *channel, uint64_t theirs, uint32_t now_ms)
{
    if (channel->connected) {
        channel->counters.restarts++;
        channel->tell_restart = true;
    }
    channel->mine = channel->offer;
    channel->theirs = theirs;
    link_next_life(channel);
    channel->candidate = 0;
    channel->offers = 0;
    channel->hello_due = channel->probe_due = channel->gap_due = false;
    channel->ack_due = true; /* so that the other end knows it too */
    channel->connected = true;
    channel->down = channel->tell_down = false;
    channel->tell_up = true;
    channel->heard_ms = now_ms;
    link_send_reset(channel);
    link_receive_reset(channel);
}

void link_tick(struct link_channel *channel, uint32_t now_ms)
{
    if (!channel->connected || channel->down)
        return;
    if (link_left_ms(channel->heard_ms, channel->config.silence_ms, now_ms))
        return;
    channel->down = true;
    if (channel->tell_up)
        channel->tell_up = false; /* nobody was told that it was up */
    else
        channel->tell_down = true;
}

static void heard(struct link_channel *channel, uint32_t now_ms)
{
    channel->heard_ms = now_ms;
    if (!channel->down)
        return;
    channel->down = false;
    if (channel->tell_down)
        channel->tell_down = false;
    else
        channel->tell_up = true;
    link_send_again(channel, now_ms);
}

static void take_frame(struct link_channel *channel, const struct link_frame *frame,
                       uint32_t now_ms)
{
    if (!(channel->connected && frame->from == channel->theirs && frame->to == channel->mine) &&
        !link_shake(channel, frame, now_ms))
        return;
    heard(channel, now_ms);
    if (frame->type == LINK_FRAME_HELLO) {
        channel->ack_due = true;
        return;
    }
    if (!link_send_told(channel, frame, now_ms)) {
        channel->counters.format_errors++;
        link_disagree(channel);
        return;
    }
    if (frame->type == LINK_FRAME_DATA)
        link_receive_data(channel, frame);
}

void link_input(struct link_channel *channel, const void *bytes, size_t len, uint32_t now_ms)
{
    const uint8_t *byte = bytes;
    link_tick(channel, now_ms);
    for (size_t i = 0; i < len; i++) {
        struct link_frame frame;
        uint32_t frame_len = link_cobs_take(channel, byte[i]);
        if (!frame_len)
            continue;
        if (link_frame_get(&frame, &channel->counters, channel->in, frame_len))
            take_frame(channel, &frame, now_ms);
        else if (channel->connected && frame_len >= LINK_HEADER + 4)
            /* Most likely a frame of ours that the line has hurt. Shorter ones are not worth an
             * answer longer than they are. */
            channel->ack_due = channel->gap_due = true;
    }
}

static void fill_in(const struct link_channel *channel, struct link_frame *frame)
{
    if (frame->type != LINK_FRAME_DATA)
        frame->seq = channel->tx.base;
    frame->from = channel->mine;
    frame->to = channel->theirs;
    frame->ack = channel->rx.next;
    frame->credit = link_receive_credit(channel);
    frame->taken = channel->rx.taken;
}

static bool next_hello(struct link_channel *channel, struct link_frame *frame, uint32_t now_ms)
{
    if (!link_hello_wanted(channel) || (!channel->hello_due && link_hello_wait_ms(channel, now_ms)))
        return false;
    frame->type = LINK_FRAME_HELLO;
    frame->from = channel->offer;
    frame->to = channel->candidate;
    if (channel->connected && channel->offers >= LINK_OFFERS_MAX)
        channel->candidate = 0; /* a liar, or one that is gone again */
    if (channel->offers < LINK_OFFERS_MAX)
        channel->offers++;
    channel->hello_due = false;
    channel->hello_ms = now_ms;
    return true;
}

/* The next frame to be said now; false: none. */
static bool next_frame(struct link_channel *channel, struct link_frame *frame, uint32_t now_ms)
{
    *frame = (struct link_frame){0};
    if (next_hello(channel, frame, now_ms))
        return true;
    if (!channel->connected)
        return false;
    bool quiet = !link_left_ms(channel->said_ms, channel->config.silence_ms / 3, now_ms);
    bool gap = channel->gap_due;
    if (!gap && link_send_frame(channel, frame, now_ms))
        frame->type = LINK_FRAME_DATA;
    else if (channel->ack_due)
        frame->type = LINK_FRAME_ACK;
    else if (channel->probe_due || quiet)
        frame->type = LINK_FRAME_HELLO;
    else
        return false;
    if (frame->type == LINK_FRAME_HELLO)
        channel->probe_due = false;
    else
        channel->ack_due = channel->gap_due = false;
    if (gap)
        frame->flags = LINK_FLAG_GAP;
    fill_in(channel, frame);
    channel->said_ms = now_ms;
    return true;
}

size_t link_output(struct link_channel *channel, void *out, size_t max, uint32_t now_ms)
{
    uint8_t *to = out;
    size_t done = 0;
    struct link_frame frame;
    link_tick(channel, now_ms);
    while (done < max) {
        uint32_t some = channel->out_len - channel->out_at;
        if (!some) {
            if (!next_frame(channel, &frame, now_ms))
                break;
            channel->counters.frames_sent++;
            link_frame_put(channel, &frame);
            continue;
        }
        if (some > max - done)
            some = (uint32_t)(max - done);
        memcpy(to + done, channel->out + channel->out_at, some);
        channel->out_at += some;
        done += some;
    }
    return done;
}

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

uint32_t link_wait_ms(const struct link_channel *channel, uint32_t now_ms)
{
    uint32_t wait_ms = UINT32_MAX;
    if (channel->out_at < channel->out_len)
        return 0;
    if (link_hello_wanted(channel))
        wait_ms = channel->hello_due ? 0 : link_hello_wait_ms(channel, now_ms);
    if (!channel->connected)
        return wait_ms;
    if (channel->ack_due || channel->probe_due)
        return 0;
    wait_ms =
        least(wait_ms, link_left_ms(channel->said_ms, channel->config.silence_ms / 3, now_ms));
    if (!channel->down)
        wait_ms =
            least(wait_ms, link_left_ms(channel->heard_ms, channel->config.silence_ms, now_ms));
    return least(wait_ms, link_send_wait_ms(channel, now_ms));
}

bool link_is_up(const struct link_channel *channel)
{
    return channel->connected && !channel->down && !channel->tell_restart && !channel->tell_up;
}

const struct link_counters *link_counters(const struct link_channel *channel)
{
    return &channel->counters;
}
