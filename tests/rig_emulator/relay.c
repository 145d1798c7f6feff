/* Bytes on a relay's pty, written by hand, switch a board's power. */
#include "../soak/soak.h"
#include "desk.h"
#include <criterion/criterion.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct desk desk;
static struct desk_heard heard;
static const char *const one[] = {"--boards", "1", NULL};
static const char *const two_talking[] = {"--boards",   "2", "--relay", "lcus-talking",
                                          "--channels", "4", NULL};

TestSuite(rig_emulator_relay, .timeout = 300);

static json_t *record(const json_t *cuts, size_t at, const char *key)
{
    json_t *value = json_object_get(json_array_get(cuts, at), key);
    cr_assert(value, "%s", key);
    return value;
}

Test(rig_emulator_relay, a_frame_boots_the_firmware_and_another_ends_its_qemu)
{
    desk_folder(&desk);
    desk_flash(&desk, 1, 1, "2.3.1");
    desk_start(&desk, one);
    int console = desk_port(&desk, "board-01.console"), relay = desk_port(&desk, "relay-1");
    cr_assert_eq(desk_fact(&desk, 1, "pid"), 0, "contacts are open at the start");
    desk_send(relay, "\xA0\x01\x01\xA2", 4);
    desk_says(console, &heard, " event=boot ");
    desk_says(console, &heard, " event=firmware version=2.3.1");
    pid_t pid = (pid_t)desk_fact(&desk, 1, "pid");
    cr_assert(desk_lives(pid));
    cr_assert_gt(desk_fact(&desk, 1, "memory_kib"), 4096);
    int64_t from_us = desk_now_us();
    desk_send(relay, "\xA0\x01\x00\xA1", 4);
    desk_wait_fact(&desk, 1, "on", 0);
    int64_t to_us = desk_now_us();
    cr_assert_not(desk_lives(pid));
    json_t *cuts = desk_cuts(&desk, 1);
    cr_assert_eq(json_array_size(cuts), 1);
    cr_assert_eq(json_integer_value(record(cuts, 0, "n")), 1);
    int64_t at_us = json_integer_value(record(cuts, 0, "at_us"));
    int64_t due_us = json_integer_value(record(cuts, 0, "due_us"));
    cr_assert(due_us >= from_us + 5000 && due_us <= to_us, "a contact takes 5 to 15 ms");
    cr_assert(at_us >= due_us && at_us <= to_us, "%lld us late", (long long)(at_us - due_us));
    cr_assert(json_is_true(record(cuts, 0, "clean")));
    /* QEMU's late write-back, which a busy host can bring; how rare: cuts_hit_operations. */
    cr_assert_leq(json_integer_value(record(cuts, 0, "strays")), 1);
    cr_log_info("contact %.1f ms after its frame, power gone %.1f ms later",
                (double)(due_us - from_us) / 1e3, (double)(at_us - due_us) / 1e3);
    json_decref(cuts);
    close(console), close(relay);
    desk_close(&desk);
}

