/*
 * A regular expression (PCRE2, bytes) with a bound on the work of each match.
 *
 * PCRE2's match limit alone is no bound: it counts anew from each byte of the subject at which a
 * match may begin, so that 1,023 of them times the limit may pass (measured: `a.*c.*b$` against
 * 1,023 bytes took 9.6 ms under a limit of 20,000 and was not given up). So an automatic callout
 * before each item of the expression counts all of the work, whatever it began at.
 */
#ifndef RIG_CONSOLE_PATTERN_H
#define RIG_CONSOLE_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

struct rig_pattern;
enum rig_found { RIG_FOUND_NOT, RIG_FOUND, RIG_FOUND_GIVEN_UP };

/* RIG_OK; RIG_EOPEN with where it is wrong; RIG_EMEMORY. */
int rig_pattern_open(struct rig_pattern **out, const char *text, char *message, size_t len);
void rig_pattern_close(struct rig_pattern *pattern); /* NULL allowed */
enum rig_found rig_pattern_find(struct rig_pattern *pattern, const char *text, size_t len);

#endif
