/* Requests by channel: the first of each channel is the one that may be worked on, the earliest of
 * those is next. Not locked: the controller's lock is around it. */
#ifndef RIG_CONTROLLER_QUEUE_H
#define RIG_CONTROLLER_QUEUE_H

#include "rig/controller.h"
#include <pthread.h>

enum rig_step {
    RIG_STEP_SWITCH,  /* the driver's set, or pulse; asks for CONFIRM where it can be read back */
    RIG_STEP_CONFIRM, /* read back until it is as commanded, at most until confirm_until_us */
    RIG_STEP_ELAPSED, /* a pulse of the hardware's own that can't be read back is over */
    RIG_STEP_READ,
    RIG_STEP_LEVEL, /* one value of a ramp */
    RIG_STEPS
};

struct rig_waiter { /* on the stack of rig_controller_do; by the controller's lock */
    struct rig_answer *answer;
    pthread_cond_t woken;
    bool answered;
};

struct rig_request {
    struct rig_request *next; /* of its channel, later of the answers */
    struct rig_ask ask;
    struct rig_answer answer;
    struct rig_waiter *waiter; /* NULL: answered from the loop, if at all */
    uint64_t number;           /* in order of asking */

    /* Only the thread: */
    enum rig_step step;
    bool begun;
    bool back;                /* PULSE: its second half */
    bool timed;               /* PULSE: the hardware ends it by itself */
    bool state_unknown;       /* since a try of this request */
    uint32_t failures;        /* of this half, in a row */
    int64_t due_us;           /* of the next step, once begun */
    int64_t confirm_until_us; /* CONFIRM: from then on another state is an error */
    int64_t ramp_us;          /* LEVEL: when the ramp began; 0: not yet */
};

struct rig_channel {
    struct rig_channel *next;
    struct rig_request *first, *last;
    uint32_t number;

    /* Only the thread, but `failed`: written under the lock, read by the thread without. */
    bool failed;
    bool saved;          /* the odometer's file has it as FAILED */
    bool seen;           /* while that file is read: it has a row of this channel */
    char cause[120];     /* why FAILED */
    int64_t last_off_us; /* when the last OFF was done; before the first: when the thread began */
    enum { RIG_CONTACT_UNKNOWN, RIG_CONTACT_OPEN, RIG_CONTACT_CLOSED } contact;
    uint32_t uncounted; /* operations that the odometer has yet to take */
};

struct rig_queue {
    struct rig_channel *channels;
    uint64_t asked;
    int64_t opened_us;
};

/* Made where there is none; NULL: no memory. */
struct rig_channel *rig_queue_channel(struct rig_queue *queue, uint32_t number);
/* RIG_OK or RIG_EMEMORY: the request is still the caller's. */
int rig_queue_put(struct rig_queue *queue, struct rig_request *request);
/* The channel whose first request is due first (the one asked for first, of several), and when.
 * only_begun: none that were not begun. NULL: nothing waits. */
struct rig_channel *rig_queue_next(const struct rig_queue *queue, bool only_begun, int64_t *due_us);
struct rig_request *rig_queue_take(struct rig_channel *channel); /* the first of it; NULL: none */
/* Others may have switched: no contact is known, and off-times are counted from now. */
void rig_queue_forget(struct rig_queue *queue);
void rig_queue_free(struct rig_queue *queue); /* what waits is the caller's to take first */

/* Whether this request is answered RIG_EFAILED on a FAILED channel. */
bool rig_request_is_refused(const struct rig_channel *channel, const struct rig_request *request);

#endif
