/*
 * Whole runs for tests: a scenario as text in, the result out. Fleets are small and their images 32
 * KiB, so that a run takes milliseconds; everything else is the program's own.
 */
#ifndef TESTS_FLEET_BENCH_H
#define TESTS_FLEET_BENCH_H

#include "sim/fleet.h"

/* A run that was made. Free by fleet_run_free. */
struct fleet_run {
    struct scn *scn;
    struct rep_result result;
    int error;
    char message[512];
};

/*
 * The parts of a scenario that a test cares about; NULL: the default. Each is YAML as it stands in
 * a file. All devices are of group "pumps" and have the ids pumps-00001, pumps-00002, ...
 */
struct fleet_plan {
    uint32_t count;              /* devices, 0: 8 */
    uint64_t seed;               /* 0: 1 */
    const char *link;            /* "wifi" */
    const char *telemetry_every; /* "1h" */
    const char *group;           /* further keys of the group, as "hw_revision: Rev-B, sites: 2" */
    const char *candidate; /* further keys of the new version, as "behaviour: {hangs: 100%}" */
    const char *candidate_version; /* 2.4.0 */
    const char *campaign;          /* further lines of the campaign, each begins with two blanks */
    const char *phases;            /* default: one phase with everybody and no gate */
    const char *faults;            /* the list's items, as "{kind: service_restart, at: 1h}, ..." */
    const char *expect;            /* as "{bricked: 1}" */
};

/* Runs it; asserts that the scenario is sound and that the run came to its end. options: NULL for
 * one job. */
void fleet_run_plan(struct fleet_run *out, const struct fleet_plan *plan,
                    const struct sim_fleet_options *options);
/* Runs a scenario of the catalogue. */
void fleet_run_file(struct fleet_run *out, const char *name, const struct scn_overrides *overrides,
                    const struct sim_fleet_options *options);
void fleet_run_free(struct fleet_run *run);

/* The row of this device (number from 0); asserts that it is there. */
const struct rep_device *fleet_device(const struct fleet_run *run, uint32_t number);
/* The scenario's fault at this place, from 0. */
const struct rep_fault *fleet_fault(const struct fleet_run *run, uint32_t number);
bool fleet_alerted(const struct fleet_run *run, enum rep_alert_level level);

/* Asserts that no promise is broken, no belief wrong, and that every fault that was armed has
 * fired. */
void fleet_assert_sound(const struct fleet_run *run, const char *about);
/* Asserts that every device has this outcome, version and reason. */
void fleet_assert_all(const struct fleet_run *run, enum rep_outcome outcome, const char *version,
                      const char *reason, const char *about);

/* Numbers of events that each device logged in this plan: for tests that mutate one of them. */
void fleet_count_events(const struct fleet_plan *plan, uint64_t *events, uint32_t devices);

#endif
