#include "process.h"
#include "files.h"
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    READY_WITHIN_MS = 30000,
    STOP_WITHIN_MS = 10000,
    GROUP_WITHIN_MS = 1000,
    SIGNAL_EVERY_MS = 100,
    PAUSE_MS = 2
};

static bool is_program(const char *path)
{
    struct stat facts;
    return access(path, X_OK) == 0 && stat(path, &facts) == 0 && S_ISREG(facts.st_mode);
}

static bool find_in(char out[SIM_PKI_PATH_MAX], const char *folders, const char *name)
{
    char list[4096];
    if (snprintf(list, sizeof list, "%s", folders) >= (int)sizeof list)
        return false;
    char *rest = list;
    for (const char *folder; (folder = strsep(&rest, ":"));) {
        if (folder[0] != '/')
            continue; /* the child's working directory is another */
        int size = snprintf(out, SIM_PKI_PATH_MAX, "%s/%s", folder, name);
        if (size < SIM_PKI_PATH_MAX && is_program(out))
            return true;
    }
    return false;
}

int sim_program_find(char out[SIM_PKI_PATH_MAX], const char *name, const char *package,
                     char *message, size_t len)
{
    const char *path = getenv("PATH");
    bool found;
    if (strchr(name, '/')) {
        char *whole = realpath(name, NULL);
        found = whole && snprintf(out, SIM_PKI_PATH_MAX, "%s", whole) < SIM_PKI_PATH_MAX &&
                is_program(out);
        free(whole);
    } else {
        found = (path && find_in(out, path, name)) ||
                find_in(out, "/usr/sbin:/usr/local/sbin:/sbin", name);
    }
    if (found)
        return SIM_SERVERS_OK;
    return sim_fail(SIM_SERVERS_EPROGRAM, message, len, "%s: not found; install the package %s",
                    name, package);
}

/* ------------------------------------------------------------------------ start */

enum { REPORT_FD = 3 }; /* the child's end of the pipe that tells why exec failed */

static void default_signals(void)
{
    struct sigaction action = {.sa_handler = SIG_DFL};
    for (int number = 1; number < NSIG; number++)
        sigaction(number, &action, NULL); /* fails for SIGKILL and the like, as it should */
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* In the child, between fork and exec: only calls that are safe after fork in a process with
 * threads. False with errno. */
static bool prepare(const struct sim_command *command, int log, pid_t parent)
{
    if (setpgid(0, 0) != 0 || prctl(PR_SET_PDEATHSIG, command->death_signal) != 0)
        return false;
    if (getppid() != parent)
        _exit(127); /* it died before the death signal was asked for */
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return false;
    limit.rlim_cur = limit.rlim_max;
    int nothing = open("/dev/null", O_RDONLY);
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0 || nothing < 0 || chdir(command->folder) != 0)
        return false;
    if (dup2(nothing, 0) < 0 || dup2(log, 1) < 0 || dup2(log, 2) < 0)
        return false;
    closefrom(REPORT_FD + 1);
    default_signals();
    return true;
}

static _Noreturn void become(const struct sim_command *command, int log, int report, pid_t parent)
{
    /* The log may be where the pipe is to go, so it moves out of the way first. */
    int log_moved = fcntl(log, F_DUPFD_CLOEXEC, REPORT_FD + 1);
    if (log_moved >= 0 && report != REPORT_FD && dup3(report, REPORT_FD, O_CLOEXEC) >= 0)
        report = REPORT_FD;
    if (log_moved >= 0 && report == REPORT_FD && prepare(command, log_moved, parent))
        execv(command->program, command->argv);
    int reason = errno;
    while (write(report, &reason, sizeof reason) < 0 && errno == EINTR)
        continue;
    _exit(127);
}

/* Signals wait until the child has its own handlers: one of the parent's, run in the child, could
 * write to what both share. */
static pid_t fork_quietly(const struct sim_command *command, int log, int report)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid == 0)
        become(command, log, report, parent);
    int reason = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = reason;
    return pid;
}

/* 0 when the program runs, else why it does not. */
static int exec_failure(int report)
{
    int reason = 0;
    ssize_t size;
    do
        size = read(report, &reason, sizeof reason);
    while (size < 0 && errno == EINTR);
    return size == (ssize_t)sizeof reason ? reason : 0;
}

static int start_with(struct sim_process *out, const struct sim_command *command, int log,
                      char *message, size_t len)
{
    int report[2];
    if (pipe2(report, O_CLOEXEC) != 0)
        return sim_fail(SIM_SERVERS_EIO, message, len, "no pipe: %s", strerror(errno));
    pid_t pid = fork_quietly(command, log, report[1]);
    int reason = pid < 0 ? errno : 0;
    close(report[1]);
    if (pid > 0) {
        reason = exec_failure(report[0]);
        if (reason)
            waitpid(pid, NULL, 0);
    }
    close(report[0]);
    if (reason)
        return sim_fail(SIM_SERVERS_EIO, message, len, "%s: could not be started: %s",
                        command->program, strerror(reason));
    out->pid = pid;
    out->name = command->name;
    return SIM_SERVERS_OK;
}

