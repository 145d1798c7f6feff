/* Lines out of anything. */
#include "kit.h"
#include "line.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct heard heard;

TestSuite(console_lines);

static int open_pty(const struct rig_console_config *changes)
{
    char name[64];
    int master = pty_make(name, sizeof name);
    heard_init(&heard);
    struct rig_console_config config = heard_config(&heard, name);
    if (changes)
        config.bytes_per_s = changes->bytes_per_s;
    heard_open(&heard, &config);
    return master;
}

Test(console_lines, lf_and_cr_lf_end_a_line_and_the_time_is_of_its_end)
{
    int master = open_pty(NULL);
    say(master, "one\r\ntwo\n\nfo");
    heard_wait_lines(&heard, 3);
    cr_assert_str_eq(heard.line[0], "one");
    cr_assert_str_eq(heard.line[1], "two");
    cr_assert_str_eq(heard.line[2], "");
    int64_t before_us = rig_port_now_us();
    say(master, "ur\r\r\n");
    heard_wait_lines(&heard, 4);
    cr_assert_str_eq(heard.line[3], "four");
    cr_assert_geq(heard.at_us, before_us);
    cr_assert_leq(heard.at_us, rig_port_now_us());
    cr_assert_eq(rig_console_heard_us(heard.console), heard.at_us);
    close(master);
    heard_end(&heard);
}

/* { what comes, what is told }: by hand, not by the code. */
static const struct {
    const char *in;
    size_t len;
    const char *told;
} cleaned[] = {
    {"a\0b", 3, "a.b"},
    {"\x1b[31mred\x1b[0m", 12, ".[31mred.[0m"},
    {"tab\there\x7f", 9, "tab here."},
    {"r\rn", 3, "r.n"},
    {"gr\xc3\xbc\xc3\x9f", 6, "gr\xc3\xbc\xc3\x9f"},
    {"\xff\xfe\x80", 3, "..."},
    {"\xc0\xaf", 2, ".."},      /* overlong '/' */
    {"\xed\xa0\x80", 3, "..."}, /* a surrogate */
    {"\xc2\x9b"
     "2J",
     4, ".2J"}, /* CSI as one code point */
    {"\xf0\x9f\x98\x80", 4, "\xf0\x9f\x98\x80"},
    {"\xe2\x82", 2, ".."},               /* the end is missing */
    {"\xef\xbf\xbd", 3, "\xef\xbf\xbd"}, /* U+FFFD itself */
    {"\0\0", 2, ".."},
};

Test(console_lines, rubbish_becomes_dots_in_whatever_pieces_it_comes)
{
    for (size_t i = 0; i < sizeof cleaned / sizeof *cleaned; i++)
        for (size_t piece = 1; piece <= cleaned[i].len + 1; piece++) {
            struct rig_line line = {.len = 0};
            char in[64];
            size_t at = 0, len = cleaned[i].len + 1;
            bool whole = false;
            memcpy(in, cleaned[i].in, cleaned[i].len);
            in[len - 1] = '\n';
            while (at < len && !whole)
                at += rig_line_take(&line, &whole, in + at, at + piece < len ? piece : len - at);
            cr_assert(whole && at == len);
            cr_assert_str_eq(line.text, cleaned[i].told, "row %zu", i);
            cr_assert_not(line.shortened);
        }
}

Test(console_lines, the_longest_line_is_whole_and_one_byte_more_is_cut_and_counted)
{
    static char text[RIG_CONSOLE_LINE_MAX + 4];
    int master = open_pty(NULL);
    memset(text, 'x', sizeof text);
    memcpy(text + RIG_CONSOLE_LINE_MAX, "\r\n", 3);
    say(master, text);
    heard_wait_lines(&heard, 1);
    cr_assert_eq(strlen(heard.line[0]), (size_t)RIG_CONSOLE_LINE_MAX);
    cr_assert_eq(heard.shortened, 0u);
    memcpy(text + RIG_CONSOLE_LINE_MAX, "y\r\n", 4);
    say(master, text);
    say(master, "next\n");
    heard_wait_lines(&heard, 3);
    cr_assert_eq(strlen(heard.line[1]), (size_t)RIG_CONSOLE_LINE_MAX);
    cr_assert_eq(heard.line[1][RIG_CONSOLE_LINE_MAX - 1], 'x');
    cr_assert_str_eq(heard.line[2], "next");
    cr_assert_eq(heard_facts(&heard).shortened, 1u);
    close(master);
    heard_end(&heard);
}

Test(console_lines, megabytes_without_an_end_are_one_short_line)
{
    static char block[65536];
    int master = open_pty(&(struct rig_console_config){.bytes_per_s = 1u << 30});
    memset(block, 'A', sizeof block);
    struct feeder feeder = {.fd = master, .bytes = block, .len = sizeof block, .times = 32};
    feeder_start(&feeder);
    while (heard_facts(&heard).bytes < 32 * sizeof block)
        ev_run(heard.loop, EVRUN_ONCE);
    feeder_join(&feeder);
    cr_assert_eq(heard.lines, 0u);
    say(master, "\nbehind\n");
    heard_wait_lines(&heard, 2);
    cr_assert_eq(strlen(heard.line[0]), (size_t)RIG_CONSOLE_LINE_MAX);
    cr_assert_str_eq(heard.line[1], "behind");
    cr_assert_eq(heard_facts(&heard).shortened, 1u);
    cr_assert_eq(heard_facts(&heard).thrown_away, 0u);
    close(master);
    heard_end(&heard);
}

Test(console_lines, every_byte_value_a_thousand_times_over)
{
    static char block[256 * 256];
    uint32_t draw = 12345;
    for (size_t i = 0; i < sizeof block; i++)
        block[i] = (char)((draw = draw * 1664525 + 1013904223) >> 24);
    int master = open_pty(&(struct rig_console_config){.bytes_per_s = 1u << 30});
    struct feeder feeder = {.fd = master, .bytes = block, .len = sizeof block, .times = 16};
    feeder_start(&feeder);
    while (heard_facts(&heard).bytes < 16 * sizeof block)
        ev_run(heard.loop, EVRUN_ONCE);
    feeder_join(&feeder);
    uint64_t ends = 0;
    for (size_t i = 0; i < sizeof block; i++)
        ends += block[i] == '\n';
    heard_wait_lines(&heard, 16 * ends);
    cr_assert_eq(heard.lines, 16 * ends);
    for (size_t n = 0; n < HEARD_LINES; n++)
        for (const char *c = heard.line[n]; *c; c++)
            cr_assert(*c < 0 || (*c >= ' ' && *c != 0x7F));
    close(master);
    heard_end(&heard);
}

Test(console_lines, a_line_that_a_power_cut_broke_does_not_spoil_the_next_one)
{
    int master = open_pty(NULL);
    say(master, "erasing sec");
    heard_wait_bytes(&heard, 11);
    rig_console_break(heard.console);
    say(master, "boot: slot a\n");
    heard_wait_lines(&heard, 1);
    cr_assert_str_eq(heard_last(&heard), "boot: slot a");
    close(master);
    heard_end(&heard);
}
