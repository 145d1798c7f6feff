/* The daemon as a child: started, heard, looked at, ended. */
#include "process_internal.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { NO_BOOT_CODE = 3 };

/* Between fork and exec: only calls that are safe there. A rig that dies takes its daemons along,
 * also between fork and this. */
static _Noreturn void become(const struct sim_body *body, int output, const char *config,
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
        dup2(nothing, 0) < 0 || dup2(output, 1) < 0 || dup2(output, 2) < 0 ||
        chdir(body->given->folder))
        _exit(126);
    closefrom(3);
    execv(body->ps->program, argv);
    _exit(127);
}

static void readable(struct ev_loop *loop, ev_io *io, int events)
{
    (void)loop, (void)events;
    pw_read(io->data);
}

/* The daemon's end of the pipe blocks, ours does not. */
static int start(struct sim_body *body, const char *config)
{
    int pipes[2];
    sigset_t all, before;
    if (pipe2(pipes, O_CLOEXEC | O_NONBLOCK))
        return -1;
    fcntl(pipes[1], F_SETFL, 0);
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    pid_t parent = getpid(), pid = fork();
    if (!pid)
        become(body, pipes[1], config, parent);
    int reason = errno;
    sigprocmask(SIG_SETMASK, &before, NULL);
    close(pipes[1]);
    if (pid < 0)
        close(pipes[0]);
    errno = reason;
    body->pid = pid < 0 ? 0 : pid;
    body->output = pid < 0 ? -1 : pipes[0];
    return pid < 0 ? -1 : 0;
}

int pw_on(struct sim_body *body, char *message, size_t len)
{
    char config[PW_PATH_MAX];
    snprintf(config, sizeof config, "%s/agent.yaml", body->given->folder);
    if (start(body, config)) {
        snprintf(message, len, "no process for %s: %s", body->given->unit->id, strerror(errno));
        return -1;
    }
    body->asked = false;
    body->line_bytes = 0;
    ev_io_init(&body->readable, readable, body->output, EV_READ);
    body->readable.data = body;
    ev_io_start(body->given->run->loop, &body->readable);
    return 0;
}

static void close_output(struct sim_body *body)
{
    if (body->output < 0)
        return;
    ev_io_stop(body->given->run->loop, &body->readable);
    close(body->output);
    body->output = -1;
}

static void take(struct sim_body *body, const char *bytes, size_t len)
{
    const struct sim_body_events *tell = &body->given->events;
    for (size_t i = 0; i < len; i++) {
        if (bytes[i] != '\n') {
            if (body->line_bytes + 1 < sizeof body->line)
                body->line[body->line_bytes++] = bytes[i];
            continue;
        }
        char line[PW_LINE_MAX];
        memcpy(line, body->line, body->line_bytes);
        line[body->line_bytes] = '\0';
        body->line_bytes = 0;
        tell->said(tell->ctx, line);
    }
}

static void read_all(struct sim_body *body)
{
    char bytes[4096];
    while (body->output >= 0) {
        ssize_t got = read(body->output, bytes, sizeof bytes);
        if (got > 0) {
            take(body, bytes, (size_t)got);
            continue;
        }
        if (got < 0 && errno == EINTR)
            continue;
        if (got == 0 || errno != EAGAIN)
            ev_io_stop(body->given->run->loop, &body->readable); /* the rest is told by SIGCHLD */
        return;
    }
}

void pw_read(struct sim_body *body)
{
    read_all(body);
    body->given->events.heard(body->given->events.ctx);
}

/* It is gone: what it had said, and what it took. */
static void bury(struct sim_body *body, const struct rusage *usage)
{
    uint64_t bytes = (uint64_t)usage->ru_maxrss * 1024;
    body->pid = 0;
    if (bytes > body->ps->rss_max)
        body->ps->rss_max = bytes;
    read_all(body);
    close_output(body);
}

void pw_off(struct sim_body *body)
{
    struct rusage usage = {0};
    int status;
    pid_t pid = body->pid;
    if (!pid)
        return;
    kill(pid, SIGKILL);
    while (wait4(pid, &status, 0, &usage) < 0 && errno == EINTR)
        continue;
    bury(body, &usage);
}

/* A daemon can't do that to itself, and the rig's own kills are reaped by pw_off. */
static void tell_killed(struct sim_body *body, pid_t pid)
{
    const struct sim_body_events *tell = &body->given->events;
    char why[200], when[32];
    time_t now = time(NULL);
    struct tm utc;
    strftime(when, sizeof when, "%H:%M:%S UTC", gmtime_r(&now, &utc));
    snprintf(why, sizeof why,
             "somebody else killed its ota-agent (pid %d) at %s by signal 9 (Killed): nothing is "
             "known of the device; look at who kills processes here (out of memory?)",
             (int)pid, when);
    tell->lost(tell->ctx, why);
}

static void tell_end(struct sim_body *body, int status)
{
    const struct sim_body_events *tell = &body->given->events;
    char how[64];
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    /* Asked before it had a handler for it. */
    bool by_order = body->asked && WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM;
    if (WIFSIGNALED(status))
        snprintf(how, sizeof how, "by signal %d (%s)", WTERMSIG(status),
                 strsignal(WTERMSIG(status)));
    else
        snprintf(how, sizeof how, "with exit code %d", code);
    tell->ended(tell->ctx, how, code == 0 || by_order, code == NO_BOOT_CODE);
}

void pw_look(struct sim_body *body)
{
    struct rusage usage;
    int status;
    pid_t pid = body->pid;
    if (!pid || wait4(pid, &status, WNOHANG | WUNTRACED, &usage) != pid)
        return;
    if (WIFSTOPPED(status)) {
        pw_read(body);
        if (body->pid) /* what it said may have cost it its power */
            body->given->events.stands(body->given->events.ctx);
        return;
    }
    bury(body, &usage);
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
        tell_killed(body, pid);
    else
        tell_end(body, status);
}

void pw_go_on(struct sim_body *body)
{
    if (body->pid)
        kill(body->pid, SIGCONT);
}

void pw_ask_to_end(struct sim_body *body)
{
    body->asked = true;
    if (body->pid)
        kill(body->pid, SIGTERM);
}
