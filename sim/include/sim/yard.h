/*
 * The yard of a ground on real sockets: what loopback, processes and boards stand on alike. A libev
 * loop that SIGINT and SIGTERM interrupt, the world's clock, mosquitto and nginx with the
 * scenario's images, and the campaign service's desk at the broker.
 *
 * Owned by the ground, zeroed before sim_yard_begin, not copied while it is open. One thread. Times
 * are the world's, in microseconds. Functions that return int: 0, or -1 with the reason in message.
 * sim_yard_close takes it in any state. NULL is misuse unless a line allows it. Nothing of it
 * survives.
 */
#ifndef SIM_YARD_H
#define SIM_YARD_H

#include "drivers/tls.h"
#include "sim/desk.h"
#include "sim/given.h"
#include "sim/host.h"
#include "sim/servers.h"
#include "sim/world.h"
#include <ev.h>

/* The fleet gathers for so long before the scenario's time begins. */
enum { SIM_YARD_GATHER_S = 60 };

/* Does the broker answer? Times of the host's clock. */
struct sim_yard_pulse {
    uint64_t signs;
    int64_t looked_us, asked_us;
    int64_t silent_us, silent_us_max; /* since the last sign of life; what ends the run */
    int64_t settle_us;                /* still, after a silence */
    int64_t answered_from_us;         /* of the world's clock: the end of the last silence */
};

struct sim_yard {
    const struct scn *scn;
    const struct sim_given *given; /* somebody else's servers; NULL: both are the yard's own */
    struct sim_world *world;
    struct ev_loop *loop;
    struct ev_timer wake;
    struct ev_signal stop[2];
    bool interrupted;
    struct sim_host_clock clock;
    struct sim_servers servers;
    bool servers_run;
    struct agent_tls *tls, *store_tls; /* towards the broker, towards the store */
    struct sim_desk *desk;
    struct sim_yard_pulse pulse;
    char broker_ip[16], service_secret[SIM_SECRET_MAX]; /* borrowed by the desk */
};

/* Takes scenario and world, sets the world's pace and birth. given: NULL: none. */
void sim_yard_begin(struct sim_yard *yard, const struct scn *scn, const struct sim_given *given,
                    struct sim_world *world);

struct sim_yard_servers {
    int64_t certified_from_ms;              /* Unix time */
    bool mutual_tls, broker_bad, store_bad; /* listeners: by certificate; with a bad certificate */
};
/* The loop first: from then on a signal does not end the process with servers left behind. Then the
 * servers and what they serve, or the check of those that were given; the world's URLs point there
 * afterwards. */
int sim_yard_open(struct sim_yard *yard, const struct sim_yard_servers *servers, char *message,
                  size_t len);
/* The drivers' TLS, with the run's authority or the given one; once. */
int sim_yard_open_tls(struct sim_yard *yard, char *message, size_t len);

/* What the desk tells; see sim/desk.h. */
struct sim_yard_ears {
    void (*said)(void *ctx, enum sim_said what, uint32_t device, const char *json, uint32_t len);
    void (*presence)(void *ctx, uint32_t device, bool online); /* may be NULL */
    void *ctx;
};
/* Connects, within 30 s. An interrupted yard is no error here: the run tells of it. */
int sim_yard_open_desk(struct sim_yard *yard, const struct sim_ground_fleet *fleet,
                       const struct sim_yard_ears *ears, char *message, size_t len);
void sim_yard_close(struct sim_yard *yard);

/* In a child process that was forked after sim_yard_open: a loop of its own, for which no signal is
 * caught; the servers stay its parent's, and so does what they signed so far: `number`, from 0, is
 * another in each child. 0 or -1 with the reason. */
int sim_yard_fork(struct sim_yard *yard, uint32_t number, char *message, size_t len);

/* The world's clock. */
int64_t sim_yard_now_us(const struct sim_yard *yard);
int64_t sim_yard_utc_ms(void *yard); /* the same; for struct agent_clock */
void sim_yard_set_clock(struct sim_yard *yard, int64_t now_us);

/* One pass of the loop, until something happens or it is due_us. */
void sim_yard_wait(struct sim_yard *yard, int64_t due_us);
/* To be called after each few passes of the loop. -1: interrupted, a server ended by itself in the
 * middle of the run, or the broker has not answered for too long. */
int sim_yard_stands(struct sim_yard *yard, char *message, size_t len);

/* pulse.c */
/* For how long it may be silent; by the environment. */
int sim_yard_pulse_limit(struct sim_yard *yard, char *message, size_t len);
void sim_yard_pulse_begin(struct sim_yard *yard); /* the desk is up */
/* Asks for a sign of life when it is time to, and counts; -1 as sim_yard_stands. */
int sim_yard_pulse(struct sim_yard *yard, char *message, size_t len);
/* The broker has answered just now, and those whom a silence of it had kept away have had their
 * time to come back: what is not heard of a device is its own silence. */
bool sim_yard_answers(const struct sim_yard *yard);
/* Since when it does without a break, of the world's clock. */
int64_t sim_yard_answered_from_us(const struct sim_yard *yard);
/* Before the verdict: the broker gives one more sign of life. -1 as sim_yard_stands. */
int sim_yard_answers_still(struct sim_yard *yard, char *message, size_t len);

/* given.c */
bool sim_yard_is_given(const struct sim_yard *yard, enum sim_given_kind kind);
/* A certificate that was not made for the run is judged by the real clock. */
struct agent_clock sim_yard_clock(const struct sim_yard *yard, const struct agent_clock *of_world);
const char *sim_yard_broker_name(const struct sim_yard *yard); /* in its certificate */
/* What this user, or device `number`, shows to the broker, whosever it is. */
void sim_yard_account(const struct sim_yard *yard, const char *user, uint32_t number,
                      char out[SIM_SECRET_MAX]);
/* Does an edge of the run stand in for a given store? */
bool sim_yard_stands_in(const struct sim_yard *yard);
int sim_yard_check_given(struct sim_yard *yard, char *message, size_t len);
/* Before a verdict on downloads that failed: the given store is looked at once more. */
int sim_yard_store_serves(struct sim_yard *yard, char *message, size_t len);
/* What this run left at somebody else's broker is taken away; as far as it goes. */
void sim_yard_tidy_given(struct sim_yard *yard);

/* What device `number` shows to the yard's own broker; drawn by the seed. */
void sim_yard_secret(const struct scn *scn, uint32_t number, char out[SIM_SECRET_MAX]);
/* Its own address at servers and proxies: 127.x.y.z of base + number. */
enum { SIM_YARD_ADDRESS_MAX = 16 };
void sim_yard_address(uint32_t base, uint32_t number, char out[SIM_YARD_ADDRESS_MAX]);

#endif
