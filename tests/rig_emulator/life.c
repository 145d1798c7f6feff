/* Its folder, its end, its boards' flash files, its command line. */
#include "desk.h"
#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char ON[] = "\xA0\x01\x01\xA2", OFF[] = "\xA0\x01\x00\xA1";

static struct desk desk;
static struct desk_heard heard;

TestSuite(rig_emulator_life, .timeout = 300);

static void start(const char *more, const char *value)
{
    const char *const options[] = {"--boards", "2",  "--rom", desk_load(), "--contact",
                                   "1ms..2ms", more, value,   NULL};
    desk_start(&desk, options);
}

static bool is_there(const char *name)
{
    struct stat found;
    return !lstat(desk_path(&desk, name), &found);
}

Test(rig_emulator_life, killed_it_leaves_no_qemu_and_can_be_started_again)
{
    pid_t pid[2];
    desk_folder(&desk);
    start("--start-on", NULL);
    for (int i = 0; i < 2; i++) {
        desk_wait_fact(&desk, i + 1, "on", 1);
        pid[i] = (pid_t)desk_fact(&desk, i + 1, "pid");
        cr_assert(desk_lives(pid[i]));
    }
    desk_kill(&desk, SIGKILL);
    for (int i = 0; i < 6000 && (desk_lives(pid[0]) || desk_lives(pid[1])); i++)
        desk_pass(10);
    cr_assert(!desk_lives(pid[0]) && !desk_lives(pid[1]));
    cr_assert(is_there("relay-1"), "what it could not take away");
    cr_assert_eq(unlink(desk_path(&desk, "ready")), 0);
    start(NULL, NULL);
    int relay = desk_port(&desk, "relay-1");
    cr_assert_eq(desk_fact(&desk, 1, "on"), 0);
    desk_send(relay, ON, 4);
    desk_wait_fact(&desk, 1, "on", 1);
    close(relay);
    desk_close(&desk);
}

Test(rig_emulator_life, its_end_is_a_loss_of_power_and_takes_its_names_away)
{
    static const char *const names[] = {"relay-1",          "board-01.line", "board-02.line",
                                        "board-01.console", "control",       "ready"};
    desk_folder(&desk);
    start("--start-on", NULL);
    desk_wait_fact(&desk, 1, "on", 1);
    desk_wait_fact(&desk, 2, "on", 1);
    pid_t pid = (pid_t)desk_fact(&desk, 2, "pid");
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        cr_assert(is_there(names[i]), "%s", names[i]);
    desk_kill(&desk, SIGTERM);
    cr_assert_not(desk_lives(pid));
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        cr_assert_not(is_there(names[i]), "%s", names[i]);
    json_t *cuts = desk_cuts(&desk, 2);
    cr_assert_eq(json_array_size(cuts), 1);
    json_decref(cuts);
    desk_close(&desk);
}

Test(rig_emulator_life, two_in_one_folder_are_refused_and_the_first_goes_on)
{
    static const char *const options[] = {"--boards", "1", NULL};
    char said[1024], pid[32];
    desk_folder(&desk);
    start(NULL, NULL);
    snprintf(pid, sizeof pid, "process %d", (int)desk.pid);
    cr_assert_eq(desk_refused(&desk, options, said, sizeof said), 1);
    cr_assert(strstr(said, "another brickyard-emulator works there") && strstr(said, pid), "%s",
              said);
    cr_assert(is_there("ready"));
    int relay = desk_port(&desk, "relay-1");
    desk_send(relay, ON, 4);
    desk_wait_fact(&desk, 1, "on", 1);
    close(relay);
    desk_close(&desk);
}

Test(rig_emulator_life, a_file_in_a_ports_place_is_kept)
{
    static const char *const options[] = {"--boards", "1", NULL};
    char said[1024];
    desk_folder(&desk);
    FILE *file = fopen(desk_path(&desk, "board-01.line"), "w");
    cr_assert(file && fputs("mine", file) >= 0 && !fclose(file));
    cr_assert_eq(desk_refused(&desk, options, said, sizeof said), 1);
    cr_assert(strstr(said, "board-01: File exists"), "%s", said);
    cr_assert(is_there("board-01.line") && !is_there("board-01.console"));
    desk_close(&desk);
}

Test(rig_emulator_life, what_its_command_line_does_not_know_is_refused)
{
    static const struct {
        const char *options[5];
        const char *says;
    } rows[] = {
        {{NULL}, "--boards is missing"},
        {{"--boards", "0"}, "--boards: `0` is none"},
        {{"--boards", "65"}, "--boards: `65`"},
        {{"--boards", "-1"}, "--boards: `-1`"},
        {{"--boards", "1", "--channels", "9"}, "--channels: `9`"},
        {{"--boards", "1", "--contact", "15ms..5ms"}, "--contact: `15ms..5ms`"},
        {{"--boards", "1", "--contact", "soon"}, "--contact: `soon`"},
        {{"--boards", "1", "--torn", "half"}, "--torn: `half`"},
        {{"--boards", "1", "--relay", "numato"}, "--relay: `numato`"},
        {{"--boards", "1", "--seed", "x"}, "--seed: `x`"},
        {{"--boards", "1", "more"}, "there is more"},
        {{"--boards", "1", "--rom", "/nowhere/rom.elf"}, "/nowhere/rom.elf: there is no boot"},
    };
    char said[4096];
    desk_folder(&desk);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cr_assert_eq(desk_refused(&desk, rows[i].options, said, sizeof said), 1, "row %zu", i);
        cr_assert(strstr(said, rows[i].says), "row %zu: %s", i, said);
    }
    desk_close(&desk);
}

