/* Phase 0 as a result: the same rows as a simulated one has. */
#include "camp/campaign.h"
#include "sum.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static uint32_t candidates(const struct bi_sum *sum)
{
    uint32_t cycles = 0;
    for (uint32_t s = 0; s < sum->identity->scenarios; s++)
        cycles += sum->identity->scenario[s].is_candidate ? sum->cycles[s] : 0;
    return cycles;
}

static int gate_rows(const struct bi_sum *sum, bool finished, struct rep_phase *phase)
{
    phase->gate = calloc(sum->gates ? sum->gates : 1, sizeof *phase->gate);
    if (!phase->gate)
        return -1;
    phase->gates = sum->gates;
    for (uint32_t i = 0; i < sum->gates; i++) {
        const struct scn_gate *plan = &sum->plan[i];
        const struct rep_gate_rule rule = camp_gate_rule(plan);
        const struct rep_gate_counts counts = {sum->numerator[i], sum->denominator[i], 0,
                                               sum->denominator[i]};
        struct rep_gate_result judged = rep_gate_judge(&rule, &counts, finished);
        struct rep_gate *gate = &phase->gate[i];
        snprintf(gate->metric, sizeof gate->metric, "%s", scn_metric_name((int)plan->metric));
        snprintf(gate->limit, sizeof gate->limit, "%s", plan->text);
        char words[REP_TEXT_MAX - 64];
        snprintf(gate->comparison, sizeof gate->comparison, "%s; summed over %u cycles",
                 camp_gate_words(plan, words, sizeof words), candidates(sum));
        gate->min_sample = plan->min_sample;
        gate->numerator = judged.numerator;
        gate->denominator = judged.denominator;
        gate->state = judged.state;
        gate->at_s = phase->ended_s;
    }
    return 0;
}

static void stop(struct rep_result *out)
{
    out->exit_code = 2;
    out->verdict = REP_GATE_STOPPED;
}

/* The gates count those that confirmed: a board that never did is in none of them. */
static void judge_boards(const struct bi_sum *sum, struct rep_result *out)
{
    if (!sum->boards) {
        stop(out);
        snprintf(out->explanation, sizeof out->explanation, "no board was in any cycle");
    }
    for (uint32_t i = 0; i < sum->boards && !out->exit_code; i++) {
        if (sum->board[i].confirms)
            continue;
        stop(out);
        snprintf(out->explanation, sizeof out->explanation,
                 "%.60s (%.60s) did not confirm %.30s in any of %u cycles", sum->board[i].board,
                 sum->board[i].id, sum->identity->candidate, candidates(sum));
    }
}

static bool asks_for_cuts(const struct bi_sum *sum)
{
    return sum->fault[SCN_FAULT_POWER_LOSS].asked || sum->fault[BI_AIMED_CUT].asked;
}

/* Cuts that a scenario or --aim asked for. The rig's own (a board that says nothing is switched off
 * and on) prove nothing. */
static uint64_t wanted_cuts(const struct bi_sum *sum)
{
    return sum->fault[SCN_FAULT_POWER_LOSS].fired + sum->fault[BI_AIMED_CUT].fired;
}

static void say_passed(const struct bi_sum *sum, struct rep_result *out)
{
    int len = snprintf(out->explanation, sizeof out->explanation,
                       "%u cycles passed, every gate green; ", sum->progress.passed);
    if (wanted_cuts(sum))
        snprintf(out->explanation + len, sizeof out->explanation - (size_t)len,
                 "%" PRIu64 " power cuts", wanted_cuts(sum));
    else
        snprintf(out->explanation + len, sizeof out->explanation - (size_t)len,
                 "no power was cut: no scenario asks for it");
}

/* As a plain run has it: one that fails for a fault without effect (6) or an `expect:` that was not
 * met (7) was stopped by nobody. */
static enum rep_verdict verdict_of(int exit_code)
{
    switch (exit_code) {
    case 2:
        return REP_GATE_STOPPED;
    case 3:
        return REP_UNSAFE;
    case 4:
        return REP_DIVERGED;
    default:
        return REP_PASS;
    }
}

static void judge(const struct bi_sum *sum, struct rep_result *out)
{
    struct rep_phase *phase = &out->phase[0];
    const struct bi_failure *worst = &sum->failure[sum->gravest];
    out->exit_code = sum->exit_code;
    out->verdict = verdict_of(sum->exit_code);
    if (sum->exit_code)
        snprintf(out->explanation, sizeof out->explanation,
                 "cycle %u (%.60s, seed %" PRIu64 "): %.120s", worst->number,
                 sum->identity->scenario[worst->scenario].name, worst->seed, worst->what);
    for (uint32_t g = 0; g < phase->gates && !out->exit_code; g++) {
        if (phase->gate[g].state == REP_GATE_GREEN)
            continue;
        stop(out);
        snprintf(out->explanation, sizeof out->explanation, "gate %.30s %.30s: %s",
                 phase->gate[g].metric, phase->gate[g].limit,
                 phase->gate[g].state == REP_GATE_RED ? "red over all cycles"
                                                      : "too few data to judge it by");
    }
    if (!out->exit_code)
        judge_boards(sum, out);
    phase->result = out->exit_code ? REP_PHASE_STOPPED : REP_PHASE_PASSED;
    if (!out->exit_code)
        say_passed(sum, out);
}

