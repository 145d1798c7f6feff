#include "desk.h"
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void pause_ms(int ms)
{
    const struct timespec pause = {.tv_nsec = ms * 1000000L};
    nanosleep(&pause, NULL);
}

/* ---- Files ---- */

void desk_write(const struct desk *desk, const char *name, const char *text, mode_t mode)
{
    char path[160];
    snprintf(path, sizeof path, "%s/%s", desk->folder, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    cr_assert(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    cr_assert_eq(fchmod(fd, mode), 0);
    close(fd);
}

void desk_read(const struct desk *desk, const char *name, char *out, size_t room)
{
    char path[160];
    snprintf(path, sizeof path, "%s/%s", desk->folder, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? 0 : read(fd, out, room - 1);
    out[got > 0 ? got : 0] = '\0';
    if (fd >= 0)
        close(fd);
}

/* ---- Programs ---- */

static pid_t forked(int *out)
{
    int pipe_of[2] = {-1, -1};
    pid_t parent = getpid();
    cr_assert(!out || !pipe2(pipe_of, O_CLOEXEC));
    fflush(NULL);
    pid_t pid = fork();
    cr_assert_geq(pid, 0);
    if (pid) {
        if (out) {
            close(pipe_of[1]);
            *out = pipe_of[0];
        }
        return pid;
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(127);
    if (out) {
        dup2(pipe_of[1], 1);
        dup2(pipe_of[1], 2);
    }
    return 0;
}

pid_t run_begin(const char *const *argv, const char *home, int *out)
{
    pid_t pid = forked(out);
    if (pid)
        return pid;
    if (home)
        setenv("HOME", home, 1);
    unsetenv("http_proxy");
    execvp(argv[0], (char *const *)(uintptr_t)argv);
    fprintf(stderr, "%s: %s\n", argv[0], strerror(errno));
    _exit(127);
}

static int ended(pid_t pid)
{
    int status;
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Closes out. */
static int run_end(pid_t pid, int out, char *said, size_t room)
{
    size_t n = 0;
    bool late = false;
    int64_t end_us = rig_port_now_us() + 60000000;
    for (ssize_t got = 1; got > 0 && !late;) {
        struct pollfd one = {.fd = out, .events = POLLIN};
        int64_t left_ms = (end_us - rig_port_now_us()) / 1000;
        late = left_ms <= 0 || poll(&one, 1, (int)left_ms) <= 0;
        if (!late && (got = read(out, said + n, room - 1 - n)) > 0)
            n += (size_t)got;
    }
    said[n] = '\0';
    close(out);
    if (late)
        kill(pid, SIGKILL);
    int code = ended(pid);
    return late ? -1 : code;
}

int run(const char *const *argv, const char *home, char *said, size_t room)
{
    int out;
    pid_t pid = run_begin(argv, home, &out);
    return run_end(pid, out, said, room);
}

void wait_for_port(const char *address, uint16_t port)
{
    char message[256];
    int fd = -1;
    for (int i = 0; i < 600 && rig_port_tcp(&fd, address, port, 1000, message, sizeof message); i++)
        pause_ms(100);
    cr_assert_geq(fd, 0, "%s", message);
    close(fd);
}

/* ---- The desk ---- */

void desk_open(struct desk *desk, const char *controllers, const char *boards)
{
    char text[4096], link_path[96];
    *desk = (struct desk){.server = -1};
    snprintf(desk->folder, sizeof desk->folder, "/tmp/rig-server-XXXXXX");
    cr_assert(mkdtemp(desk->folder));
    desk->board = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    cr_assert(desk->board >= 0 && !grantpt(desk->board) && !unlockpt(desk->board));
    /* Not the pty's own name: another test's may get the same once this one is unplugged. */
    snprintf(link_path, sizeof link_path, "%s/relay", desk->folder);
    cr_assert_eq(symlink(ptsname(desk->board), link_path), 0);
    snprintf(text, sizeof text,
             "bench: desk\n"
             "controllers:\n"
             "  bank-1: {driver: lcus, device: relay, retries: 1, timeout: 500ms}\n"
             "%s"
             "boards:\n"
             "  - name: pump-1\n"
             "    device_type: pump\n"
             "    power: {controller: bank-1, channel: 1, off_at_least: 100ms}\n"
             "  - name: pump-2\n"
             "    device_type: pump\n"
             "    power: {controller: bank-1, channel: 4, inverted: true, off_at_least: 100ms}\n"
             "%s",
             controllers, boards);
    desk_write(desk, "desk.yaml", text, 0600);
    snprintf(desk->bench_file, sizeof desk->bench_file, "%s/desk.yaml", desk->folder);
}

const char *brickyard(void)
{
    const char *path = getenv("BRICKYARD_BIN");
    return path ? path : "build/brickyard";
}

static pid_t serve_begin(struct desk *desk, const char *const *arguments, int *out)
{
    const char *argv[16] = {brickyard(), "rig", "serve", "--bench", desk->bench_file};
    for (int n = 5; *arguments && n < 15; n++)
        argv[n] = *arguments++;
    return run_begin(argv, NULL, out);
}

void desk_serve(struct desk *desk, const char *const *arguments)
{
    int out;
    char line[256];
    desk->server = serve_begin(desk, arguments, &out);
    cr_assert_eq(rig_port_read_until(out, line, sizeof line, '\n', 60000), 0);
    cr_assert(!strncmp(line, "desk: the relays of 2 boards at http://", 39), "%s", line);
    desk->port = (uint16_t)atoi(strrchr(line, ':') + 1);
}

int desk_serve_ends(struct desk *desk, const char *const *arguments, char *said, size_t room)
{
    int out;
    pid_t pid = serve_begin(desk, arguments, &out);
    return run_end(pid, out, said, room);
}

void desk_end_server(struct desk *desk, int code)
{
    kill(desk->server, SIGTERM);
    cr_expect_eq(ended(desk->server), code);
    desk->server = -1;
}

void desk_unplug(struct desk *desk)
{
    char link_path[96];
    snprintf(link_path, sizeof link_path, "%s/relay", desk->folder);
    unlink(link_path);
    close(desk->board);
    desk->board = -1;
}

void desk_close(struct desk *desk)
{
    char said[256];
    if (desk->server > 0)
        desk_end_server(desk, 0);
    if (desk->board >= 0)
        desk_unplug(desk);
    run((const char *const[]){"rm", "-r", desk->folder, NULL}, NULL, said, sizeof said);
}

static size_t come(struct desk *desk, uint8_t *out, size_t n)
{
    size_t have = 0;
    /* While nobody has the line open, reading it says EIO: what was written still comes. */
    for (int i = 0; i < 5000 && have < n; i++) {
        ssize_t some = read(desk->board, out + have, n - have);
        if (some > 0)
            have += (size_t)some;
        else
            pause_ms(10);
    }
    return have;
}

void desk_take(struct desk *desk, uint8_t *out, size_t n)
{
    uint8_t more;
    cr_expect_eq(come(desk, out, n), n);
    cr_expect(read(desk->board, &more, 1) <= 0, "nothing more");
}

void desk_told(struct desk *desk, const uint8_t *bytes, size_t n)
{
    uint8_t got[64] = {0};
    desk_take(desk, got, n);
    cr_expect(!memcmp(got, bytes, n), "%02X %02X %02X %02X", got[0], got[1], got[2], got[3]);
}
