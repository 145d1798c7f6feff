/* Transcripts: their form, their end, and disks that are full. */
#include "transcript.h"
#include "kit.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static struct heard heard;
static char folder[64], path[96], name[64];
static char text[200000];
static int master;

static void set_up(void)
{
    folder_make(folder, sizeof folder);
    snprintf(path, sizeof path, "%s/transcript", folder);
    heard_init(&heard);
    master = pty_make(name, sizeof name);
}

static void tear_down(void)
{
    close(master);
    heard_end(&heard);
    folder_remove(folder);
}

TestSuite(console_transcript, .init = set_up, .fini = tear_down);

static void open_with(const char *file, uint64_t max)
{
    struct rig_console_config config = heard_config(&heard, name);
    config.transcript = file;
    config.transcript_max = max;
    heard_open(&heard, &config);
}

static void end_console(void)
{
    rig_console_free(heard.console);
    heard.console = NULL;
}

Test(console_transcript, times_are_utc_with_microseconds)
{
    char at[RIG_TIME_TEXT];
    rig_transcript_time(at, INT64_C(1774000800) * 1000000 + 7);
    cr_assert_str_eq(at, "2026-03-20T10:00:00.000007Z");
}

/* The text behind the time; checks the time's form and that it is now. */
static const char *behind_time(const char *line)
{
    struct tm tm = {0};
    const char *end = strptime(line, "%Y-%m-%dT%H:%M:%S", &tm);
    cr_assert(end && *end == '.' && strspn(end + 1, "0123456789") == 6, "%s", line);
    cr_assert(!strncmp(end + 7, "Z  ", 3), "%s", line);
    time_t at = timegm(&tm), now = time(NULL);
    cr_assert(at >= now - 60 && at <= now, "%s", line);
    return end + 10;
}

static void check_lines(const char *const *expected)
{
    file_read(path, text, sizeof text);
    char *save, *line = strtok_r(text, "\n", &save);
    for (; *expected; expected++, line = strtok_r(NULL, "\n", &save)) {
        cr_assert(line, "missing: %s", *expected);
        cr_assert_str_eq(behind_time(line), *expected);
    }
    cr_assert_null(line, "too much: %s", line);
}

Test(console_transcript, holds_lines_remarks_and_what_was_unfinished)
{
    open_with(path, 0);
    say(master, "boot\r\nslot\x1b[1m a\n");
    heard_wait_lines(&heard, 2);
    say(master, "eras");
    heard_wait_bytes(&heard, 21);
    rig_console_remark(heard.console, "power off\nin the middle");
    say(master, "ing\nsec");
    heard_wait_lines(&heard, 3);
    heard_wait_bytes(&heard, 28);
    rig_console_break(heard.console);
    rig_console_remark(heard.console, "-- power on");
    say(master, "boot\n");
    heard_wait_lines(&heard, 4);
    end_console();
    check_lines((const char *const[]){"boot", "slot.[1m a", "-- power off.in the middle", "erasing",
                                      "sec", "-- power on", "boot", NULL});
    open_with(path, 0); /* appended to */
    say(master, "later\n");
    heard_wait_lines(&heard, 5);
    end_console();
    check_lines((const char *const[]){"boot", "slot.[1m a", "-- power off.in the middle", "erasing",
                                      "sec", "-- power on", "boot", "later", NULL});
}

