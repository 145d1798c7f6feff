/* See bench_of.h. */
#include "bench_of.h"
#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static pid_t emulator;

void bench_of(unsigned boards, bool own)
{
    char text[16384], at[64] = "";
    if (own)
        snprintf(at, sizeof at, "emulator: {boards: %u, folder: em}\n", boards);
    size_t len = (size_t)snprintf(text, sizeof text,
                                  "bench: test\nstate: em\n%scontrollers:\n"
                                  "  bank-1: {driver: lcus, device: em/relay-1}\nboards:\n",
                                  at);
    for (unsigned n = 1; n <= boards; n++)
        len +=
            (size_t)snprintf(text + len, sizeof text - len,
                             "  - name: board-%02u\n    console: {serial: em/board-%02u.console}\n"
                             "    line: {serial: em/board-%02u.line}\n"
                             "    power: {controller: bank-1, channel: %u, off_at_least: 200ms}\n"
                             "    flash: [cp, \"{image}\", em/board-%02u.nor]\n"
                             "    flash_file: em/board-%02u.nor\n",
                             n, n, n, n, n, n);
    cr_assert_eq(mkdir("em", 0700), 0);
    program_write("bench.yaml", text);
}

/* ---- The test's own emulator ---- */

void bench_of_start(unsigned boards)
{
    char program_path[512], folder[512], count[16];
    snprintf(program_path, sizeof program_path, "%.400s", getenv("BRICKYARD_BIN"));
    snprintf(strrchr(program_path, '/'), 64, "/bin/brickyard-emulator");
    cr_assert_not_null(getcwd(folder, sizeof folder - 8));
    strcat(folder, "/em");
    snprintf(count, sizeof count, "%u", boards);
    emulator = fork();
    if (!emulator) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        execl(program_path, program_path, "--folder", folder, "--boards", count, (char *)NULL);
        _exit(127);
    }
    for (int i = 0; i < 10000 && access("em/ready", F_OK); i++)
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    cr_assert_eq(access("em/ready", F_OK), 0, "no emulator");
}

void bench_of_stop(void)
{
    int status;
    kill(emulator, SIGTERM);
    cr_assert_eq(waitpid(emulator, &status, 0), emulator);
    cr_assert(WIFEXITED(status) && !WEXITSTATUS(status));
}

/* ---- Orders ---- */

const char *bench_of_ask(const char *order)
{
    static char answer[4097];
    struct sockaddr_un at = {.sun_family = AF_UNIX, .sun_path = "em/control"};
    size_t have = 0;
    ssize_t got = 1;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool there = fd >= 0 && !connect(fd, (struct sockaddr *)&at, sizeof at) &&
                 dprintf(fd, "%s\n", order) > 0;
    while (there && got > 0 && have < sizeof answer - 1 && !memchr(answer, '\n', have)) {
        got = read(fd, answer + have, sizeof answer - 1 - have);
        have += got > 0 ? (size_t)got : 0;
    }
    answer[have] = '\0';
    close(fd);
    return answer;
}

bool bench_of_await(const char *text, int ms)
{
    for (int i = 0; i < ms / 20; i++) {
        if (strstr(bench_of_ask("facts"), text))
            return true;
        nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    }
    return false;
}

bool bench_of_locked(unsigned board)
{
    char path[64];
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    snprintf(path, sizeof path, "em/board-%02u.lock", board);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    bool locked = fd >= 0 && !fcntl(fd, F_OFD_GETLK, &lock) && lock.l_type != F_UNLCK;
    close(fd);
    return locked;
}
