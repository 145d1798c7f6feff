/* The daemon as a child: started, heard, looked at, ended. */
#include "process_internal.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { END_WITHIN_MS = 5000 };

/* Between fork and exec: only calls that are safe there. A rig that dies takes its daemons along,
 * also between fork and this. */
static _Noreturn void become(const struct pw_device *dev, int output, const char *config,
                             pid_t parent)
{
    char *const argv[] = {(char *)"ota-agent", (char *)"--config", (char *)config, NULL};
    struct sigaction plain = {.sa_handler = SIG_DFL};
    sigset_t none;
    for (int number = 1; number < NSIG; number++)
        sigaction(number, &plain, NULL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    int nothing = open("/dev/null", O_RDONLY);
    if (setpgid(0, 0) || prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != parent || nothing < 0 ||
        dup2(nothing, 0) < 0 || dup2(output, 1) < 0 || dup2(output, 2) < 0 || chdir(dev->folder))
        _exit(126);
    closefrom(3);
    execv(dev->pw->program, argv);
    _exit(127);
}

static void heard(struct ev_loop *loop, ev_io *io, int events)
{
    (void)loop, (void)events;
    pw_read(io->data);
}

int pw_spawn(struct pw_device *dev, char *message, size_t len)
{
    char config[PW_PATH_MAX];
    int pipes[2];
    sigset_t all, before;
    snprintf(config, sizeof config, "%s/agent.yaml", dev->folder);
    if (pw_configure(dev) || pipe2(pipes, O_CLOEXEC | O_NONBLOCK)) {
        snprintf(message, len, "%s: %s", config, strerror(errno));
        return -1;
    }
    fcntl(pipes[1], F_SETFL, 0);
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    pid_t parent = getpid(), pid = fork();
    if (!pid)
        become(dev, pipes[1], config, parent);
    int reason = errno;
    sigprocmask(SIG_SETMASK, &before, NULL);
    close(pipes[1]);
    if (pid < 0) {
        close(pipes[0]);
        snprintf(message, len, "no process for %s: %s", dev->unit->id, strerror(reason));
        return -1;
    }
    dev->pid = pid;
    dev->output = pipes[0];
    dev->power = PW_ON;
    dev->spawned = true;
    dev->said[0] = dev->alarm[0] = '\0';
    dev->line_bytes = 0;
    dev->pw->counts.starts++;
    ev_io_init(&dev->readable, heard, dev->output, EV_READ);
    dev->readable.data = dev;
    ev_io_start(dev->pw->loop, &dev->readable);
    return 0;
}

static void close_output(struct pw_device *dev)
{
    if (dev->output < 0)
        return;
    ev_io_stop(dev->pw->loop, &dev->readable);
    close(dev->output);
    dev->output = -1;
}

/* Its last lines, the oldest first, as one text. */
static void remember(struct pw_device *dev, const char *line)
{
    size_t len = strlen(dev->said), more = strlen(line);
    if (!dev->alarm[0] && (strstr(line, "Sanitizer") || strstr(line, "runtime error")))
        snprintf(dev->alarm, sizeof dev->alarm, "%.*s", PW_SAID_MAX - 1, line);
    if (more > sizeof dev->said - 4)
        more = sizeof dev->said - 4;
    while (len + more + 4 > sizeof dev->said) {
        char *next = strstr(dev->said, " | ");
        len = next ? strlen(next + 3) : 0;
        memmove(dev->said, next ? next + 3 : "", len + 1);
    }
    snprintf(dev->said + len, sizeof dev->said - len, "%s%.*s", len ? " | " : "", (int)more, line);
}

static void take(struct pw_device *dev, const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (bytes[i] != '\n') {
            if (dev->line_bytes + 1 < sizeof dev->line)
                dev->line[dev->line_bytes++] = bytes[i];
            continue;
        }
        dev->line[dev->line_bytes] = '\0';
        dev->line_bytes = 0;
        remember(dev, dev->line);
        if (dev->pw->fleet.trace && dev->pw->fleet.traced == dev->number)
            fprintf(dev->pw->fleet.trace, "%s\n", dev->line);
        char line[PW_LINE_MAX];
        memcpy(line, dev->line, sizeof line);
        pw_line(dev, line);
    }
}

static void read_all(struct pw_device *dev)
{
    char bytes[4096];
    while (dev->output >= 0) {
        ssize_t got = read(dev->output, bytes, sizeof bytes);
        if (got > 0) {
            take(dev, bytes, (size_t)got);
            continue;
        }
        if (got < 0 && errno == EINTR)
            continue;
        if (got == 0 || errno != EAGAIN)
            ev_io_stop(dev->pw->loop, &dev->readable); /* the rest is told by SIGCHLD */
        return;
    }
}

void pw_read(struct pw_device *dev)
{
    read_all(dev);
    if (dev->doom && dev->power == PW_ON)
        pw_cut(dev, dev->doom, NULL);
}

static void count_memory(struct sim_processes *pw, const struct rusage *usage)
{
    uint64_t bytes = (uint64_t)usage->ru_maxrss * 1024;
    pw->counts.rss_max = bytes > pw->counts.rss_max ? bytes : pw->counts.rss_max;
}

void pw_kill(struct pw_device *dev)
{
    struct rusage usage;
    int status;
    pid_t pid = dev->pid;
    dev->power = PW_OFF;
    if (!pid)
        return;
    kill(pid, SIGKILL);
    while (wait4(pid, &status, 0, &usage) < 0 && errno == EINTR)
        continue;
    dev->pid = 0;
    count_memory(dev->pw, &usage);
    pw_read(dev);
    close_output(dev);
}

void pw_look(struct pw_device *dev)
{
    struct rusage usage;
    int status;
    pid_t pid = dev->pid;
    if (!pid || wait4(pid, &status, WNOHANG | WUNTRACED, &usage) != pid)
        return;
    if (WIFSTOPPED(status)) {
        pw_stopped(dev);
        return;
    }
    dev->pid = 0;
    dev->power = PW_OFF;
    count_memory(dev->pw, &usage);
    pw_read(dev);
    close_output(dev);
    pw_ended_by_itself(dev, status);
}

static bool any_left(const struct sim_processes *pw)
{
    for (uint32_t d = 0; d < pw->devices; d++)
        if (pw->device[d].pid)
            return true;
    return false;
}

/* A clean end, as by its owner. Operations are still seen, and done at once. */
void pw_end_all(struct sim_processes *pw)
{
    for (uint32_t d = 0; d < pw->devices; d++)
        pw_witness_end(&pw->device[d]);
    pw->ended = true;
    for (uint32_t d = 0; d < pw->devices; d++)
        if (pw->device[d].pid)
            kill(pw->device[d].pid, SIGTERM);
    for (int ms = 0; ms < END_WITHIN_MS && any_left(pw); ms++) {
        for (uint32_t d = 0; d < pw->devices; d++) {
            struct pw_device *dev = &pw->device[d];
            pw_read(dev);
            if (dev->op.open && !dev->op.resumed)
                pw_resume(dev);
            pw_look(dev);
        }
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    for (uint32_t d = 0; d < pw->devices; d++)
        if (pw->device[d].pid) {
            pw_kill(&pw->device[d]);
            pw_break(&pw->device[d], REP_PROMISE_CONVERGENCE,
                     "it did not end within 5 s of SIGTERM");
        }
}
