/* Aims: their text, and the moments that they give. */
#include "rig/aim.h"
#include "sim/rng.h"
#include <criterion/criterion.h>
#include <string.h>

static const struct {
    const char *text;
    struct rig_aim aim;
} good[] = {
    {"/boot: slot a/+5ms", {RIG_AIM_MARKER, "boot: slot a", 5000, 5000, 0, 0}},
    {"/x/+0s", {RIG_AIM_MARKER, "x", 0, 0, 0, 0}},
    {"/x/+24h", {RIG_AIM_MARKER, "x", INT64_C(86400000000), INT64_C(86400000000), 0, 0}},
    {"/x/+2m", {RIG_AIM_MARKER, "x", 120000000, 120000000, 0, 0}},
    {"/a\\/b+\\\\/+17us", {RIG_AIM_MARKER, "a\\/b+\\\\", 17, 17, 0, 0}},
    {"/x/+0ms..200ms/5ms", {RIG_AIM_SWEEP, "x", 0, 200000, 5000, 0}},
    {"/x/+random 0ms..2s", {RIG_AIM_RANDOM, "x", 0, 2000000, 0, 0}},
    {"random 10ms..10ms", {RIG_AIM_RANDOM, NULL, 10000, 10000, 0, 0}},
};

Test(aim_read, takes_every_form)
{
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct rig_aim aim;
        char message[512] = "";
        cr_assert_eq(rig_aim_read(&aim, good[i].text, message, sizeof message), 0, "%s", message);
        cr_assert_eq(aim.kind, good[i].aim.kind, "%s", good[i].text);
        cr_assert_eq(aim.from_us, good[i].aim.from_us, "%s", good[i].text);
        cr_assert_eq(aim.to_us, good[i].aim.to_us, "%s", good[i].text);
        cr_assert_eq(aim.step_us, good[i].aim.step_us, "%s", good[i].text);
        if (good[i].aim.pattern)
            cr_assert_str_eq(aim.pattern, good[i].aim.pattern);
        else
            cr_assert_null(aim.pattern);
        rig_aim_free(&aim);
    }
}

static const struct {
    const char *text, *column, *what;
} bad[] = {
    {"", "column 1:", "neither an expression nor a random time"},
    {"5ms", "column 1:", "neither"},
    {"/", "column 2:", "the expression is missing"},
    {"//+5ms", "column 2:", "the expression is empty"},
    {"/abc", "column 5:", "a second '/' is missing"},
    {"/abc\\/+5ms", "column 11:", "a second '/' is missing"},
    {"/a(b/+5ms", "column 2:", "/a(b/, byte 4: missing closing parenthesis"},
    {"/a/5ms", "column 4:", "'+' and a delay"},
    {"/a/+", "column 5:", "a duration is missing"},
    {"/a/+ 5ms", "column 5:", "a duration is missing"},
    {"/a/+-5ms", "column 5:", "a duration is missing"},
    {"/a/+5", "column 6:", "a duration needs a unit"},
    {"/a/+5d", "column 6:", "a duration needs a unit"},
    {"/a/+5ms ", "column 8:", "something more"},
    {"/a/+5.5ms", "column 6:", "a duration needs a unit"},
    {"/a/+25h", "column 5:", "longer than 24h"},
    {"/a/+99999999999999999999999us", "column 5:", "longer than 24h"},
    {"/a/+0ms..5ms", "column 13:", "a sweep needs a step"},
    {"/a/+0ms..5ms/0ms", "column 14:", "a step of 0"},
    {"/a/+9ms..5ms/1ms", "column 5:", "ends before it begins"},
    {"/a/+0ms..", "column 10:", "a duration is missing"},
    {"random 5ms", "column 11:", "a window needs an end"},
    {"random 5ms..1ms", "column 8:", "ends before it begins"},
    {"random 0ms..1ms/1ms", "column 16:", "something more"},
    {"/a/+random 0ms..1ms/1ms", "column 20:", "something more"},
};

