/* The flashing command: what it is given, how it ends, and that nothing of it outlives it. */
#include "kit.h"
#include "rig/child.h"
#include "rig/wiring.h"
#include <criterion/criterion.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct rig_bench *bench;
static char message[512];

static void close_bench(void)
{
    rig_bench_free(bench);
    kit_close();
}

TestSuite(flash, .init = kit_open, .fini = close_bench);

/* A board whose command is a shell script. */
static int flash_by(const char *script, const char *image, const char *log, int stop,
                    const char *within)
{
    static const char frame[] = "bench: b\nboards:\n  - name: pump-1\n    flash_within: %s\n"
                                "    flash: [/bin/sh, script, \"{image}\", \"x{board}x{image}\"]\n";
    char text[512];
    kit_write("script", script);
    snprintf(text, sizeof text, frame, within);
    cr_assert(!rig_bench_parse(&bench, kit_path("desk.yaml"), text, strlen(text), message,
                               sizeof message),
              "%s", message);
    return rig_flash_board(&bench->board[0], NULL, image, log, stop, message, sizeof message);
}

Test(flash, arguments_are_whole_with_spaces_and_it_runs_beside_the_file)
{
    char want[512];
    kit_write("my image $(x).bin", "bits");
    const char *image = kit_path("my image $(x).bin");
    int error = flash_by("echo \"$#\" >out; echo \"$1\" >>out; echo \"$2\" >>out; cp \"$1\" nor",
                         image, NULL, -1, "10s");
    cr_assert_eq(error, RIG_OK, "%s", message);
    cr_assert_str_eq(message, "");
    snprintf(want, sizeof want, "2\n%s\nxpump-1x%s\n", image, image);
    cr_assert_str_eq(kit_read("out"), want);
    cr_assert_str_eq(kit_read("nor"), "bits");
}

Test(flash, its_end_with_an_error_is_told_with_its_last_line_and_kept_whole)
{
    kit_write("i", "x");
    int error = flash_by("echo first; echo 'no target\033' >&2; echo; exit 3", kit_path("i"),
                         kit_path("log"), -1, "10s");
    cr_assert_eq(error, RIG_EREFUSED);
    cr_assert_str_eq(message, "pump-1: /bin/sh ended with exit code 3; its last line: no target.");
    cr_assert_str_eq(kit_read("log"), "first\nno target\033\n\n");
}

Test(flash, a_signal_is_no_success)
{
    kit_write("i", "x");
    cr_assert_eq(flash_by("kill -SEGV $$", kit_path("i"), NULL, -1, "10s"), RIG_EREFUSED);
    cr_assert(strstr(message, "ended by signal 11; its last line: it said nothing"), "%s", message);
}

/* The pid that the script left in a file has ended (or is a zombie of somebody else's). */
static bool has_ended(const char *file)
{
    char path[64], state[256] = "";
    int pid = atoi(kit_read(file));
    cr_assert_gt(pid, 1);
    for (int i = 0; i < 6000; i++) {
        snprintf(path, sizeof path, "/proc/%d/stat", pid);
        FILE *stat = fopen(path, "r");
        if (!stat)
            return true;
        char *read = fgets(state, sizeof state, stat);
        fclose(stat);
        if (read && strstr(state, ") Z "))
            return true;
        usleep(10000);
    }
    return false;
}

Test(flash, out_of_time_it_is_killed_with_all_that_it_started)
{
    kit_write("i", "x");
    int64_t from_ms = kit_now_ms();
    int error = flash_by("sleep 100 & echo $! >kid; echo $$ >self; echo at 7 percent; wait",
                         kit_path("i"), NULL, -1, "5s");
    cr_assert_eq(error, RIG_ESILENT);
    cr_assert(strstr(message, "killed after 5000 ms (flash_within); its last line: at 7 percent"),
              "%s", message);
    cr_assert(has_ended("kid") && has_ended("self"));
    cr_assert_lt(kit_now_ms() - from_ms, 60000);
}

