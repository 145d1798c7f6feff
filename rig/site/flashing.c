/*
 * The flashing command of a board takes minutes: it is watched by a thread of its own, and the loop
 * goes on, so that SIGINT and SIGTERM end it, with all that it started.
 */
#include "site_internal.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct flashing {
    const struct sim_body *body;
    const char *log;
    char *why;
    size_t len;
    int error;
    atomic_bool over;
    ev_async wake;
};

/* ---- Interrupted ---- */

static void interrupt(struct ev_loop *loop, ev_signal *signal, int events)
{
    struct rig_site *site = signal->data;
    (void)loop, (void)events;
    site->interrupted = true;
    ssize_t put = write(site->stop[1], "", 1); /* it stays readable: nobody reads it */
    (void)put;
}

int rs_flashing_begin(struct rig_site *site, char *message, size_t len)
{
    static const int number[] = {SIGINT, SIGTERM};
    if (pipe2(site->stop, O_CLOEXEC | O_NONBLOCK)) {
        snprintf(message, len, "no pipe: %s", strerror(errno));
        return -1;
    }
    for (int i = 0; i < 2; i++) {
        ev_signal_init(&site->ends[i], interrupt, number[i]);
        site->ends[i].data = site;
        ev_signal_start(site->run->loop, &site->ends[i]);
    }
    return 0;
}

void rs_flashing_end(struct rig_site *site)
{
    for (int i = 0; i < 2 && site->stop[0] >= 0; i++)
        ev_signal_stop(site->run->loop, &site->ends[i]);
    for (int i = 0; i < 2; i++) {
        if (site->stop[i] >= 0)
            close(site->stop[i]);
        site->stop[i] = -1;
    }
}

/* ---- The command ---- */

static void *watch(void *argument)
{
    struct flashing *f = argument;
    const struct sim_body *body = f->body;
    f->error = rig_flash_board(body->board, body->place->lock, body->given->flash, f->log,
                               body->site->stop[0], f->why, f->len);
    atomic_store(&f->over, true);
    ev_async_send(body->site->run->loop, &f->wake);
    return NULL;
}

static void woken(struct ev_loop *loop, ev_async *wake, int events)
{
    (void)loop, (void)wake, (void)events;
}

/* Signals are for the loop's thread. */
static int start(pthread_t *thread, struct flashing *f)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(thread, NULL, watch, f);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failed;
}

int rs_flashing_do(struct sim_body *body, const char *log, char *why, size_t len)
{
    struct ev_loop *loop = body->site->run->loop;
    struct flashing f = {.body = body, .log = log, .why = why, .len = len};
    pthread_t thread;
    ev_async_init(&f.wake, woken);
    ev_async_start(loop, &f.wake);
    if (start(&thread, &f)) {
        ev_async_stop(loop, &f.wake);
        return rig_port_say(RIG_EMEMORY, why, len, "no thread for its flashing command");
    }
    while (!atomic_load(&f.over))
        ev_run(loop, EVRUN_ONCE);
    pthread_join(thread, NULL);
    ev_async_stop(loop, &f.wake);
    return f.error;
}

/* ---- Waiting ---- */

static void passed(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop, (void)timer, (void)events;
}

int rs_wait_us(struct rig_site *site, int64_t us)
{
    struct ev_loop *loop = site->run->loop;
    ev_timer timer;
    int64_t until_us = rig_port_now_us() + us;
    while (!site->interrupted && rig_port_now_us() < until_us) {
        ev_now_update(loop);
        ev_timer_init(&timer, passed, (double)(until_us - rig_port_now_us()) / 1e6 + 1e-4, 0);
        ev_timer_start(loop, &timer);
        ev_run(loop, EVRUN_ONCE);
        ev_timer_stop(loop, &timer);
    }
    return site->interrupted ? RIG_EGONE : RIG_OK;
}
