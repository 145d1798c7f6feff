/*
 * One physical controller: a queue that one thread works off, so that no two commands ever meet on
 * its wire. It opens the hardware when it is first needed and again after an error, tries again,
 * reads back where the hardware can, keeps minimum off-times, and counts every operation of every
 * contact.
 *
 *   ask ──► queue ──► thread: wait until due ──► driver ──► read back ──► answer
 *                                   ▲                 │ error: again, `retries` times
 *                                   └─────────────────┘ then FAILED until an `off` succeeds
 *
 * Requests of one channel keep their order; one that waits (off-time, not_before_us) holds up no
 * other channel. FAILED: after an error that leaves a channel's state unknown, everything but OFF
 * (and READ) of this controller's channel is answered RIG_EFAILED until an OFF of it succeeded; a
 * READ that fails is no such error, it moves nothing. The odometer's file keeps it over restarts;
 * without an odometer it ends with the controller.
 * Off-time is counted from the last OFF that was done, not slept: an ON that comes late enough
 * waits for nothing. Before the first OFF it is counted from rig_controller_open: another program
 * may have switched off just before.
 *
 * Every function may be called by any thread, but open and close of a controller with a loop by
 * the loop's alone. An open controller keeps its loop running (ev_break ends it); an answer may
 * close it. Times are rig_port_now_us(). NULL is misuse unless a line allows it.
 *
 * Here OFF and ON are those of what hangs on the channel, a board's power say. Where a closed
 * contact takes that away, the ask says `inverted`: then OFF closes the contact and ON opens it,
 * what is read back is turned over, and FAILED, off-times and PULSE go by the function as ever.
 * All asks of one channel say the same.
 */
#ifndef RIG_CONTROLLER_H
#define RIG_CONTROLLER_H

#include "rig/relay.h"
#include <ev.h>

struct rig_controller;
struct rig_odometer;

struct rig_controller_config { /* borrowed until close */
    const char *name;          /* of the bench file: "bank-1" */
    const struct rig_relay_driver *driver;
    const struct rig_setting_value *value;
    uint32_t timeout_ms, retries;  /* of one exchange; further tries after the first */
    uint64_t rated_cycles;         /* of a contact; 0: not known */
    struct rig_odometer *odometer; /* NULL: none */
    struct ev_loop *loop;          /* answers are called from here; NULL: only the blocking calls */
};

enum rig_want { RIG_WANT_OFF, RIG_WANT_ON, RIG_WANT_READ, RIG_WANT_PULSE, RIG_WANT_LEVEL };

struct rig_answer {
    int error; /* RIG_OK or enum rig_error */
    enum rig_want want;
    uint32_t channel;
    bool on;          /* READ, and where read back: as the hardware says; else as commanded.
                         Of the function: turned over where the ask was `inverted` */
    bool confirmed;   /* the hardware was read back */
    uint32_t tries;   /* 1: at once */
    int64_t asked_us; /* when it was put into the queue */
    int64_t sent_us;  /* just before the last try's first byte; 0: nothing was sent. PULSE, LEVEL:
                         of the first half, of the first step */
    int64_t done_us;  /* when the driver returned, before reading back; PULSE, LEVEL: of the last */
    uint64_t cycles;  /* of this contact, this operation included; 0: no odometer */
    bool worn;        /* more than half of rated_cycles */
    char message[200]; /* "" when RIG_OK */
};
typedef void rig_answered(void *ctx, const struct rig_answer *answer);

struct rig_ask {
    enum rig_want want;
    uint32_t channel;
    int64_t not_before_us; /* it is sent at this time, as exactly as the thread wakes; 0: at once */
    uint32_t off_at_least_ms; /* ON: since the channel's last OFF; PULSE: its ON too */
    uint32_t ms;   /* PULSE: how long, by the hardware itself where the driver has pulse (rounded up
                      to its grain), else by two commands. LEVEL: over how long, in steps of 20 ms; a
                      step that is late is left out, an error ends the ramp where it is */
    bool on;       /* PULSE: which way first */
    bool inverted; /* the contact is open when the channel's function is on */
    uint32_t from_mv, millivolts; /* LEVEL: ramp from, to; ms 0: at once */
    rig_answered *answered;       /* from the loop; NULL: not wanted */
    void *ctx;
};

