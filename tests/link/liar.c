/* A peer that floods, and one that lies in frames whose CRC is right. */
#include "../soak/soak.h"
#include "frame.h"
#include "line.h"
#include <criterion/criterion.h>
#include <string.h>

static struct line line;

/* What one end says while it is fed, in bytes; its messages are taken. */
static uint64_t feed(struct link_channel *channel, const uint8_t *bytes, size_t len,
                     uint32_t now_ms)
{
    static uint8_t out[16384];
    struct link_delivery got;
    link_input(channel, bytes, len, now_ms);
    while (link_next(channel, &got)) {
        if (got.event == LINK_EV_MESSAGE)
            cr_assert_leq(got.len, LINK_MESSAGE_MAX);
    }
    size_t said = link_output(channel, out, sizeof out, now_ms);
    cr_assert_lt(said, sizeof out, "it never stops");
    return said;
}

Test(link_liar, a_flood_is_answered_by_no_more_than_it_brings)
{
    static uint8_t noise[1000];
    uint64_t in = 0, out = 0;
    line_init(&line, 1);
    line.message_max = 16;
    line_run(&line, 50);
    struct link_channel *channel = &line.end[0].channel;
    uint32_t now_ms = line.now_ms;
    for (int round = 0; round < 3000; round++, now_ms++) {
        for (size_t i = 0; i < sizeof noise; i++)
            noise[i] = round % 3 == 0   ? (uint8_t)line_random(&line, 256)
                       : round % 3 == 1 ? (uint8_t)(line_random(&line, 40) ? 0x55 : 0)
                                        : (uint8_t)(line_random(&line, 2));
        in += sizeof noise;
        for (size_t at = 0; at < sizeof noise; at += 10) /* output is asked after each ten bytes */
            out += feed(channel, noise + at, 10, now_ms);
    }
    cr_assert_lt(out, in, "%llu bytes for %llu", (unsigned long long)out, (unsigned long long)in);
    line.now_ms = now_ms; /* and the other end, which was cut off meanwhile, is still known */
    line_run(&line, 5000);
    cr_assert_null(line.wrong, "%s", line.wrong);
    cr_assert(line_settled(&line));
    cr_assert_eq(line.end[0].restarts + line.end[1].restarts, 0);
}

static uint64_t some_name(const struct link_channel *channel)
{
    switch (line_random(&line, 6)) {
    case 0:
        return channel->mine;
    case 1:
        return channel->theirs;
    case 2:
        return channel->offer;
    case 3:
        return channel->candidate;
    case 4:
        return 0;
    default:
        return line_random(&line, 1u << 30);
    }
}

static uint16_t near(uint16_t number)
{
    return line_random(&line, 3) ? (uint16_t)(number + line_random(&line, 12) - 6)
                                 : (uint16_t)line_random(&line, 65536);
}

static void lie(const struct link_channel *channel, struct link_channel *made)
{
    static uint8_t payload[LINK_PAYLOAD_MAX];
    struct link_frame frame = {
        .type =
            (uint8_t)(line_random(&line, 20) ? 1 + line_random(&line, 3) : line_random(&line, 256)),
        .flags = (uint8_t)line_random(&line, 8),
        .kind = (uint8_t)line_random(&line, 3),
        .credit = (uint8_t)line_random(&line, 256),
        .from = line_random(&line, 3) ? channel->theirs : some_name(channel),
        .to = line_random(&line, 3) ? channel->mine : some_name(channel),
        .seq = near(channel->rx.next),
        .ack = near(channel->tx.base),
        .taken = near((uint16_t)channel->tx.taken),
        .len =
            (uint16_t)(line_random(&line, 4) ? line_random(&line, 40) : line_random(&line, 1025)),
        .payload = payload,
    };
    if (line_random(&line, 2)) { /* in the form that is expected, so that it gets further */
        frame.seq = channel->rx.next;
        frame.flags = channel->rx.open ? 0 : LINK_FLAG_FIRST;
        frame.type = LINK_FRAME_DATA;
        frame.kind = 1;
    }
    if (frame.type != LINK_FRAME_DATA)
        frame.len = frame.kind = 0;
    link_frame_put(made, &frame);
}

Test(link_liar, hostile_fields_do_no_harm)
{
    static struct link_channel made;
    for (uint32_t seed = 0; seed < soak(2, 6); seed++) {
        uint64_t in = 0, out = 0;
        line_init(&line, seed);
        line_run(&line, 50);
        struct link_channel *channel = &line.end[0].channel;
        uint32_t now_ms = line.now_ms, began = channel->counters.frames_repeated;
        for (int i = 0; i < 20000; i++, now_ms += line_random(&line, 2)) {
            lie(channel, &made);
            in += made.out_len;
            out += feed(channel, made.out, made.out_len, now_ms);
            if (seed & 1) /* it has something to say, too */
                link_send(channel, 1, "x", 1);
        }
        /* One answer of up to 32 bytes for each frame of at least 30, and its own small messages,
         * which an acknowledgement lets go on. */
        cr_assert_lt(out, in * 3, "%llu for %llu, repeated %u", (unsigned long long)out,
                     (unsigned long long)in, channel->counters.frames_repeated - began);
        /* The liar goes; an honest end finds it again. */
        line.now_ms = now_ms;
        line_reset(&line, 1);
        line.end[0].fresh = true;
        line.end[0].heard_any = false;
        line.end[0].connection += 1u << 20;
        line.end[0].index = 0;
        line_run(&line, 20000);
        cr_assert(line_settled(&line), "seed %u", seed);
    }
}