static int phase_row(const struct bi_sum *sum, bool finished, struct rep_result *out)
{
    out->phase = calloc(1, sizeof *out->phase);
    if (!out->phase)
        return -1;
    out->phases = 1;
    struct rep_phase *phase = &out->phase[0];
    snprintf(phase->name, sizeof phase->name, "phase-0 burn-in");
    phase->ended_s = finished ? sum->progress.spent_ms / 1000 : -1;
    phase->cohort = sum->cohort;
    phase->confirmed = sum->confirmed;
    phase->rolled_back = sum->rolled_back;
    phase->bricked = sum->bricked;
    return gate_rows(sum, finished, phase);
}

static int device_rows(const struct bi_sum *sum, struct rep_result *out)
{
    out->device = calloc(sum->boards ? sum->boards : 1, sizeof *out->device);
    if (!out->device)
        return -1;
    out->device_rows = sum->boards;
    for (uint32_t i = 0; i < sum->boards; i++) {
        const struct bi_board *board = &sum->board[i];
        struct rep_device *row = &out->device[i];
        memcpy(row->id, board->id, sizeof row->id);
        row->number = i;
        snprintf(row->group, sizeof row->group, "lab");
        memcpy(row->site, board->board, sizeof row->site);
        memcpy(row->version, board->version, sizeof row->version);
        memcpy(row->believed, board->version, sizeof row->believed);
        memcpy(row->reason, board->reason, sizeof row->reason);
        row->outcome = board->outcome;
        row->brick = board->brick;
        row->enrolled_s = 0;
        row->outcome_s = -1;
        row->boots = (uint32_t)board->value[BI_BOOTS];
        row->cuts = (uint32_t)board->value[BI_CUTS];
        out->enrolled += row->outcome != REP_OUT_NONE;
        if (row->outcome != REP_OUT_NONE)
            out->updates[row->outcome]++;
        if (row->brick)
            out->bricks[row->brick]++;
    }
    return 0;
}

static int promise_rows(const struct bi_sum *sum, struct rep_result *out)
{
    out->promise = calloc(REP_PROMISES, sizeof *out->promise);
    if (!out->promise)
        return -1;
    out->promises = REP_PROMISES;
    for (int p = 0; p < REP_PROMISES; p++) {
        struct rep_promise_row *row = &out->promise[p];
        row->promise = (enum rep_promise)p;
        row->broken = sum->broken[p];
        memcpy(row->first_what, sum->broken_what[p], sizeof row->first_what);
    }
    snprintf(out->promise[REP_PROMISE_SAME_RUN].first_what, REP_TEXT_MAX,
             "boards have the wall's clock");
    return 0;
}

static int alert_rows(const struct bi_sum *sum, struct rep_result *out)
{
    out->alert = calloc(BI_FAILURES_TOLD, sizeof *out->alert);
    if (!out->alert)
        return -1;
    out->alerts = sum->failures_told;
    for (uint32_t i = 0; i < out->alerts; i++) {
        const struct bi_failure *it = &sum->failure[i];
        out->alert[i] = (struct rep_alert){.at_s = it->at_s, .level = REP_ALERT_OPERATIONS};
        snprintf(out->alert[i].cause, sizeof out->alert[i].cause,
                 "cycle %u failed (%.60s, seed %" PRIu64 ", exit code %d): %.100s", it->number,
                 sum->identity->scenario[it->scenario].name, it->seed, it->exit_code, it->what);
    }
    return 0;
}

static int fault_rows(const struct bi_sum *sum, struct rep_result *out)
{
    out->fault = calloc(BI_FAULTS, sizeof *out->fault);
    if (!out->fault)
        return -1;
    for (int f = 0; f < BI_FAULTS; f++) {
        const struct bi_fault *it = &sum->fault[f];
        if (!it->asked)
            continue;
        struct rep_fault *row = &out->fault[out->faults++];
        snprintf(row->kind, sizeof row->kind, "%s", bi_fault_name(f));
        row->number = out->faults;
        row->scheduled = it->scheduled;
        row->armed = it->armed;
        row->fired = it->fired;
    }
    return 0;
}

