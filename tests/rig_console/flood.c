/* Floods: text is thrown away beyond the bound, an OTA line is held back. */
#include "../soak/soak.h"
#include "kit.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct heard heard;

TestSuite(console_flood);

/* Numbered lines of 32 bytes, so that a line put together of two halves is seen. */
enum { LINE = 32, BLOCK_LINES = 2048, BLOCK = LINE * BLOCK_LINES };

static void number_lines(char *block)
{
    for (int i = 0; i < BLOCK_LINES; i++) {
        char line[LINE + 16];
        snprintf(line, sizeof line, "<%06d------------------%05d>\n", i, i);
        memcpy(block + (size_t)i * LINE, line, LINE);
    }
}

static uint64_t broken;

static void on_numbered(void *ctx, const struct rig_console_line *line)
{
    struct heard *told = ctx;
    int first = -1, second = -2;
    told->lines++;
    if (sscanf(line->text, "<%6d------------------%5d>", &first, &second) != 2 || first != second ||
        strlen(line->text) != LINE - 1)
        broken++;
}

/* A turn is over in 20 ms of CPU, of which its slice is 2. A machine that was stopped counts that
 * as CPU too: the flood is made again then, and turns that are too long come back with it. */
enum { CALM_TRIES = 5 };

static bool is_calm(int floods)
{
    return floods > 0 && heard.longest_cpu_us < 20000;
}

static void flood(int master, const char *block, size_t len, size_t times)
{
    struct feeder feeder = {.fd = master, .bytes = block, .len = len, .times = times};
    uint64_t end = heard_facts(&heard).bytes + len * times;
    heard.longest_us = heard.longest_cpu_us = 0;
    feeder_start(&feeder);
    while (heard_facts(&heard).bytes < end)
        ev_run(heard.loop, EVRUN_ONCE);
    feeder_join(&feeder);
    heard_turn(&heard, 1); /* the last turn counts too */
}

Test(console_flood, megabytes_leave_the_loop_free_and_every_byte_is_counted)
{
    static char block[BLOCK];
    char name[64], folder[64], path[96];
    uint64_t total = 0;
    int master = pty_make(name, sizeof name);
    number_lines(block);
    folder_make(folder, sizeof folder);
    snprintf(path, sizeof path, "%s/transcript", folder);
    heard_init(&heard);
    struct rig_console_config config = heard_config(&heard, name);
    config.events.line = on_numbered;
    config.transcript = path;
    heard_open(&heard, &config);
    int64_t start_us = rig_port_now_us();
    for (int i = 0; i < CALM_TRIES && !is_calm(i); i++, total += (uint64_t)soak(8, 50) << 20)
        flood(master, block, sizeof block, ((size_t)soak(8, 50) << 20) / sizeof block);
    heard_turn(&heard, 300);
    int64_t took_us = rig_port_now_us() - start_us;
    struct rig_console_facts facts = heard_facts(&heard);
    cr_log_info("%d MiB in %d ms, %d KiB looked at in %d lines, longest turn %d us (CPU %d us)",
                (int)(total >> 20), (int)(took_us / 1000),
                (int)((facts.bytes - facts.thrown_away) >> 10), (int)heard.lines,
                (int)heard.longest_us, (int)heard.longest_cpu_us);
    cr_assert_eq(facts.bytes, total);
    /* Bytes events are of what was looked at: 1 MiB/s, and a quarter of that at once. */
    cr_assert_eq(heard.bytes, facts.bytes - facts.thrown_away);
    cr_assert_leq(heard.bytes, (uint64_t)((took_us / 1000 + 1) * 1049) + (1 << 18));
    cr_assert_gt(heard.lines, 1000u);
    cr_assert_eq(broken, 0u);
    cr_assert(is_calm(CALM_TRIES));
    /* It is a console as before. */
    say(master, "\n");
    uint64_t lines = heard.lines;
    say_bytes(master, block + BLOCK - LINE, LINE);
    heard_wait_lines(&heard, lines + 1);
    close(master);
    heard_end(&heard);
    folder_remove(folder);
}

static void quiet(void *ctx, const struct rig_console_line *line)
{
    (void)ctx, (void)line;
}

