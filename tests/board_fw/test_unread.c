/* A line that nobody reads: the other end of its socket is full from the start, so that QEMU's UART
 * never gets a byte out. rig/board always reads; this QEMU is the test's own. */
#include "bench.h"
#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static struct bench bench;

static void fill(int fd)
{
    static const char bytes[4096];
    int flags = fcntl(fd, F_GETFL);
    cr_assert_eq(fcntl(fd, F_SETFL, flags | O_NONBLOCK), 0);
    while (write(fd, bytes, sizeof bytes) > 0 || write(fd, bytes, 1) > 0)
        ;
}

static pid_t start(const char *rom, const char *console, int line)
{
    char drive[160], serial[120], chardev[64];
    snprintf(drive, sizeof drive, "file=%s,format=raw,if=mtd", bench.flash_path);
    snprintf(serial, sizeof serial, "file:%s", console);
    snprintf(chardev, sizeof chardev, "socket,id=line,fd=%d", line);
    pid_t pid = fork();
    if (pid)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    execlp("qemu-system-arm", "qemu-system-arm", "-M", "ast1030-evb,fmc-model=w25q80bl", "-kernel",
           rom, "-drive", drive, "-accel", "tcg,tb-size=4", "-nodefaults", "-display", "none",
           "-serial", serial, "-chardev", chardev, "-serial", "chardev:line", (char *)NULL);
    _exit(127);
}

static int count(const char *path, const char *text)
{
    static char said[65536];
    int found = 0;
    FILE *file = fopen(path, "r");
    size_t len = file ? fread(said, 1, sizeof said - 1, file) : 0;
    if (file)
        fclose(file);
    said[len] = '\0';
    for (const char *at = said; (at = strstr(at, text)); at++)
        found++;
    return found;
}

Test(board_fw_unread, board_goes_on_and_its_watchdog_is_kicked, .timeout = 300)
{
    char console[96];
    int pair[2];
    bench_open(&bench);
    bench.factory.watchdog_s = 6;
    bench_factory_write(&bench);
    snprintf(console, sizeof console, "%s/console", bench.folder);
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    fcntl(pair[0], F_SETFD, FD_CLOEXEC);
    fill(pair[1]);
    pid_t pid = start(bench.rom, console, pair[1]);
    double deadline_s = bench_seconds() + BENCH_WAIT_S;
    while (count(console, "ml/s") < 2 && bench_seconds() < deadline_s)
        bench_pass(&bench, 0.1);
    bench_pass(&bench, 8); /* longer than its watchdog's time */
    cr_expect_eq(count(console, " event=rom "), 1);
    cr_expect_eq(count(console, " event=firmware version=2.3.1"), 1);
    cr_expect_eq(count(console, "ml/s"), 2, "its own line, and that of two seconds later");
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    close(pair[0]);
    close(pair[1]);
    bench_close(&bench);
}
