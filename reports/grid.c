/* Tables of a summary: see rep/grid.h. */
#include "rep/grid.h"
#include "rep/text.h"
#include "terminal.h"

#include <stdarg.h>

struct libscols_table *rep_grid_new(FILE *out, bool colour, const struct rep_grid_column *columns)
{
    struct libscols_table *table = scols_new_table();
    if (!table)
        return NULL;
    scols_table_set_stream(table, out);
    scols_table_set_termforce(table, SCOLS_TERMFORCE_ALWAYS);
    scols_table_set_termwidth(table, REP_TERMINAL_COLUMNS);
    scols_table_set_column_separator(table, "  ");
    scols_table_enable_colors(table, colour);
    scols_table_enable_nowrap(table, 0);
    for (; columns->title; columns++)
        scols_table_new_column(table, columns->title, 0, columns->flags);
    return table;
}

void rep_grid_print(FILE *out, struct libscols_table *table)
{
    if (!table || scols_print_table(table))
        fputs("(no memory for this table)\n", out);
    scols_unref_table(table);
}

struct libscols_line *rep_grid_line(struct libscols_table *table)
{
    return table ? scols_table_new_line(table, NULL) : NULL;
}

void rep_grid_cell(struct libscols_line *line, size_t column, const char *format, ...)
{
    char text[REP_TEXT_MAX + 64], clean[3 * sizeof text];
    va_list words;
    va_start(words, format);
    vsnprintf(text, sizeof text, format, words);
    va_end(words);
    rep_text_clean(clean, sizeof clean, text, sizeof text, REP_TEXT_LINE);
    if (line)
        scols_line_set_data(line, column, clean);
}

void rep_grid_paint(struct libscols_line *line, size_t column, const char *colour)
{
    if (line && colour)
        scols_cell_set_color(scols_line_get_cell(line, column), colour);
}
