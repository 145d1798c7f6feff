/*
 * The small languages inside a scenario's texts: a gate's limit, a maintenance window, a version, a
 * word that names a group. Each says whether the text is of its form.
 */
#ifndef SCN_FORM_H
#define SCN_FORM_H

#include "scn/scenario.h"

/*
 * "< 95%", "> 2%", ">= 500ms": fills compare, limit and limit_value by gate->text and gate->metric.
 * A limit of command_ms is a time; a single answer that meets it is enough, so that its ratio is 0.
 */
bool scn_gate_parse(struct scn_gate *gate);

/* "Sun 02:00-06:00 UTC", "daily 01:00-05:00 local". */
bool scn_window_ok(const char *text);

/* MAJOR.MINOR.PATCH with an optional -prerelease and +build, as https://semver.org says. */
bool scn_version_ok(const char *text);

/* Letters, digits, '.', '_' and '-', a letter or digit first: fit for an id, a topic and a file
 * name. */
bool scn_word_ok(const char *text);

/* "0", "> 5", ">= 1", "< 3", "<= 9", "1..20" of whole numbers. */
bool scn_range_parse(const char *text, struct scn_expect_range *out);

#endif
