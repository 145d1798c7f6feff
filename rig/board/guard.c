/*
 * Between the rig and a program that must not outlive it: SIGKILL of the rig would end the program
 * itself (PR_SET_PDEATHSIG) and leave running what that had started. The guard is their reaper
 * (PR_SET_CHILD_SUBREAPER): whoever loses its parent becomes the guard's child, also after setsid,
 * so that it finds all of them. Runs between fork and exec of a process with threads: only calls
 * that are safe there.
 */
#include "guard.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LIST_BYTES = 4096 };

/* Nothing of the rig's but the descriptor that is to be held: an end of a pipe kept here would keep
 * somebody waiting. */
static void let_go(int hold)
{
    int nothing = open("/dev/null", O_RDWR);
    if (hold >= 0)
        hold = fcntl(hold, F_DUPFD, 3);
    for (int fd = 0; fd < 3; fd++)
        dup2(nothing, fd);
    if (hold > 3)
        close_range(3, (unsigned)hold - 1, 0);
    closefrom(hold < 0 ? 3 : hold + 1);
}

/* The program has ended (it stays a zombie, so that its number is nobody else's group), or the rig
 * is gone or wants an end. Orphans are reaped meanwhile. */
static void watch(pid_t program)
{
    sigset_t news;
    sigemptyset(&news);
    sigaddset(&news, SIGCHLD);
    sigaddset(&news, SIGTERM);
    for (;;) {
        siginfo_t ended = {.si_pid = 0};
        if (!waitid(P_PID, (id_t)program, &ended, WEXITED | WNOHANG | WNOWAIT) && ended.si_pid)
            return;
        ended.si_pid = 0;
        if (!waitid(P_ALL, 0, &ended, WEXITED | WNOHANG | WNOWAIT) && ended.si_pid &&
            ended.si_pid != program) {
            waitpid(ended.si_pid, NULL, 0);
            continue;
        }
        if (sigwaitinfo(&news, NULL) == SIGTERM)
            return;
    }
}

/* Each child that there is now; how many of them may be killed, or -1: the list can't be read. */
static int kill_children(void)
{
    char list[LIST_BYTES];
    int killed = 0;
    int fd = open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, list, sizeof list);
    pid_t pid = 0;
    if (fd >= 0)
        close(fd);
    for (ssize_t i = 0; i < got; i++) {
        if (list[i] != ' ') {
            pid = pid * 10 + (list[i] - '0');
            continue;
        }
        killed += !kill(pid, SIGKILL);
        pid = 0;
    }
    return got < 0 ? -1 : killed;
}

/* A killed one's children become ours: until there is none. Those of another user, whom we can't
 * kill, are waited for where the rig is gone, as they may still write to a board that looks free; a
 * rig that lives goes by what the program said. The program's wait status. */
static int end_all(pid_t program, pid_t rig)
{
    int status = 0, of_program = 0, killed;
    kill(-program, SIGKILL);
    kill(program, SIGKILL); /* if it has no group yet */
    waitpid(program, &of_program, 0);
    while ((killed = kill_children()) >= 0) {
        if (!killed && getppid() == rig)
            break;
        if (waitpid(-1, &status, 0) < 0 && errno == ECHILD)
            break;
    }
    return of_program;
}

/* As the program ended, so that the rig sees it through the guard. */
static _Noreturn void end_like(int status)
{
    const struct rlimit none = {0, 0};
    sigset_t all;
    if (WIFEXITED(status))
        _exit(WEXITSTATUS(status));
    setrlimit(RLIMIT_CORE, &none);
    kill(getpid(), WTERMSIG(status));
    sigfillset(&all);
    sigprocmask(SIG_UNBLOCK, &all, NULL);
    _exit(128 + WTERMSIG(status));
}

pid_t rig_guard_become(int hold, pid_t rig)
{
    struct sigaction plain = {.sa_handler = SIG_DFL};
    for (int number = 1; number < NSIG; number++)
        sigaction(number, &plain, NULL);
    if (setpgid(0, 0) || prctl(PR_SET_CHILD_SUBREAPER, 1) || prctl(PR_SET_PDEATHSIG, SIGTERM) ||
        getppid() != rig)
        return -1;
    pid_t guard = getpid(), program = _Fork();
    if (program <= 0)
        return program < 0 ? -1 : guard;
    let_go(hold);
    watch(program);
    end_like(end_all(program, rig));
}
