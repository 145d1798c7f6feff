/* What the files of a controller know of each other. */
#ifndef RIG_CONTROLLER_INTERNAL_H
#define RIG_CONTROLLER_INTERNAL_H

#include "queue.h"

/* ---- Answers, on their way to the loop ---- */

struct rig_post {
    struct ev_loop *loop; /* NULL: nobody listens */
    ev_async wake;
    pthread_mutex_t *lock; /* the controller's */
    struct rig_request *first, *last;
    bool *closed; /* set while an answer is being given: close may be called by it */
};
void rig_post_open(struct rig_post *post, struct ev_loop *loop, pthread_mutex_t *lock);
/* What has not been given is thrown away. By the loop's thread. */
void rig_post_close(struct rig_post *post);
/* Takes the request. Under the lock. */
void rig_post_put(struct rig_post *post, struct rig_request *request);

/* ---- The hardware, as the thread has it ---- */

struct rig_controller {
    const struct rig_controller_config *config;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t work;    /* something was put into the queue, or it is closing */
    pthread_cond_t left;    /* the last waiter has left, or the hardware rests */
    struct rig_queue queue; /* lock */
    struct rig_post post;   /* lock */
    uint32_t waiters;       /* lock: inside rig_controller_do or _rest */
    bool rest;              /* lock: somebody waits for the hardware to be closed */
    bool rested;            /* lock: it was, and has not been needed since */
    bool looked;            /* lock: FAILED is as the odometer's file had it when last needed */
    bool closing;           /* lock */
    bool tried_ahead;       /* lock: the hardware was opened, or can't be, ahead of time */
    struct rig_controller_facts facts; /* lock */

    struct rig_relay *relay; /* only the thread; NULL: not open */
};

/* RIG_OK, or what the driver said. */
int rig_hardware_open(struct rig_controller *controller, char *message, size_t len);
void rig_hardware_close(struct rig_controller *controller);

/* FAILED as the odometer's file has it: other programs, and runs before this one. What could not be
 * written there yet is kept. Not under the lock. */
void rig_failed_look(struct rig_controller *controller);
/* The channel's, into that file, where it has changed. An error: tried again with its next answer.
 */
int rig_failed_save(const struct rig_controller *controller, struct rig_channel *channel);
/* Under the lock. */
void rig_failed_set(struct rig_controller *controller, struct rig_channel *channel, bool failed);

/* The next step of the channel's first request. True: it has ended, its answer is whole. */
bool rig_request_work(struct rig_controller *controller, struct rig_channel *channel,
                      struct rig_request *request);
/* Its answer is this error. */
void rig_request_refuse(const struct rig_controller *controller, struct rig_request *request,
                        int error, const char *message);
enum rig_step rig_request_first_step(const struct rig_ask *ask);

#endif
