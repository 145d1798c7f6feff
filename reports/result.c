/* The result as a value: its empty state, its memory, and the names of everything it counts. */
#include "rep/result.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_OF(table, value)                                                                      \
    ((value) >= 0 && (size_t)(value) < sizeof(table) / sizeof(table)[0] ? (table)[value] : NULL)

const char *rep_verdict_name(int verdict)
{
    static const char *const names[] = {"pass", "gate_stopped", "unsafe", "diverged", "unfinished"};
    return NAME_OF(names, verdict);
}

const char *rep_outcome_name(int outcome)
{
    static const char *const names[REP_OUTCOMES] = {
        [REP_OUT_NONE] = "none",
        [REP_OUT_CONFIRMED] = "confirmed",
        [REP_OUT_ROLLED_BACK] = "rolled_back",
        [REP_OUT_ROLLED_BACK_BY_CAMPAIGN] = "rolled_back_by_campaign",
        [REP_OUT_REFUSED] = "refused",
        [REP_OUT_DOWNLOAD_FAILED] = "download_failed",
        [REP_OUT_VERIFY_FAILED] = "verify_failed",
        [REP_OUT_SILENT] = "silent",
        [REP_OUT_PENDING] = "pending",
        [REP_OUT_BRICKED] = "bricked",
    };
    return NAME_OF(names, outcome);
}

const char *rep_brick_name(int brick)
{
    static const char *const names[REP_BRICKS] = {
        [REP_BRICK_NONE] = "none",           [REP_BRICK_NO_BOOT] = "no_boot",
        [REP_BRICK_BOOT_LOOP] = "boot_loop", [REP_BRICK_UNREACHABLE] = "unreachable",
        [REP_BRICK_HARDWARE] = "hardware",
    };
    return NAME_OF(names, brick);
}

const char *rep_phase_result_name(int v)
{
    static const char *const names[] = {"not_reached", "passed", "stopped"};
    return NAME_OF(names, v);
}

const char *rep_alert_level_name(int v)
{
    static const char *const names[] = {"operations", "on_call", "engineering_lead"};
    return NAME_OF(names, v);
}

const char *rep_promise_name(int v)
{
    static const char *const names[REP_PROMISES] = {
        [REP_PROMISE_NO_BRICK] = "no_brick",
        [REP_PROMISE_VERIFIED_CODE] = "no_unverified_code",
        [REP_PROMISE_RUNNING_IMAGE] = "running_image_untouched",
        [REP_PROMISE_CONFIRM_HEALTHY] = "confirm_means_healthy",
        [REP_PROMISE_CONVERGENCE] = "convergence",
        [REP_PROMISE_FLASH_DISCIPLINE] = "flash_discipline",
        [REP_PROMISE_SAME_RUN] = "same_run",
    };
    return NAME_OF(names, v);
}

void rep_result_init(struct rep_result *result)
{
    memset(result, 0, sizeof *result);
    result->verdict = REP_UNFINISHED;
    result->exit_code = 8;
}

int rep_fact_add(struct rep_result *result, const char *name, const char *format, ...)
{
    struct rep_fact *grown = realloc(result->fact, (result->facts + 1) * sizeof *grown);
    if (!grown)
        return -1;
    result->fact = grown;
    struct rep_fact *fact = &grown[result->facts++];
    va_list args;
    va_start(args, format);
    snprintf(fact->name, sizeof fact->name, "%s", name);
    vsnprintf(fact->value, sizeof fact->value, format, args);
    va_end(args);
    return 0;
}

void rep_promise_unchecked(struct rep_result *result, enum rep_promise promise, const char *format,
                           ...)
{
    struct rep_promise_row *row = &result->promise[promise];
    va_list args;
    assert((uint32_t)promise < result->promises && row->promise == promise);
    if (row->broken)
        return;
    va_start(args, format);
    vsnprintf(row->first_what, sizeof row->first_what, format, args);
    va_end(args);
}

void rep_result_free(struct rep_result *result)
{
    for (uint32_t i = 0; i < result->phases; i++)
        free(result->phase[i].gate);
    free(result->phase);
    free(result->alert);
    free(result->fault);
    free(result->promise);
    free(result->cut);
    free(result->observation);
    free(result->fact);
    free(result->device);
    rep_result_init(result);
}
