/*
 * What a row of a result consists of, as data: one list of fields for each table of schema.sql.
 * Writing to SQLite, reading from it and the JSON objects all walk such lists, so that a member is
 * named in one place. Private to reports/. Constant; thread-safe.
 */
#ifndef REP_FIELDS_H
#define REP_FIELDS_H

#include "rep/result.h"
#include <stddef.h>

enum rep_kind {
    REP_KIND_TEXT, /* char[bytes], zero-terminated */
    REP_KIND_U32,
    REP_KIND_I32,
    REP_KIND_I64,
    REP_KIND_U64,  /* SQLite's integers are signed: values above INT64_MAX are refused */
    REP_KIND_SEED, /* a uint64_t that uses all its bits: decimal text in SQLite */
    REP_KIND_REAL,
    REP_KIND_BOOL,
    REP_KIND_NAME, /* an enum, stored by its name */
};

struct rep_field {
    const char *name; /* the column, or the JSON key */
    enum rep_kind kind;
    size_t offset, bytes; /* of the member in its struct */
    const char *(*label)(
        int); /* REP_KIND_NAME: the name of value 0, 1, ...; NULL behind the last */
};

#define REP_FIELD(type, member, column, kind_)                                                     \
    {                                                                                              \
        .name = column, .kind = REP_KIND_##kind_, .offset = offsetof(struct type, member),         \
        .bytes = sizeof(((struct type *)0)->member)                                                \
    }
#define REP_FIELD_NAME(type, member, column, label_)                                               \
    {                                                                                              \
        .name = column, .kind = REP_KIND_NAME, .offset = offsetof(struct type, member),            \
        .bytes = sizeof(((struct type *)0)->member), .label = label_                               \
    }

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
