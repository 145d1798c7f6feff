/*
 * The terminal summary in two files: render_terminal.c has the order and the sentences,
 * terminal_tables.c the tables. Everything but a replay command, which is there to be copied whole,
 * keeps to 100 columns. Private to reports/.
 */
#ifndef REP_TERMINAL_H
#define REP_TERMINAL_H

#include "rep/result.h"
#include <stdio.h>

enum { REP_TERMINAL_COLUMNS = 100 };

struct rep_terminal {
    FILE *out;
    bool colour;
    const struct rep_result *result;
};

/* A line above a table or a list. */
void rep_terminal_heading(const struct rep_terminal *terminal, const char *text);
/* Words at most 100 columns wide, broken at spaces; the lines behind the first are indented. */
__attribute__((format(printf, 3, 4))) void
rep_terminal_text(const struct rep_terminal *terminal, unsigned indent, const char *format, ...);
/* The same for one text (at most REP_TEXT_MAX bytes) behind others that end before `column`. */
void rep_terminal_behind(const struct rep_terminal *terminal, unsigned column, unsigned indent,
                         const char *text);

void rep_terminal_phases(const struct rep_terminal *terminal);
void rep_terminal_gates(const struct rep_terminal *terminal);
void rep_terminal_outcomes(const struct rep_terminal *terminal);
void rep_terminal_promises(const struct rep_terminal *terminal);
void rep_terminal_alerts(const struct rep_terminal *terminal);
void rep_terminal_faults(const struct rep_terminal *terminal);
void rep_terminal_facts(const struct rep_terminal *terminal);
void rep_terminal_observations(const struct rep_terminal *terminal);

#endif
