/* Verdict and exit code: what came true, against what the scenario expects (CONTRACT, exit codes).
 */
#include "fleet_internal.h"
#include <string.h>

enum {
    EXIT_PASS = 0,
    EXIT_STOPPED = 2,
    EXIT_UNSAFE = 3,
    EXIT_DIVERGED = 4,
    EXIT_DIGEST = 5,
    EXIT_NO_EFFECT = 6,
    EXIT_EXPECT = 7,
    EXIT_UNFINISHED = 8
};

static bool has_red(const struct rep_phase *phase)
{
    for (uint32_t g = 0; g < phase->gates; g++)
        if (phase->gate[g].state == REP_GATE_RED)
            return true;
    return false;
}

/* The phase that was stopped. A gate that turned red did stop it, though the operator resumed in
 * spite of it: that is on record, and not every gate is green. */
static const struct rep_phase *stopped_phase(const struct rep_result *result)
{
    for (uint32_t p = 0; p < result->phases; p++)
        if (result->phase[p].result == REP_PHASE_STOPPED || has_red(&result->phase[p]))
            return &result->phase[p];
    return NULL;
}

/* Two promises have exit codes of their own: no convergence is 4, another digest 5. */
static bool breaks_safety(const struct rep_promise_row *row)
{
    return row->broken && row->promise != REP_PROMISE_CONVERGENCE &&
           row->promise != REP_PROMISE_SAME_RUN;
}

static bool unsafe(const struct rep_result *result)
{
    for (uint32_t p = 0; p < result->promises; p++)
        if (breaks_safety(&result->promise[p]))
            return true;
    return result->belief_wrong_at_end > 0 || result->updates[REP_OUT_BRICKED] > 0;
}

/* Bricks in the number that the scenario expects, and nothing else broken: an expectation names
 * verdicts and counts, so that it never clears another promise. */
static bool only_expected_bricks(const struct scn_expect *expect, const struct rep_result *result)
{
    int64_t bricked = result->updates[REP_OUT_BRICKED];
    for (uint32_t p = 0; p < result->promises; p++)
        if (breaks_safety(&result->promise[p]) &&
            result->promise[p].promise != REP_PROMISE_NO_BRICK)
            return false;
    return expect->bricked.given && bricked > 0 && bricked >= expect->bricked.min &&
           bricked <= expect->bricked.max && result->belief_wrong_at_end == 0;
}

static enum rep_verdict verdict(const struct sim_fleet *fleet, const struct rep_result *result)
{
    if (!camp_done(fleet->camp))
        return REP_UNFINISHED;
    const struct scn_expect *expect = &fleet->scn->expect;
    /* With the bricks it wanted to see, a scenario is judged by how the campaign went. */
    if (unsafe(result) &&
        (expect->verdict == SCN_VERDICT_UNSAFE || !only_expected_bricks(expect, result)))
        return REP_UNSAFE;
    if (fleet->diverged)
        return REP_DIVERGED;
    if (stopped_phase(result))
        return REP_GATE_STOPPED;
    return camp_state(fleet->camp) == CAMP_PAUSED ? REP_UNFINISHED
                                                  : REP_PASS; /* the operator's pause */
}

static const char *ineffective(const struct rep_result *result, char *text, size_t len)
{
    for (uint32_t f = 0; f < result->faults; f++) {
        const struct rep_fault *fault = &result->fault[f];
        if (fault->armed <= fault->fired)
            continue;
        snprintf(text, len, "fault %u (%s): armed %llu times, took effect %llu times",
                 fault->number, fault->kind, (unsigned long long)fault->armed,
                 (unsigned long long)fault->fired);
        return text;
    }
    return NULL;
}

static bool range_met(const struct scn_expect_range *range, const char *name, int64_t have,
                      char *text, size_t len)
{
    if (!range->given || (have >= range->min && have <= range->max))
        return true;
    snprintf(text, len, "expected %s %lld to %lld, found %lld", name, (long long)range->min,
             (long long)range->max, (long long)have);
    return false;
}

