/* Names, limits of one board, and the rules by which a burn-in goes on. */
#include "books.h"
#include "camp/campaign.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

const char *bi_state_name(int state)
{
    static const char *const names[BI_STATES] = {
        [BI_RUNNING] = "running",         [BI_PASSED] = "passed",
        [BI_FAILED] = "failed",           [BI_INFRASTRUCTURE] = "infrastructure",
        [BI_INTERRUPTED] = "interrupted",
    };
    return state >= 0 && state < BI_STATES ? names[state] : NULL;
}

static const struct {
    const char *name, *unit;
    int metric; /* of the gate that limits it; -1: none */
} measures[BI_MEASURES] = {
    [BI_BOOTS] = {"boots", "", -1},
    [BI_CUTS] = {"cuts", "", -1},
    [BI_CRASHES] = {"crashes", "", SCN_METRIC_CRASH},
    [BI_WATCHDOG_RESETS] = {"watchdog_resets", "", -1},
    [BI_HARD_FAULTS] = {"hard_faults", "", -1},
    [BI_TELEMETRY_RECEIVED] = {"telemetry_received", "", SCN_METRIC_TELEMETRY_GAP},
    [BI_TELEMETRY_EXPECTED] = {"telemetry_expected", "", -1},
    [BI_ANSWERS] = {"answers", "", -1},
    [BI_ANSWERS_BAD] = {"answers_bad", "", SCN_METRIC_COMMAND_MS},
    [BI_ROUND_TRIP_WORST] = {"round_trip_worst", "us", SCN_METRIC_COMMAND_MS},
    [BI_ROUND_TRIP_MEDIAN] = {"round_trip_median", "us", -1},
    [BI_CONFIRMED_AFTER] = {"confirmed_after", "ms", -1},
    [BI_BOOT] = {"boot", "us", -1},
};

const char *bi_measure_name(int measure)
{
    return measure >= 0 && measure < BI_MEASURES ? measures[measure].name : NULL;
}

const char *bi_measure_unit(int measure)
{
    return measure >= 0 && measure < BI_MEASURES ? measures[measure].unit : NULL;
}

void bi_cycle_free(struct bi_cycle *cycle)
{
    free(cycle->board);
    free(cycle->kind);
    cycle->board = NULL;
    cycle->kind = NULL;
    cycle->boards = cycle->kinds = 0;
}

const char *bi_fault_name(int fault)
{
    return fault == BI_AIMED_CUT ? "aimed_cut" : scn_fault_kind_name(fault);
}

bool bi_cycle_cut_nothing(const struct bi_cycle *cycle, char *message, size_t len)
{
    static const int cuts[] = {SCN_FAULT_POWER_LOSS, BI_AIMED_CUT};
    for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
        const struct bi_fault *fault = &cycle->fault[cuts[i]];
        if (!fault->asked || fault->fired)
            continue;
        snprintf(message, len,
                 "no power was cut by its %s: %" PRIu64 " scheduled, %" PRIu64
                 " armed, 0 took effect; it proves nothing of them",
                 bi_fault_name(cuts[i]), fault->scheduled, fault->armed);
        return true;
    }
    return false;
}

/* n 0: nothing was expected of this board, so nothing is missing. */
static bool breaks(const struct scn_gate *gate, int64_t k, int64_t n)
{
    struct rep_gate_rule rule = camp_gate_rule(gate);
    return n > 0 && rep_ratio_compare(k, n, rule.compare, rule.limit_num, rule.limit_den);
}

static bool beyond(const struct bi_board *board, enum bi_measure measure,
                   const struct scn_gate *gate)
{
    int64_t value = board->value[measure], expected = board->value[BI_TELEMETRY_EXPECTED];
    if (measure == BI_CRASHES)
        return breaks(gate, value, 1);
    if (measure == BI_TELEMETRY_RECEIVED)
        return breaks(gate, expected > value ? expected - value : 0, expected);
    if (measure == BI_ANSWERS_BAD)
        return value > 0;
    return value >= (int64_t)gate->limit_value * 1000;
}

enum bi_outcome bi_measure_judge(const struct bi_board *board, enum bi_measure measure,
                                 const struct scn_gate *gate, uint32_t gates, const char **red_if)
{
    *red_if = "";
    for (uint32_t i = 0; i < gates && measures[measure].metric >= 0; i++) {
        if ((int)gate[i].metric != measures[measure].metric)
            continue;
        *red_if = gate[i].text;
        return beyond(board, measure, &gate[i]) ? BI_BEYOND : BI_WITHIN;
    }
    return BI_NO_LIMIT;
}

void bi_progress_add(struct bi_progress *progress, const struct bi_cycle *cycle)
{
    bool ended = cycle->state == BI_PASSED || cycle->state == BI_FAILED;
    progress->waits_tries = ended ? 0 : cycle->tries;
    if (!ended)
        return;
    progress->passed += cycle->state == BI_PASSED;
    progress->failed += cycle->state == BI_FAILED;
    progress->spent_ms += cycle->spent_ms;
}

bool bi_next(const struct bi_identity *identity, const struct bi_progress *progress,
             bool keep_going, struct bi_cycle *next)
{
    uint32_t ended = progress->passed + progress->failed;
    if ((progress->failed && !keep_going) ||
        (identity->wanted_cycles && ended >= identity->wanted_cycles) ||
        (identity->wanted_ms && progress->spent_ms >= identity->wanted_ms))
        return false;
    *next = (struct bi_cycle){.number = ended + 1,
                              .scenario = ended % identity->scenarios,
                              .seed = identity->seed + ended + 1,
                              .tries = progress->waits_tries + 1,
                              .state = BI_RUNNING};
    return true;
}

static bool differs(const char *what, const char *kept, const char *now, char *message, size_t len)
{
    if (!strcmp(kept, now))
        return false;
    snprintf(message, len, "it was begun with %s '%.200s', not '%.200s'", what, kept, now);
    return true;
}

static bool scenarios_differ(const struct bi_identity *kept, const struct bi_identity *now,
                             char *message, size_t len)
{
    if (kept->scenarios != now->scenarios) {
        snprintf(message, len, "it was begun with %u scenarios, not %u", kept->scenarios,
                 now->scenarios);
        return true;
    }
    for (uint32_t i = 0; i < kept->scenarios; i++) {
        const struct bi_scenario *was = &kept->scenario[i], *is = &now->scenario[i];
        if (differs("scenario", was->name, is->name, message, len))
            return true;
        if (strcmp(was->hash, is->hash) || strcmp(was->image_sha256, is->image_sha256)) {
            snprintf(message, len, "%.200s: %s", is->path,
                     strcmp(was->hash, is->hash)
                         ? "its content is another one than when the burn-in was begun"
                         : "the image that it rolls out is another one than when it was begun");
            return true;
        }
    }
    return false;
}

bool bi_goes_on(const struct bi_identity *kept, const struct bi_identity *now, char *message,
                size_t len)
{
    char was[24], is[24];
    snprintf(was, sizeof was, "%" PRIu64, kept->seed);
    snprintf(is, sizeof is, "%" PRIu64, now->seed);
    return !differs("bench", kept->bench, now->bench, message, len) &&
           !scenarios_differ(kept, now, message, len) && !differs("seed", was, is, message, len) &&
           !differs("options", kept->options, now->options, message, len);
}