/* Each row alone does nothing; the frame behind it is heard. */
Test(rig_emulator_relay, what_is_no_frame_does_nothing)
{
    static const struct {
        char bytes[16];
        size_t len;
    } none[] = {
        {"\xA0\x01\x01\xA3", 4},                 /* wrong sum */
        {"\xA0\x01\x01", 3},                     /* half of one */
        {"\xA0\xA0\xA0", 3},                     /* beginnings */
        {"\xA0\x01\x02\xA3", 4},                 /* neither on nor off */
        {"\xA0\x00\x01\xA1", 4},                 /* no such channel */
        {"\xA0\x09\x01\xAA", 4},                 /* nor this one */
        {"\xA0\x0F\x02\xB1", 4},                 /* the HID twin's question */
        {"relay on 0\r", 11},                    /* another protocol's */
        {"\x01\x05\x00\x00\xFF\x00\x8C\x3A", 8}, /* and another's */
        {"\xA0\x02\x01\xA3", 4},                 /* a channel with nothing behind it */
    };
    static const char *const options[] = {"--boards",  "1",      "--rom", NULL,
                                          "--contact", "0..1ms", NULL};
    const char *given[8];
    memcpy(given, options, sizeof options);
    given[3] = desk_load();
    desk_folder(&desk);
    desk_start(&desk, given);
    int relay = desk_port(&desk, "relay-1");
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        desk_send(relay, none[i].bytes, none[i].len);
        desk_pass(20);
        cr_assert_eq(desk_fact(&desk, 1, "power_ons"), (int64_t)i, "row %zu", i);
        desk_send(relay, "\xA0\x01\x01\xA2", 4);
        desk_wait_fact(&desk, 1, "on", 1);
        desk_send(relay, "\xA0\x01\x01\xA2", 4); /* on already: as it is */
        desk_pass(10);
        cr_assert_eq(desk_fact(&desk, 1, "power_ons"), (int64_t)i + 1);
        desk_send(relay, "\xA0\x01\x00\xA1", 4);
        desk_wait_fact(&desk, 1, "on", 0);
        desk_send(relay, "\xA0\x01\x00\xA1", 4); /* off already */
    }
    desk_pass(20);
    cr_assert_eq(desk_fact(&desk, 1, "cuts"), sizeof none / sizeof none[0]);
    close(relay);
    desk_close(&desk);
}

Test(rig_emulator_relay, the_talking_kind_answers_and_the_other_does_not)
{
    char answer[64] = "";
    desk_folder(&desk);
    desk_start(&desk, two_talking);
    int relay = desk_port(&desk, "relay-1");
    desk_send(relay, "\xA0\x02\x01\xA3\xFF", 5);
    desk_says(relay, &heard, "CH4: OFF\r\n");
    cr_assert_str_eq(heard.text, "CH2: ON\r\nCH1: OFF\r\nCH2: ON\r\nCH3: OFF\r\nCH4: OFF\r\n");
    close(relay);
    desk_close(&desk);

    desk_folder(&desk);
    desk_start(&desk, one);
    relay = desk_port(&desk, "relay-1");
    desk_send(relay, "\xA0\x02\x01\xA3\xFF", 5);
    desk_wait_fact(&desk, 1, "on", 0);
    desk_pass(50);
    cr_assert_lt(read(relay, answer, sizeof answer), 0);
    close(relay);
    desk_close(&desk);
}

static long cpu_ticks(pid_t pid)
{
    char path[64], text[1024];
    unsigned long user, system;
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "r");
    cr_assert(file && fgets(text, sizeof text, file));
    fclose(file);
    cr_assert_eq(sscanf(strrchr(text, ')') + 1,
                        " %*c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %lu %lu", &user, &system),
                 2);
    return (long)(user + system);
}

Test(rig_emulator_relay, is_opened_and_closed_at_will_and_costs_nothing_when_closed)
{
    desk_folder(&desk);
    desk_start(&desk, one);
    for (int i = 0; i < 5; i++) {
        int relay = desk_port(&desk, "relay-1");
        desk_send(relay, i % 2 ? "\xA0\x01\x00\xA1" : "\xA0\x01\x01\xA2", 4);
        close(relay); /* at once: what was written counts */
        desk_wait_fact(&desk, 1, "on", i % 2 == 0);
    }
    long used = LONG_MAX;
    for (int i = 0; i < 3 && used >= sysconf(_SC_CLK_TCK) / 10;
         i++) { /* a stolen tick is none of it */
        long before = cpu_ticks(desk.pid);
        desk_pass(500);
        used = cpu_ticks(desk.pid) - before;
    }
    cr_assert_lt(used, sysconf(_SC_CLK_TCK) / 10, "%ld ticks in half a second", used);
    desk_close(&desk);
}

/* ---- Twenty boards, one process, one loop ---- */

enum { TWENTY = 20, ROUNDS = 2 };

static void switch_board(const int relay[3], int board, bool on)
{
    uint8_t channel = (uint8_t)((board - 1) % 8 + 1);
    const uint8_t frame[] = {0xA0, channel, on, (uint8_t)(0xA0 + channel + on)};
    desk_send(relay[(board - 1) / 8], frame, sizeof frame);
}

