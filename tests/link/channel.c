/* Two honest ends on a line that is none. BRICKYARD_LINK_SEEDS: how many seeds, each kind of line
 * in turn. */
#include "../soak/soak.h"
#include "line.h"
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

static struct line line;

/* The faults are over: both ends find each other, and messages flow both ways. */
static void must_settle(const char *what, uint64_t seed)
{
    line.faults = (struct line_faults){0};
    line.cut_until_ms = 0;
    for (int i = 0; i < 20 && !(i > 4 && line_settled(&line)); i++)
        line_run(&line, 1000);
    cr_assert_null(line.wrong, "%s, seed %llu: %s at %u ms", what, (unsigned long long)seed,
                   line.wrong, line.now_ms);
    cr_assert(line_settled(&line), "%s, seed %llu: no connection", what, (unsigned long long)seed);
    uint32_t before[2] = {line.end[0].taken, line.end[1].taken};
    line_run(&line, 2000);
    for (int i = 0; i < 2; i++)
        cr_assert_gt(line.end[i].taken, before[i] + 10, "%s, seed %llu: end %d took %u", what,
                     (unsigned long long)seed, i, line.end[i].taken - before[i]);
}

static uint32_t seeds(uint32_t otherwise)
{
    const char *text = getenv("BRICKYARD_LINK_SEEDS");
    return text ? (uint32_t)strtoul(text, NULL, 10) : otherwise;
}

Test(link_channel, a_clean_line_carries_everything_and_says_how_fast)
{
    line_init(&line, 1);
    line.message_max = 9216;
    line_run(&line, 10000);
    cr_assert_null(line.wrong, "%s", line.wrong);
    cr_assert_eq(line.end[0].channel.counters.frames_repeated, 0);
    cr_assert_eq(line.end[0].ups, 1);
    cr_assert_eq(line.end[0].restarts + line.end[0].downs, 0);
    uint32_t rate =
        line.end[1].bytes_taken / 10; /* bytes a second, of 250,000, both ways at once */
    printf("clean line of 250 kB/s: %u bytes of messages a second, both ways at once\n", rate);
    cr_assert_gt(rate, 220000);
}

Test(link_channel, a_slow_line_needs_no_repetition)
{
    line_init(&line, 2);
    line.bytes_per_ms = 11; /* 115,200 baud: a window takes twice the retry time */
    line_run(&line, 60000);
    cr_assert_null(line.wrong, "%s", line.wrong);
    printf("line of 11 kB/s: %u of %u frames said twice\n",
           line.end[0].channel.counters.frames_repeated, line.end[0].channel.counters.frames_sent);
    cr_assert_lt(line.end[0].channel.counters.frames_repeated, 40);
    cr_assert_gt(line.end[1].bytes_taken / 60, 9500);
}

/* All of it for one kind of line, over and over. */
static void survive(const char *what, const struct line_faults *faults, uint64_t seed)
{
    line_init(&line, seed);
    line.faults = *faults;
    line.stale_allowed = faults->again && (faults->late || faults->twice);
    line.message_max = seed % 3 ? 2000 : 9216;
    line.delay_ms = 1 + (uint32_t)seed % 30;
    line.bytes_per_ms = 60;
    line_run(&line, 8000);
    must_settle(what, seed);
}

Test(link_channel, every_message_once_in_order_whatever_the_line_does)
{
    static const struct line_faults faults[] = {
        {.lose = 300},
        {.flip = 300},
        {.insert = 300},
        {.twice = 30000},
        {.late = 30000},
        {.cut = 300},
        {.slow = 1000},
        {.reset = 1000},
        {.reset = 20000, .late = 100000, .twice = 100000},
        {.lose = 100,
         .flip = 100,
         .insert = 100,
         .twice = 10000,
         .late = 10000,
         .cut = 100,
         .reset = 500,
         .slow = 300},
        {.lose = 5000, .flip = 5000, .reset = 300}, /* most frames are hurt */
    };
    enum { KINDS = sizeof faults / sizeof faults[0] };
    uint32_t restarts = 0, resets = 0;
    uint64_t taken = 0;
    for (uint32_t seed = 0; seed < seeds(LINK_SEEDS); seed++) {
        survive("faults", &faults[seed % KINDS], seed);
        for (int i = 0; i < 2; i++) {
            restarts += line.end[i].restarts;
            resets += line.end[i].life & 0xFFFFFF;
            taken += line.end[i].taken;
        }
    }
    printf("%llu messages, %u starts of an end, %u times RESTARTED\n", (unsigned long long)taken,
           resets, restarts);
    cr_assert_gt(restarts, 50);
}

