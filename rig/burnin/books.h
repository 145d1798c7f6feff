/*
 * A burn-in as values: what it is, its cycles, what was measured of each board, and the rules by
 * which it goes on. Pure, no clock and no file; store.h keeps it, sum.h adds it up.
 *
 *     plan ──► step: cycle n, scenario (n - 1) mod scenarios, seed + n ──► cycle.c runs it
 *       ▲                                                                     │
 *       └── passed, failed: n + 1 ◄── infrastructure, interrupted: n again ◄──┘
 */
#ifndef RIG_BURNIN_BOOKS_H
#define RIG_BURNIN_BOOKS_H

#include "rep/result.h"
#include "scn/scenario.h"

enum {
    BI_SCENARIOS_MAX = 16,
    BI_PATH_MAX = 1024,
    BI_OPTIONS_MAX = 1024,
    BI_TIME_MAX = 24,
    BI_RETRIES = 3 /* of a cycle, in a row, after the infrastructure failed */
};

struct bi_scenario {
    char path[BI_PATH_MAX], name[REP_NAME_MAX], hash[33];
    char version[REP_NAME_MAX], image_sha256[65]; /* what it rolls out */
    bool is_candidate;                            /* the burn-in's own image */
};

struct bi_identity {
    char bench[REP_NAME_MAX], options[BI_OPTIONS_MAX];
    char device_type[REP_NAME_MAX], candidate[REP_NAME_MAX], image_sha256[65];
    uint64_t seed;
    uint32_t boards;
    int64_t wanted_ms;      /* 0: wanted_cycles counts */
    uint32_t wanted_cycles; /* 0: wanted_ms counts */
    char begun[BI_TIME_MAX];
    const char *wiring; /* bi_wiring_of; borrowed. NULL: as read back (bi_store_wiring) */
    uint32_t scenarios;
    struct bi_scenario scenario[BI_SCENARIOS_MAX];
};

enum bi_state { BI_RUNNING, BI_PASSED, BI_FAILED, BI_INFRASTRUCTURE, BI_INTERRUPTED, BI_STATES };
const char *bi_state_name(int state); /* as in schema.sql */

/* What is measured of a board in a cycle. */
enum bi_measure {
    BI_BOOTS,
    BI_CUTS,
    BI_CRASHES, /* it had an unplanned reset within 48 h of confirming: 0 or 1 */
    BI_WATCHDOG_RESETS,
    BI_HARD_FAULTS,
    BI_TELEMETRY_RECEIVED,
    BI_TELEMETRY_EXPECTED,
    BI_ANSWERS,     /* pings that were answered or given up */
    BI_ANSWERS_BAD, /* late, or none */
    BI_ROUND_TRIP_WORST,
    BI_ROUND_TRIP_MEDIAN,
    BI_CONFIRMED_AFTER, /* from the notification, by the wall's clock */
    BI_BOOT,            /* median, from power to the firmware's first line */
    BI_MEASURES
};
const char *bi_measure_name(int measure); /* "boots" */
const char *bi_measure_unit(int measure); /* "", "us", "ms" */

struct bi_board {
    char id[REP_NAME_MAX], board[REP_NAME_MAX];
    enum rep_outcome outcome;
    enum rep_brick brick;
    char reason[REP_NAME_MAX], version[REP_NAME_MAX];
    int64_t value[BI_MEASURES];
    bool measured[BI_MEASURES];
    uint32_t confirms; /* in a sum: cycles in which it confirmed the candidate */
};

/* What was done to the boards: the scenario's faults by kind, and the cuts of the rig's own. */
enum { BI_AIMED_CUT = SCN_FAULT_KINDS, BI_FAULTS };
struct bi_fault {
    bool asked; /* for at least one, whoever it would have been for */
    uint64_t scheduled, armed, fired;
};
const char *bi_fault_name(int fault); /* "power_loss", "aimed_cut" */

struct bi_cycle {
    uint32_t number, scenario, tries;
    uint64_t seed;
    enum bi_state state;
    char begun[BI_TIME_MAX], ended[BI_TIME_MAX];
    int64_t spent_ms;
    int exit_code;
    char verdict[REP_NAME_MAX], what[REP_TEXT_MAX], transcripts[REP_TEXT_MAX];
    uint32_t cohort, confirmed, rolled_back, bricked;
    uint64_t cuts, power_cycles;
    struct bi_fault fault[BI_FAULTS];
    uint32_t gates;
    struct rep_gate gate[SCN_GATES_MAX];
    uint64_t broken[REP_PROMISES];
    char broken_what[REP_PROMISES][REP_TEXT_MAX];
    uint32_t boards;
    struct bi_board *board; /* owned; bi_cycle_free */
    uint32_t kinds;
    struct rep_cuts *kind; /* of its power cuts; owned, too */
};
void bi_cycle_free(struct bi_cycle *cycle);

/* It was to cut power, by its scenario or by the aim, and did not once: it proves nothing, whatever
 * else came true. message: why. */
bool bi_cycle_cut_nothing(const struct bi_cycle *cycle, char *message, size_t len);

/* A gate that a board by itself keeps or breaks: crashes, telemetry, command_ms. */
enum bi_outcome { BI_NO_LIMIT, BI_WITHIN, BI_BEYOND };
/* Of this measure by these gates; *red_if: the limit as written, "" without one. */
enum bi_outcome bi_measure_judge(const struct bi_board *board, enum bi_measure measure,
                                 const struct scn_gate *gate, uint32_t gates, const char **red_if);

/* ---- Rules ---- */

/* How far a burn-in came; nothing else decides what comes next. */
struct bi_progress {
    uint32_t passed, failed; /* cycles that came to an end */
    int64_t spent_ms;        /* of those */
    uint32_t waits_tries;    /* of a cycle that has to be run again: how often it was begun */
};
void bi_progress_add(struct bi_progress *progress, const struct bi_cycle *cycle);

/* True with the next cycle's number, scenario, seed and tries in *next; false: it is over. */
bool bi_next(const struct bi_identity *identity, const struct bi_progress *progress,
             bool keep_going, struct bi_cycle *next);

/* Whether `now` goes on with what `kept` began: false with the reason in message. What is wanted
 * (duration, number of cycles) may be another. */
bool bi_goes_on(const struct bi_identity *kept, const struct bi_identity *now, char *message,
                size_t len);

#endif
