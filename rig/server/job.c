#include "job.h"
#include "outlet.h"
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <time.h>

enum { DONE = 200, INVALID = 500, TAKEN = 409, BROKEN = 503 };

void rig_jobs_init(struct rig_jobs *jobs, const struct rig_server_config *config)
{
    pthread_condattr_t monotonic;
    *jobs = (struct rig_jobs){.config = config};
    pthread_mutex_init(&jobs->mutex, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&jobs->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

void rig_jobs_free(struct rig_jobs *jobs)
{
    pthread_cond_destroy(&jobs->changed);
    pthread_mutex_destroy(&jobs->mutex);
}

void rig_jobs_end(struct rig_jobs *jobs)
{
    pthread_mutex_lock(&jobs->mutex);
    jobs->ending = true;
    pthread_cond_broadcast(&jobs->changed);
    pthread_mutex_unlock(&jobs->mutex);
}

void rig_jobs_count(struct rig_jobs *jobs, bool one_more)
{
    pthread_mutex_lock(&jobs->mutex);
    jobs->running += one_more ? 1 : UINT32_MAX;
    pthread_cond_broadcast(&jobs->changed);
    pthread_mutex_unlock(&jobs->mutex);
}

static struct timespec in_ms(uint64_t ms)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    uint64_t ns = (uint64_t)at.tv_nsec + ms % 1000 * 1000000;
    at.tv_sec += (time_t)(ms / 1000 + ns / 1000000000);
    at.tv_nsec = (long)(ns % 1000000000);
    return at;
}

void rig_jobs_drain(struct rig_jobs *jobs, uint32_t ms)
{
    struct timespec end = in_ms(ms);
    pthread_mutex_lock(&jobs->mutex);
    while (jobs->running && pthread_cond_timedwait(&jobs->changed, &jobs->mutex, &end) != ETIMEDOUT)
        ;
    pthread_mutex_unlock(&jobs->mutex);
}

/* False: the server ends. */
static bool pass(struct rig_jobs *jobs, uint32_t seconds)
{
    struct timespec end = in_ms(seconds * 1000ull);
    pthread_mutex_lock(&jobs->mutex);
    while (!jobs->ending && seconds)
        if (pthread_cond_timedwait(&jobs->changed, &jobs->mutex, &end) == ETIMEDOUT)
            break;
    bool goes_on = !jobs->ending;
    pthread_mutex_unlock(&jobs->mutex);
    return goes_on;
}

static size_t turn_of(const struct rig_jobs *jobs, const struct rig_outlet *outlet)
{
    return outlet->board ? (size_t)(outlet->board - jobs->config->bench->board)
                         : RIG_BENCH_BOARDS_MAX + outlet->controller;
}

/* With the mutex. A request counts once, until it is answered. */
static bool may_wait(struct rig_jobs *jobs, bool *counted)
{
    if (!*counted && jobs->waiting < RIG_SERVER_WAITERS_MAX) {
        jobs->waiting++;
        *counted = true;
    }
    return *counted;
}

static bool may_delay(struct rig_jobs *jobs, bool *counted)
{
    pthread_mutex_lock(&jobs->mutex);
    bool may = may_wait(jobs, counted);
    pthread_mutex_unlock(&jobs->mutex);
    return may;
}

static void waits_no_more(struct rig_jobs *jobs, bool counted)
{
    pthread_mutex_lock(&jobs->mutex);
    jobs->waiting -= counted;
    pthread_mutex_unlock(&jobs->mutex);
}

enum turn { TURN_GOT, TURN_ENDED, TURN_FULL };

/* ENDED: the server ends, and it is nobody's turn any more. FULL: too many wait already. */
static enum turn turn_take(struct rig_jobs *jobs, size_t at, bool *counted)
{
    pthread_mutex_lock(&jobs->mutex);
    if (jobs->turn[at].serving != jobs->turn[at].next && !may_wait(jobs, counted)) {
        pthread_mutex_unlock(&jobs->mutex);
        return TURN_FULL;
    }
    uint64_t mine = jobs->turn[at].next++;
    while (!jobs->ending && jobs->turn[at].serving != mine)
        pthread_cond_wait(&jobs->changed, &jobs->mutex);
    bool got = jobs->turn[at].serving == mine && !jobs->ending;
    pthread_mutex_unlock(&jobs->mutex);
    return got ? TURN_GOT : TURN_ENDED;
}

static void turn_pass(struct rig_jobs *jobs, size_t at)
{
    pthread_mutex_lock(&jobs->mutex);
    jobs->turn[at].serving++;
    pthread_cond_broadcast(&jobs->changed);
    pthread_mutex_unlock(&jobs->mutex);
}

static unsigned ended(char *message, size_t len, const char *left)
{
    snprintf(message, len, "the server is ending; %s", left);
    return BROKEN;
}

static unsigned full(char *message, size_t len)
{
    snprintf(message, len,
             "%d requests wait for their delay or their turn already; nothing was "
             "switched",
             RIG_SERVER_WAITERS_MAX);
    return BROKEN;
}

static uint32_t delay_of(const struct rig_query *query)
{
    return query->delay_given                   ? query->delay_s
           : query->request == RIG_QUERY_REBOOT ? RIG_SERVER_DELAY_S
                                                : 0;
}

static unsigned switched(struct rig_jobs *jobs, const struct rig_outlet *outlet, bool on,
                         const char *left, char *message, size_t len)
{
    const struct rig_server_config *config = jobs->config;
    char what[RIG_SERVER_MESSAGE_MAX] = "", name[RIG_QUERY_NAME_MAX + 80];
    int error = config->ops->set(config->ctx, outlet, on, what, sizeof what);
    if (!error)
        return DONE;
    rig_outlet_text(outlet, config->bench, name, sizeof name);
    snprintf(message, len, "%s %s: %s: %s%s", name, on ? "on" : "off",
             rig_error_name(error) ? rig_error_name(error) : "error", what, left);
    return error == RIG_EUNSUPPORTED ? INVALID : BROKEN;
}

static unsigned reboot(struct rig_jobs *jobs, const struct rig_query *query,
                       const struct rig_outlet *outlet, char *message, size_t len)
{
    unsigned status = switched(jobs, outlet, false, "; not switched on again", message, len);
    if (status != DONE)
        return status;
    if (!pass(jobs, delay_of(query)))
        return ended(message, len, "it was switched off and not on again");
    return switched(jobs, outlet, true, "; it was switched off before", message, len);
}

static unsigned locked(struct rig_jobs *jobs, const struct rig_query *query,
                       const struct rig_outlet *outlet, char *message, size_t len)
{
    const struct rig_server_config *config = jobs->config;
    void *held = NULL;
    int error = config->ops->take(config->ctx, &held, outlet, message, len);
    if (error)
        return error == RIG_EBUSY ? TAKEN : error == RIG_EUNSUPPORTED ? INVALID : BROKEN;
    unsigned status =
        query->request == RIG_QUERY_REBOOT
            ? reboot(jobs, query, outlet, message, len)
            : switched(jobs, outlet, query->request == RIG_QUERY_ON, "", message, len);
    config->ops->let_go(config->ctx, held);
    return status;
}

static unsigned in_turn(struct rig_jobs *jobs, const struct rig_query *query,
                        const struct rig_outlet *outlet, bool *counted, char *message, size_t len)
{
    size_t at = turn_of(jobs, outlet);
    assert(at < RIG_TURNS);
    enum turn turn = turn_take(jobs, at, counted);
    if (turn != TURN_GOT)
        return turn == TURN_FULL ? full(message, len) : ended(message, len, "nothing was switched");
    unsigned status = locked(jobs, query, outlet, message, len);
    turn_pass(jobs, at);
    return status;
}

unsigned rig_job_do(struct rig_jobs *jobs, const struct rig_query *query,
                    const struct rig_outlet *outlet, char *message, size_t len)
{
    bool counted = false;
    unsigned status;
    if (delay_of(query) && !may_delay(jobs, &counted))
        return full(message, len);
    if (query->request != RIG_QUERY_REBOOT && !pass(jobs, delay_of(query)))
        status = ended(message, len, "nothing was switched");
    else
        status = in_turn(jobs, query, outlet, &counted, message, len);
    waits_no_more(jobs, counted);
    return status;
}
