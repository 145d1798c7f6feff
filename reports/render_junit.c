/*
 * JUnit XML for CI: a suite for each phase with a case for each gate, a suite of promises, a suite
 * with the expectation. A case fails only where the run does: a gate that the scenario expected to
 * turn red, and a brick that it expected, are passed with a note, so that CI's colour and the exit
 * code say the same.
 */
#include "rep/db.h"
#include "rep/junit.h"
#include "rep/render.h"

static void put_gate(struct rep_junit *junit, const struct rep_phase *phase,
                     const struct rep_gate *gate, bool run_passed)
{
    bool judged = gate->state != REP_GATE_HOLD;
    enum rep_case status = judged ? REP_CASE_PASSED : REP_CASE_SKIPPED;
    if (gate->state == REP_GATE_RED && !run_passed)
        status = REP_CASE_FAILED;
    char words[2 * REP_TEXT_MAX + 128];
    snprintf(words, sizeof words, "%s: %lld/%lld, red if %s (%s)%s",
             rep_gate_state_name((int)gate->state), (long long)gate->numerator,
             (long long)gate->denominator, gate->limit, gate->comparison,
             gate->state == REP_GATE_RED && run_passed ? "; as the scenario expects" : "");
    if (phase->result == REP_PHASE_NOT_REACHED)
        snprintf(words, sizeof words, "the phase was not reached");
    rep_junit_case(junit, phase->name, gate->metric, status, words);
}

static void put_phase(struct rep_junit *junit, const struct rep_phase *phase, bool run_passed)
{
    rep_junit_suite(junit, phase->name);
    for (uint32_t i = 0; i < phase->gates; i++)
        put_gate(junit, phase, &phase->gate[i], run_passed);
}

static void put_promise(struct rep_junit *junit, const struct rep_promise_row *row, bool run_passed)
{
    char words[REP_TEXT_MAX + REP_TOKEN_MAX + 96] = "kept";
    if (row->broken)
        snprintf(words, sizeof words, "broken %llu times%s; first: %s; brickyard replay %s",
                 (unsigned long long)row->broken, run_passed ? ", as the scenario expects" : "",
                 row->first_what, row->first_token);
    else if (row->first_what[0])
        snprintf(words, sizeof words, "not checked: %s", row->first_what);
    enum rep_case status = row->broken && !run_passed ? REP_CASE_FAILED : REP_CASE_PASSED;
    if (!row->broken && row->first_what[0])
        status = REP_CASE_SKIPPED;
    rep_junit_case(junit, "promises", rep_promise_name((int)row->promise), status, words);
}

static void put_expectation(struct rep_junit *junit, const struct rep_result *result)
{
    enum rep_case status = result->exit_code == 0   ? REP_CASE_PASSED
                           : result->exit_code == 8 ? REP_CASE_ERROR
                                                    : REP_CASE_FAILED;
    char words[REP_TEXT_MAX + 64];
    snprintf(words, sizeof words, "exit code %d: %s", result->exit_code, result->explanation);
    rep_junit_case(junit, result->scenario, "expectation", status, words);
}

int rep_render_junit(FILE *out, const struct rep_result *result)
{
    bool run_passed = result->exit_code == 0;
    struct rep_junit junit;
    rep_junit_begin(&junit);
    for (uint32_t i = 0; i < result->phases; i++)
        put_phase(&junit, &result->phase[i], run_passed);
    rep_junit_suite(&junit, "promises");
    for (uint32_t i = 0; i < result->promises; i++)
        put_promise(&junit, &result->promise[i], run_passed);
    rep_junit_suite(&junit, "expectation");
    put_expectation(&junit, result);
    return rep_junit_end(&junit, out, result->scenario, result->wall_s);
}
