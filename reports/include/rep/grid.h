/*
 * Tables of a summary on a terminal, at most 100 columns wide, laid out by libsmartcols. Without
 * memory NULL goes through every function, and the table is printed as missing, not left out.
 */
#ifndef REP_GRID_H
#define REP_GRID_H

#include <libsmartcols.h>
#include <stdbool.h>
#include <stdio.h>

struct rep_grid_column {
    const char *title;
    int flags; /* SCOLS_FL_* */
};

/* A column without a title ends the list. */
struct libscols_table *rep_grid_new(FILE *out, bool colour, const struct rep_grid_column *columns);
struct libscols_line *rep_grid_line(struct libscols_table *table);
/* Text that cannot drive the terminal, whatever it holds. */
__attribute__((format(printf, 3, 4))) void rep_grid_cell(struct libscols_line *line, size_t column,
                                                         const char *format, ...);
/* colour: libsmartcols' name of it, NULL: as it is. */
void rep_grid_paint(struct libscols_line *line, size_t column, const char *colour);
/* Prints the table, and frees it. */
void rep_grid_print(FILE *out, struct libscols_table *table);

#endif
