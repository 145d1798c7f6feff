/*
 * The result of one run, as a value: what schema.sql holds and every renderer shows. The simulator
 * (or the rig) fills it, rep_db_write stores it, rep_db_read reads it back, and all forms are
 * rendered from what was read back: so the SQLite file, JSON, JUnit and terminal agree by
 * construction.
 *
 * Owned by the caller; arrays are malloc'ed and freed by rep_result_free. Times are virtual seconds
 * from the run's start unless the name says otherwise.
 */
#ifndef REP_RESULT_H
#define REP_RESULT_H

#include "rep/gates.h"
#include <stdbool.h>
#include <stdint.h>

enum { REP_NAME_MAX = 64, REP_TEXT_MAX = 256, REP_TOKEN_MAX = 512 };

enum rep_verdict { REP_PASS, REP_GATE_STOPPED, REP_UNSAFE, REP_DIVERGED, REP_UNFINISHED };
const char *rep_verdict_name(int verdict); /* "pass", "gate_stopped", ... */

/* Exactly one for each enrolled device; REP_OUT_NONE: not enrolled. */
enum rep_outcome {
    REP_OUT_NONE,
    REP_OUT_CONFIRMED,
    REP_OUT_ROLLED_BACK,
    REP_OUT_ROLLED_BACK_BY_CAMPAIGN,
    REP_OUT_REFUSED,
    REP_OUT_DOWNLOAD_FAILED,
    REP_OUT_VERIFY_FAILED,
    REP_OUT_SILENT,
    REP_OUT_PENDING,
    REP_OUT_BRICKED,
    REP_OUTCOMES
};
const char *rep_outcome_name(int outcome); /* the JSON keys of "updates" */

enum rep_brick {
    REP_BRICK_NONE,
    REP_BRICK_NO_BOOT,
    REP_BRICK_BOOT_LOOP,
    REP_BRICK_UNREACHABLE,
    REP_BRICK_HARDWARE,
    REP_BRICKS
};
const char *rep_brick_name(int brick); /* the JSON keys of "bricks" */

enum rep_phase_result { REP_PHASE_NOT_REACHED, REP_PHASE_PASSED, REP_PHASE_STOPPED };
enum rep_alert_level { REP_ALERT_OPERATIONS, REP_ALERT_ON_CALL, REP_ALERT_ENGINEERING_LEAD };
const char *rep_phase_result_name(int v);
const char *rep_alert_level_name(int v);

/* The seven promises of DESIGN section 2, in its order. */
enum rep_promise {
    REP_PROMISE_NO_BRICK,
    REP_PROMISE_VERIFIED_CODE,
    REP_PROMISE_RUNNING_IMAGE,
    REP_PROMISE_CONFIRM_HEALTHY,
    REP_PROMISE_CONVERGENCE,
    REP_PROMISE_FLASH_DISCIPLINE,
    REP_PROMISE_SAME_RUN,
    REP_PROMISES
};
const char *rep_promise_name(
    int v); /* "no_brick", "no_unverified_code", "running_image_untouched",
               "confirm_means_healthy", "convergence", "flash_discipline", "same_run" */