static void copy(const char *from, const char *to)
{
    char command[2 * DESK_PATH_MAX + 64], first[DESK_PATH_MAX];
    snprintf(first, sizeof first, "%s", desk_path(&desk, from));
    snprintf(command, sizeof command, "cp %s %s", first, desk_path(&desk, to));
    cr_assert_eq(system(command), 0);
}

/* A flashing command, while the contact is open: the board boots what it wrote, and what its cuts
 * leave is that and not what was there before. */
Test(rig_emulator_life, a_flash_file_may_be_written_while_the_contact_is_open)
{
    static const char *const options[] = {"--boards", "2", "--contact", "1ms..2ms", NULL};
    desk_folder(&desk);
    desk_flash(&desk, 1, 1, "2.3.1");
    desk_flash(&desk, 2, 2, "2.4.0");
    desk_start(&desk, options);
    int relay = desk_port(&desk, "relay-1"), console = desk_port(&desk, "board-01.console");
    for (int turn = 0; turn < 2; turn++) {
        desk_send(relay, ON, 4);
        desk_says(console, &heard,
                  turn ? " event=firmware version=2.4.0" : " event=firmware version=2.3.1");
        desk_send(relay, OFF, 4);
        desk_wait_fact(&desk, 1, "on", 0);
        if (!turn)
            copy("board-02.nor", "board-01.nor");
    }
    /* Held for what was there before, all of the new image's sectors were strays; one or two may be
     * QEMU's late write-back. */
    cr_assert_leq(desk_fact(&desk, 1, "strays"), 2);
    desk_send(relay, ON, 4);
    desk_says(console, &heard, " event=firmware version=2.4.0");
    close(relay), close(console);
    desk_close(&desk);
}

Test(rig_emulator_life, a_missing_flash_is_made_blank_and_a_wrong_one_is_named)
{
    static uint8_t bytes[DESK_NOR_BYTES + 1];
    desk_folder(&desk);
    start(NULL, NULL);
    FILE *file = fopen(desk_path(&desk, "board-02.nor"), "r");
    cr_assert(file);
    cr_assert_eq(fread(bytes, 1, sizeof bytes, file), DESK_NOR_BYTES);
    fclose(file);
    for (size_t i = 0; i < DESK_NOR_BYTES; i++)
        cr_assert_eq(bytes[i], 0xFF);
    cr_assert_eq(truncate(desk_path(&desk, "board-01.nor"), 4096), 0);
    int relay = desk_port(&desk, "relay-1");
    desk_send(relay, ON, 4);
    desk_wait_fact(&desk, 1, "closed", 1);
    cr_assert_eq(desk_fact(&desk, 1, "on"), 0);
    json_t *facts = desk_facts(&desk, 1);
    const char *error = json_string_value(json_object_get(facts, "error"));
    cr_assert(strstr(error, "shorter than the flash"), "%s", error);
    json_decref(facts);
    close(relay);
    desk_close(&desk);
}

/* The load programs and erases without a rest: many cuts hit an operation, and leave what was
 * asked.
 */
Test(rig_emulator_life, cuts_hit_operations_and_tear_them_as_asked)
{
    enum { CUTS = 8, CUTS_MAX = 60 };
    int hits = 0, all = 0;
    int64_t last = 0, strays = 0;
    desk_folder(&desk);
    start("--torn", "prefix");
    int relay = desk_port(&desk, "relay-1"), console = desk_port(&desk, "board-01.console");
    for (; all < CUTS || (!desk_fact(&desk, 1, "hits") && all < CUTS_MAX); all++) {
        desk_send(relay, ON, 4);
        desk_says(console, &heard, "BOOT cold");
        desk_pass(30 + all % 10);
        desk_send(relay, OFF, 4);
        desk_wait_fact(&desk, 1, "on", 0);
    }
    json_t *cuts = desk_cuts(&desk, 1);
    cr_assert_eq(json_array_size(cuts), all);
    for (int i = 0; i < all; i++) {
        const json_t *cut = json_array_get(cuts, (size_t)i);
        int64_t operation = json_integer_value(json_object_get(cut, "operation"));
        cr_assert_gt(operation, last, "counted over power cycles");
        last = operation;
        const char *kind = json_string_value(json_object_get(cut, "kind"));
        strays += json_integer_value(json_object_get(cut, "strays"));
        if (!json_is_true(json_object_get(cut, "in_progress")))
            continue;
        hits++;
        cr_assert_str_eq(json_string_value(json_object_get(cut, "form")), "prefix");
        cr_assert_lt(json_integer_value(json_object_get(cut, "into_us")),
                     strcmp(kind, "erase") ? 700 : 45000);
    }
    cr_log_info("%d of %d cuts hit an operation", hits, all);
    cr_assert_leq(strays, (all + 9) / 10, "QEMU's late write-back, on a busy host, is rare");
    cr_assert_gt(hits, 0);
    json_decref(cuts);
    close(relay), close(console);
    desk_close(&desk);
}
