/* Processes whose output is waited for. */
#include "rig.h"
#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

void rig_spawn(const struct rig *rig, struct rig_process *out, const char *const argv[])
{
    int ends[2];
    out->len = out->seen = 0;
    out->said[0] = '\0';
    cr_assert(!pipe(ends));
    out->pid = fork();
    cr_assert(out->pid >= 0);
    if (!out->pid) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails leaves nothing behind */
        if (dup2(ends[1], 1) < 0 || dup2(ends[1], 2) < 0 || chdir(rig->dir))
            _exit(126);
        close(ends[0]);
        close(ends[1]);
        execvp(argv[0], (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    close(ends[1]);
    out->fd = ends[0];
}

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Reads what is there; false at the end of the output or after the deadline. */
static bool read_more(struct rig_process *process, int64_t until_ms)
{
    struct pollfd ready = {.fd = process->fd, .events = POLLIN};
    int64_t left_ms = until_ms - now_ms();
    if (left_ms <= 0 || poll(&ready, 1, (int)left_ms) <= 0)
        return false;
    if (process->len + 4096 > sizeof process->said) { /* keeps the newer half */
        size_t half = process->len / 2;
        memmove(process->said, process->said + half, process->len - half);
        process->len -= half;
        process->seen = process->seen > half ? process->seen - half : 0;
    }
    ssize_t got =
        read(process->fd, process->said + process->len, sizeof process->said - 1 - process->len);
    if (got <= 0)
        return false;
    for (ssize_t i = 0; i < got; i++) /* so that it stays one text */
        if (!process->said[process->len + (size_t)i])
            process->said[process->len + (size_t)i] = '?';
    process->len += (size_t)got;
    process->said[process->len] = '\0';
    return true;
}

bool rig_wait(struct rig_process *process, const char *text)
{
    int64_t until_ms = now_ms() + RIG_WAIT_S * 1000;
    for (;;) {
        char *found = strstr(process->said + process->seen, text);
        if (found) {
            process->seen = (size_t)(found - process->said) + strlen(text);
            return true;
        }
        if (!read_more(process, until_ms)) {
            cr_log_warn("waited for '%s' in:\n%s\n", text, process->said);
            return false;
        }
    }
}

int rig_end(struct rig_process *process, int signal)
{
    int status = -1;
    int64_t until_ms = now_ms() + RIG_WAIT_S * 1000;
    if (signal)
        kill(process->pid, signal);
    while (read_more(process, until_ms)) /* its end closes the pipe */
        ;
    if (now_ms() >= until_ms)
        kill(process->pid, SIGKILL);
    waitpid(process->pid, &status, 0);
    close(process->fd);
    process->pid = 0;
    return status;
}

bool rig_stopped(const struct rig_process *process)
{
    int status;
    return waitpid(process->pid, &status, WUNTRACED) == process->pid && WIFSTOPPED(status);
}
