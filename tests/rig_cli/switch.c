/* `rig power`, `reset`, `strap`: what is sent, what is told, which exit code. */
#include "rig/benchfile.h"
#include "rig/controller.h"
#include "run.h"
#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static struct kit_line relay;

static void open_bench(void)
{
    kit_open();
    kit_line_open(&relay, "relay");
    kit_write("desk.yaml",
              "bench: desk\n"
              "controllers: {r: {driver: lcus, device: relay, timeout: 5s, retries: 0,\n"
              "                  rated_cycles: 4}}\n"
              "boards:\n"
              "  - name: plain\n"
              "    power: {controller: r, channel: 1, off_at_least: 400ms}\n"
              "    reset: {controller: r, channel: 3, hold: 100ms}\n"
              "    straps: {recovery: {controller: r, channel: 4}}\n"
              "  - name: turned\n"
              "    power: {controller: r, channel: 2, inverted: true, off_at_least: 10ms}\n"
              "  - {name: held, reset: {controller: r, channel: 5, hold: 4s}}\n"
              "  - {name: long, reset: {controller: r, channel: 6, hold: 60s}}\n");
}

TestSuite(rig_switch, .init = open_bench, .fini = kit_close);

Test(rig_switch, off_and_on_are_sent_and_told_as_commanded)
{
    int64_t from_ms = kit_now_ms();
    cr_assert_eq(run_rig("power --bench BENCH plain off"), 0, "%s", kit_read("err"));
    cr_assert_geq(kit_now_ms() - from_ms, 400, "whoever comes next keeps the off-time");
    cr_assert(run_told("plain power off, commanded; lcus can't be read back (r channel 1)\n"));
    cr_assert_str_eq(kit_read("err"), "");
    cr_assert(kit_frame_is(&relay, 0xA0, 0x01, 0x00, 0xA1));
    cr_assert_eq(run_rig("power --bench BENCH plain on"), 0);
    cr_assert(run_told("plain power on, commanded"));
    cr_assert(kit_frame_is(&relay, 0xA0, 0x01, 0x01, 0xA2));
    cr_assert(kit_line_is_silent(&relay, 50));
}

Test(rig_switch, an_inverted_contact)
{
    cr_assert_eq(run_rig("power --bench BENCH turned off"), 0);
    cr_assert(kit_frame_is(&relay, 0xA0, 0x02, 0x01, 0xA3));
    cr_assert(run_told("turned power off"));
}

static int64_t seen_off_for(const char *words)
{
    struct run run;
    run_start(&run, words);
    cr_assert(kit_frame_is(&relay, 0xA0, 0x01, 0x00, 0xA1));
    int64_t off_ms = kit_now_ms();
    cr_assert(kit_frame_is(&relay, 0xA0, 0x01, 0x01, 0xA2));
    off_ms = kit_now_ms() - off_ms;
    cr_assert_eq(run_end(&run), 0);
    return off_ms;
}

Test(rig_switch, a_cycle_keeps_the_longer_off_time)
{
    static const struct {
        char words[64];
        int least_ms;
    } row[] = {{"power --bench BENCH plain cycle", 400},
               {"power --bench BENCH --off-for 1s plain cycle", 1000},
               {"power --bench BENCH plain cycle --off-for 1ms", 400}};
    for (size_t i = 0; i < 3; i++) {
        /* Both are seen a moment after they were sent: too little, where a stall makes it a long
         * one. */
        int64_t off_for_ms = 0;
        for (int tries = 0; tries < 5 && off_for_ms < row[i].least_ms - 50; tries++)
            off_for_ms = seen_off_for(row[i].words);
        cr_expect(off_for_ms >= row[i].least_ms - 50, "%s: %lld ms", row[i].words,
                  (long long)off_for_ms);
        cr_assert(run_told("power off") && run_told("power on"));
    }
}

Test(rig_switch, status_is_refused_where_nothing_can_be_read)
{
    cr_assert_eq(run_rig("power --bench BENCH plain status"), 1);
    cr_assert(run_said("r is of driver lcus, which can't be read back"));
    cr_assert(kit_line_is_silent(&relay, 50));
}