Test(flash, what_it_leaves_running_is_ended_and_not_waited_for)
{
    kit_write("i", "x");
    int64_t from_ms = kit_now_ms();
    int error = flash_by("sleep 100 & echo $! >kid; exit 0", kit_path("i"), NULL, -1, "60s");
    cr_assert_eq(error, RIG_OK, "%s", message);
    cr_assert(has_ended("kid"));
    cr_assert_lt(kit_now_ms() - from_ms, 50000);
}

Test(flash, what_made_a_session_of_its_own_is_ended_as_well)
{
    kit_write("i", "x");
    int error = flash_by("setsid sh -c 'echo $$ >kid; sleep 100' & while [ ! -s kid ]; do sleep "
                         "0.02; done; exit 0",
                         kit_path("i"), NULL, -1, "60s");
    cr_assert_eq(error, RIG_OK, "%s", message);
    cr_assert(has_ended("kid"));
}

/* The end of a pipe stands for a lock: it is open as long as the guard has it. */
Test(flash, the_guard_holds_the_lock_until_all_is_gone)
{
    int lock[2];
    const char *const argv[] = {"/bin/sh", "-c", "sleep 100", NULL};
    struct rig_child child;
    cr_assert_eq(pipe2(lock, O_CLOEXEC), 0);
    const struct rig_child_guard guard = {.hold = lock[1]};
    const struct rig_child_start start = {.argv = argv, .said = -1, .guard = &guard};
    struct pollfd released = {.fd = lock[0], .events = POLLIN};
    cr_assert_eq(rig_child_start(&child, &start, message, sizeof message), 0, "%s", message);
    close(lock[1]);
    cr_expect_eq(poll(&released, 1, 300), 0);
    int status = rig_child_kill(&child);
    cr_expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "%x", (unsigned)status);
    cr_expect_eq(poll(&released, 1, 0), 1);
    close(lock[0]);
}

static void *stop_soon(void *fd)
{
    for (int i = 0; i < 5000 && !kit_is_there("begun"); i++)
        usleep(10000);
    cr_assert_eq(write(*(int *)fd, "x", 1), 1);
    return NULL;
}

Test(flash, it_can_be_stopped)
{
    int stop[2];
    pthread_t thread;
    kit_write("i", "x");
    cr_assert_eq(pipe(stop), 0);
    cr_assert_eq(pthread_create(&thread, NULL, stop_soon, &stop[1]), 0);
    int error =
        flash_by("echo $$ >self; touch begun; sleep 100", kit_path("i"), NULL, stop[0], "60s");
    pthread_join(thread, NULL);
    cr_assert_eq(error, RIG_EGONE);
    cr_assert(has_ended("self"));
}

Test(flash, much_output_does_not_stand_in_its_way)
{
    kit_write("i", "x");
    int error = flash_by("head -c 3000000 /dev/zero | tr '\\0' x; echo; echo done >&2",
                         kit_path("i"), kit_path("log"), -1, "30s");
    cr_assert_eq(error, RIG_OK, "%s", message);
}

Test(flash, what_is_not_there_is_told)
{
    cr_assert_eq(flash_by("exit 0", kit_path("none"), NULL, -1, "1s"), RIG_EOPEN);
    cr_assert(strstr(message, "none: No such file"), "%s", message);
    kit_write("i", "x");
    cr_assert_eq(rig_flash_board(&bench->board[0], NULL, kit_path("i"), kit_path("no/log"), -1,
                                 message, sizeof message),
                 RIG_EOPEN);
    const char *const argv[] = {"brickyard-no-such-program", "{image}", NULL};
    bench->board[0].flash = argv;
    cr_assert_eq(
        rig_flash_board(&bench->board[0], NULL, kit_path("i"), NULL, -1, message, sizeof message),
        RIG_EOPEN);
    cr_assert(strstr(message, "brickyard-no-such-program can't be started"), "%s", message);
    bench->board[0].flash = NULL;
    cr_assert_eq(
        rig_flash_board(&bench->board[0], NULL, kit_path("i"), NULL, -1, message, sizeof message),
        RIG_EUNSUPPORTED);
}