Test(aim_read, tells_where_what_and_what_is_accepted)
{
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct rig_aim aim;
        char message[512] = "";
        cr_assert_eq(rig_aim_read(&aim, bad[i].text, message, sizeof message), -1, "%s",
                     bad[i].text);
        cr_assert(strstr(message, bad[i].column), "%s: %s", bad[i].text, message);
        cr_assert(strstr(message, bad[i].what), "%s: %s", bad[i].text, message);
        cr_assert(strstr(message, "accepted: \"/regex/+5ms\""), "%s", message);
        cr_assert_null(aim.pattern);
        rig_aim_free(&aim);
    }
}

Test(aim_read, a_short_message_is_cut)
{
    struct rig_aim aim;
    char message[10];
    cr_assert_eq(rig_aim_read(&aim, "x", message, sizeof message), -1);
    cr_assert_eq(strlen(message), 9u);
}

Test(aim_delay, a_sweep_goes_from_first_to_last_and_begins_again)
{
    struct rig_aim aim = {.kind = RIG_AIM_SWEEP, .from_us = 100, .to_us = 1000, .step_us = 400};
    static const int64_t expected[] = {100, 500, 900, 100, 500};
    for (uint64_t cut = 0; cut < 5; cut++)
        cr_assert_eq(rig_aim_delay_us(&aim, 7, cut), expected[cut]);
    cr_assert_eq(rig_aim_delay_us(&aim, 7, UINT64_MAX), 100 + 400 * (int64_t)(UINT64_MAX % 3));
    aim.kind = RIG_AIM_MARKER;
    cr_assert_eq(rig_aim_delay_us(&aim, 7, 3), 100);
}

/* By the reference function of the paper, whose known answers tests/sim holds. */
Test(aim_delay, a_random_one_is_the_block_of_seed_board_and_cut)
{
    struct rig_aim aim = {
        .kind = RIG_AIM_RANDOM, .from_us = 1000, .to_us = 2000, .seed = 0x1122334455667788};
    uint32_t key[2] = {0x55667788, 0x11223344}, out[4];
    uint32_t counter[4] = {9, SIM_RNG_AIM, 0xBBBBBBBB, 0xAAAAAAAA};
    sim_philox4x32(counter, key, out);
    int64_t expected = 1000 + (int64_t)((out[0] | (uint64_t)out[1] << 32) % 1001);
    cr_assert_eq(rig_aim_delay_us(&aim, 9, 0xAAAAAAAABBBBBBBB), expected);
    cr_assert_eq(SIM_RNG_AIM, 20); /* never renumber */
}

Test(aim_delay, random_ones_reach_both_ends_evenly_and_differ_by_board_and_seed)
{
    enum { DRAWS = 40000, WIDTH = 4 };
    struct rig_aim aim = {.kind = RIG_AIM_RANDOM, .from_us = 10, .to_us = 13, .seed = 1};
    struct rig_aim other = aim;
    unsigned count[WIDTH] = {0}, same_board = 0, same_seed = 0;
    other.seed = 2;
    for (uint64_t cut = 0; cut < DRAWS; cut++) {
        int64_t us = rig_aim_delay_us(&aim, 3, cut);
        cr_assert(us >= 10 && us <= 13);
        cr_assert_eq(us, rig_aim_delay_us(&aim, 3, cut));
        count[us - 10]++;
        same_board += us == rig_aim_delay_us(&aim, 4, cut);
        same_seed += us == rig_aim_delay_us(&other, 3, cut);
    }
    /* A quarter each; five sigma are 433. */
    for (int i = 0; i < WIDTH; i++)
        cr_assert(count[i] > 9567 && count[i] < 10433, "%d: %u", i, count[i]);
    cr_assert(same_board > 9567 && same_board < 10433, "%u", same_board);
    cr_assert(same_seed > 9567 && same_seed < 10433, "%u", same_seed);
}

Test(aim_send, is_the_latency_before_the_moment_and_never_in_the_past)
{
    cr_assert_eq(rig_aim_send_us(1000000, 50000, 12000, 1000100), 1038000);
    cr_assert_eq(rig_aim_send_us(1000000, 5000, 12000, 1000100), 1000100);
    cr_assert_eq(rig_aim_send_us(1000000, 12000, 12000, 1000000), 1000000);
}
