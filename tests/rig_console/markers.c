/* Markers: which lines they see, and that no expression holds the loop up. */
#include "kit.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct heard heard;
static int master;
static struct rig_marker *marker[3];
static unsigned marked[3];
static char said[256];

static void set_up(void)
{
    char name[64];
    master = pty_make(name, sizeof name);
    heard_init(&heard);
    struct rig_console_config config = heard_config(&heard, name);
    config.bytes_per_s = 1u << 30;
    heard_open(&heard, &config);
}

static void tear_down(void)
{
    close(master);
    heard_end(&heard);
}

TestSuite(console_markers, .init = set_up, .fini = tear_down);

static void count(void *ctx, const struct rig_console_line *line)
{
    unsigned *times = ctx;
    ++*times;
    snprintf(said, sizeof said, "%.250s", line->text);
}

static void add(int n, const char *pattern, rig_marked *with, void *ctx)
{
    char message[256] = "";
    cr_assert_eq(
        rig_marker_add(&marker[n], heard.console, pattern, with, ctx, message, sizeof message),
        RIG_OK, "%s", message);
}

Test(console_markers, a_marker_is_called_for_each_line_that_matches)
{
    add(0, "^boot: slot [ab]$", count, &marked[0]);
    add(1, "slot", count, &marked[1]);
    say(master, "boot: slot a\nnot boot: slot a\nboot: slot b\r\nboot: slot ab\n");
    heard_wait_lines(&heard, 4);
    cr_assert_eq(marked[0], 2u);
    cr_assert_eq(marked[1], 4u);
    cr_assert_eq(heard_facts(&heard).match_limit, 0u);
}

Test(console_markers, a_wrong_expression_is_refused_and_the_place_told)
{
    char message[256] = "";
    cr_assert_eq(rig_marker_add(&marker[0], heard.console, "slot (a|b", count, NULL, message,
                                sizeof message),
                 RIG_EOPEN);
    cr_assert_null(marker[0]);
    cr_assert_str_eq(message, "/slot (a|b/, byte 10: missing closing parenthesis; accepted: a "
                              "regular expression (PCRE2)");
    cr_assert_eq(rig_marker_check("[z-a]", message, sizeof message), RIG_EOPEN);
    cr_assert_eq(rig_marker_check("[a-z]", message, sizeof message), RIG_OK);
    cr_assert_eq(rig_marker_check("(*UTF)x", message, sizeof message), RIG_EOPEN);
}

static void remove_all(void *ctx, const struct rig_console_line *line)
{
    count(ctx, line);
    for (int i = 0; i < 3; i++) {
        rig_marker_remove(marker[i]);
        marker[i] = NULL;
    }
}

Test(console_markers, markers_are_removed_in_their_own_callback_and_in_anothers)
{
    add(0, "go", count, &marked[0]);
    add(1, "go", remove_all, &marked[1]);
    add(2, "go", count, &marked[2]);
    say(master, "go\ngo\n");
    heard_wait_lines(&heard, 2);
    cr_assert_eq(marked[0], 1u);
    cr_assert_eq(marked[1], 1u);
    cr_assert_eq(marked[2], 0u);
}

static void remove_first_and_add(void *ctx, const struct rig_console_line *line)
{
    count(ctx, line);
    rig_marker_remove(marker[0]);
    add(0, "go", count, &marked[0]);
}

Test(console_markers, a_marker_that_a_callback_adds_sees_the_next_line)
{
    add(0, "never", count, &marked[0]);
    add(1, "go", remove_first_and_add, &marked[1]);
    say(master, "go\n");
    heard_wait_lines(&heard, 1);
    cr_assert_eq(marked[0], 0u);
    rig_marker_remove(marker[1]);
    say(master, "go\n");
    heard_wait_lines(&heard, 2);
    cr_assert_eq(marked[0], 1u);
    cr_assert_eq(marked[1], 1u);
}

/* Each of these takes for ever, or a second, on the line that is given to it. */
static const struct {
    char pattern[24];
    char fill, every;
    int period;
} catastrophes[] = {
    {"(a+)+$", 'a', 'b', 1022},
    {"^(a|aa)+$", 'a', 'b', 1022},
    {"(a+)+$", 'a', 'b', 14},
    {"a.*c.*b$", 'a', 'b', 1022},
    {"^(([a-z])+.)+[A-Z]+$", 'a', 'b', 1022},
};

static void fill(char line[RIG_CONSOLE_LINE_MAX + 2], int row)
{
    for (int i = 0; i < RIG_CONSOLE_LINE_MAX; i++)
        line[i] = i % catastrophes[row].period == catastrophes[row].period - 1
                      ? catastrophes[row].every
                      : catastrophes[row].fill;
    line[RIG_CONSOLE_LINE_MAX - 1] = catastrophes[row].every;
    strcpy(line + RIG_CONSOLE_LINE_MAX, "\n");
}

Test(console_markers, a_catastrophic_expression_is_given_up_counted_and_the_loop_turns)
{
    enum { LINES = 200, ROWS = sizeof catastrophes / sizeof *catastrophes };
    for (int row = 0; row < ROWS; row++) {
        char line[RIG_CONSOLE_LINE_MAX + 2];
        fill(line, row);
        uint64_t lines = heard.lines, given_up = heard_facts(&heard).match_limit;
        add(0, catastrophes[row].pattern, count, &marked[0]);
        struct feeder feeder = {
            .fd = master, .bytes = line, .len = sizeof line - 1, .times = LINES};
        heard.longest_us = heard.longest_cpu_us = 0;
        int64_t start_us = rig_port_now_us();
        feeder_start(&feeder);
        heard_wait_lines(&heard, lines + LINES);
        feeder_join(&feeder);
        rig_marker_remove(marker[0]);
        cr_log_info("%s: %d lines in %d ms, longest turn %d us (CPU %d us)",
                    catastrophes[row].pattern, LINES, (int)((rig_port_now_us() - start_us) / 1000),
                    (int)heard.longest_us, (int)heard.longest_cpu_us);
        cr_expect_eq(heard_facts(&heard).match_limit - given_up, (uint64_t)LINES, "row %d: %d", row,
                     (int)(heard_facts(&heard).match_limit - given_up));
        cr_expect_lt(heard.longest_cpu_us, 1000000, "row %d: %d us", row,
                     (int)heard.longest_cpu_us);
    }
    cr_assert_eq(marked[0], 0u);
}

Test(console_markers, a_console_goes_with_its_markers_still_set)
{
    add(0, "a", count, &marked[0]);
    add(1, "b", count, &marked[1]);
    say(master, "ab\n");
    heard_wait_lines(&heard, 1);
    cr_assert_eq(marked[0] + marked[1], 2u);
}
