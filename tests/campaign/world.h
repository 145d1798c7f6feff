/*
 * A scripted fleet around the real service: devices answer notifications and commands by a script,
 * telemetry comes once a day in one run. Time jumps from one event to the next, on the service's
 * grid of 10 s. The service can be closed and opened again after every tick, or killed with a
 * tick's inputs not committed.
 */
#ifndef TEST_CAMPAIGN_WORLD_H
#define TEST_CAMPAIGN_WORLD_H

#include "camp/campaign.h"
#include "sim/queue.h"

#define SECOND INT64_C(1000000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)
#define START (INT64_C(1773914400) * SECOND) /* Thu 2026-03-19 10:00:00 UTC */

enum script {
    HEALTHY,
    MUTE, /* never says a word */
    DOWNLOAD_FAILS,
    DOWNLOAD_LATER, /* download_failed, and a day later confirmed */
    VERIFY_FAILS,
    REFUSES,
    ROLLS_BACK,   /* by its watchdog */
    UNHEALTHY,    /* a health check fails */
    BRICKS,       /* nothing after rebooting */
    SLEEPS,       /* nothing for 20 h after rebooting, then confirmed */
    CRASHES,      /* an unplanned reset 3 h after confirming */
    QUIET,        /* no telemetry after confirming */
    DOWNLOADS_ON, /* is still downloading after a day */
    SLOW_PONG,
    NO_PONG,
    GROWS /* memory up by half */
};

enum restart { STRAIGHT, RESTART_EACH_TICK, KILL_BEFORE_COMMIT };

struct message {
    int64_t at_us;
    const char *status; /* NULL: a pong */
    const char *reason;
    char id[24]; /* of the command that a pong answers */
};

struct device {
    enum script script;
    uint32_t seq, messages;
    struct message message[16];
    int64_t confirmed_us, telemetry_us;
    bool crash_told, on_candidate;
    uint32_t notifications, defers, rollbacks, applies, pings;
    int64_t notified_us; /* first time */
};

struct input {
    uint32_t device;
    int64_t at_us;
    bool telemetry, pong;
    char json[400];
    struct camp_telemetry run;
};

struct world {
    struct scn_campaign plan;
    struct camp_config config;
    struct camp_device_info *info;
    struct device *device;
    sqlite3 *db;
    struct camp *camp;
    struct sim_queue queue;
    enum restart restart;
    bool no_telemetry;
    int64_t now_us;
    uint32_t inputs, inputs_room;
    struct input *input;
    uint32_t ticks;
    double service_s; /* CPU time inside the service */
    char last_notification[2048];
    void (*on_notified)(struct world *world, uint32_t device); /* may be NULL */
    void *ctx;
};

/* labs first, then the fleet: sites s-00..s-04, half of the devices low, standard phases, no
 * windows. */
void world_init(struct world *world, uint32_t labs, uint32_t fleet);
void world_open(struct world *world);
/* Until the service is done or the time is reached. */
void world_run(struct world *world, int64_t until_us);
void world_tick(struct world *world); /* the next one, whatever is due */
void world_run_days(struct world *world, int days);
void world_free(struct world *world);

/* Phase `number` of a fresh one-phase plan: share 100 %, held for hold_us, with the gates added
 * after. */
struct scn_phase *world_single_phase(struct world *world, int64_t hold_us);
void world_gate(struct scn_phase *phase, enum scn_metric metric, enum scn_compare compare,
                int64_t num, int64_t den);
/* A status by hand, delivered at once. */
void world_say(struct world *world, uint32_t device, uint32_t seq, const char *status,
               const char *reason);
uint32_t world_count(const struct world *world, enum rep_outcome outcome);
const struct rep_phase *world_phase(const struct rep_result *result, const char *name_part);
const struct rep_gate *world_find_gate(const struct rep_phase *phase, const char *metric);

#endif
