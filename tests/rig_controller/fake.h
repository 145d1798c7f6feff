/*
 * Relay hardware that is stricter than any: it notes two calls at once, calls on a handle that is
 * closed or was lost by an error, and channels that it does not have. What it did is in a log with
 * times; errors come at the call that the test says, before or after the contact has moved.
 */
#ifndef FAKE_H
#define FAKE_H

#include "rig/controller.h"
#include <pthread.h>
#include <stdatomic.h>

enum { FAKE_CHANNELS = 8, FAKE_LOG_MAX = 16384, FAKES = 4 };

enum fake_call { FAKE_OPEN, FAKE_CLOSE, FAKE_SET, FAKE_GET, FAKE_PULSE, FAKE_LEVEL };

struct fake_entry {
    enum fake_call call;
    uint32_t channel, value; /* value: contact closed, millivolts */
    uint32_t ms;             /* PULSE */
    int64_t at_us;
    int error;
};

struct fake_fault {
    uint32_t at; /* the how manieth fallible call, from 1; 0: none */
    bool always; /* from then on */
    bool after;  /* the contact has moved, the answer was lost */
    int error;
};

struct fake {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    atomic_bool inside;
    atomic_uint violations;
    struct rig_relay *relay; /* the open one */
    bool closed[FAKE_CHANNELS + 1];
    uint32_t moves[FAKE_CHANNELS + 1];
    bool welded[FAKE_CHANNELS + 1]; /* takes each command, and stays */
    uint32_t settle_reads; /* a contact moves at so manieth reading after its command; 0: at once */
    bool endless;          /* a pulse's timer never ends */
    bool holds; /* by fake_held: all contacts open when it is closed, and only "gone" loses it */
    uint32_t reads_left[FAKE_CHANNELS + 1];
    int64_t back_at_us[FAKE_CHANNELS + 1]; /* 0: not in a pulse */
    bool going_to[FAKE_CHANNELS + 1], going_back_to[FAKE_CHANNELS + 1];
    struct fake_fault fault;
    uint32_t fallible;
    uint32_t held; /* a set of this channel waits in the driver until fake_let_go; 0: none */
    bool is_held;
    uint32_t logged;
    struct fake_entry log[FAKE_LOG_MAX];
};
extern struct fake fakes[FAKES];

/* What a controller of fake n is opened with. */
const struct rig_setting_value *fake_setting(uint32_t n);

extern const struct rig_relay_driver fake_plain;    /* set */
extern const struct rig_relay_driver fake_readable; /* set, get */
extern const struct rig_relay_driver fake_full;     /* set, get, pulse, level */
extern const struct rig_relay_driver fake_blind;    /* set, pulse */
extern const struct rig_relay_driver fake_held;     /* set, get; `holds`, as GPIO lines */

/* Whether the contact is closed now. */
bool fake_closed(struct fake *fake, uint32_t channel);
/* Waits until a set of this channel is inside the driver, which was told to hold it. */
void fake_hold(struct fake *fake, uint32_t channel);
void fake_wait_held(struct fake *fake);
void fake_let_go(struct fake *fake);
/* How many calls of this kind are in the log; only while the controller is at rest. */
uint32_t fake_count(const struct fake *fake, enum fake_call call);

#endif
