/* Deadlines, exact lengths, and who has gone. */
#include "kit.h"
#include <sys/socket.h>

/* Asked 60 ms; a loaded machine may take longer, but never shorter. */
enum { SHORT_MS = 60, SLACK_MS = 30000 };

static int pair[2];

static void make_pair(void)
{
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
}

static void close_pair(void)
{
    close(pair[0]);
    close(pair[1]);
}

TestSuite(port_stream, .init = make_pair, .fini = close_pair);

static void expect_took(int64_t since_us)
{
    int64_t ms = (rig_port_now_us() - since_us) / 1000;
    cr_expect(ms >= SHORT_MS && ms < SHORT_MS + SLACK_MS, "took %d ms", (int)ms);
}

Test(port_stream, read_in_time_or_silent_with_what_came)
{
    uint8_t bytes[8];
    size_t got = 99;
    cr_assert_eq(write(pair[1], "abc", 3), 3);
    int64_t since_us = rig_port_now_us();
    cr_expect_eq(rig_port_read(pair[0], bytes, 5, &got, SHORT_MS), RIG_ESILENT);
    expect_took(since_us);
    cr_expect_eq(got, 3);
    cr_expect_eq(memcmp(bytes, "abc", 3), 0);
}

Test(port_stream, read_no_byte_too_many)
{
    uint8_t bytes[8] = {0};
    size_t got;
    cr_assert_eq(write(pair[1], "abcdef", 6), 6);
    cr_expect_eq(rig_port_read(pair[0], bytes, 4, &got, 0), RIG_OK);
    cr_expect_eq(got, 4);
    cr_expect_eq(bytes[4], 0);
    cr_expect_eq(rig_port_read(pair[0], bytes, 2, &got, 0), RIG_OK);
    cr_expect_eq(memcmp(bytes, "efcd", 4), 0);
}

Test(port_stream, what_came_before_it_went_is_read_first)
{
    uint8_t bytes[8];
    size_t got;
    cr_assert_eq(write(pair[1], "abc", 3), 3);
    shutdown(pair[1], SHUT_RDWR);
    cr_expect_eq(rig_port_read(pair[0], bytes, 3, &got, WAIT_MS), RIG_OK);
    cr_expect_eq(rig_port_read(pair[0], bytes, 1, &got, WAIT_MS), RIG_EGONE);
    cr_expect_eq(got, 0);
    cr_expect_eq(rig_port_write(pair[0], "x", 1, WAIT_MS), RIG_EGONE); /* and no SIGPIPE */
}

Test(port_stream, write_to_one_who_does_not_read)
{
    static uint8_t much[4 << 20];
    int64_t since_us = rig_port_now_us();
    cr_expect_eq(rig_port_write(pair[0], much, sizeof much, SHORT_MS), RIG_ESILENT);
    expect_took(since_us);
}

Test(port_stream, write_to_a_tty_that_nobody_reads)
{
    static uint8_t much[1 << 20];
    char message[200];
    struct pty p = pty_make();
    int fd;
    struct rig_serial serial = {.path = p.path, .baud = 9600};
    cr_assert_eq(rig_port_serial(&fd, &serial, message, sizeof message), RIG_OK);
    int64_t since_us = rig_port_now_us();
    cr_expect_eq(rig_port_write(fd, much, sizeof much, SHORT_MS), RIG_ESILENT);
    expect_took(since_us);
    close(fd);
    close(p.master);
}

Test(port_stream, until_takes_the_end_and_leaves_the_rest)
{
    char text[16];
    cr_assert_eq(write(pair[1], "on\r>next", 8), 8);
    cr_expect_eq(rig_port_read_until(pair[0], text, sizeof text, '>', 0), RIG_OK);
    cr_expect_str_eq(text, "on\r>");
    cr_expect_eq(rig_port_read_until(pair[0], text, sizeof text, '>', 0), RIG_ESILENT);
    cr_expect_str_eq(text, "next");
}

Test(port_stream, until_refuses_what_is_longer)
{
    char text[5];
    cr_assert_eq(write(pair[1], "abc>defg>", 9), 9);
    cr_expect_eq(rig_port_read_until(pair[0], text, sizeof text, '>', 0), RIG_OK);
    cr_expect_str_eq(text, "abc>");
    cr_expect_eq(rig_port_read_until(pair[0], text, sizeof text, '>', 0), RIG_EANSWER);
    cr_expect_str_eq(text, "defg");
}

Test(port_stream, drain_throws_away_and_sees_who_has_gone)
{
    uint8_t byte;
    size_t got;
    cr_expect_eq(rig_port_drain(pair[0]), RIG_OK);
    cr_assert_eq(write(pair[1], "rubbish", 7), 7);
    cr_expect_eq(rig_port_drain(pair[0]), RIG_OK);
    cr_expect_eq(rig_port_read(pair[0], &byte, 1, &got, 0), RIG_ESILENT);
    cr_assert_eq(write(pair[1], "rubbish", 7), 7);
    shutdown(pair[1], SHUT_RDWR);
    cr_expect_eq(rig_port_drain(pair[0]), RIG_EGONE);
}

/* A device that floods does not hold anybody for ever. */
Test(port_stream, drain_ends_under_a_flood, .timeout = 300)
{
    int flood = open("/dev/zero", O_RDONLY | O_CLOEXEC);
    cr_expect_eq(rig_port_drain(flood), RIG_OK);
    close(flood);
}

Test(port_stream, each_error_has_a_name)
{
    static const char *const names[] = {"ok",          "open",    "busy",  "silent",
                                        "answer",      "refused", "gone",  "readback",
                                        "unsupported", "failed",  "memory"};
    for (int i = 0; i < RIG_ERRORS; i++)
        cr_expect_str_eq(rig_error_name(-i), names[i]);
    cr_expect_null(rig_error_name(-RIG_ERRORS));
    cr_expect_null(rig_error_name(1));
}

Test(port_stream, say_cuts_and_hands_on)
{
    char message[8];
    cr_expect_eq(rig_port_say(RIG_EGONE, message, sizeof message, "channel %d", 12), RIG_EGONE);
    cr_expect_str_eq(message, "channel");
}