Test(link_channel, a_session_that_comes_again_does_no_harm)
{
    static const struct line_faults faults[] = {
        {.again = 1000, .again_ends = 2},
        {.again = 1000, .again_ends = 2, .lose = 300},
        {.again = 1000, .again_ends = 2, .flip = 300, .insert = 300},
        {.again = 1000, .again_ends = 2, .cut = 300},
        {.again = 1000, .again_ends = 2, .slow = 1000},
        {.again = 500, .again_ends = 2, .reset = 500},
        /* Where a line keeps what an end said, the pair at least must be a new one (FORMAT.md). */
        {.again = 1000, .again_ends = 1, .twice = 30000},
        {.again = 1000, .again_ends = 1, .late = 30000},
        {.again = 10000, .again_ends = 1, .reset = 10000, .late = 100000, .twice = 100000},
    };
    enum { KINDS = sizeof faults / sizeof faults[0] };
    for (uint32_t seed = 0; seed < seeds(LINK_SEEDS); seed++)
        survive("a session again", &faults[seed % KINDS], seed);
}

/* Ends are reset at each step of the handshake and of the first messages (at every third, a frame
 * has five), and both one after the other. */
static void reset_at(uint32_t at, int who, void (*reset)(struct line *, int), uint32_t told_ms)
{
    line_init(&line, at);
    line.bytes_per_ms = 7; /* a frame of the handshake takes five steps */
    line.delay_ms = 3;
    line_run(&line, at);
    bool was_up = line.end[0].ups && line.end[1].ups;
    /* With the same session and nothing counted yet, both ends agree that it is the connection. */
    const struct link_channel *other = &line.end[!(who & 1)].channel;
    bool another = reset == line_reset || other->tx.base || other->rx.next;
    reset(&line, who & 1);
    if (who == 2) {
        line_run(&line, at % 23);
        reset(&line, 1);
    }
    line.bytes_per_ms = 250;
    line_run(&line, told_ms);
    cr_assert_null(line.wrong, "at %u, %d: %s", at, who, line.wrong);
    cr_assert(line_settled(&line) || !was_up, "at %u, %d: not told within %u ms", at, who, told_ms);
    if (was_up && another && who < 2)
        cr_assert_eq(line.end[!who].restarts, 1, "at %u, %d: %u", at, who, line.end[!who].restarts);
    line_run(&line, 500);
    cr_assert_null(line.wrong, "at %u, %d: %s", at, who, line.wrong);
    cr_assert(line_settled(&line), "at %u, %d", at, who);
}

Test(link_channel, a_reset_at_every_step_is_told_at_once, RELEASE_ONLY)
{
    for (uint32_t at = 0; at < 240; at += soak(3, 1))
        for (int who = 0; who < 3; who++)
            reset_at(at, who, line_reset, 60);
}

/* As of a board whose power was cut, when its chance gives what it gave before. */
Test(link_channel, a_session_that_comes_again_is_told_at_once, RELEASE_ONLY)
{
    for (uint32_t at = 0; at < 240; at += soak(3, 1))
        for (int who = 0; who < 3; who++)
            reset_at(at, who, line_reset_again, 60);
}

Test(link_channel, a_long_cut_loses_nothing)
{
    line_init(&line, 5);
    line_run(&line, 500);
    line.cut_until_ms = line.now_ms + 20000;
    line_run(&line, 22000);
    cr_assert_null(line.wrong, "%s", line.wrong);
    for (int i = 0; i < 2; i++) {
        cr_assert_eq(line.end[i].downs, 1);
        cr_assert_eq(line.end[i].ups, 2);
        cr_assert_eq(line.end[i].restarts, 0);
        cr_assert_gt(line.end[i].taken, 100);
    }
}