static void switch_all(const int relay[3], bool on)
{
    for (int board = 1; board <= TWENTY; board++)
        switch_board(relay, board, on);
    for (int board = 1; board <= TWENTY; board++)
        desk_wait_fact(&desk, board, "on", on);
}

/* How long after its contact opened that board's power was gone, at its last cut. */
static int64_t late_us(int board)
{
    json_t *cuts = desk_cuts(&desk, board);
    size_t last = json_array_size(cuts) - 1;
    int64_t late = json_integer_value(record(cuts, last, "at_us")) -
                   json_integer_value(record(cuts, last, "due_us"));
    json_decref(cuts);
    return late;
}

static double ms_of(int64_t us)
{
    return (double)us / 1e3;
}

static int up(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* Nothing that one board does not show the sanitizers. */
Test(rig_emulator_relay, twenty_boards_are_switched_one_by_one_on_one_loop, RELEASE_ONLY)
{
    static const char *const options[] = {"--boards", "20", NULL};
    int relay[3];
    int64_t late[TWENTY], together[TWENTY], kib = 0, strays = 0;
    desk_folder(&desk);
    desk_flash(&desk, 1, TWENTY, "2.3.1");
    desk_start(&desk, options);
    for (int i = 0; i < 3; i++)
        relay[i] = desk_port(&desk, i == 0 ? "relay-1" : i == 1 ? "relay-2" : "relay-3");
    int64_t from_us = desk_now_us();
    for (int i = 0; i < ROUNDS; i++) {
        switch_all(relay, true);
        desk_pass(700); /* they boot */
        switch_all(relay, false);
    }
    double took_s = (double)(desk_now_us() - from_us) / 1e6;
    int64_t on_us = desk_fact(&desk, 0, "power_on_us_max"),
            off_us = desk_fact(&desk, 0, "power_off_us_max"),
            late_us_max = desk_fact(&desk, 0, "late_us_max");
    /* All others before it, and nothing else; the rest is the machine's load. */
    cr_assert_lt(late_us_max, (TWENTY - 1) * (off_us > on_us ? off_us : on_us) + 3000000);
    for (int board = 1; board <= TWENTY; board++)
        together[board - 1] = late_us(board);
    switch_all(relay, true);
    desk_pass(1000);
    for (int board = 1; board <= TWENTY; board++) {
        kib += desk_fact(&desk, board, "memory_kib");
        switch_board(relay, board, false);
        desk_wait_fact(&desk, board, "on", 0);
        late[board - 1] = late_us(board);
        cr_assert_geq(late[board - 1], 0);
        cr_assert_eq(desk_fact(&desk, board, "cuts"), ROUNDS + 1);
        strays += desk_fact(&desk, board, "strays");
        cr_assert_eq(desk_fact(&desk, board, "unclean"), 0);
    }
    cr_assert_leq(strays, TWENTY * (ROUNDS + 1) / 10, "QEMU's late write-back is rare");
    qsort(late, TWENTY, sizeof late[0], up);
    qsort(together, TWENTY, sizeof together[0], up);
    cr_log_info(
        "all at once: %d power cycles in %.2f s; power on takes at most %.1f ms, off %.1f "
        "ms; a contact at most %.1f ms late; power gone %.1f ms (median), %.1f ms (most) after "
        "the contact",
        TWENTY * ROUNDS, took_s, ms_of(on_us), ms_of(off_us), ms_of(late_us_max),
        ms_of(together[TWENTY / 2]), ms_of(together[TWENTY - 1]));
    cr_log_info("one by one, the others running: power gone %.1f ms (median), %.1f ms (most) after "
                "the contact; %.1f MiB a board",
                ms_of(late[TWENTY / 2]), ms_of(late[TWENTY - 1]), (double)kib / TWENTY / 1024);
    for (int i = 0; i < 3; i++)
        close(relay[i]);
    desk_close(&desk);
}
