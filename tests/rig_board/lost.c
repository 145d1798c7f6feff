/* QEMUs whose connections end, or bring what is none of theirs, while they live: scripts that play
 * them. Descriptor 3 is QMP (rig/board/board.c). */
#include "board_internal.h"
#include "kit.h"
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct kit kit;
static char script[KIT_PATH_MAX + 16];
static struct rig_board_facts facts;

static void open_script(const char *commands)
{
    kit_open(&kit, 0, KIT_IDLE);
    snprintf(script, sizeof script, "%s/qemu", kit.folder);
    FILE *file = fopen(script, "we");
    fprintf(file, "#!/bin/sh\n%s\n", commands);
    fchmod(fileno(file), 0700);
    fclose(file);
    kit.board->config.qemu = script;
    kit_on(&kit);
}

static void close_script(void)
{
    unlink(script);
    kit_close(&kit);
}

static void until_dying(void)
{
    for (int i = 0; i < KIT_WITHIN_S * 100 && !kit.board->dying && !kit.ends; i++)
        kit_run_ms(&kit, 10);
    cr_assert(kit.board->dying && !kit.ends, "its end was waited for without the loop");
    cr_assert(rig_board_is_on(kit.board));
}

/* No SIGKILL of ours may be told as somebody else's. */
static void was_given_up(const char *why)
{
    cr_assert_eq(kit.ends, 1);
    cr_assert(WIFSIGNALED(kit.status) && WTERMSIG(kit.status) == SIGKILL);
    cr_assert_str_eq(rig_board_given_up(kit.board), why);
    cr_assert_eq(rig_board_pid(kit.board), 0);
}

Test(rig_board_lost, one_that_talks_rubbish_is_ended_at_once_and_that_is_told)
{
    open_script("echo rubbish >&3\nexec sleep 3600");
    while (!kit.ends) {
        kit_run_ms(&kit, 10);
        cr_assert_not(kit.board->dying, "it will not end by itself: nothing is to be waited for");
    }
    was_given_up("QMP: a line that is none");
    close_script();
}

Test(rig_board_lost, one_that_only_closes_its_connection_has_its_time_and_the_loop_goes_on)
{
    open_script("exec sleep 3600 3>&-");
    until_dying();
    kit_run(&kit);
    was_given_up("QMP: QEMU closed the connection, and did not end within 5 s");
    kit_on(&kit);
    cr_assert_str_eq(rig_board_given_up(kit.board), "");
    close_script();
}

Test(rig_board_lost, one_that_ends_soon_after_its_connection_ends_by_itself)
{
    open_script("exec 3>&-\nsleep 0.3\nexit 7");
    until_dying();
    kit_run(&kit);
    cr_assert_eq(kit.ends, 1);
    cr_assert(WIFEXITED(kit.status) && WEXITSTATUS(kit.status) == 7);
    cr_assert_str_eq(rig_board_given_up(kit.board), "");
    close_script();
}

Test(rig_board_lost, power_off_takes_one_that_is_about_to_end_and_no_end_is_told)
{
    open_script("exec sleep 3600 3>&-");
    unsigned before = kit_descriptors();
    until_dying();
    kit_off(&kit);
    cr_assert_eq(rig_board_pid(kit.board), 0);
    kit_on(&kit);
    until_dying();
    cr_assert_eq(kit.ends, 0);
    cr_assert_leq(kit_descriptors(), before);
    kit_off(&kit);
    cr_assert_eq(kit.ends, 0);
    close_script();
}

/* It had begun to run, and QEMU can't be asked to write what it owes. */
Test(rig_board_lost, power_off_of_a_running_one_without_qmp_is_unclean)
{
    kit_open(&kit, 0, KIT_IDLE);
    kit_on(&kit);
    kit_until(&kit, "BOOT");
    shutdown(rig_qmp_fd(kit.board->qmp), SHUT_RD);
    until_dying();
    kit_off(&kit);
    rig_board_facts(kit.board, &facts);
    cr_assert_eq(facts.unclean, 1);
    cr_assert_eq(kit.ends, 0);
    kit_on(&kit);
    kit_until(&kit, "BOOT");
    kit_close(&kit);
}

/* A processor that locks up ends its QEMU so. */
Test(rig_board_lost, a_fatal_error_is_what_it_said_and_not_the_registers_behind_it)
{
    open_script(
        "echo before >&2\necho 'qemu: fatal: Lockup: x' >&2\necho R00=0 >&2\nkill -ABRT $$");
    kit_run(&kit);
    cr_assert_eq(kit.ends, 1);
    cr_assert(WIFSIGNALED(kit.status) && WTERMSIG(kit.status) == SIGABRT);
    cr_assert_str_eq(rig_board_said(kit.board), "qemu: fatal: Lockup: x");
    close_script();
}

/* The load generator tells a warm start from a cold one by the mailbox. */
Test(rig_board_lost, a_restart_goes_on_as_after_a_watchdog_reset_and_the_next_power_on_does_not)
{
    char message[256];
    kit_open(&kit, KIT_STEPPED, KIT_IDLE);
    kit_on(&kit);
    kit_until(&kit, "BOOT cold");
    kill(rig_board_pid(kit.board), SIGABRT);
    kit_run(&kit);
    cr_assert_eq(kit.ends, 1);
    cr_assert_eq(rig_board_restart(kit.board, message, sizeof message), 0, "%s", message);
    kit_until(&kit, "BOOT warm");
    kit_off(&kit);
    kit_on(&kit);
    kit_until(&kit, "BOOT cold");
    kit_close(&kit);
}