Test(link_channel, taken_counts_what_the_receiver_is_done_with)
{
    struct link_delivery got;
    line_init(&line, 6);
    line.end[1].slow_until_ms = 1000; /* takes nothing, not even UP */
    line_run(&line, 900);
    struct link_channel *from = &line.end[0].channel, *to = &line.end[1].channel;
    cr_assert_gt(link_sent(from), 3);
    cr_assert_eq(link_taken(from), 0);
    line.end[1].slow_until_ms = UINT32_MAX;
    cr_assert_eq(link_next(to, &got), LINK_EV_UP);
    cr_assert_eq(link_next(to, &got), LINK_EV_MESSAGE);
    line_run(&line, 50);
    cr_assert_eq(link_taken(from), 0); /* it is looked at */
    cr_assert_eq(link_next(to, &got), LINK_EV_MESSAGE);
    line_run(&line, 50);
    cr_assert_eq(link_taken(from), 1);
}

/* What is looked at when the other end begins anew stays what it is, until link_next. */
Test(link_channel, a_message_stays_valid_over_a_restart)
{
    struct link_delivery got;
    line_init(&line, 7);
    line.message_max = LINK_MESSAGE_MAX;
    line.end[1].slow_until_ms = UINT32_MAX;
    line_run(&line, 300);
    struct link_channel *to = &line.end[1].channel;
    link_next(to, &got);
    while (got.event != LINK_EV_MESSAGE || got.len < 2000) {
        line_run(&line, 20);
        link_next(to, &got);
    }
    static uint8_t copy[LINK_MESSAGE_MAX];
    memcpy(copy, got.bytes, got.len);
    uint32_t len = got.len;
    line_reset(&line, 0);
    line_run(&line, 500);
    cr_assert_eq(memcmp(copy, got.bytes, len), 0);
    cr_assert_eq(link_next(to, &got), LINK_EV_RESTARTED);
    cr_assert_eq(link_next(to, &got), LINK_EV_UP);
}

static uint8_t long_message[LINK_MESSAGE_MAX];

/* Bytes from one end to the other, as many as a slow line carries in a millisecond. */
static void pass(struct link_channel *from, struct link_channel *to, uint32_t now_ms)
{
    uint8_t bytes[50];
    size_t len = link_output(from, bytes, sizeof bytes, now_ms);
    link_input(to, bytes, len, now_ms);
}

/* The owner lets go of a message while only the beginning of the next one, of this length, lies
 * behind it. */
static bool the_next_one_comes(uint32_t first_len, uint32_t next_len)
{
    static struct link_channel from, to;
    struct link_delivery got;
    uint16_t begun = (uint16_t)((first_len + LINK_PAYLOAD_MAX - 1) / LINK_PAYLOAD_MAX + 1);
    bool sent = false;
    link_init(&from, &(struct link_config){.session = 1}, 0);
    link_init(&to, &(struct link_config){.session = 2}, 0);
    for (uint32_t now_ms = 0; now_ms < 5000; now_ms++) {
        while (link_next(&from, &got))
            continue;
        if (!sent && link_is_up(&from))
            sent = link_send(&from, 1, long_message, first_len) &&
                   link_send(&from, 2, long_message, next_len);
        pass(&from, &to, now_ms);
        pass(&to, &from, now_ms);
        if (sent && to.rx.next < begun)
            continue;
        while (link_next(&to, &got))
            if (got.event == LINK_EV_MESSAGE && got.kind == 2)
                return got.len == next_len;
    }
    return false;
}

Test(link_channel, a_long_message_comes_behind_any_other)
{
    for (uint32_t first_len = 1; first_len <= 5000; first_len += 193) {
        uint32_t room = LINK_QUEUE - 2 * LINK_ENTRY - first_len;
        uint32_t most = room < LINK_MESSAGE_MAX ? room : LINK_MESSAGE_MAX;
        cr_assert(the_next_one_comes(first_len, most), "%u behind %u bytes", most, first_len);
    }
    cr_assert(the_next_one_comes(1024, 8193));
}

/* Only `from` speaks; `to` loses its power and comes again with the session that it had. */
Test(link_channel, who_spoke_first_is_told_of_a_session_that_comes_again)
{
    static struct link_channel from, to;
    struct link_delivery got;
    uint32_t taken = 0, restarts = 0;
    link_init(&from, &(struct link_config){.session = 1}, 0);
    link_init(&to, &(struct link_config){.session = 2}, 0);
    for (uint32_t now_ms = 0; now_ms < 2000; now_ms++) {
        if (now_ms == 1000) {
            cr_assert(from.tx.base && !from.tx.flights && !from.rx.next && taken > 5);
            link_init(&to, &(struct link_config){.session = 2}, now_ms);
            taken = 0;
        }
        while (link_next(&from, &got))
            restarts += got.event == LINK_EV_RESTARTED;
        while (link_next(&to, &got))
            taken += got.event == LINK_EV_MESSAGE;
        if (now_ms < 500 || now_ms > 1100) /* idle: only an ACK tells what there was */
            link_send(&from, 1, long_message, 100);
        pass(&from, &to, now_ms);
        pass(&to, &from, now_ms);
    }
    cr_assert_eq(restarts, 1);
    cr_assert_gt(taken, 5);
}

