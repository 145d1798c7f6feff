/* A child process: started with nothing inherited, reaped by its own descriptor. */
#include "rig/child.h"
#include "guard.h"
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* Above all that is given, so that no dup2 overwrites what is still needed. */
enum { ASIDE = RIG_CHILD_FD_FIRST + RIG_CHILD_FDS_MAX + 1 };
/* A program that the kernel can't end (its USB device hangs) does not hold up the rig for ever. */
enum { GUARD_MS_MAX = 10000, KILLED_MS_MAX = 5000 };

static _Noreturn void give_up(int report)
{
    int reason = errno;
    ssize_t sent = write(report, &reason, sizeof reason);
    _exit(sent == sizeof reason ? 127 : 126);
}

/* Between fork and exec: only calls that are safe there. */
static _Noreturn void become(const struct rig_child_start *start, int report, pid_t parent)
{
    struct sigaction plain = {.sa_handler = SIG_DFL};
    sigset_t none;
    int given[RIG_CHILD_FDS_MAX], said;
    for (int number = 1; number < NSIG; number++)
        sigaction(number, &plain, NULL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    report = fcntl(report, F_DUPFD, ASIDE);
    said = start->said >= 0 ? fcntl(start->said, F_DUPFD, ASIDE) : open("/dev/null", O_WRONLY);
    for (size_t i = 0; i < start->fds_count; i++)
        given[i] = fcntl(start->fds[i], F_DUPFD, ASIDE);
    int nothing = open("/dev/null", O_RDONLY);
    if (setpgid(0, 0) || prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != parent || nothing < 0 ||
        dup2(nothing, 0) < 0 || dup2(said, 1) < 0 || dup2(said, 2) < 0)
        give_up(report);
    if (start->folder && chdir(start->folder))
        give_up(report);
    int next = RIG_CHILD_FD_FIRST;
    for (size_t i = 0; i < start->fds_count; i++, next++)
        if (dup2(given[i], next) < 0)
            give_up(report);
    if (dup2(report, next) < 0)
        give_up(report);
    fcntl(next, F_SETFD, FD_CLOEXEC);
    closefrom(next + 1);
    execvp(start->argv[0], (char *const *)start->argv);
    give_up(next);
}

static pid_t fork_it(const struct rig_child_start *start, int report)
{
    sigset_t all, before;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    pid_t parent = getpid(), pid = fork();
    if (!pid && start->guard)
        parent = rig_guard_become(start->guard->hold, parent);
    if (!pid && parent < 0)
        give_up(report);
    if (!pid)
        become(start, report, parent);
    int reason = errno;
    sigprocmask(SIG_SETMASK, &before, NULL);
    errno = reason;
    return pid;
}

int rig_child_start(struct rig_child *child, const struct rig_child_start *start, char *message,
                    size_t len)
{
    assert(start->fds_count <= RIG_CHILD_FDS_MAX);
    int report[2], reason = 0;
    *child = (struct rig_child){.pidfd = -1, .guarded = start->guard != NULL};
    if (pipe2(report, O_CLOEXEC)) {
        snprintf(message, len, "%s: %s", start->argv[0], strerror(errno));
        return -1;
    }
    pid_t pid = fork_it(start, report[1]);
    int fork_reason = errno;
    close(report[1]);
    if (pid > 0) {
        child->pid = pid;
        child->pidfd = pidfd_open(pid, 0); /* close-on-exec by itself */
        fork_reason = child->pidfd < 0 ? errno : 0;
        ssize_t got;
        while ((got = read(report[0], &reason, sizeof reason)) < 0 && errno == EINTR)
            continue;
        if (got != sizeof reason)
            reason = fork_reason;
    } else {
        reason = fork_reason;
    }
    close(report[0]);
    if (!reason)
        return 0;
    rig_child_kill(child);
    snprintf(message, len, "%s can't be started: %s", start->argv[0], strerror(reason));
    return -1;
}

static bool ends_within(const struct rig_child *child, int timeout_ms)
{
    struct pollfd ends = {.fd = child->pidfd, .events = POLLIN};
    int ready;
    while ((ready = poll(&ends, 1, timeout_ms)) < 0 && errno == EINTR)
        continue;
    return ready == 1;
}

/* One that waits in the kernel, or is frozen by a cgroup, ends when it comes out of that: it is
 * left to that, and runs no more. */
static int reap(struct rig_child *child)
{
    int status = SIGKILL;
    if (child->pidfd < 0 || ends_within(child, KILLED_MS_MAX))
        while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR)
            continue;
    if (child->pidfd >= 0)
        close(child->pidfd);
    *child = (struct rig_child){.pidfd = -1};
    return status;
}

/* It ends by itself, when everything else has. */
static void tell_guard(const struct rig_child *child)
{
    kill(child->pid, SIGTERM);
    ends_within(child, GUARD_MS_MAX);
}

int rig_child_kill(struct rig_child *child)
{
    if (!child->pid)
        return 0;
    if (child->guarded)
        tell_guard(child);
    kill(-child->pid, SIGKILL);
    kill(child->pid, SIGKILL); /* if it has no group yet */
    return reap(child);
}

bool rig_child_is_stopped(const struct rig_child *child)
{
    char path[32], stat[256] = "";
    snprintf(path, sizeof path, "/proc/%d/stat", (int)child->pid);
    FILE *file = child->pid ? fopen(path, "re") : NULL;
    size_t got = file ? fread(stat, 1, sizeof stat - 1, file) : 0;
    if (file)
        fclose(file);
    const char *name_ends = got ? strrchr(stat, ')') : NULL; /* then: a blank, its state */
    return name_ends && name_ends[1] == ' ' && (name_ends[2] == 'T' || name_ends[2] == 't');
}

int rig_child_wait(struct rig_child *child, int timeout_ms)
{
    if (!child->pid)
        return 0;
    return ends_within(child, timeout_ms) ? reap(child) : rig_child_kill(child);
}