Test(rig_switch, reset_is_a_pulse)
{
    cr_assert_eq(run_rig("reset --bench BENCH plain"), 0, "%s", kit_read("err"));
    cr_assert(kit_frame_is(&relay, 0xA0, 0x03, 0x01, 0xA4));
    cr_assert(kit_frame_is(&relay, 0xA0, 0x03, 0x00, 0xA3));
    cr_assert(run_told("plain reset for 100 ms"));
    cr_assert_eq(run_rig("reset --bench BENCH turned"), 1);
    cr_assert(run_said("turned has no reset line"));
}

Test(rig_switch, straps_by_name)
{
    cr_assert_eq(run_rig("strap --bench BENCH plain recovery on"), 0);
    cr_assert(kit_frame_is(&relay, 0xA0, 0x04, 0x01, 0xA5));
    cr_assert(run_told("plain strap recovery on"));
    cr_assert_eq(run_rig("strap --bench BENCH plain fast on"), 1);
    cr_assert(run_said("no strap 'fast'; accepted: recovery"));
    cr_assert_eq(run_rig("strap --bench BENCH plain recovery cycle"), 1);
}

Test(rig_switch, a_worn_relay_is_told)
{
    cr_assert_eq(run_rig("power --bench BENCH turned cycle"), 0);
    cr_assert_str_eq(kit_read("err"), "");
    cr_assert_eq(run_rig("power --bench BENCH turned cycle"), 0);
    cr_assert_eq(run_rig("power --bench BENCH turned cycle"), 0);
    cr_assert(run_said("r channel 2 has done 3 cycles, over half of the 4"));
    cr_assert_eq(run_rig("list --bench BENCH"), 0);
    cr_assert(run_told("3 of 4 cycles") && run_told("over half of its rated cycles"));
    cr_assert_eq(run_rig("odometer --bench BENCH r 2 --new-relay"), 0);
    cr_assert(run_told("r channel 2: 3 cycles; counted from 0 now"));
    cr_assert_eq(run_rig("odometer --bench BENCH r 2"), 0);
    cr_assert(run_told("r channel 2: 0 cycles\n"));
    cr_assert_eq(run_rig("odometer --bench BENCH r 9"), 1);
    cr_assert_eq(run_rig("odometer --bench BENCH q 1"), 1);
    cr_assert(run_said("has no controller 'q'; accepted: r"));
}

Test(rig_switch, an_unplugged_relay_is_infrastructure)
{
    kit_line_unplug(&relay);
    cr_assert_eq(run_rig("power --bench BENCH plain off"), 8);
    cr_assert(run_said("plain: r channel 1: ") && run_said("is it plugged in") &&
              run_said("desk.yaml:2"));
    cr_assert_str_eq(kit_read("out"), "");
}

Test(rig_switch, unplugged_in_the_middle_the_board_is_told_to_be_off)
{
    struct run run;
    run_start(&run, "power --bench BENCH plain cycle");
    cr_assert(kit_frame_is(&relay, 0xA0, 0x01, 0x00, 0xA1));
    kit_line_unplug(&relay);
    cr_assert_eq(run_end(&run), 8);
    cr_assert(run_said("plain was left without power"));
    cr_assert(run_told("plain power off, commanded"));
    cr_assert_null(strstr(kit_read("out"), "power on"));
}

/* As a run before this one has left it. */
static void leave_failed(uint32_t channel)
{
    char message[200] = "";
    struct rig_odometer *odometer;
    cr_assert_eq(rig_odometer_open(&odometer, kit_path("desk.state/rig.db"), message, 200), 0, "%s",
                 message);
    cr_assert_eq(rig_odometer_fail(odometer, "r", channel, "no answer"), 0);
    rig_odometer_close(odometer);
}