/* One frame of an end's, if it has one to say. */
static size_t frame_of(struct link_channel *channel, uint8_t *bytes, uint32_t now_ms)
{
    size_t len = link_output(channel, bytes, 1, now_ms);
    while (len && channel->out_at < channel->out_len)
        len += link_output(channel, bytes + len, 1, now_ms);
    return len;
}

/* What a line kept of what `to` had said: the HELLO and the ACK that the connection began with. */
struct kept {
    uint8_t bytes[2][64];
    size_t len[2];
    int frames;
};

static void keep(struct kept *kept, const uint8_t *bytes, size_t len)
{
    if (!len || kept->frames == 2)
        return;
    memcpy(kept->bytes[kept->frames], bytes, len);
    kept->len[kept->frames++] = len;
}

/* A long message is under way; the last of so many frames was taken in its middle. */
static void break_off(struct link_channel *from, struct link_channel *to, uint16_t frames,
                      struct kept *kept)
{
    static uint8_t bytes[LINK_COBS_MAX + LINK_FRAME_MAX + 2];
    struct link_delivery got;
    *kept = (struct kept){.frames = 0};
    link_init(from, &(struct link_config){.session = 1}, 0);
    link_init(to, &(struct link_config){.session = 2}, 0);
    while (to->rx.next < frames) {
        link_input(to, bytes, frame_of(from, bytes, 0), 0);
        size_t len = frame_of(to, bytes, 0);
        keep(kept, bytes, len);
        link_input(from, bytes, len, 0);
        while (link_next(from, &got) || link_next(to, &got))
            continue;
        link_send(from, 1, long_message, LINK_MESSAGE_MAX);
    }
    cr_assert(to->rx.open && kept->frames == 2);
}

/* `from` loses its power, has its session again, and the line brings it so many frames that it
 * kept: both go by the same pair, and disagree about what was said. With the ACK it has credit,
 * says a window of frames, and takes the answer for theirs. */
static void ends_disagree_after(uint16_t frames, int kept_frames)
{
    static struct link_channel from, to;
    static uint8_t bytes[LINK_COBS_MAX + LINK_FRAME_MAX + 2];
    struct link_delivery got;
    struct kept kept;
    uint32_t taken = 0, restarts = 0;
    break_off(&from, &to, frames, &kept);
    link_init(&from, &(struct link_config){.session = 1}, 0);
    for (int i = 0; i < kept_frames; i++)
        link_input(&from, kept.bytes[i], kept.len[i], 0);
    cr_assert(from.mine == to.theirs && from.theirs == to.mine, "no pair that comes again");
    while (link_next(&from, &got))
        continue;
    for (int i = 0; i < LINK_WINDOW; i++) {
        link_send(&from, 1, long_message, 100);
        link_input(&to, bytes, frame_of(&from, bytes, 0), 0);
    }
    for (uint32_t now_ms = 0; now_ms < 5000; now_ms++) {
        while (link_next(&from, &got))
            continue;
        while (link_next(&to, &got)) {
            taken += got.event == LINK_EV_MESSAGE && got.len == 100;
            restarts += got.event == LINK_EV_RESTARTED;
        }
        link_send(&from, 1, long_message, 100);
        pass(&from, &to, now_ms);
        pass(&to, &from, now_ms);
    }
    cr_assert_eq(restarts, 1, "%u frames, %d kept: told %u times", frames, kept_frames, restarts);
    cr_assert_gt(taken, 100, "%u frames, %d kept: %u came", frames, kept_frames, taken);
}

Test(link_channel, ends_that_disagree_begin_anew)
{
    for (uint16_t frames = 1; frames < 9; frames++)
        for (int kept = 1; kept <= 2; kept++)
            ends_disagree_after(frames, kept);
}
