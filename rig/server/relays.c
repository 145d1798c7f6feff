/* The ops of a bench: its locks, and its contacts through rig/wiring.h. */
#include "rig/server.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct rig_server_relays {
    const struct rig_bench *bench;
    struct rig_wiring *wiring;
    pthread_mutex_t mutex;
    uint32_t users[RIG_BENCH_CONTROLLERS_MAX]; /* requests inside, by controller */
};

int rig_server_relays_open(struct rig_server_relays **out, const struct rig_bench *bench,
                           char *message, size_t len)
{
    struct rig_server_relays *relays = calloc(1, sizeof *relays);
    *out = NULL;
    if (!relays)
        return rig_port_say(RIG_EMEMORY, message, len, "out of memory");
    int error = rig_wiring_open(&relays->wiring, bench, NULL, message, len);
    if (error) {
        free(relays);
        return error;
    }
    relays->bench = bench;
    pthread_mutex_init(&relays->mutex, NULL);
    *out = relays;
    return RIG_OK;
}

void rig_server_relays_close(struct rig_server_relays *relays)
{
    if (!relays)
        return;
    rig_wiring_close(relays->wiring);
    pthread_mutex_destroy(&relays->mutex);
    free(relays);
}

/* What a request has while it lasts: nobody else's run on its board, and the controller's hardware,
 * which a reboot must not lose between off and on. */
struct held {
    struct rig_lock *lock; /* NULL: a channel of no board */
    uint32_t controller;
};

/* Under the mutex to its end: a request that comes while the hardware is closed waits, and then
 * opens it again. */
static void leave(struct rig_server_relays *relays, uint32_t i)
{
    pthread_mutex_lock(&relays->mutex);
    if (!--relays->users[i])
        rig_controller_rest(rig_wiring_controller(relays->wiring, i));
    pthread_mutex_unlock(&relays->mutex);
}

static int take(void *ctx, void **out, const struct rig_outlet *outlet, char *message, size_t len)
{
    struct rig_server_relays *relays = ctx;
    int error = RIG_OK;
    if (!rig_wiring_controller(relays->wiring, outlet->controller))
        return rig_port_say(RIG_EUNSUPPORTED, message, len, "no board of the bench uses %s",
                            relays->bench->controller[outlet->controller].name);
    struct held *held = calloc(1, sizeof *held);
    if (!held)
        return rig_port_say(RIG_EMEMORY, message, len, "out of memory");
    if (outlet->board)
        error = rig_lock_take(&held->lock, relays->bench, outlet->board, "brickyard rig serve",
                              message, len);
    if (error) {
        free(held);
        return error;
    }
    held->controller = outlet->controller;
    pthread_mutex_lock(&relays->mutex);
    relays->users[held->controller]++;
    pthread_mutex_unlock(&relays->mutex);
    *out = held;
    return RIG_OK;
}

static void let_go(void *ctx, void *it)
{
    struct held *held = it;
    leave(ctx, held->controller);
    rig_lock_release(held->lock);
    free(held);
}

static int set(void *ctx, const struct rig_outlet *outlet, bool on, char *message, size_t len)
{
    struct rig_server_relays *relays = ctx;
    const struct rig_ask ask = {.want = on ? RIG_WANT_ON : RIG_WANT_OFF,
                                .channel = outlet->channel};
    struct rig_answer answer;
    int error = outlet->board
                    ? rig_wiring_do(relays->wiring, &answer, outlet->board, outlet->function,
                                    outlet->strap, &ask)
                    : rig_controller_do(rig_wiring_controller(relays->wiring, outlet->controller),
                                        &answer, &ask);
    if (error)
        snprintf(message, len, "%s", answer.message);
    return error;
}

const struct rig_server_ops rig_server_relays_ops = {take, let_go, set};
