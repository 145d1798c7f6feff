/* The thread of a controller, and what others see of it. */
#include "controller_internal.h"
#include <assert.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>

/* ---- The thread ---- */

/* Hardware that will be needed is opened before: opening takes longer than switching. An error is
 * told when it is needed. */
static void open_ahead(struct rig_controller *controller)
{
    char message[16];
    controller->tried_ahead = true;
    pthread_mutex_unlock(&controller->lock);
    (void)rig_hardware_open(controller, message, sizeof message);
    pthread_mutex_lock(&controller->lock);
}

static void look(struct rig_controller *controller)
{
    controller->looked = true;
    pthread_mutex_unlock(&controller->lock);
    rig_failed_look(controller);
    pthread_mutex_lock(&controller->lock);
}

static void wait_until(struct rig_controller *controller, int64_t due_us)
{
    struct timespec at = {.tv_sec = due_us / 1000000, .tv_nsec = due_us % 1000000 * 1000};
    pthread_cond_timedwait(&controller->work, &controller->lock, &at);
}

/* What waits keeps the hardware open: whoever asked for that rests it when it is done. */
static void rest(struct rig_controller *controller, bool something_waits)
{
    if (!something_waits && !controller->closing && !controller->config->driver->holds) {
        pthread_mutex_unlock(&controller->lock);
        rig_hardware_close(controller);
        pthread_mutex_lock(&controller->lock);
        controller->rested = true;
    }
    controller->rest = false;
    pthread_cond_broadcast(&controller->left);
}

/* The channel whose first request is due; NULL: closing, and what was begun is done. */
static struct rig_channel *wait_for_work(struct rig_controller *controller)
{
    for (;;) {
        int64_t due_us = 0;
        struct rig_channel *channel =
            rig_queue_next(&controller->queue, controller->closing, &due_us);
        if (channel && controller->rested) {
            controller->rested = false;
            controller->looked = false;
            rig_queue_forget(&controller->queue);
            continue;
        }
        if (channel && !controller->looked) {
            look(controller);
            continue;
        }
        if (controller->rest) {
            rest(controller, channel);
            continue;
        }
        if (channel && due_us <= rig_port_now_us())
            return channel;
        if (!channel && controller->closing)
            return NULL;
        if (!channel)
            pthread_cond_wait(&controller->work, &controller->lock);
        else if (!controller->relay && !controller->tried_ahead)
            open_ahead(controller);
        else
            wait_until(controller, due_us);
    }
}

/* Takes the request. */
static void answer(struct rig_controller *controller, struct rig_request *request)
{
    struct rig_waiter *waiter = request->waiter;
    if (!waiter) {
        rig_post_put(&controller->post, request);
        return;
    }
    *waiter->answer = request->answer;
    waiter->answered = true;
    pthread_cond_signal(&waiter->woken);
    free(request);
}

/* A cut that is due goes before other work of the machine, where the system allows it (root,
 * CAP_SYS_NICE, ulimit -r): 99 % of them are then sent within 0.1 ms instead of 4 ms on a machine
 * with seven times more work than cores. The thread waits in the kernel nearly always, and what
 * drivers start (RESET_ON_FORK) is not raised. */
static void be_prompt(void)
{
    const struct sched_param lowest = {.sched_priority = 1};
    prctl(PR_SET_TIMERSLACK, 1UL);                                          /* 50 us otherwise */
    (void)sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &lowest); /* of this thread */
}

static void *run(void *argument)
{
    struct rig_controller *controller = argument;
    struct rig_channel *channel;
    be_prompt();
    pthread_mutex_lock(&controller->lock);
    while ((channel = wait_for_work(controller))) {
        struct rig_request *request = channel->first;
        pthread_mutex_unlock(&controller->lock);
        bool ended = rig_request_work(controller, channel, request);
        pthread_mutex_lock(&controller->lock);
        if (!ended)
            continue;
        rig_queue_take(channel);
        if (request->answer.error)
            controller->facts.failed++;
        else
            controller->facts.done++;
        answer(controller, request);
    }
    pthread_mutex_unlock(&controller->lock);
    rig_hardware_close(controller);
    return NULL;
}

/* ---- Open and close ---- */

/* Signals are for the caller's threads: what drivers call is not always proof against EINTR. */
static int start(struct rig_controller *controller)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&controller->thread, NULL, run, controller);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error ? RIG_EMEMORY : RIG_OK;
}

static void make_locks(struct rig_controller *controller)
{
    pthread_condattr_t monotonic;
    pthread_mutexattr_t inherit; /* who asks does not hold up a thread of higher priority */
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutexattr_init(&inherit);
    pthread_mutexattr_setprotocol(&inherit, PTHREAD_PRIO_INHERIT);
    pthread_mutex_init(&controller->lock, &inherit);
    pthread_cond_init(&controller->work, &monotonic);
    pthread_cond_init(&controller->left, NULL);
    pthread_mutexattr_destroy(&inherit);
    pthread_condattr_destroy(&monotonic);
}

static void release(struct rig_controller *controller)
{
    rig_post_close(&controller->post);
    rig_queue_free(&controller->queue);
    pthread_cond_destroy(&controller->work);
    pthread_cond_destroy(&controller->left);
    pthread_mutex_destroy(&controller->lock);
    free(controller);
}

