/* QEMU's side: the process, what its console says, QMP. */
#include "bench.h"
#include <criterion/criterion.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* The child's ends, by number in its command line. */
enum { FD_CONSOLE = 3, FD_LINE = 4, FD_QMP = 5, FD_NOR = 6, FDS = 7 };

int64_t bench_now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void run_child(const int ends[FDS])
{
    char *const argv[] = {"qemu-system-arm",
                          "-M",
                          "ast1030-evb,fmc-model=w25q80bl",
                          "-kernel",
                          BOARD_DIR "/rom.elf",
                          "-drive",
                          "file=/proc/self/fd/6,format=raw,if=mtd",
                          "-accel",
                          "tcg,tb-size=4",
                          "-nodefaults",
                          "-display",
                          "none",
                          "-chardev",
                          "socket,id=console,fd=3",
                          "-serial",
                          "chardev:console",
                          "-chardev",
                          "socket,id=line,fd=4",
                          "-serial",
                          "chardev:line",
                          "-chardev",
                          "socket,id=qmp,fd=5",
                          "-mon",
                          "chardev=qmp,mode=control",
                          NULL};
    int high[FDS] = {0};
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (int fd = FD_CONSOLE; fd < FDS; fd++) /* out of the way of the numbers that are given */
        high[fd] = fcntl(ends[fd], F_DUPFD, 100);
    for (int fd = FD_CONSOLE; fd < FDS; fd++)
        if (dup2(high[fd], fd) < 0)
            _exit(126);
    for (int fd = FDS; fd < 200; fd++)
        close(fd);
    execvp(argv[0], argv);
    _exit(127);
}

static int make_pair(int *child)
{
    int ends[2];
    cr_assert(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends));
    *child = ends[1];
    return ends[0];
}

void bench_on(struct bench *bench)
{
    int ends[FDS] = {0};
    bench->console = make_pair(&ends[FD_CONSOLE]);
    bench->line = make_pair(&ends[FD_LINE]);
    bench->qmp = make_pair(&ends[FD_QMP]);
    ends[FD_NOR] = bench->nor_fd;
    bench->len = bench->seen = 0;
    bench->said[0] = '\0';
    bench->started_us = bench_now_us();
    bench->pid = fork();
    cr_assert(bench->pid >= 0);
    if (!bench->pid)
        run_child(ends);
    for (int fd = FD_CONSOLE; fd < FD_NOR; fd++)
        close(ends[fd]);
    bench_command(bench, "qmp_capabilities", NULL);
}

/* One line of QMP, without its end; false after the deadline or at the end. */
static bool qmp_line(struct bench *bench, char *out, size_t max)
{
    size_t len = 0;
    struct pollfd ready = {.fd = bench->qmp, .events = POLLIN};
    while (len + 1 < max) {
        if (poll(&ready, 1, BENCH_WAIT_MS) <= 0 || read(bench->qmp, out + len, 1) != 1)
            return false;
        if (out[len] == '\n')
            break;
        len++;
    }
    out[len] = '\0';
    return true;
}

void bench_command(struct bench *bench, const char *command, const char *arguments)
{
    char line[1024];
    int len = snprintf(line, sizeof line, "{\"execute\":\"%s\"%s%s}\n", command,
                       arguments ? ",\"arguments\":" : "", arguments ? arguments : "");
    cr_assert(write(bench->qmp, line, (size_t)len) == len);
    do
        cr_assert(qmp_line(bench, line, sizeof line), "QMP says nothing to %s", command);
    while (!strstr(line, "\"return\"") && !strstr(line, "\"error\""));
    cr_assert(!strstr(line, "\"error\""), "%s: %s", command, line);
}

void bench_strap(struct bench *bench, int bit, bool high)
{
    char arguments[160];
    snprintf(arguments, sizeof arguments,
             "{\"path\":\"/machine/soc/gpio\",\"property\":\"gpioA%d\",\"value\":%s}", bit,
             high ? "true" : "false");
    bench_command(bench, "qom-set", arguments);
}

void bench_off(struct bench *bench)
{
    if (!bench->pid)
        return;
    bench_command(bench, "stop", NULL);
    kill(bench->pid, SIGKILL);
    waitpid(bench->pid, NULL, 0);
    bench->pid = 0;
    close(bench->console);
    close(bench->line);
    close(bench->qmp);
}

bool bench_says(struct bench *bench, const char *text, int ms)
{
    int64_t until_us = bench_now_us() + (int64_t)ms * 1000;
    struct pollfd ready = {.fd = bench->console, .events = POLLIN};
    for (;;) {
        char *found = strstr(bench->said + bench->seen, text);
        if (found) {
            bench->seen = (size_t)(found - bench->said) + strlen(text);
            return true;
        }
        int64_t left_us = until_us - bench_now_us();
        if (left_us <= 0 || poll(&ready, 1, (int)(left_us / 1000) + 1) < 0)
            return false;
        if (!ready.revents)
            continue;
        ssize_t got =
            read(bench->console, bench->said + bench->len, sizeof bench->said - 1 - bench->len);
        if (got <= 0)
            return false;
        bench->len += (size_t)got;
        bench->said[bench->len] = '\0';
    }
}

bool bench_wait(struct bench *bench, const char *text)
{
    bool said = bench_says(bench, text, BENCH_WAIT_MS);
    if (!said)
        cr_log_warn("waited for '%s' in:\n%s\n", text, bench->said);
    return said;
}

uint32_t bench_number(struct bench *bench, const char *key)
{
    size_t seen = bench->seen;
    cr_assert(bench_wait(bench, "\n")); /* all of the line */
    bench->seen = seen;
    const char *line = bench->said + bench->seen;
    while (line > bench->said && line[-1] != '\n')
        line--;
    const char *end = strchr(line, '\n');
    const char *at = strstr(line, key);
    cr_assert(at && (!end || at < end), "no %s in: %s", key, line);
    return (uint32_t)strtoul(at + strlen(key), NULL, 0);
}

int64_t bench_cpu_us(const struct bench *bench)
{
    clockid_t clock;
    struct timespec used;
    cr_assert(!clock_getcpuclockid(bench->pid, &clock) && !clock_gettime(clock, &used));
    return (int64_t)used.tv_sec * 1000000 + used.tv_nsec / 1000;
}
