/*
 * Crashes and endless loops of a device: see guard.h. A crash is a signal on the thread that made
 * it. A loop shows by a clock of the thread's own time on the processor, so that a slow or busy
 * machine makes no difference: no device computes for a second without a call of the port.
 */
#include "guard.h"
#include "internal.h"

#include <string.h>
#include <unistd.h>

enum { TICK_MS = 100, TICKS_MAX = 10, STACK_BYTES = 65536 };

static const int crash[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
enum { CRASHES = sizeof crash / sizeof *crash };
static const char *const crash_name[CRASHES] = {"SIGSEGV", "SIGBUS", "SIGFPE", "SIGILL",
                                                "SIGABRT (an assertion?)"};
static struct sigaction crash_before[CRASHES];
static pthread_once_t once = PTHREAD_ONCE_INIT;
static char device[256];

static _Thread_local struct {
    struct sweep_call call;
    uint64_t number; /* of the call */
    uint64_t ticked, ticked_calls;
    uint32_t ticks; /* since this call last called the port */
    /* A stack that is full can't take a signal. Aligned for the sanitizer. */
    _Alignas(16) uint8_t stack[STACK_BYTES];
} mine;

struct sweep_call sweep_guard_enter(struct sweep_worker *worker, const char *function)
{
    struct sweep_call before = mine.call;
    mine.number++;
    mine.call = (struct sweep_call){worker, function};
    return before;
}

void sweep_guard_leave(struct sweep_call before)
{
    mine.number++;
    mine.call = before;
}

void sweep_guard_name(const char *path)
{
    snprintf(device, sizeof device, "%s", path && *path ? path : "Brickyard's own device");
}

/* Nothing can be trusted to go on from here. */
static _Noreturn void stop(const char *function, const char *what)
{
    char text[512];
    int len = snprintf(text, sizeof text, "\nbrickyard: %s: %s %s; the sweep ends here\n", device,
                       function, what);
    if (write(STDERR_FILENO, text, (size_t)len) < 0)
        _exit(8);
    _exit(8);
}

/* Only addresses that are the same in each run: tokens and counts go by this text. */
static void describe(char *out, size_t len, const struct sweep_worker *worker,
                     const siginfo_t *info, int i)
{
    bool at_address = crash[i] == SIGSEGV || crash[i] == SIGBUS;
    uintptr_t address = (uintptr_t)info->si_addr;
    if (!at_address)
        snprintf(out, len, "crashes: %s", crash_name[i]);
    else if (worker && address - (uintptr_t)worker->wall < worker->wall_bytes)
        snprintf(out, len, "crashes: %s behind its RAM, ram_bytes = %u", crash_name[i],
                 worker->dut->ram_bytes);
    else if (info->si_code != SI_KERNEL && address <= UINT32_MAX)
        snprintf(out, len, "crashes: %s at address 0x%lx", crash_name[i], (unsigned long)address);
    else
        snprintf(out, len, "crashes: %s at an address that is none", crash_name[i]);
}

static void on_crash(int signal, siginfo_t *info, void *context)
{
    char what[96];
    struct sweep_call call = mine.call;
    int i = 0;
    (void)context;
    while (crash[i] != signal)
        i++;
    if (!call.function) { /* the host's own: what would have happened without us */
        sigaction(signal, &crash_before[i], NULL);
        if (info->si_code <= 0)
            raise(signal);
        return;
    }
    describe(what, sizeof what, call.worker, info, i);
    mine.call.function = NULL;
    if (!call.worker)
        stop(call.function, what);
    sweep_break(call.worker, REP_PROMISE_NO_BRICK, "%s %s", call.function, what);
}

static void on_tick(int signal)
{
    struct sweep_call call = mine.call;
    uint64_t calls = call.worker ? call.worker->calls : 0;
    (void)signal;
    if (!call.function || mine.ticked != mine.number || mine.ticked_calls != calls)
        mine.ticks = 0;
    mine.ticked = mine.number;
    mine.ticked_calls = calls;
    if (!call.function || ++mine.ticks < TICKS_MAX)
        return;
    mine.call.function = NULL;
    mine.ticks = 0;
    if (!call.worker)
        stop(call.function, "never returns, and calls nothing");
    char what[96];
    snprintf(what, sizeof what, "%s never returns, and calls nothing", call.function);
    sweep_endless(call.worker, what);
}

/* Stays for the process: what is outside of a call goes on to what was there before. */
static void install(void)
{
    struct sigaction act = {.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
    act.sa_sigaction = on_crash;
    for (int i = 0; i < CRASHES; i++)
        sigaction(crash[i], &act, &crash_before[i]);
    struct sigaction tick = {.sa_flags = SA_ONSTACK | SA_NODEFER | SA_RESTART};
    tick.sa_handler = on_tick;
    sigaction(SIGRTMIN, &tick, NULL);
}

void sweep_guard_begin(struct sweep_guard *guard)
{
    const struct itimerspec every = {{0, TICK_MS * 1000000L}, {0, TICK_MS * 1000000L}};
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGRTMIN};
    stack_t stack = {.ss_sp = mine.stack, .ss_size = sizeof mine.stack};
    pthread_once(&once, install);
    event._sigev_un._tid = gettid();
    sigaltstack(&stack, &guard->before);
    guard->timed = timer_create(CLOCK_THREAD_CPUTIME_ID, &event, &guard->timer) == 0;
    if (guard->timed)
        timer_settime(guard->timer, 0, &every, NULL);
}

void sweep_guard_end(struct sweep_guard *guard)
{
    if (guard->timed)
        timer_delete(guard->timer);
    sigaltstack(&guard->before, NULL);
}
