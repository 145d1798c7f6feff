/* One cycle: one run of one scenario on the bench. */
#ifndef RIG_BURNIN_CYCLE_H
#define RIG_BURNIN_CYCLE_H

#include "books.h"
#include "ear.h"
#include "rig/aim.h"
#include "rig/benchfile.h"

struct bi_run {
    struct scn *scn; /* its seed is set to the cycle's */
    const struct rig_bench *bench;
    struct rig_aim *aim; /* its seed too; NULL: none */
    uint32_t aimed_cuts;
    void (*pulse)(void *ctx, const struct bi_ear_now *now, uint64_t power_cycles);
    void *ctx;
};

/* Fills the rest of a cycle that bi_next began, its times of day too. PASSED, FAILED; where the
 * bench or the host failed, INFRASTRUCTURE; where the user ended it (SIGINT, SIGTERM), INTERRUPTED.
 * what says why. True: the user wants it to end, also where the cycle came to its end all the
 * same. SIGINT and SIGTERM are held before and after (stop.h). */
bool bi_cycle_run(struct bi_cycle *cycle, const struct bi_run *with);

/* What became of a cycle whose run gave this error (0: none; message: why), by its exit code and
 * its broken promises: one that was seen to be broken stays so, whatever ended the run, or kept it
 * from its end (exit code 8). One that would pass and cut no power, though it was to, is FAILED
 * with 6. */
void bi_cycle_judge(struct bi_cycle *cycle, int error, const char *message);

void bi_now(char out[BI_TIME_MAX]); /* ISO 8601, UTC */
/* The lab phase of a scenario; NULL: it has none, or several. */
const struct scn_phase *bi_lab_phase(const struct scn *scn, uint32_t *index);

#endif