Test(rig_switch, what_an_earlier_run_left_unknown_is_switched_off_first)
{
    cr_assert_eq(run_rig("strap --bench BENCH plain recovery off"), 0);
    cr_assert(kit_frame_is(&relay, 0xA0, 0x04, 0x00, 0xA4));
    leave_failed(1);
    cr_assert_eq(run_rig("power --bench BENCH plain on"), 8);
    cr_assert(run_said("`brickyard rig power BOARD off`") && run_said("no answer"), "%s",
              kit_read("err"));
    cr_assert(kit_line_is_silent(&relay, 50));
    cr_assert_eq(run_rig("power --bench BENCH plain off"), 0);
    cr_assert(kit_frame_is(&relay, 0xA0, 0x01, 0x00, 0xA1));
    cr_assert_eq(run_rig("power --bench BENCH plain on"), 0);
    cr_assert(kit_frame_is(&relay, 0xA0, 0x01, 0x01, 0xA2));
    leave_failed(3);
    cr_assert_eq(run_rig("reset --bench BENCH plain"), 0, "%s", kit_read("err"));
    cr_assert(run_said("it is let go first"));
    cr_assert(kit_frame_is(&relay, 0xA0, 0x03, 0x00, 0xA3));
    cr_assert(kit_frame_is(&relay, 0xA0, 0x03, 0x01, 0xA4));
    cr_assert(kit_frame_is(&relay, 0xA0, 0x03, 0x00, 0xA3));
}

Test(rig_switch, a_signal_in_a_reset_lets_the_board_go)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    for (size_t i = 0; i < 3; i++) {
        struct run run;
        run_start(&run, "reset --bench BENCH held");
        cr_assert(kit_frame_is(&relay, 0xA0, 0x05, 0x01, 0xA6));
        kill(run.child.pid, signals[i]);
        cr_assert(kit_frame_is(&relay, 0xA0, 0x05, 0x00, 0xA5), "signal %d", signals[i]);
        cr_assert_neq(run_end(&run), 0, "it says that it was ended");
        cr_assert(run_told("held reset for 4000 ms"));
        cr_assert(run_said("once more ends it at once"));
    }
}

Test(rig_switch, a_second_signal_ends_it_at_once)
{
    struct run run;
    run_start(&run, "reset --bench BENCH long");
    cr_assert(kit_frame_is(&relay, 0xA0, 0x06, 0x01, 0xA7));
    kill(run.child.pid, SIGINT);
    while (!strstr(kit_read("err"), "once more"))
        cr_assert(!run_is_over(&run, 10));
    kill(run.child.pid, SIGINT);
    cr_assert(run_is_over(&run, 40000), "the reset would last for 60 s");
    run_end(&run);
}

Test(rig_switch, a_signal_in_a_cycle_leaves_the_board_off_and_says_so)
{
    struct run run;
    run_start(&run, "power --bench BENCH plain cycle --off-for 60s");
    cr_assert(kit_frame_is(&relay, 0xA0, 0x01, 0x00, 0xA1));
    kill(run.child.pid, SIGINT);
    cr_assert_neq(run_end(&run), 0);
    cr_assert(run_said("interrupted; plain was left without power"));
    cr_assert(run_told("plain power off, commanded"));
    cr_assert(kit_line_is_silent(&relay, 50));
}

/* A directory in its place is what no database can be, as on a full disk. */
Test(rig_switch, power_is_taken_away_where_nothing_can_be_counted)
{
    cr_assert_eq(mkdir(kit_path("desk.state"), 0700), 0);
    cr_assert_eq(mkdir(kit_path("desk.state/rig.db"), 0700), 0);
    cr_assert_eq(run_rig("power --bench BENCH plain off"), 0, "%s", kit_read("err"));
    cr_assert(kit_frame_is(&relay, 0xA0, 0x01, 0x00, 0xA1));
    cr_assert(run_said("warning: ") && run_said("rig.db") && run_said("are not counted"));
    cr_assert_eq(run_rig("list --bench BENCH"), 0, "%s", kit_read("err"));
    cr_assert(run_said("warning: ") && run_told("not read back, cycles not known\n"));
    cr_assert_eq(run_rig("list --bench BENCH --json"), 0);
    cr_assert(run_told("\"cycles\": null"));
    cr_assert_eq(rmdir(kit_path("desk.state/rig.db")), 0);
}

