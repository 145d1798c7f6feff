/* What the board is carried by fails. */
#include "fake.h"
#include <criterion/criterion.h>
#include <signal.h>
#include <string.h>

TestSuite(rig_world_watch, .init = fake_open, .fini = fake_close);

Test(rig_world_watch, a_qemu_that_was_killed_from_outside_is_no_end_of_the_board)
{
    static const int status[] = {SIGKILL, SIGTERM, 0, 1 << 8};
    for (size_t i = 0; i < sizeof status / sizeof *status; i++) {
        fake.on = false;
        fake.lost[0] = '\0';
        rw_events.ended(fake.body, status[i]);
        cr_assert_eq(fake.ended_told, 0, "status 0x%x", (unsigned)status[i]);
        fake_says_lost("QEMU (pid 4711)");
        fake_says_lost(" UTC, ");
        fake_says_lost("qemu: no more");
    }
    fake_says_lost("with exit code 1");
    rw_events.ended(fake.body, SIGKILL);
    fake_says_lost("killed by signal 9, Killed");
}

Test(rig_world_watch, a_qemu_that_the_rig_gave_up_was_not_killed_by_somebody_else)
{
    static const int status[] = {SIGKILL, SIGABRT};
    for (size_t i = 0; i < sizeof status / sizeof *status; i++) {
        fake.lost[0] = '\0';
        fake.given_up = "QMP: a line that is none";
        rw_events.ended(fake.body, status[i]);
        fake_says_lost("QEMU (pid 4711) was given up and ended at ");
        fake_says_lost("QMP: a line that is none");
        cr_assert_null(strstr(fake.lost, "signal"), "%s", fake.lost);
        cr_assert_eq(fake.ended_told, 0);
    }
}

/* No board does that, whatever its firmware did to provoke it; and its file may lack pages. */
Test(rig_world_watch, a_qemu_that_crashed_is_no_end_of_the_board)
{
    static const int status[] = {SIGABRT | 0x80, SIGSEGV, SIGBUS};
    rw_events.console(fake.body, "level=info device=x event=boot slot=A trial=no");
    for (size_t i = 0; i < sizeof status / sizeof *status; i++) {
        fake.on = false;
        fake.lost[0] = '\0';
        rw_events.ended(fake.body, status[i]);
        cr_assert(fake.ended_told == 0 && fake.restarts == 0, "status 0x%x", (unsigned)status[i]);
        fake_says_lost("QEMU (pid 4711) ended at ");
        fake_says_lost("qemu: no more");
    }
}

Test(rig_world_watch, a_qemu_that_stays_stopped_is_lost_and_one_that_goes_on_is_not)
{
    fake.stopped = true;
    rw_watch(fake.body, 0, false);
    cr_assert_str_eq(fake.lost, "", "it may have been ^Z");
    fake.stopped = false;
    rw_watch(fake.body, 0, false);
    fake.body->stopped_at -= 10; /* 0: it was forgotten */
    fake.stopped = true;
    rw_watch(fake.body, 0, false);
    cr_assert_str_eq(fake.lost, "");
    fake.body->stopped_at -= 3;
    rw_watch(fake.body, 0, false);
    fake_says_lost("QEMU (pid 4711) has been stopped from outside");
}

static void look(unsigned times)
{
    while (times--)
        rw_watch(fake.body, 0, false);
}

/* Frozen by a cgroup, in a hung disk's wait, hung itself: /proc shows S or D, and no T. */
Test(rig_world_watch, a_qemu_that_does_not_answer_is_lost_before_its_board_is_unreachable)
{
    look(100);
    fake.deaf = true;
    look(20);
    cr_assert_str_eq(fake.lost, "");
    fake.deaf = false;
    look(1);
    fake.deaf = true;
    look(20);
    cr_assert_str_eq(fake.lost, "", "it had answered");
    look(2);
    fake_says_lost("QEMU (pid 4711) does not answer");
    fake_says_lost(" since ");
    fake_says_lost(" UTC: nothing is known of the board");
}

Test(rig_world_watch, a_start_has_its_time_again)
{
    char message[64];
    fake.deaf = true;
    look(20);
    fake.deaf = false;
    rw_off(fake.body);
    cr_assert_eq(rw_on(fake.body, message, sizeof message), 0);
    fake.deaf = true;
    look(20);
    cr_assert_str_eq(fake.lost, "");
}

Test(rig_world_watch, a_qemu_that_somebody_else_halted_is_lost_and_one_that_goes_on_is_not)
{
    fake.halted = "paused";
    look(10);
    fake.halted = "";
    look(1);
    fake.halted = "io-error";
    look(10);
    cr_assert_str_eq(fake.lost, "");
    look(1);
    fake_says_lost(
        "QEMU (pid 4711) says that it is \"io-error\", and not for the rig's sake, since ");
}

Test(rig_world_watch, a_gateway_without_a_connection_is_lost_before_its_board_is_unreachable)
{
    static const struct {
        int64_t owes_ms, open_ms;
        bool at_end, lost;
    } row[] = {
        {59000, 1000000, false, false}, {61000, 1000000, false, true},
        {61000, 59000, false, false}, /* the scenario kept it away */
        {9000, 1000000, true, false},   {11000, 1000000, true, true},
        {0, 1000000, true, false},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        fake.lost[0] = '\0';
        fake.owes_ms = row[i].owes_ms;
        rw_watch(fake.body, row[i].open_ms, row[i].at_end);
        cr_assert_eq(*fake.lost != '\0', row[i].lost, "row %zu: %s", i, fake.lost);
    }
    fake.owes_ms = 61000;
    rw_watch(fake.body, 1000000, false);
    fake_says_lost("its gateway (in this process, pid ");
    fake_says_lost("no connection to the broker for 61 s, since ");
    fake_says_lost("Connection refused");
}