/* Starts the thread; touches no hardware. What the odometer's file has as FAILED is so from now on.
 * RIG_OK or RIG_EMEMORY. */
int rig_controller_open(struct rig_controller **out, const struct rig_controller_config *config);
/* What was begun is finished (with its further tries, a pulse with its second half), what waits is
 * answered by nobody; a rig_controller_do that waits returns RIG_EGONE. Switches nothing else. NULL
 * allowed. */
void rig_controller_close(struct rig_controller *controller);

/* Copied into the queue. RIG_OK, RIG_EUNSUPPORTED (the driver can't, or no such channel) or
 * RIG_EMEMORY. */
int rig_controller_ask(struct rig_controller *controller, const struct rig_ask *ask);
/* Asks and waits; ask->answered is not called. Returns answer->error. */
int rig_controller_do(struct rig_controller *controller, struct rig_answer *answer,
                      const struct rig_ask *ask);

/* Closes the hardware and returns when other programs can have it; does nothing while something is
 * being done or waits, nor with a driver that `holds`. It is opened again when it is next needed.
 * What was FAILED stays so, unless another program with the same odometer switched it off, or made
 * others FAILED, in between; else nothing is known of the contacts then, and off-times are counted
 * from that request. */
void rig_controller_rest(struct rig_controller *controller);

struct rig_controller_facts {
    uint64_t asked, done, failed; /* requests; failed: by their last try, or refused as FAILED */
    uint64_t retried;             /* further tries */
    uint64_t opened;              /* how often the hardware was opened */
    uint32_t failed_channels;     /* how many are FAILED now */
};
void rig_controller_facts(struct rig_controller *controller, struct rig_controller_facts *out);

/* ---- Odometer: operations of every contact, over all runs, in SQLite ---- */

/* path: made if it is not there; several processes may have it open, and it may hold other tables.
 * Each OFF to ON and ON to OFF that was commanded is one operation; two make a cycle. The first
 * command to a contact that stood nobody knows how counts too, and one whose outcome is not known.
 * A power cut of the host may lose the last operations. RIG_EOPEN with message: not a database, no
 * such folder; RIG_EBUSY: locked for seconds. */
int rig_odometer_open(struct rig_odometer **out, const char *path, char *message, size_t len);
void rig_odometer_close(struct rig_odometer *odometer); /* NULL allowed */
/* These return RIG_EBUSY where another process keeps the database locked for longer than 0.5 s, and
 * RIG_EOPEN where it can't be read or written. A controller whose count failed counts it with the
 * channel's next answer. */

/* Counts one; *cycles: of this contact since it was new, halves rounded down. */
int rig_odometer_count(struct rig_odometer *odometer, const char *controller, uint32_t channel,
                       uint64_t *cycles);
int rig_odometer_read(struct rig_odometer *odometer, const char *controller, uint32_t channel,
                      uint64_t *cycles);
/* The relay was changed for a new one. */
int rig_odometer_reset(struct rig_odometer *odometer, const char *controller, uint32_t channel);

/* Which channels are FAILED, and why; a new relay does not heal one, an OFF does. Written by
 * controllers with the answer that fails or heals it; where that fails (a full disk), with the
 * channel's next answer. */
int rig_odometer_fail(struct rig_odometer *odometer, const char *controller, uint32_t channel,
                      const char *cause);
int rig_odometer_heal(struct rig_odometer *odometer, const char *controller, uint32_t channel);
typedef void rig_odometer_each_failed(void *ctx, uint32_t channel, const char *cause);
/* each: with the odometer locked, it must not use it. */
int rig_odometer_failed(struct rig_odometer *odometer, const char *controller,
                        rig_odometer_each_failed *each, void *ctx);

#endif
