/*
 * JUnit XML for CI: a case for each promise, and one for the sweep itself. There are failures or
 * errors exactly where the exit code is not 0 or the result is not valid.
 */
#include "render.h"
#include "rep/db.h"
#include "rep/junit.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Every kind in which this promise was broken, or NULL without memory. */
static char *kinds_of(const struct sim_sweep_result *result, const char *promise)
{
    char *text = NULL, command[SIM_SWEEP_COMMAND_MAX];
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);
    if (!out)
        return NULL;
    for (uint32_t i = 0; i < result->brokens; i++) {
        const struct sim_sweep_broken *row = &result->broken[i];
        if (strcmp(row->promise, promise))
            continue;
        sim_sweep_command(command, sizeof command, row);
        fprintf(out, "%s%s (%" PRIu64 " states, %" PRIu32 " cuts): %s", ftell(out) ? "\n" : "",
                row->what, row->states, row->cuts, command);
    }
    if (fclose(out) == 0)
        return text;
    free(text);
    return NULL;
}

static void put_promise(struct rep_junit *junit, const struct sim_sweep_result *result,
                        enum rep_promise promise)
{
    const char *name = rep_promise_name((int)promise);
    char wrong[320], kept[96];
    if (sim_sweep_kinds(result, name)) {
        char *kinds = kinds_of(result, name);
        rep_junit_case(junit, "promises", name,
                       result->exit_code ? REP_CASE_FAILED : REP_CASE_PASSED,
                       kinds ? kinds : "broken");
        if (!kinds)
            junit->error = REP_EMEMORY;
        free(kinds);
        return;
    }
    snprintf(kept, sizeof kept, "kept in %" PRIu64 " states, after %" PRIu64 " cuts",
             result->states, result->cuts);
    if (promise == REP_PROMISE_SAME_RUN)
        rep_junit_case(junit, "promises", name, REP_CASE_SKIPPED,
                       "not checked: one sweep cannot tell");
    else if (result->exit_code == 8 || sim_sweep_wrong(wrong, sizeof wrong, result))
        rep_junit_case(junit, "promises", name, REP_CASE_SKIPPED,
                       "not broken, but the sweep is not whole");
    else
        rep_junit_case(junit, "promises", name, REP_CASE_PASSED, kept);
}

static void put_sweep(struct rep_junit *junit, const struct sim_sweep_result *result)
{
    char wrong[320], words[480];
    bool error = sim_sweep_wrong(wrong, sizeof wrong, result) ||
                 (result->exit_code && (result->exit_code == 8 || !result->brokens));
    snprintf(words, sizeof words, "exit code %d; %" PRIu64 " cuts, %" PRIu64 " states%s%s%s",
             result->exit_code, result->cuts, result->states, result->fixpoint ? ", fixpoint" : "",
             *wrong ? "; " : "", wrong);
    rep_junit_case(junit, result->scenario, "sweep", error ? REP_CASE_ERROR : REP_CASE_PASSED,
                   words);
}

int sim_sweep_junit(FILE *out, const struct sim_sweep_result *result)
{
    struct rep_junit junit;
    rep_junit_begin(&junit);
    rep_junit_suite(&junit, "promises");
    for (int i = 0; i < REP_PROMISES; i++)
        put_promise(&junit, result, (enum rep_promise)i);
    rep_junit_suite(&junit, "sweep");
    put_sweep(&junit, result);
    return rep_junit_end(&junit, out, result->scenario, result->wall_s);
}