static bool counts_met(const struct scn_expect *expect, const struct rep_result *r, char *text,
                       size_t len)
{
    const struct {
        const struct scn_expect_range *range;
        const char *name;
        int64_t have;
    } row[] = {
        {&expect->bricked, "bricked", r->updates[REP_OUT_BRICKED]},
        {&expect->confirmed, "confirmed", r->updates[REP_OUT_CONFIRMED]},
        {&expect->rolled_back, "rolled_back", r->updates[REP_OUT_ROLLED_BACK]},
        {&expect->enrolled, "enrolled", r->enrolled},
        {&expect->download_failed, "download_failed", r->updates[REP_OUT_DOWNLOAD_FAILED]},
        {&expect->verify_failed, "verify_failed", r->updates[REP_OUT_VERIFY_FAILED]},
        {&expect->refused, "refused", r->updates[REP_OUT_REFUSED]},
        {&expect->silent, "silent", r->updates[REP_OUT_SILENT]},
        {&expect->pending, "pending", r->updates[REP_OUT_PENDING]},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        if (!range_met(row[i].range, row[i].name, row[i].have, text, len))
            return false;
    return true;
}

static bool stop_met(const struct scn_expect *expect, const struct rep_result *r, char *text,
                     size_t len)
{
    const struct rep_phase *phase = stopped_phase(r);
    if (*expect->stopped_phase && (!phase || strcmp(phase->name, expect->stopped_phase))) {
        snprintf(text, len, "expected a stop in phase %s, found %s", expect->stopped_phase,
                 phase ? phase->name : "none");
        return false;
    }
    bool red = !*expect->stopped_metric;
    for (uint32_t g = 0; phase && g < phase->gates; g++)
        red |= phase->gate[g].state == REP_GATE_RED &&
               !strcmp(phase->gate[g].metric, expect->stopped_metric);
    if (!red)
        snprintf(text, len, "expected gate %s to be red", expect->stopped_metric);
    return red;
}

static bool alert_met(const struct scn_expect *expect, const struct rep_result *r, char *text,
                      size_t len)
{
    bool raised = !*expect->alert;
    for (uint32_t a = 0; a < r->alerts; a++)
        raised |= !strcmp(rep_alert_level_name((int)r->alert[a].level), expect->alert);
    if (!raised)
        snprintf(text, len, "expected an alert to %s, none was raised", expect->alert);
    return raised;
}

static bool met(const struct scn_expect *expect, const struct rep_result *r, char *text, size_t len)
{
    static const enum rep_verdict as[] = {[SCN_VERDICT_PASS] = REP_PASS,
                                          [SCN_VERDICT_GATE_STOPPED] = REP_GATE_STOPPED,
                                          [SCN_VERDICT_UNSAFE] = REP_UNSAFE,
                                          [SCN_VERDICT_DIVERGED] = REP_DIVERGED,
                                          [SCN_VERDICT_UNFINISHED] = REP_UNFINISHED};
    if (expect->verdict != SCN_VERDICT_ANY && as[expect->verdict] != r->verdict) {
        snprintf(text, len, "expected verdict %s, found %s",
                 rep_verdict_name((int)as[expect->verdict]), rep_verdict_name((int)r->verdict));
        return false;
    }
    return counts_met(expect, r, text, len) && stop_met(expect, r, text, len) &&
           alert_met(expect, r, text, len);
}

static void say(struct rep_result *result, int code, const char *text)
{
    result->exit_code = code;
    snprintf(result->explanation, sizeof result->explanation, "%s", text);
}

/* What exactly is unsafe, for the first line that a person reads. */
static void say_unsafe(struct rep_result *result)
{
    char why[REP_TEXT_MAX];
    const struct rep_promise_row *broken = NULL;
    for (uint32_t p = result->promises; p-- > 0;)
        if (breaks_safety(&result->promise[p]))
            broken = &result->promise[p];
    if (broken)
        snprintf(why, sizeof why, "promise %s was broken: %.150s",
                 rep_promise_name((int)broken->promise), broken->first_what);
    else if (result->updates[REP_OUT_BRICKED])
        snprintf(why, sizeof why, "%u devices are bricked", result->updates[REP_OUT_BRICKED]);
    else
        snprintf(why, sizeof why, "the service is wrong about %u devices at the end",
                 result->belief_wrong_at_end);
    say(result, EXIT_UNSAFE, why);
}

/* Who is out of reach by a fault that has not stopped is judged by nothing, but named. */
static void say_away(struct rep_result *result, uint32_t away)
{
    size_t len = strlen(result->explanation);
    if (away)
        snprintf(result->explanation + len, sizeof result->explanation - len,
                 "; %u devices out of reach by a fault that still lasts", away);
}

/* A lab phase with a burn-in in its place. */
static const char *who_stopped(const struct sim_fleet *fleet, const struct rep_phase *phase)
{
    const struct scn_campaign *plan = &fleet->scn->campaign;
    for (uint32_t p = 0; fleet->options->burn_in && p < plan->phases; p++)
        if (plan->phase[p].size == SCN_SIZE_LAB && !strcmp(plan->phase[p].name, phase->name))
            return "a failed burn-in";
    return has_red(phase) ? "a gate" : "an order or missing data";
}

void sim_fleet_judge(const struct sim_fleet *fleet, struct rep_result *result)
{
    const struct scn_expect *expect = &fleet->scn->expect;
    const char *digest = fleet->options->check_digest;
    char text[REP_TEXT_MAX] = "";
    result->verdict = verdict(fleet, result);
    bool ok = met(expect, result, text, sizeof text);
    char why[REP_TEXT_MAX];
    const struct rep_phase *phase = stopped_phase(result);
    if (result->verdict == REP_UNFINISHED && !(ok && expect->verdict == SCN_VERDICT_UNFINISHED)) {
        snprintf(why, sizeof why, "the campaign did not come to an end");
        if (fleet->gave_up)
            snprintf(why, sizeof why, "the campaign did not come to an end within %lld days",
                     (long long)fleet->days_max);
        say(result, EXIT_UNFINISHED, why);
    } else if (digest && strcmp(digest, result->digest)) {
        snprintf(why, sizeof why, "the digest is %s, not %.64s", result->digest, digest);
        say(result, EXIT_DIGEST, why);
    } else if (result->verdict == REP_UNSAFE && !(ok && only_expected_bricks(expect, result))) {
        say_unsafe(result);
    } else if (result->verdict == REP_DIVERGED &&
               !(ok && expect->verdict == SCN_VERDICT_DIVERGED)) {
        say(result, EXIT_DIVERGED, "devices came to no rest after the faults had stopped");
    } else if (ineffective(result, why, sizeof why)) {
        say(result, EXIT_NO_EFFECT, why);
    } else if (!ok && expect->given && !(phase && expect->verdict == SCN_VERDICT_PASS)) {
        say(result, EXIT_EXPECT, text);
    } else if (phase &&
               !(ok && (expect->verdict == SCN_VERDICT_GATE_STOPPED || *expect->stopped_phase))) {
        if (result->verdict == REP_UNSAFE && ok)
            say(result, EXIT_PASS, "what the scenario expects came true");
        else {
            snprintf(why, sizeof why, "%s stopped the campaign in phase %s",
                     who_stopped(fleet, phase), phase->name);
            say(result, EXIT_STOPPED, why);
        }
    } else {
        say(result, EXIT_PASS,
            expect->given ? "what the scenario expects came true"
                          : "every gate green, no promise broken");
    }
    say_away(result, fleet->away);
}
