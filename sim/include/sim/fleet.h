/*
 * A run of a whole fleet: devices in shards, one thread each, and the campaign service between
 * them, in virtual time; or on a ground of its own (ground.h), where time goes by itself.
 *
 * The service acts at ticks of 10 s. Between ticks devices run by themselves; their messages keep
 * their own arrival times, and all cross the tick sorted by (time, device, sequence). So nothing
 * depends on the number of threads: the border is an exchange of messages, never shared memory.
 */
#ifndef SIM_FLEET_H
#define SIM_FLEET_H

#include "camp/campaign.h"
#include "rep/render.h"
#include "sim/ground.h"
#include "sim/world.h"

enum { SIM_TICK_US = 10000000 };

/* Phase 0 as a burn-in found it (rig/burnin): it takes the place of the scenario's lab phase. */
struct sim_burn_in {
    char file[1024];            /* where it was read from */
    char version[REP_NAME_MAX]; /* the candidate, and its image in hexadecimal */
    char image_sha256[65];
    char device_type[REP_NAME_MAX];
    struct rep_phase phase;         /* finished; gate is owned by whoever filled this */
    char figures[REP_TEXT_MAX];     /* what it did: the fact of the report */
    char explanation[REP_TEXT_MAX]; /* why it failed, where it did */
};

struct sim_fleet_options {
    const struct sim_ground *ground; /* NULL: virtual time */
    uint32_t jobs;                   /* threads, 1 or more */
    const char *db_path;             /* NULL: in memory */
    const char *trace_device;        /* id or number, NULL: none */
    FILE *trace;
    struct rep_progress *progress; /* NULL: none */
    const char *check_digest;      /* hex, NULL: none */
    uint32_t devices_override;     /* --devices and --set as given, for the tokens */
    uint32_t sets;
    const char *const *set;
    /* Another image, version or device type than this world's, or a gate that it did not judge:
     * SIM_FLEET_EWORLD. NULL: none. */
    const struct sim_burn_in *burn_in;
    /* At the end of the run, after the ground's report, what was measured of each device; NULL:
     * nobody asks. */
    void (*figures)(void *ctx, uint32_t device, const struct camp_figures *figures);
    void *figures_ctx;
    /* Test hooks: the event with this number on this device is dropped, changed or swapped; the
     * service is closed and opened again from its database after every so many ticks; the run
     * gives up after so many days; the number of devices which, seen from outside, crashed within
     * 48 h of confirming goes to *crashed. */
    uint32_t mutate_device;
    uint64_t mutate_event;
    int mutate;
    uint32_t restart_every;
    uint32_t *crashed;
    uint32_t days_max; /* virtual days after which the run gives up, 0: as the plan needs */
};

enum sim_fleet_error {
    SIM_FLEET_OK = 0,
    SIM_FLEET_EMEMORY = -1,
    SIM_FLEET_EWORLD = -2,
    SIM_FLEET_EDB = -3,
    SIM_FLEET_EDEVICE = -4,
    SIM_FLEET_EOUTPUT = -5,
    SIM_FLEET_EGROUND = -6, /* the ground could not be prepared */
    SIM_FLEET_ELOST = -7 /* it gave way in the middle of the run, or with boards touched already */
};

/*
 * Runs the scenario. SIM_FLEET_OK fills *out (as read back from the database, verdict and exit code
 * set). On an error *out holds what was recorded (verdict unfinished, exit code 8), or nothing was
 * run (SIM_FLEET_EWORLD, SIM_FLEET_EDEVICE, SIM_FLEET_EOUTPUT,
 * SIM_FLEET_EGROUND: exit code 1); message says why.
 */
int sim_fleet_run(struct rep_result *out, const struct scn *scn,
                  const struct sim_fleet_options *options, char *message, size_t message_len);

#endif