Test(console_flood, lines_of_one_byte_with_markers_are_done_in_slices)
{
    enum {
        MARKERS = 100
    }; /* a socket gives a whole chunk, 8192 lines: a tenth of a second at once */
    static char block[32768];
    char folder[64], path[96], message[128];
    struct rig_marker *marker;
    folder_make(folder, sizeof folder);
    snprintf(path, sizeof path, "%s/line", folder);
    int listener = listen_unix(path);
    for (size_t i = 0; i < sizeof block; i++)
        block[i] = i % 2 ? '\n' : 'x';
    heard_init(&heard);
    struct rig_console_config config = heard_config(&heard, path);
    config.at.kind = RIG_CONSOLE_UNIX;
    heard_open(&heard, &config);
    int fd = accept(listener, NULL, NULL);
    for (int i = 0; i < MARKERS; i++)
        cr_assert(!rig_marker_add(&marker, heard.console, "(x|y)+z?$", quiet, NULL, message,
                                  sizeof message));
    for (int i = 0; i < CALM_TRIES && !is_calm(i); i++)
        flood(fd, block, sizeof block, 1);
    cr_log_info("one byte a line, %d markers: longest turn %d us (CPU %d us)", MARKERS,
                (int)heard.longest_us, (int)heard.longest_cpu_us);
    cr_assert(is_calm(CALM_TRIES));
    close(fd);
    close(listener);
    heard_end(&heard);
    folder_remove(folder);
}

/* ---- OTA lines ---- */

static char pattern_block[65536];

static uint64_t make_pattern(size_t times)
{
    uint64_t sum = 0, at = 0;
    uint32_t draw = 99;
    for (size_t i = 0; i < sizeof pattern_block; i++)
        pattern_block[i] = (char)((draw = draw * 1664525 + 1013904223) >> 24);
    for (size_t i = 0; i < times; i++, at += sizeof pattern_block)
        sum = sum_bytes(sum, at, pattern_block, sizeof pattern_block);
    return sum;
}

static int64_t carry(int writer, const struct rig_console_config *config, size_t times)
{
    uint64_t sum = make_pattern(times), total = times * sizeof pattern_block;
    heard_open(&heard, config);
    struct feeder feeder = {
        .fd = writer, .bytes = pattern_block, .len = sizeof pattern_block, .times = times};
    int64_t start_us = rig_port_now_us();
    feeder_start(&feeder);
    while (heard.bytes < total && !heard.gone && rig_port_now_us() < start_us + 60000000)
        ev_run(heard.loop, EVRUN_ONCE);
    int64_t took_us = rig_port_now_us() - start_us;
    feeder_join(&feeder);
    struct rig_console_facts facts = heard_facts(&heard);
    cr_assert_eq(heard.bytes, total);
    cr_assert_eq(heard.sum, sum);
    cr_assert_eq(facts.thrown_away, 0u);
    cr_assert_eq(facts.lines, 0u);
    return took_us;
}

static struct rig_console_config ota_line(const char *path, uint32_t bytes_per_s)
{
    heard_init(&heard);
    struct rig_console_config config = heard_config(&heard, path);
    config.events.line = NULL;
    config.bytes_per_s = bytes_per_s;
    return config;
}

Test(console_flood, an_ota_line_on_a_pty_loses_nothing_at_full_speed)
{
    char name[64];
    int master = pty_make(name, sizeof name);
    struct rig_console_config config = ota_line(name, 1u << 30);
    int64_t took_us = carry(master, &config, 16 * 16);
    cr_log_info("16 MiB in %d ms", (int)(took_us / 1000));
    close(master);
    heard_end(&heard);
}

Test(console_flood, an_ota_line_is_held_back_by_not_reading)
{
    char name[64];
    int master = pty_make(name, sizeof name);
    struct rig_console_config config = ota_line(name, 0);
    int64_t took_us = carry(master, &config, 2 * 16);
    cr_log_info("2 MiB at 1 MiB/s in %d ms", (int)(took_us / 1000));
    cr_assert_geq(took_us, 1700000); /* a quarter of a second's comes at once */
    cr_assert_leq(took_us, 60000000);
    close(master);
    heard_end(&heard);
}

Test(console_flood, an_ota_line_on_a_unix_socket_loses_nothing)
{
    char folder[64], path[96];
    folder_make(folder, sizeof folder);
    snprintf(path, sizeof path, "%s/line", folder);
    int listener = listen_unix(path);
    struct rig_console_config config = ota_line(path, 1u << 30);
    config.at.kind = RIG_CONSOLE_UNIX;
    heard_open(&heard, &config);
    int fd = accept(listener, NULL, NULL);
    uint64_t sum = make_pattern(64);
    struct feeder feeder = {
        .fd = fd, .bytes = pattern_block, .len = sizeof pattern_block, .times = 64, .close = true};
    feeder_start(&feeder);
    while (!heard.gone)
        ev_run(heard.loop, EVRUN_ONCE);
    feeder_join(&feeder);
    cr_assert_eq(heard.bytes, 64 * sizeof pattern_block);
    cr_assert_eq(heard.sum, sum);
    close(listener);
    heard_end(&heard);
    folder_remove(folder);
}
