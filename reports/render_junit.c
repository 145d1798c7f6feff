/*
 * JUnit XML for CI: a suite for each phase with a case for each gate, a suite of promises, a suite
 * with the expectation. A case fails only where the run does: a gate that the scenario expected to
 * turn red, and a brick that it expected, are passed with a note, so that CI's colour and the exit
 * code say the same.
 */
#include "rep/db.h"
#include "rep/render.h"
#include "text.h"

#include <stdlib.h>
#include <string.h>

struct tally {
    unsigned tests, failures, errors, skipped;
};

/* The suites are written to memory first, because the totals stand in front of them. */
struct junit {
    FILE *out;
    struct tally tally;
};

enum status { PASSED, FAILED, ERROR, SKIPPED };

static void put_escaped(FILE *out, const char *text)
{
    const char *end = text + strlen(text);
    uint32_t code;
    while ((code = rep_text_next(&text, end)) != 0) {
        char utf8[8];
        code = rep_text_fit(code, REP_TEXT_XML);
        /* Quotes for the attribute's sake, and line ends, which an attribute would turn into
         * spaces. */
        if (code < 0x20 || (code < 0x80 && strchr("&<>\"", (int)code)))
            fprintf(out, "&#%u;", (unsigned)code);
        else
            fwrite(utf8, 1, rep_text_append(utf8, 0, sizeof utf8, code), out);
    }
}

static void put_attribute(FILE *out, const char *name, const char *value)
{
    fprintf(out, " %s=\"", name);
    put_escaped(out, value);
    fputc('"', out);
}

static void count(struct tally *tally, enum status status)
{
    tally->tests++;
    tally->failures += status == FAILED;
    tally->errors += status == ERROR;
    tally->skipped += status == SKIPPED;
}

static void put_case(struct junit *suite, const char *class_name, const char *name,
                     enum status status, const char *words)
{
    static const char *const elements[] = {
        [PASSED] = "system-out", [FAILED] = "failure", [ERROR] = "error", [SKIPPED] = "skipped"};
    FILE *out = suite->out;
    fputs("    <testcase", out);
    put_attribute(out, "classname", class_name);
    put_attribute(out, "name", name);
    fprintf(out, ">\n      <%s", elements[status]);
    if (status == PASSED) {
        fputc('>', out);
        put_escaped(out, words);
        fputs("</system-out>\n", out);
    } else {
        put_attribute(out, "message", words);
        fputs("/>\n", out);
    }
    fputs("    </testcase>\n", out);
    count(&suite->tally, status);
}

static void put_tally(FILE *out, const struct tally *tally)
{
    fprintf(out, " tests=\"%u\" failures=\"%u\" errors=\"%u\" skipped=\"%u\"", tally->tests,
            tally->failures, tally->errors, tally->skipped);
}

/* Moves a finished suite into the document. */
static int close_suite(struct junit *document, struct junit *suite, char **text, const char *name)
{
    int error = fclose(suite->out) ? REP_EMEMORY : REP_OK;
    if (!error) {
        fputs("  <testsuite", document->out);
        put_attribute(document->out, "name", name);
        put_tally(document->out, &suite->tally);
        fprintf(document->out, ">\n%s  </testsuite>\n", *text);
    }
    document->tally.tests += suite->tally.tests;
    document->tally.failures += suite->tally.failures;
    document->tally.errors += suite->tally.errors;
    document->tally.skipped += suite->tally.skipped;
    free(*text);
    return error;
}