struct rep_gate {
    char metric[REP_NAME_MAX];
    char limit[REP_NAME_MAX];      /* as written: "< 95%" */
    char comparison[REP_TEXT_MAX]; /* in words: "confirmed / reported, silent count as failures; red
                                      if < 95%" */
    int64_t numerator, denominator;
    uint32_t min_sample;
    enum rep_gate_state state;
    int64_t at_s; /* when it was last judged */
};
struct rep_phase {
    char name[REP_NAME_MAX];
    enum rep_phase_result result;
    int64_t started_s, hold_from_s, ended_s; /* -1: never */
    uint32_t cohort, confirmed, rolled_back,
        bricked; /* bricked: presumed by the service; see result.bricks */
    uint32_t gates;
    struct rep_gate *gate;
};
struct rep_alert {
    int64_t at_s;
    enum rep_alert_level level;
    char cause[REP_TEXT_MAX];
    char device[REP_NAME_MAX];
};
struct rep_fault {
    char kind[REP_NAME_MAX];
    uint32_t number;
    uint64_t scheduled, armed, fired;
}; /* number: place in the scenario, from 1 */
struct rep_promise_row {
    enum rep_promise promise;
    uint64_t broken;
    char first_token[REP_TOKEN_MAX];
    char first_what[REP_TEXT_MAX]; /* with broken 0: why it was not checked; "" kept */
};
struct rep_cuts {
    char state[REP_NAME_MAX], region[REP_NAME_MAX], form[REP_NAME_MAX];
    uint64_t cuts;
};
struct rep_device {
    char id[REP_NAME_MAX];
    uint32_t number;
    char group[REP_NAME_MAX], site[REP_NAME_MAX],
        version[REP_NAME_MAX]; /* version: that boots at the end, "" none */
    enum rep_outcome outcome;
    enum rep_brick brick;
    char reason[REP_NAME_MAX];     /* of the last status */
    int32_t phase;                 /* index, -1 */
    int64_t enrolled_s, outcome_s; /* -1: never */
    uint32_t boots, cuts;
    char believed[REP_NAME_MAX]; /* version the service believes */
    char token[REP_TOKEN_MAX]; /* replays this device; "" where the outcome is confirmed or none */
};
/* What is to be known of the world that the run was in: "time_scale" "3600". */
struct rep_fact {
    char name[REP_NAME_MAX], value[REP_TEXT_MAX];
};

/* Before against after the update, of the confirmed devices, in the observation week. Fractions as
 * n/d. */
struct rep_observation {
    char metric[REP_NAME_MAX];
    int64_t before_num, before_den, after_num, after_den;
    bool before_lower_bound, lower_bound; /* the value before, or after, is at least this */
    char unit[REP_NAME_MAX];
};

struct rep_result {
    char scenario[REP_NAME_MAX], summary[REP_TEXT_MAX], scenario_hash[65];
    char world[REP_NAME_MAX];     /* "virtual" */
    char candidate[REP_NAME_MAX]; /* version being rolled out */
    uint64_t seed;
    char digest[33];
    char start[REP_NAME_MAX]; /* ISO 8601 of virtual time 0 */
    enum rep_verdict verdict;
    int exit_code;
    char explanation[REP_TEXT_MAX]; /* one line: why this exit code */
    uint32_t devices;               /* labs included */
    int64_t virtual_s;
    double wall_s;
    uint32_t jobs;
    uint32_t updates[REP_OUTCOMES];
    uint32_t enrolled;
    uint32_t bricks[REP_BRICKS];
    uint32_t presumed_bricked;
    uint32_t phases;
    struct rep_phase *phase;
    uint32_t alerts;
    struct rep_alert *alert;
    uint32_t faults;
    struct rep_fault *fault;
    uint32_t promises;
    struct rep_promise_row *promise;
    uint32_t belief_wrong_at_end;
    int64_t belief_wrong_longest_s;
    uint64_t sha256_bytes, ecdsa_verifies;
    uint64_t flash_programs, flash_erases;
    uint32_t wear_max;
    uint64_t power_cuts;
    uint32_t cuts;
    struct rep_cuts *cut;
    uint32_t observations;
    struct rep_observation *observation;
    uint32_t facts;
    struct rep_fact *fact;
    uint32_t device_rows;
    struct rep_device *device;
    uint64_t memory_peak_bytes;
    /* Not stored. Set by rep_db_read for a file whose run did not finish: zeros are unknowns then,
     * except that belief_only gives virtual_s, enrolled, updates and presumed_bricked as the
     * campaign service believed them at its last tick. */
    bool cut_short, belief_only;
};
void rep_result_init(struct rep_result *result); /* all zero, verdict unfinished, exit 8 */
void rep_result_free(struct rep_result *result);
/* Adds a fact; 0, or -1 without memory. */
int rep_fact_add(struct rep_result *result, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Of a promise (result->promise holds all of them, by number) of which nothing broken was seen,
 * because nobody could look: why. It is then not told as kept. */
void rep_promise_unchecked(struct rep_result *result, enum rep_promise promise, const char *format,
                           ...) __attribute__((format(printf, 3, 4)));

#endif