/* As another command for another board of the same relay would have it. */
Test(rig_switch, a_port_that_is_taken_for_a_moment_is_waited_for)
{
    struct run run;
    int other = open(kit_path("relay"), O_RDWR | O_NOCTTY | O_CLOEXEC);
    cr_assert_geq(other, 0);
    cr_assert_eq(flock(other, LOCK_EX | LOCK_NB), 0);
    run_start(&run, "power --bench BENCH plain off");
    while (!strstr(kit_read("err"), "waiting, 5 s at most"))
        cr_assert(!run_is_over(&run, 10));
    cr_assert(kit_line_is_silent(&relay, 50));
    close(other);
    cr_assert_eq(run_end(&run), 0, "%s", kit_read("err"));
    cr_assert(kit_frame_is(&relay, 0xA0, 0x01, 0x00, 0xA1));
    other = open(kit_path("relay"), O_RDWR | O_NOCTTY | O_CLOEXEC);
    cr_assert_eq(flock(other, LOCK_EX | LOCK_NB), 0);
    cr_assert_eq(run_rig("power --bench BENCH plain off"), 8, "not for ever");
    cr_assert(run_said("(busy): end what uses it"));
    close(other);
}

Test(rig_switch, a_board_in_use_is_left_alone)
{
    char message[512];
    struct rig_bench *bench;
    struct rig_lock *lock;
    cr_assert_eq(rig_bench_read(&bench, kit_path("desk.yaml"), message, sizeof message), 0);
    cr_assert_eq(
        rig_lock_take(&lock, bench, &bench->board[0], "a burn-in", message, sizeof message), 0);
    cr_assert_eq(run_rig("power --bench BENCH plain off"), 1);
    cr_assert(run_said("plain is in use by ") && run_said("a burn-in) since ") &&
              run_said("s; nothing was done"));
    cr_assert(kit_line_is_silent(&relay, 50));
    cr_assert_eq(run_rig("power --bench BENCH turned off"), 0, "the other board is free");
    cr_assert_eq(run_rig("list --bench BENCH"), 0);
    cr_assert(run_told("a burn-in) since"));
    rig_lock_release(lock);
    rig_bench_free(bench);
}

Test(rig_switch, usage)
{
    static const struct {
        char words[80], says[80];
    } row[] = {
        {"power --bench BENCH plane off",
         "has no board 'plane'; accepted: plain, turned, held, long"},
        {"power --bench BENCH plain toggle", "'toggle'; accepted: on, off, cycle, status"},
        {"power --bench BENCH plain", "accepted: --bench FILE BOARD on|off|cycle|status"},
        {"power --bench BENCH plain off now", "'now' is too much"},
        {"power plain off", "--bench is missing"},
        {"power --bench none.yaml plain off", "none.yaml: No such file"},
        {"power --bench BENCH plain off --off-for 1s", "--off-for belongs to `cycle`"},
        {"power --bench BENCH plain cycle --off-for 1", "--off-for 1: accepted: "},
        {"power --bench BENCH plain cycle --hard", "--hard: unknown option"},
        {"flash --bench BENCH plain", "--image is missing"},
        {"flash --bench BENCH plain --image desk.yaml", "no `flash:` command"},
        {"console --bench BENCH plain", "has no `console:`"},
        {"console --bench BENCH plain --until (", "--until: "},
        {"explode", "unknown command 'explode'"},
        {"list --bench BENCH all", "'all' is too much"},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        cr_expect_eq(run_rig(row[i].words), 1, "%s", row[i].words);
        cr_expect(run_said(row[i].says), "%s", row[i].words);
        cr_expect_str_eq(kit_read("out"), "");
    }
    cr_assert(kit_line_is_silent(&relay, 50));
    cr_assert(!kit_is_there("desk.state/plain.lock"));
    kit_write("desk.yaml", "bench: b\nboards: [{name: a, power: {}}]\n");
    cr_assert_eq(run_rig("list --bench BENCH"), 1);
    cr_assert(run_said("desk.yaml:2:27: boards.0.power: controller is missing"));
}