Test(console_transcript, tells_that_it_is_full_and_stays_within_its_bound)
{
    enum { MAX = 5000 };
    open_with(path, MAX);
    for (int i = 0; i < 200; i++)
        say(master, "a line of some forty bytes, or some more\n");
    heard_wait_lines(&heard, 200);
    struct rig_console_facts facts = heard_facts(&heard);
    end_console();
    size_t len = file_read(path, text, sizeof text);
    cr_assert_leq(len, (size_t)MAX);
    cr_assert_gt(len, (size_t)MAX - 200);
    uint64_t lines = 0;
    for (size_t i = 0; i < len; i++)
        lines += text[i] == '\n';
    static const char end[] = "Z  -- full: nothing more is written\n";
    cr_assert_str_eq(text + len - (sizeof end - 1), end);
    cr_assert(facts.transcript_full && !facts.transcript_errno);
    cr_assert_eq(facts.transcript_lost, 200 - (lines - 1));
    for (int i = 0; i < 20; i++) { /* a restart does not make it grow without end */
        open_with(path, MAX);
        rig_console_remark(heard.console, "restarted, with a remark that is quite a bit longer");
        end_console();
    }
    cr_assert_leq(file_read(path, text, sizeof text), (size_t)MAX);
}

Test(console_transcript, a_full_disk_is_told_and_the_console_goes_on)
{
    open_with("/dev/full", 0);
    say(master, "one\ntwo\n");
    heard_wait_lines(&heard, 2);
    say(master, "three\n");
    heard_wait_lines(&heard, 3);
    struct rig_console_facts facts = heard_facts(&heard);
    cr_assert_eq(facts.transcript_errno, ENOSPC);
    cr_assert_eq(facts.transcript_lost, 3u);
    cr_assert_eq(facts.lines, 3u);
}

Test(console_transcript, a_disk_that_is_full_in_the_middle_of_a_line_leaves_whole_lines)
{
    struct rlimit limit = {.rlim_cur = 1000, .rlim_max = 1000};
    struct rig_transcript transcript;
    char message[128];
    signal(SIGXFSZ, SIG_IGN);
    cr_assert(!rig_transcript_open(&transcript, path, 0, message, sizeof message));
    cr_assert(!setrlimit(RLIMIT_FSIZE, &limit));
    for (int i = 0; i < 40; i++)
        rig_transcript_line(&transcript, 0, "", "0123456789");
    rig_transcript_flush(&transcript);
    rig_transcript_line(&transcript, 0, "", "later");
    /* 27 of time, 2, 10 and a line end: 25 lines of 40 bytes are 1,000. */
    cr_assert_eq(transcript.failed, EFBIG);
    cr_assert_eq(transcript.lost, 16u);
    rig_transcript_close(&transcript);
    cr_assert_eq(file_read(path, text, sizeof text), 1000u);
    cr_assert_eq(truncate(path, 990), 0);
    cr_assert(!rig_transcript_open(&transcript, path, 0, message, sizeof message));
    rig_transcript_line(&transcript, 0, "", "0123456789");
    rig_transcript_close(&transcript);
    cr_assert_eq(file_read(path, text, sizeof text), 990u); /* 10 bytes of it were cut off again */
}

Test(console_transcript, a_flood_is_told_where_it_was)
{
    static char block[65536];
    struct rig_console_config config = heard_config(&heard, name);
    config.transcript = path;
    config.bytes_per_s = 8192;
    heard_open(&heard, &config);
    memset(block, '\n', sizeof block);
    for (size_t i = 0; i + 16 <= sizeof block; i += 16)
        memcpy(block + i, "fifteen letters", 15);
    struct feeder feeder = {.fd = master, .bytes = block, .len = sizeof block, .times = 4};
    feeder_start(&feeder);
    while (heard_facts(&heard).bytes < 4 * sizeof block)
        ev_run(heard.loop, EVRUN_ONCE);
    feeder_join(&feeder);
    heard_turn(&heard, 400);
    say(master, "lost, its beginning may be missing\nafter\n");
    heard_wait_lines(&heard, heard.lines + 1);
    cr_assert_str_eq(heard_last(&heard), "after");
    struct rig_console_facts facts = heard_facts(&heard);
    end_console();
    cr_assert_gt(facts.thrown_away, 200000u);
    file_read(path, text, sizeof text);
    uint64_t told = 0;
    for (const char *at = text; (at = strstr(at, "  -- flood: ")); at++)
        told += strtoull(at + 12, NULL, 10);
    cr_assert_eq(told, facts.thrown_away);
}