int sim_process_start(struct sim_process *out, const struct sim_command *command, char *message,
                      size_t len)
{
    assert(out->pid == 0);
    sim_path_join(out->log, command->folder, "log");
    int log = open(out->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    struct stat facts;
    if (log < 0 || fstat(log, &facts) != 0) {
        int error = sim_fail(SIM_SERVERS_EIO, message, len, "%s: %s", out->log, strerror(errno));
        if (log >= 0)
            close(log);
        return error;
    }
    out->log_start = (uint64_t)facts.st_size;
    int error = start_with(out, command, log, message, len);
    close(log);
    return error;
}

/* ------------------------------------------------------------------------ wait and end */

void sim_process_pause(void)
{
    nanosleep(&(struct timespec){.tv_nsec = PAUSE_MS * 1000000L}, NULL);
}

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

enum state { RUNS, ENDED, REAPED_ELSEWHERE };

static enum state state_of(pid_t pid)
{
    siginfo_t info = {.si_pid = 0};
    int got = waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT);
    if (got != 0 && errno == ECHILD)
        return REAPED_ELSEWHERE;
    return got == 0 && info.si_pid == pid ? ENDED : RUNS;
}

/* What is left of the group is killed before its leader is reaped: so long, nobody else can be
 * given the leader's number. Then its members' sockets are waited for, as the ports will be wanted
 * again; not for ever, as somebody else has to reap them. */
static void reap(struct sim_process *process)
{
    pid_t pid = process->pid;
    process->pid = 0;
    if (state_of(pid) == REAPED_ELSEWHERE)
        return;
    kill(-pid, SIGKILL);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    int64_t until = now_ms() + GROUP_WITHIN_MS;
    while (kill(-pid, 0) == 0 && now_ms() < until)
        sim_process_pause();
}

bool sim_process_runs(struct sim_process *process)
{
    if (process->pid == 0)
        return false;
    if (state_of(process->pid) == RUNS)
        return true;
    reap(process);
    return false;
}

void sim_process_stop(struct sim_process *process, int signal)
{
    if (process->pid == 0)
        return;
    /* To the leader only: a master ends its workers in its own way. Again and again, as nginx
     * forgets a signal that comes while it starts, or just before it waits for events. */
    int64_t begin = now_ms(), again = begin;
    while (signal != SIGKILL && state_of(process->pid) == RUNS &&
           now_ms() < begin + STOP_WITHIN_MS) {
        if (now_ms() >= again) {
            kill(process->pid, signal);
            again += SIGNAL_EVERY_MS;
        }
        sim_process_pause();
    }
    reap(process); /* which kills what still runs */
}

static int exited(const struct sim_process *process, char *message, size_t len)
{
    char lines[800];
    sim_file_last_lines(process->log, process->log_start, lines, sizeof lines);
    int error = strstr(lines, "already in use") ? SIM_SERVERS_EPORT : SIM_SERVERS_EEXITED;
    return sim_fail(error, message, len, "%s ended by itself; %s: %s", process->name, process->log,
                    lines);
}

static int too_late(struct sim_process *process, char *message, size_t len)
{
    char lines[800];
    sim_file_last_lines(process->log, process->log_start, lines, sizeof lines);
    sim_process_stop(process, SIGKILL);
    return sim_fail(SIM_SERVERS_ETIME, message, len, "%s: not ready within %d s; %s: %s",
                    process->name, READY_WITHIN_MS / 1000, process->log, lines);
}

int sim_process_await_ports(struct sim_process *process, const uint16_t *ports, size_t count,
                            char *message, size_t len)
{
    int64_t until = now_ms() + READY_WITHIN_MS;
    uint16_t which = 0;
    do {
        if (!sim_process_runs(process))
            return exited(process, message, len);
        switch (sim_ports_owned(ports, count, &which, process->pid)) {
        case SIM_PORTS_OWN:
            return SIM_SERVERS_OK;
        case SIM_PORTS_OTHER:
            sim_process_stop(process, SIGKILL);
            return sim_fail(SIM_SERVERS_EPORT, message, len,
                            "%s: port %u of 127.0.0.1 is already in use by another process",
                            process->name, which);
        case SIM_PORTS_FREE:
            sim_process_pause();
        }
    } while (now_ms() < until);
    return too_late(process, message, len);
}

static bool log_has(const struct sim_process *process, const char *text)
{
    char line[1024];
    bool found = false;
    FILE *log = fopen(process->log, "re");
    if (!log)
        return false;
    if (fseeko(log, (off_t)process->log_start, SEEK_SET) == 0)
        while (!found && fgets(line, sizeof line, log))
            found = strstr(line, text) != NULL;
    fclose(log);
    return found;
}

int sim_process_await_log(struct sim_process *process, const char *text, char *message, size_t len)
{
    int64_t until = now_ms() + READY_WITHIN_MS;
    do {
        if (log_has(process, text))
            return SIM_SERVERS_OK;
        if (!sim_process_runs(process))
            return exited(process, message, len);
        sim_process_pause();
    } while (now_ms() < until);
    return too_late(process, message, len);
}
