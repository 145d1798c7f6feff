/* `rig console`: lines, markers, the console's end, keys. */
#include "run.h"
#include <criterion/criterion.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

static struct kit_line con;

static void open_bench(void)
{
    kit_open();
    kit_line_open(&con, "con");
    kit_write("desk.yaml", "bench: desk\nboards: [{name: a, console: {serial: con}}]\n");
}

TestSuite(rig_console_command, .init = open_bench, .fini = kit_close);

/* What is said before it is opened is thrown away, so it sends something first. */
static void wait_for_hello(void)
{
    char hello[7] = "";
    cr_assert(kit_line_take(&con, hello, 6, 10000));
    cr_assert_str_eq(hello, "hello\n");
}

Test(rig_console_command, it_ends_with_the_marker)
{
    struct run run;
    run_start(&run, "console --bench BENCH a --send hello --until ^login:");
    wait_for_hello();
    kit_line_say(&con, "U-Boot\r\nno login: here\nlogin: \nbehind it\n");
    cr_assert_eq(run_end(&run), 0, "%s", kit_read("err"));
    const char *said = kit_read("out");
    struct tm utc = {0};
    int us, used = 0;
    cr_assert(sscanf(said, "%4d-%2d-%2dT%2d:%2d:%2d.%6dZ  %n", &utc.tm_year, &utc.tm_mon,
                     &utc.tm_mday, &utc.tm_hour, &utc.tm_min, &utc.tm_sec, &us, &used) == 7 &&
                  used == 29,
              "%s", said);
    cr_assert(!strncmp(said + 29, "U-Boot\n", 7), "%s", said);
    utc.tm_year -= 1900;
    utc.tm_mon--;
    long ago_s = (long)(time(NULL) - timegm(&utc));
    cr_assert(ago_s >= 0 && ago_s < 60, "%ld s ago, also where TZ is another: %s", ago_s, said);
    cr_assert(run_told("no login: here\n") && run_told("  login: \n"));
    cr_assert_null(strstr(said, "behind it"));
    cr_assert(!kit_is_there("desk.state"), "it takes no lock");
}

Test(rig_console_command, a_marker_that_does_not_come_is_told)
{
    struct run run;
    run_start(&run, "console --bench BENCH a --send hello --until never --for 5s");
    wait_for_hello();
    kit_line_say(&con, "something else\n");
    cr_assert_eq(run_end(&run), 7);
    cr_assert(run_told("something else") && run_said("/never/ did not come within 5s"));
    cr_assert_eq(run_rig("console --bench BENCH a --for 100ms"), 0, "without a marker none is due");
}

Test(rig_console_command, a_console_that_goes_away_is_infrastructure)
{
    struct run run;
    run_start(&run, "console --bench BENCH a --send hello --until never --for 20s");
    wait_for_hello();
    kit_line_unplug(&con);
    cr_assert_eq(run_end(&run), 8);
    cr_assert(run_said("a: its console is gone: "));
    cr_assert_eq(run_rig("console --bench BENCH a --for 1s"), 8, "nor is it there later");
    cr_assert(run_said("No such file"));
}

Test(rig_console_command, ctrl_c_ends_it)
{
    struct run run;
    run_start(&run, "console --bench BENCH a --send hello");
    wait_for_hello();
    kill(run.child.pid, SIGINT);
    cr_assert_eq(run_end(&run), 0);
    run_start(&run, "console --bench BENCH a --send hello --until x");
    wait_for_hello();
    kill(run.child.pid, SIGINT);
    cr_assert_eq(run_end(&run), 7);
    cr_assert(run_said("ended before /x/ came"));
}

Test(rig_console_command, escapes_are_sent)
{
    char got[16] = "";
    struct run run;
    run_start(&run, "console --bench BENCH a --send \\x03\\t\\\\x\\r --for 300ms");
    cr_assert(kit_line_take(&con, got, 5, 10000));
    cr_assert(!memcmp(got, "\003\t\\x\r", 5));
    cr_assert(kit_line_is_silent(&con, 100), "no line feed behind a CR");
    cr_assert_eq(run_end(&run), 0);
    cr_assert_eq(run_rig("console --bench BENCH a --send \\q"), 1);
    cr_assert(run_said("accepted: text with"));
}

/* On a terminal of its own. */
static pid_t start_on_terminal(int *master)
{
    *master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    cr_assert(*master >= 0 && !grantpt(*master) && !unlockpt(*master));
    const char *slave = ptsname(*master), *bench = kit_path("desk.yaml");
    pid_t pid = fork();
    if (pid)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setsid();
    int fd = open(slave, O_RDWR); /* becomes the controlling terminal */
    dup2(fd, 0);
    dup2(fd, 1);
    dup2(fd, 2);
    execl(getenv("BRICKYARD_BIN"), "brickyard", "rig", "console", "--bench", bench, "a",
          (char *)NULL);
    _exit(99);
}

static bool say_until_seen(int master, const char *text)
{
    char seen[4096];
    size_t used = 0;
    for (int i = 0; i < 1000 && used < sizeof seen - 1; i++) {
        struct pollfd on = {.fd = master, .events = POLLIN};
        kit_line_say(&con, text);
        if (poll(&on, 1, 100) != 1)
            continue;
        ssize_t got = read(master, seen + used, sizeof seen - 1 - used);
        used += got > 0 ? (size_t)got : 0;
        seen[used] = '\0';
        if (strstr(seen, text))
            return true;
    }
    return false;
}

Test(rig_console_command, on_a_terminal_one_types_to_the_board)
{
    int master, status;
    char got[8] = "";
    struct termios before, after;
    pid_t pid = start_on_terminal(&master);
    cr_assert_eq(tcgetattr(master, &before), 0);
    cr_assert(say_until_seen(master, "prompt> "), "a prompt is no line, and seen");
    cr_assert_eq(write(master, "ls\r", 3), 3);
    cr_assert(kit_line_take(&con, got, 3, 5000));
    cr_assert_str_eq(got, "ls\r");
    cr_assert_eq(write(master, "\003", 1), 1); /* Ctrl-C */
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    cr_assert_eq(tcgetattr(master, &after), 0);
    cr_assert_eq(before.c_lflag, after.c_lflag, "the terminal is as it was");
    cr_assert_eq(before.c_iflag, after.c_iflag);
    close(master);
}
