/*
 * All cycles of a burn-in added up: Phase 0 as a campaign's report shows it. Gates are summed over
 * the cycles of the candidate's own image, numerators and denominators as they are, and judged once
 * more by the campaign's arithmetic (rep/gates.h); cycles of another image (a firmware that must
 * roll back) have to meet what their scenario expects, and their power cuts and promises count.
 * Pure, no clock and no file. NULL is misuse.
 */
#ifndef RIG_BURNIN_SUM_H
#define RIG_BURNIN_SUM_H

#include "books.h"

enum { BI_GATES_MAX = 2 * SCN_GATES_MAX, BI_FAILURES_TOLD = 20 };

struct bi_failure {
    uint32_t number, scenario;
    uint64_t seed;
    int exit_code;
    char what[REP_TEXT_MAX];
    int64_t at_s; /* of the burn-in's time */
};

struct bi_sum {
    const struct bi_identity *identity;
    struct bi_progress progress;
    uint32_t gates;
    struct scn_gate plan[BI_GATES_MAX];
    int64_t numerator[BI_GATES_MAX], denominator[BI_GATES_MAX];
    uint32_t cycles[BI_SCENARIOS_MAX];                /* ended, of each scenario */
    uint32_t cohort, confirmed, rolled_back, bricked; /* of the candidate's cycles */
    uint64_t cuts, power_cycles;
    struct bi_fault fault[BI_FAULTS];
    uint32_t kinds;
    struct rep_cuts *kind; /* of the power cuts */
    uint64_t broken[REP_PROMISES];
    char broken_what[REP_PROMISES][REP_TEXT_MAX];
    uint32_t failures_told;
    struct bi_failure failure[BI_FAILURES_TOLD];
    int exit_code;              /* the gravest of the failed cycles', 0: none failed */
    uint32_t gravest;           /* index in failure */
    int64_t round_trip_us;      /* the worst of all; -1: none was measured */
    int64_t boot_us;            /* the worst of the cycles' medians; -1 */
    int64_t confirmed_after_ms; /* the longest; -1 */
    uint32_t boards;
    struct bi_board *board; /* each as its last cycle of the candidate left it; counts are summed */
};

/* The gates of the lab phases of the candidate's scenarios; each metric with each limit and `of:`
 * once. */
void bi_sum_init(struct bi_sum *sum, const struct bi_identity *identity);
void bi_sum_gates(struct bi_sum *sum, const struct scn *scn);
/* The first criterion of Phase 0 (crash, telemetry_gap, command_ms) without a gate; NULL: none. */
const char *bi_sum_lacks(const struct bi_sum *sum);
/* Cycles that did not come to an end add nothing but their try. 0, or -1 without memory. */
int bi_sum_add(struct bi_sum *sum, const struct bi_cycle *cycle);
void bi_sum_free(struct bi_sum *sum);

/* The result; finished: judged. tries: that were none. wall_s of the burn-in's own time. 0, or -1
 * without memory. */
int bi_sum_result(const struct bi_sum *sum, bool finished, uint64_t failed_tries,
                  struct rep_result *out);

#endif
