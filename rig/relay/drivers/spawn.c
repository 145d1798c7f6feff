/* Another program, run for a bounded time. */
#include "spawn.h"
#include "answers.h"
#include "rig/port.h"
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

struct running {
    pid_t pid;
    int pidfd, output;
    int64_t end_us;
    size_t len; /* of the line so far */
    bool ended; /* the line has its end: the next byte begins a new one */
    char line[160];
};

/* 0, or an errno. */
static int start(pid_t *pid, char *const *argv, int write_end)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attr;
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    if (posix_spawn_file_actions_init(&files))
        return ENOMEM;
    if (posix_spawnattr_init(&attr)) {
        posix_spawn_file_actions_destroy(&files);
        return ENOMEM;
    }
    int error = posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
    if (!error)
        error = posix_spawn_file_actions_adddup2(&files, write_end, 1);
    if (!error)
        error = posix_spawn_file_actions_adddup2(&files, write_end, 2);
    if (!error)
        error = posix_spawn_file_actions_addclosefrom_np(&files, 3);
    posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                        POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setpgroup(&attr, 0);
    posix_spawnattr_setsigmask(&attr, &none);
    posix_spawnattr_setsigdefault(&attr, &all);
    if (!error)
        error = posix_spawnp(pid, argv[0], &files, &attr, argv, environ);
    posix_spawnattr_destroy(&attr);
    posix_spawn_file_actions_destroy(&files);
    return error;
}

/* Keeps the last line that is not empty, and of it the beginning. */
static void take(struct running *run, const char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (bytes[i] == '\n' || bytes[i] == '\r') {
            run->ended = true;
            continue;
        }
        if (run->ended)
            run->len = 0;
        run->ended = false;
        if (run->len < sizeof run->line)
            run->line[run->len++] = bytes[i];
    }
}

/* false: nothing more will come. At most so much at once that a program which floods can't hold us
 * past the deadline. */
static bool read_some(struct running *run)
{
    char bytes[4096];
    ssize_t n = read(run->output, bytes, sizeof bytes);
    if (n > 0)
        take(run, bytes, (size_t)n);
    return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

/* Until it has ended. false: the time was over first. */
static bool watch(struct running *run)
{
    bool more = true;
    for (;;) {
        struct pollfd two[] = {{.fd = run->pidfd, .events = POLLIN},
                               {.fd = more ? run->output : -1, .events = POLLIN}};
        int64_t left_us = run->end_us - rig_port_now_us();
        if (left_us <= 0)
            return false;
        int ready = poll(two, 2, (int)((left_us + 999) / 1000));
        if (ready < 0 && errno != EINTR)
            return false;
        if (ready > 0 && two[1].revents)
            more = read_some(run);
        if (ready > 0 && two[0].revents)
            break;
    }
    struct pollfd rest = {.fd = run->output, .events = POLLIN};
    for (int i = 0; more && i < 16 && poll(&rest, 1, 0) > 0; i++)
        more = read_some(run);
    return true;
}

static void finish(struct rig_spawned *out, const struct running *run)
{
    int status = 0;
    while (waitpid(run->pid, &status, 0) < 0 && errno == EINTR)
        ;
    out->exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    out->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    rig_answer_quote(out->line, sizeof out->line, run->line, run->len);
}

void rig_spawn(struct rig_spawned *out, char *const *argv, uint32_t timeout_ms)
{
    assert(out && argv && argv[0]);
    int ends[2];
    struct running run = {.end_us = rig_port_now_us() + (int64_t)timeout_ms * 1000};
    *out = (struct rig_spawned){.exit_code = -1};
    if (pipe2(ends, O_CLOEXEC)) {
        out->start_errno = errno;
        return;
    }
    out->start_errno = start(&run.pid, argv, ends[1]);
    close(ends[1]);
    run.output = ends[0];
    fcntl(run.output, F_SETFL, O_NONBLOCK);
    out->started = !out->start_errno;
    if (out->started) {
        run.pidfd = pidfd_open(run.pid, 0);
        out->in_time = run.pidfd >= 0 && watch(&run);
        if (!out->in_time)
            kill(-run.pid, SIGKILL);
        finish(out, &run);
        if (run.pidfd >= 0)
            close(run.pidfd);
    }
    close(ends[0]);
}
