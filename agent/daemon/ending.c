#include "ending.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/watchdog.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

static struct {
    int reset_fd, device_fd, reboot_code;
    char **argv;
    timer_t timer;
    bool armed, hardware; /* hardware: device_fd is a watchdog indeed */
    uint32_t within_ms;
    /* Made beforehand, because a handler should do little. */
    uint8_t end[AGENT_ENDS][AGENT_RESET_BYTES];
    struct sigaction before[NSIG];
} ending = {.reset_fd = -1, .device_fd = -1, .reboot_code = -1};

static const int crashes[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};

void agent_ending_update(const struct agent_reset *running)
{
    for (int end = 0; end < AGENT_ENDS; end++) {
        struct agent_reset reset = *running;
        reset.end = (enum agent_end)end;
        if (end == AGENT_END_WATCHDOG || end == AGENT_END_HARD_FAULT)
            agent_reset_count(&reset);
        agent_reset_encode(ending.end[end], &reset);
    }
}

void agent_ending_note(enum agent_end end)
{
    if (ending.reset_fd >= 0 &&
        pwrite(ending.reset_fd, ending.end[end], AGENT_RESET_BYTES, 0) != AGENT_RESET_BYTES)
        return; /* the next start takes it for a power loss, which is safe */
}

/* Sockets of the libraries must not outlive this image: a broker would take it for alive. */
void agent_ending_reboot(enum agent_end end)
{
    agent_ending_note(end);
    if (ending.reboot_code >= 0)
        _exit(ending.reboot_code);
    close_range(3, ~0u, CLOSE_RANGE_CLOEXEC);
    execv("/proc/self/exe", ending.argv);
}

static void say(const char *line)
{
    ssize_t put = write(STDERR_FILENO, line, strlen(line));
    (void)put;
}

static void watchdog_bites(int signal)
{
    (void)signal;
    say("level=error event=watchdog_reset\n");
    agent_ending_reboot(AGENT_END_WATCHDOG);
    _exit(1);
}

/* The fault happens again on return, and ends the process as it would have without us. */
static void crashed(int signal)
{
    agent_ending_note(AGENT_END_HARD_FAULT);
    say("level=error event=hard_fault\n");
    sigaction(signal, &ending.before[signal], NULL);
    if (signal == SIGABRT)
        raise(signal);
}

int agent_ending_install(int reset_fd, const struct agent_reset *running, char **argv,
                         int reboot_code)
{
    struct sigaction action = {.sa_handler = crashed, .sa_flags = SA_NODEFER};
    ending.reset_fd = reset_fd;
    ending.argv = argv;
    ending.reboot_code = reboot_code;
    agent_ending_update(running);
    for (size_t i = 0; i < sizeof crashes / sizeof crashes[0]; i++)
        if (sigaction(crashes[i], &action, &ending.before[crashes[i]]))
            return -1;
    return 0;
}

static int set_timer(uint32_t ms)
{
    const struct itimerspec when = {
        .it_value = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000}};
    return timer_settime(ending.timer, 0, &when, NULL);
}

/* A trial is not kicked, so that the hardware has to wait as long as we do. Not a watchdog at all
 * (ENOTTY): whatever it is takes kicks. */
int agent_watchdog_open(uint32_t within_ms, const char *device, bool *bit)
{
    int wanted = (int)(within_ms / 1000), granted = wanted, status = 0;
    *bit = false;
    ending.device_fd = open(device, O_WRONLY | O_CLOEXEC);
    if (ending.device_fd < 0)
        return -1;
    if (ioctl(ending.device_fd, WDIOC_SETTIMEOUT, &granted))
        return errno == ENOTTY ? 0 : -1;
    ending.hardware = true;
    *bit = !ioctl(ending.device_fd, WDIOC_GETBOOTSTATUS, &status) && (status & WDIOF_CARDRESET);
    errno = ERANGE;
    return granted >= wanted ? 0 : -1;
}

int agent_watchdog_arm(uint32_t within_ms)
{
    struct sigaction action = {.sa_handler = watchdog_bites};
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM};
    ending.within_ms = within_ms;
    if (ending.hardware && ending.reboot_code >= 0)
        return 0;
    if (sigaction(SIGALRM, &action, NULL) || timer_create(CLOCK_MONOTONIC, &event, &ending.timer))
        return -1;
    ending.armed = true;
    return set_timer(within_ms);
}

void agent_watchdog_kick(void)
{
    if (ending.armed)
        set_timer(ending.within_ms);
    if (ending.device_fd >= 0 && write(ending.device_fd, "k", 1) != 1)
        return; /* the hardware will tell */
}

/* "V" before the close is how Linux is told that a watchdog is no longer wanted. */
void agent_watchdog_disarm(void)
{
    if (ending.armed)
        timer_delete(ending.timer);
    ending.armed = false;
    if (ending.device_fd >= 0 && write(ending.device_fd, "V", 1) == 1)
        close(ending.device_fd);
    ending.device_fd = -1;
}

static void orders(sigset_t *out)
{
    sigemptyset(out);
    sigaddset(out, SIGTERM);
    sigaddset(out, SIGINT);
    sigaddset(out, SIGHUP);
    sigaddset(out, SIGUSR1);
}

void agent_ending_hold(bool hold)
{
    sigset_t set;
    orders(&set);
    sigprocmask(hold ? SIG_BLOCK : SIG_UNBLOCK, &set, NULL);
}

void agent_ending_inherit(void)
{
    sigset_t held;
    orders(&held);
    sigprocmask(SIG_SETMASK, &held, NULL);
    signal(SIGPIPE, SIG_IGN);
    prctl(PR_SET_NAME, "ota-agent"); /* an exec of /proc/self/exe names it "exe" */
}
