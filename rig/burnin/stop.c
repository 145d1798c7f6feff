#include "stop.h"
#include <pthread.h>
#include <signal.h>
#include <time.h>

static sigset_t stops(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    return set;
}

void bi_stop_hold(void)
{
    const sigset_t set = stops();
    pthread_sigmask(SIG_BLOCK, &set, NULL);
}

void bi_stop_release(void)
{
    const sigset_t set = stops();
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

/* Another signal's handler may end the wait early: it only is a pause. */
bool bi_stop_came(int64_t within_ms)
{
    const sigset_t set = stops();
    const struct timespec within = {within_ms / 1000, within_ms % 1000 * 1000000};
    return sigtimedwait(&set, NULL, &within) > 0;
}
