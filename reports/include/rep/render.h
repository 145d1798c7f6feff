/*
 * The forms of a result: terminal summary, JSON (CONTRACT's keys), JUnit XML. Each writes to a
 * stream; files are written through rep_file (temporary name, fsync, rename), so that a full disk
 * leaves nothing that looks whole.
 */
#ifndef REP_RENDER_H
#define REP_RENDER_H

#include "rep/result.h"
#include <stdio.h>

/* What a person wants to read: verdict first, phases and gates with k/n, rollback and brick
 * metrics, alerts, faults, the failing devices with their tokens. colour: ANSI colours. */
void rep_render_terminal(FILE *out, const struct rep_result *result, bool colour);
int rep_render_json(FILE *out, const struct rep_result *result);
/* One test suite per phase, one test case per gate, one for each promise, one for the expectation.
 */
int rep_render_junit(FILE *out, const struct rep_result *result);

/* Renders to path ("-": standard output) by one of the functions above; 0, or REP_EWRITE with
 * errno. */
int rep_file(const char *path, int (*render)(FILE *, const struct rep_result *),
             const struct rep_result *result);
/* The same for another value, with a renderer of its own that gives 0 or an error. */
int rep_file_of(const char *path, int (*render)(FILE *, const void *), const void *value);

/* The live display on standard error: a line rewritten in place on a terminal, plain lines
 * otherwise (at most one in 5 s, none when quiet). Reads the wall clock; never reaches a virtual
 * run. */
struct rep_progress {
    FILE *out;
    bool terminal, quiet;
    double started, last;
};
struct rep_progress_now {
    int64_t virtual_us, virtual_end_us;
    const char *phase;
    uint32_t cohort, confirmed, rolled_back, bricked;
};
void rep_progress_start(struct rep_progress *progress, FILE *out, bool quiet);
void rep_progress_show(struct rep_progress *progress, const struct rep_progress_now *now);
/* The same in other words: whether it is time for a line, and the line. It is cut where the
 * terminal ends, because a wrapped line cannot be rewritten. */
bool rep_progress_due(struct rep_progress *progress);
void rep_progress_line(struct rep_progress *progress, const char *text);
void rep_progress_end(struct rep_progress *progress);

#endif
