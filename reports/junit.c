/* The frame of a JUnit document: see rep/junit.h. */
#include "rep/junit.h"
#include "rep/db.h"
#include "rep/text.h"

#include <stdlib.h>
#include <string.h>

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

static void count(struct rep_junit_tally *tally, enum rep_case status)
{
    tally->tests++;
    tally->failures += status == REP_CASE_FAILED;
    tally->errors += status == REP_CASE_ERROR;
    tally->skipped += status == REP_CASE_SKIPPED;
}

void rep_junit_case(struct rep_junit *junit, const char *class_name, const char *name,
                    enum rep_case status, const char *words)
{
    static const char *const elements[] = {[REP_CASE_PASSED] = "system-out",
                                           [REP_CASE_FAILED] = "failure",
                                           [REP_CASE_ERROR] = "error",
                                           [REP_CASE_SKIPPED] = "skipped"};
    FILE *out = junit->suite.out;
    if (!out)
        return;
    fputs("    <testcase", out);
    put_attribute(out, "classname", class_name);
    put_attribute(out, "name", name);
    fprintf(out, ">\n      <%s", elements[status]);
    if (status == REP_CASE_PASSED) {
        fputc('>', out);
        put_escaped(out, words);
        fputs("</system-out>\n", out);
    } else {
        put_attribute(out, "message", words);
        fputs("/>\n", out);
    }
    fputs("    </testcase>\n", out);
    count(&junit->suite.tally, status);
    count(&junit->whole.tally, status);
}

static void put_tally(FILE *out, const struct rep_junit_tally *tally)
{
    fprintf(out, " tests=\"%u\" failures=\"%u\" errors=\"%u\" skipped=\"%u\"", tally->tests,
            tally->failures, tally->errors, tally->skipped);
}

static void open_part(struct rep_junit *junit, struct rep_junit_part *part)
{
    *part = (struct rep_junit_part){0};
    part->out = open_memstream(&part->text, &part->bytes);
    if (!part->out)
        junit->error = REP_EMEMORY;
}

static void close_part(struct rep_junit *junit, struct rep_junit_part *part)
{
    if (part->out && fclose(part->out))
        junit->error = REP_EMEMORY;
    part->out = NULL;
}

/* Moves the suite that is open, if one is, into the document. */
static void close_suite(struct rep_junit *junit)
{
    struct rep_junit_part *suite = &junit->suite;
    close_part(junit, suite);
    if (suite->text && junit->whole.out) {
        fputs("  <testsuite", junit->whole.out);
        put_attribute(junit->whole.out, "name", junit->suite_name);
        put_tally(junit->whole.out, &suite->tally);
        fprintf(junit->whole.out, ">\n%s  </testsuite>\n", suite->text);
    }
    free(suite->text);
    suite->text = NULL;
}

void rep_junit_begin(struct rep_junit *junit)
{
    *junit = (struct rep_junit){0};
    open_part(junit, &junit->whole);
}

void rep_junit_suite(struct rep_junit *junit, const char *name)
{
    close_suite(junit);
    open_part(junit, &junit->suite);
    junit->suite_name = name;
}

int rep_junit_end(struct rep_junit *junit, FILE *out, const char *name, double wall_s)
{
    close_suite(junit);
    close_part(junit, &junit->whole);
    if (!junit->error) {
        fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites", out);
        put_attribute(out, "name", name);
        put_tally(out, &junit->whole.tally);
        fprintf(out, " time=\"%.3f\">\n%s</testsuites>\n", wall_s, junit->whole.text);
        if (ferror(out))
            junit->error = REP_EWRITE;
    }
    free(junit->whole.text);
    junit->whole.text = NULL;
    return junit->error;
}
