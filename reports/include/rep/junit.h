/*
 * A JUnit document, suite by suite and case by case; any text is made fit for XML. What happens in
 * it is written to memory first, because the totals stand in front of it. Texts are borrowed during
 * the call, a suite's name until the next suite or the end. Without memory nothing is written.
 */
#ifndef REP_JUNIT_H
#define REP_JUNIT_H

#include <stddef.h>
#include <stdio.h>

enum rep_case { REP_CASE_PASSED, REP_CASE_FAILED, REP_CASE_ERROR, REP_CASE_SKIPPED };

struct rep_junit_tally {
    unsigned tests, failures, errors, skipped;
};

struct rep_junit_part {
    FILE *out; /* to text */
    char *text;
    size_t bytes;
    struct rep_junit_tally tally;
};

/* Members but the error are private to reports/junit.c. */
struct rep_junit {
    struct rep_junit_part whole, suite;
    const char *suite_name;
    int error; /* who has no memory for his words sets REP_EMEMORY: then nothing is written */
};

void rep_junit_begin(struct rep_junit *junit);
/* Closes the suite before, if there is one. */
void rep_junit_suite(struct rep_junit *junit, const char *name);
/* In the suite that is open. words: what is to be said of it. */
void rep_junit_case(struct rep_junit *junit, const char *class_name, const char *name,
                    enum rep_case status, const char *words);
/* Writes the document and frees what it took; 0, REP_EMEMORY or REP_EWRITE. */
int rep_junit_end(struct rep_junit *junit, FILE *out, const char *name, double wall_s);

#endif
