/* The frames between parent and workers, as sim/loopback/frames.h draws them. */
#include "channel.h"

#include <criterion/criterion.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

Test(loopback_frames, a_truth_is_laid_out_as_drawn)
{
    const struct lb_frame frame = {.kind = LB_TRUTH,
                                   .device = 0x01020304,
                                   .changes = 5,
                                   .boots = 6,
                                   .cuts = 7,
                                   .crashes = 8,
                                   .wear_max = 9,
                                   .state = 10,
                                   .flags = LB_POWERED | LB_SETTLED,
                                   .brick = 2,
                                   .away_until_us = -1,
                                   .lost_us = 0x1112131415161718,
                                   .changed_us = 3,
                                   .programs = 4,
                                   .erases = 1,
                                   .bytes = (const uint8_t *)"2.4.0",
                                   .len = 5};
    uint8_t bytes[128];
    const uint8_t *body = bytes + LB_FRAME_HEAD;
    struct lb_frame back;
    uint32_t used;
    cr_assert_eq(lb_frame_bytes(&frame), LB_FRAME_HEAD + 67 + 5);
    lb_frame_put(bytes, &frame);
    cr_expect_arr_eq(bytes, ((uint8_t[]){72, 0, 0, 0, 18, 4, 3, 2, 1, 5, 0, 0, 0, 6}), 14);
    cr_expect_arr_eq(body + 24, ((uint8_t[]){10, 5, 2, 255, 255}), 5);
    cr_expect_arr_eq(body + 35, ((uint8_t[]){0x18, 0x17, 0x16}), 3);
    cr_expect_arr_eq(body + 59,
                     "\1\0\0\0\0\0\0\0"
                     "2.4.0",
                     13);
    cr_assert_eq(lb_frame_get(&back, &used, bytes, LB_FRAME_HEAD + 72), 1);
    cr_expect_eq(used, LB_FRAME_HEAD + 72);
    cr_expect_eq(back.away_until_us, -1);
    cr_expect_eq(back.lost_us, frame.lost_us);
    cr_expect_eq(back.wear_max, 9);
    cr_expect_eq(back.len, 5);
    cr_expect_arr_eq(back.bytes, "2.4.0", 5);
}

Test(loopback_frames, a_part_of_a_frame_waits_and_nonsense_is_refused)
{
    static const struct {
        uint8_t bytes[16];
        uint32_t have;
        int got;
    } row[] = {
        {{4, 0, 0, 0, LB_SPOILT, 1, 0, 0, 0}, 9, 1},
        {{4, 0, 0, 0, LB_SPOILT, 1, 0, 0, 0}, 8, 0},
        {{4, 0, 0, 0}, 4, 0},
        {{3, 0, 0, 0, LB_SPOILT, 1, 0, 0}, 8, -1},        /* too short for what it is */
        {{5, 0, 0, 0, LB_SPOILT, 1, 0, 0, 0, 0}, 10, -1}, /* too long */
        {{0, 0, 0, 0, 7}, 5, -1},                         /* no such kind */
        {{0, 0, 0, 0, LB_FRAME_KINDS}, 5, -1},
        {{0, 0, 0, 0, 255}, 5, -1},
        {{1, 0, 1, 0, LB_STORY}, 5, -1}, /* 64 KiB and a byte */
        {{0, 0, 1, 0, LB_STORY}, 5, 0},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        struct lb_frame frame;
        uint32_t used = 0;
        cr_expect_eq(lb_frame_get(&frame, &used, row[i].bytes, row[i].have), row[i].got, "row %zu",
                     i);
        cr_expect_eq(used, row[i].got == 1 ? row[i].have : 0, "row %zu", i);
    }
}

static void open_pair(struct lb_channel channel[2])
{
    int ends[2];
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    for (int i = 0; i < 2; i++)
        lb_channel_open(&channel[i], ends[i]);
}

/* More than the sockets hold: neither end waits, and nothing is lost or out of order. */
Test(loopback_frames, a_channel_carries_what_the_sockets_do_not_hold)
{
    enum { FRAMES = 100, BYTES = 60000 };
    static uint8_t text[BYTES];
    struct lb_channel end[2];
    struct lb_frame frame;
    uint32_t heard = 0;
    open_pair(end);
    for (uint32_t i = 0; i < FRAMES; i++) {
        memset(text, (int)i, sizeof text);
        lb_channel_put(&end[0], &(struct lb_frame){
                                    .kind = LB_LETTER, .device = i, .bytes = text, .len = BYTES});
    }
    cr_expect(lb_channel_waits(&end[0]));
    while (heard < FRAMES) {
        lb_channel_move(&end[0]);
        lb_channel_move(&end[1]);
        for (; lb_channel_next(&end[1], &frame); heard++)
            cr_expect(frame.device == heard && frame.len == BYTES &&
                          frame.bytes[0] == (uint8_t)heard &&
                          frame.bytes[BYTES - 1] == (uint8_t)heard,
                      "frame %u", heard);
        cr_assert_not(end[0].over || end[1].over || end[1].broken);
    }
    lb_channel_close(&end[0]);
    lb_channel_move(&end[1]);
    cr_expect(end[1].over);
    lb_channel_close(&end[1]);
}

/* What was said before the end is heard after it. */
Test(loopback_frames, last_words_are_heard)
{
    struct lb_channel end[2];
    struct lb_frame frame;
    open_pair(end);
    lb_channel_put(&end[0], &(struct lb_frame){.kind = LB_READY});
    lb_channel_move(&end[0]);
    lb_channel_close(&end[0]);
    lb_channel_put(&end[1], &(struct lb_frame){.kind = LB_REST});
    lb_channel_move(&end[1]);
    lb_channel_move(&end[1]);
    cr_expect(lb_channel_next(&end[1], &frame));
    cr_expect_eq(frame.kind, LB_READY);
    cr_expect(end[1].over);
    lb_channel_close(&end[1]);
}