static void put_gate(struct junit *suite, const struct rep_phase *phase,
                     const struct rep_gate *gate, bool run_passed)
{
    bool judged = gate->state != REP_GATE_HOLD;
    enum status status = judged ? PASSED : SKIPPED;
    if (gate->state == REP_GATE_RED && !run_passed)
        status = FAILED;
    char words[2 * REP_TEXT_MAX + 128];
    snprintf(words, sizeof words, "%s: %lld/%lld, red if %s (%s)%s",
             rep_gate_state_name((int)gate->state), (long long)gate->numerator,
             (long long)gate->denominator, gate->limit, gate->comparison,
             gate->state == REP_GATE_RED && run_passed ? "; as the scenario expects" : "");
    if (phase->result == REP_PHASE_NOT_REACHED)
        snprintf(words, sizeof words, "the phase was not reached");
    put_case(suite, phase->name, gate->metric, status, words);
}

static int put_phase(struct junit *document, const struct rep_phase *phase, bool run_passed)
{
    char *text = NULL;
    size_t bytes = 0;
    struct junit suite = {.out = open_memstream(&text, &bytes)};
    if (!suite.out)
        return REP_EMEMORY;
    for (uint32_t i = 0; i < phase->gates; i++)
        put_gate(&suite, phase, &phase->gate[i], run_passed);
    return close_suite(document, &suite, &text, phase->name);
}

static void put_promise(struct junit *suite, const struct rep_promise_row *row, bool run_passed)
{
    char words[REP_TEXT_MAX + REP_TOKEN_MAX + 96] = "kept";
    if (row->broken)
        snprintf(words, sizeof words, "broken %llu times%s; first: %s; brickyard replay %s",
                 (unsigned long long)row->broken, run_passed ? ", as the scenario expects" : "",
                 row->first_what, row->first_token);
    else if (row->first_what[0])
        snprintf(words, sizeof words, "not checked: %s", row->first_what);
    enum status status = row->broken && !run_passed ? FAILED : PASSED;
    if (!row->broken && row->first_what[0])
        status = SKIPPED;
    put_case(suite, "promises", rep_promise_name((int)row->promise), status, words);
}

static int put_promises(struct junit *document, const struct rep_result *result, bool run_passed)
{
    char *text = NULL;
    size_t bytes = 0;
    struct junit suite = {.out = open_memstream(&text, &bytes)};
    if (!suite.out)
        return REP_EMEMORY;
    for (uint32_t i = 0; i < result->promises; i++)
        put_promise(&suite, &result->promise[i], run_passed);
    return close_suite(document, &suite, &text, "promises");
}

static int put_expectation(struct junit *document, const struct rep_result *result)
{
    char *text = NULL;
    size_t bytes = 0;
    struct junit suite = {.out = open_memstream(&text, &bytes)};
    if (!suite.out)
        return REP_EMEMORY;
    enum status status = result->exit_code == 0 ? PASSED : result->exit_code == 8 ? ERROR : FAILED;
    char words[REP_TEXT_MAX + 64];
    snprintf(words, sizeof words, "exit code %d: %s", result->exit_code, result->explanation);
    put_case(&suite, result->scenario, "expectation", status, words);
    return close_suite(document, &suite, &text, "expectation");
}

static int put_suites(struct junit *document, const struct rep_result *result)
{
    bool run_passed = result->exit_code == 0;
    int error = REP_OK;
    for (uint32_t i = 0; !error && i < result->phases; i++)
        error = put_phase(document, &result->phase[i], run_passed);
    if (!error)
        error = put_promises(document, result, run_passed);
    return error ? error : put_expectation(document, result);
}

int rep_render_junit(FILE *out, const struct rep_result *result)
{
    char *text = NULL;
    size_t bytes = 0;
    struct junit document = {.out = open_memstream(&text, &bytes)};
    if (!document.out)
        return REP_EMEMORY;
    int error = put_suites(&document, result);
    if (fclose(document.out))
        error = REP_EMEMORY;
    if (!error) {
        fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites", out);
        put_attribute(out, "name", result->scenario);
        put_tally(out, &document.tally);
        fprintf(out, " time=\"%.3f\">\n%s</testsuites>\n", result->wall_s, text);
        error = ferror(out) ? REP_EWRITE : REP_OK;
    }
    free(text);
    return error;
}