static int cut_rows(const struct bi_sum *sum, struct rep_result *out)
{
    out->cut = calloc(sum->kinds ? sum->kinds : 1, sizeof *out->cut);
    if (!out->cut)
        return -1;
    out->cuts = sum->kinds;
    for (uint32_t i = 0; i < sum->kinds; i++)
        out->cut[i] = sum->kind[i];
    return 0;
}

static int cut_fact(const struct bi_sum *sum, struct rep_result *out)
{
    const struct bi_fault *by = sum->fault;
    const struct bi_fault *loss = &by[SCN_FAULT_POWER_LOSS], *aimed = &by[BI_AIMED_CUT];
    uint64_t wanted = wanted_cuts(sum);
    char more[64] = "", own[64] = "";
    if (sum->cuts > wanted)
        snprintf(own, sizeof own, "; %" PRIu64 " more that nobody asked for", sum->cuts - wanted);
    if (!asks_for_cuts(sum))
        return rep_fact_add(out, "power cuts", "0: no power was cut, no scenario asks for it%s",
                            own);
    if (aimed->asked)
        snprintf(more, sizeof more, "; %" PRIu64 " of %" PRIu64 " aimed", aimed->fired,
                 aimed->scheduled);
    return rep_fact_add(out, "power cuts",
                        "%" PRIu64 ": %" PRIu64 " scheduled, %" PRIu64 " armed, %" PRIu64
                        " took effect%s%s",
                        wanted, loss->scheduled, loss->armed, loss->fired, more, own);
}

static int cycle_facts(const struct bi_sum *sum, uint64_t failed_tries, struct rep_result *out)
{
    const struct bi_identity *it = sum->identity;
    int error = rep_fact_add(out, "cycles",
                             "%u passed, %u failed; %" PRIu64
                             " tries more that were none (infrastructure, or killed)",
                             sum->progress.passed, sum->progress.failed, failed_tries);
    for (uint32_t s = 0; s < it->scenarios && !error; s++)
        error = rep_fact_add(
            out, "scenario", "%.60s: %u cycles; %s %.20s, image %.12s..., content %s",
            it->scenario[s].name, sum->cycles[s],
            it->scenario[s].is_candidate ? "the candidate" : "another image of",
            it->scenario[s].version, it->scenario[s].image_sha256, it->scenario[s].hash);
    return error;
}

static int measure_facts(const struct bi_sum *sum, struct rep_result *out)
{
    double spent_s = (double)sum->progress.spent_ms / 1000;
    int error =
        rep_fact_add(out, "power cycles", "%" PRIu64 ", %.2f each second", sum->power_cycles,
                     spent_s > 0 ? (double)sum->power_cycles / spent_s : 0) ||
        rep_fact_add(out, "wall time", "%.0f s of cycles that came to an end", spent_s);
    if (!error && sum->round_trip_us >= 0)
        error = rep_fact_add(out, "command round trip", "%.1f ms at the worst",
                             (double)sum->round_trip_us / 1e3);
    if (!error && sum->confirmed_after_ms >= 0)
        error = rep_fact_add(out, "confirmed after", "%.1f s at the latest, power cuts included",
                             (double)sum->confirmed_after_ms / 1e3);
    if (!error && sum->boot_us >= 0)
        error = rep_fact_add(out, "boot", "%.1f ms, the slowest board's median in a cycle",
                             (double)sum->boot_us / 1e3);
    return error;
}

static void identify(const struct bi_sum *sum, struct rep_result *out)
{
    const struct bi_identity *it = sum->identity;
    snprintf(out->scenario, sizeof out->scenario, "burn-in");
    snprintf(out->summary, sizeof out->summary, "Phase 0 of %.60s on bench %.60s, %u boards",
             it->candidate, it->bench, it->boards);
    snprintf(out->scenario_hash, sizeof out->scenario_hash, "%s", it->scenario[0].hash);
    snprintf(out->world, sizeof out->world, "board");
    memcpy(out->candidate, it->candidate, sizeof out->candidate);
    snprintf(out->start, sizeof out->start, "%s", it->begun);
    out->seed = it->seed;
    out->devices = it->boards;
    out->jobs = 1;
    out->virtual_s = sum->progress.spent_ms / 1000;
    out->wall_s = (double)sum->progress.spent_ms / 1000;
    out->power_cuts = sum->cuts;
}

int bi_sum_result(const struct bi_sum *sum, bool finished, uint64_t failed_tries,
                  struct rep_result *out)
{
    rep_result_init(out);
    identify(sum, out);
    if (phase_row(sum, finished, out) || device_rows(sum, out) || promise_rows(sum, out) ||
        alert_rows(sum, out) || fault_rows(sum, out) || cut_rows(sum, out) ||
        cycle_facts(sum, failed_tries, out) || cut_fact(sum, out) || measure_facts(sum, out) ||
        rep_fact_add(out, "image", "SHA-256 %s", sum->identity->image_sha256))
        return -1;
    if (finished)
        judge(sum, out);
    return 0;
}
