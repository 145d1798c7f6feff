/*
 * What a row of a result consists of, as data: one list of fields for each table of schema.sql.
 * Writing to SQLite, reading from it and the JSON objects all walk such lists, so that a member is
 * named in one place. Private to reports/. Constant; thread-safe.
 */
#ifndef REP_FIELDS_H
#define REP_FIELDS_H

#include "rep/field.h"
#include "rep/result.h"
#include <stddef.h>

/* A table with one row for each element of an array of the result. */
struct rep_table {
    const char *name;
    const char *parent; /* column with the position of the row that owns this one; NULL: none */
    size_t row_bytes;
    const struct rep_field *fields;
    size_t fields_n;
    size_t count_offset,
        array_offset; /* in the owner: struct rep_result, or struct rep_phase for gates */
};

extern const struct rep_table rep_table_run;  /* one row: the result itself */
extern const struct rep_table rep_table_gate; /* owned by a phase */
extern const struct rep_table rep_tables[];   /* owned by the result */
extern const size_t rep_tables_n;

#endif