int rig_controller_open(struct rig_controller **out, const struct rig_controller_config *config)
{
    assert(out && config && config->name && config->driver);
    struct rig_controller *controller = calloc(1, sizeof *controller);
    *out = NULL;
    if (!controller)
        return RIG_EMEMORY;
    make_locks(controller);
    controller->config = config;
    controller->queue.opened_us = rig_port_now_us();
    rig_failed_look(controller); /* and again for the first request: others may be at it now */
    rig_post_open(&controller->post, config->loop, &controller->lock);
    int error = start(controller);
    if (error)
        release(controller);
    else
        *out = controller;
    return error;
}

static void let_waiters_go(struct rig_controller *controller)
{
    struct rig_request *request;
    for (struct rig_channel *channel = controller->queue.channels; channel;
         channel = channel->next) {
        while ((request = rig_queue_take(channel))) {
            rig_request_refuse(controller, request, RIG_EGONE, "the controller was closed");
            if (request->waiter)
                answer(controller, request);
            else
                free(request);
        }
    }
    while (controller->waiters)
        pthread_cond_wait(&controller->left, &controller->lock);
}

void rig_controller_close(struct rig_controller *controller)
{
    if (!controller)
        return;
    pthread_mutex_lock(&controller->lock);
    controller->closing = true;
    pthread_cond_signal(&controller->work);
    pthread_cond_broadcast(&controller->left);
    pthread_mutex_unlock(&controller->lock);
    pthread_join(controller->thread, NULL);
    pthread_mutex_lock(&controller->lock);
    let_waiters_go(controller);
    pthread_mutex_unlock(&controller->lock);
    release(controller);
}

/* ---- Asking ---- */

static bool can(const struct rig_relay_driver *driver, const struct rig_ask *ask)
{
    assert(ask->want <= RIG_WANT_LEVEL);
    if (ask->channel < driver->channel_first || ask->channel > driver->channel_last)
        return false;
    if (ask->want == RIG_WANT_READ)
        return driver->get;
    return ask->want == RIG_WANT_LEVEL ? driver->level != NULL : driver->set != NULL;
}

static struct rig_request *request_of(const struct rig_ask *ask, struct rig_waiter *waiter)
{
    struct rig_request *request = calloc(1, sizeof *request);
    if (!request)
        return NULL;
    request->ask = *ask;
    request->waiter = waiter;
    request->step = rig_request_first_step(ask);
    request->answer = (struct rig_answer){
        .want = ask->want, .channel = ask->channel, .tries = 1, .asked_us = rig_port_now_us()};
    return request;
}

/* Under the lock. */
static int put(struct rig_controller *controller, const struct rig_ask *ask,
               struct rig_waiter *waiter)
{
    if (!can(controller->config->driver, ask))
        return RIG_EUNSUPPORTED;
    struct rig_request *request = request_of(ask, waiter);
    if (!request)
        return RIG_EMEMORY;
    int error = rig_queue_put(&controller->queue, request);
    if (error) {
        free(request);
        return error;
    }
    controller->facts.asked++;
    controller->tried_ahead = false;
    pthread_cond_signal(&controller->work);
    return RIG_OK;
}

int rig_controller_ask(struct rig_controller *controller, const struct rig_ask *ask)
{
    assert(controller && ask);
    pthread_mutex_lock(&controller->lock);
    int error = put(controller, ask, NULL);
    pthread_mutex_unlock(&controller->lock);
    return error;
}

static void answer_unasked(const struct rig_controller *controller, struct rig_answer *out,
                           const struct rig_ask *ask, int error)
{
    struct rig_request request = {.ask = *ask};
    rig_request_refuse(controller, &request, error,
                       error == RIG_EMEMORY ? "no memory"
                                            : "no such channel, or its hardware can't do this");
    *out = request.answer;
    out->want = ask->want;
    out->channel = ask->channel;
    out->asked_us = rig_port_now_us();
}

int rig_controller_do(struct rig_controller *controller, struct rig_answer *out,
                      const struct rig_ask *ask)
{
    assert(controller && out && ask);
    struct rig_waiter waiter = {.answer = out};
    pthread_cond_init(&waiter.woken, NULL);
    pthread_mutex_lock(&controller->lock);
    controller->waiters++;
    int error = put(controller, ask, &waiter);
    if (error)
        answer_unasked(controller, out, ask, error);
    while (!error && !waiter.answered)
        pthread_cond_wait(&waiter.woken, &controller->lock);
    if (--controller->waiters == 0)
        pthread_cond_broadcast(&controller->left);
    pthread_mutex_unlock(&controller->lock);
    pthread_cond_destroy(&waiter.woken);
    return out->error;
}

void rig_controller_rest(struct rig_controller *controller)
{
    assert(controller);
    pthread_mutex_lock(&controller->lock);
    controller->waiters++;
    controller->rest = true;
    pthread_cond_signal(&controller->work);
    while (controller->rest && !controller->closing)
        pthread_cond_wait(&controller->left, &controller->lock);
    if (--controller->waiters == 0)
        pthread_cond_broadcast(&controller->left);
    pthread_mutex_unlock(&controller->lock);
}

void rig_controller_facts(struct rig_controller *controller, struct rig_controller_facts *out)
{
    pthread_mutex_lock(&controller->lock);
    *out = controller->facts;
    pthread_mutex_unlock(&controller->lock);
}
