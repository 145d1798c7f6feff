/*
 * Reading a result back. The file may be damaged or made by hand: every value is checked against
 * its field's type, range and names, and what does not fit is REP_EFORMAT.
 */
#include "db_private.h"
#include "fields.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool take_text(const struct rep_field *field, sqlite3_stmt *row, int at, char *member)
{
    const char *text = (const char *)sqlite3_column_text(row, at);
    size_t length = (size_t)sqlite3_column_bytes(row, at);
    if (!text || length >= field->bytes || memchr(text, 0, length))
        return false;
    memcpy(member, text, length + 1);
    return true;
}

static bool take_name(const struct rep_field *field, sqlite3_stmt *row, int at, void *member)
{
    const char *text = (const char *)sqlite3_column_text(row, at);
    for (int value = 0; text && field->label(value); value++) {
        if (strcmp(field->label(value), text) == 0) {
            memcpy(member, &value, sizeof value);
            return true;
        }
    }
    return false;
}

static bool take_seed(sqlite3_stmt *row, int at, void *member)
{
    const char *text = (const char *)sqlite3_column_text(row, at);
    if (!text || text[0] < '0' || text[0] > '9')
        return false;
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    uint64_t seed = value;
    memcpy(member, &seed, sizeof seed);
    return !errno && *end == 0;
}

static bool take_integer(const struct rep_field *field, int64_t value, void *member)
{
    uint32_t u32 = (uint32_t)value;
    int32_t i32 = (int32_t)value;
    switch (field->kind) {
    case REP_KIND_U32:
        memcpy(member, &u32, sizeof u32);
        return value == (int64_t)u32;
    case REP_KIND_I32:
        memcpy(member, &i32, sizeof i32);
        return value == (int64_t)i32;
    case REP_KIND_BOOL:
        *(bool *)member = value == 1;
        return value == 0 || value == 1;
    default:
        memcpy(member, &value, sizeof value);
        return field->kind == REP_KIND_I64 || value >= 0;
    }
}

static bool take_field(const struct rep_field *field, sqlite3_stmt *row, int at, void *out)
{
    void *member = (char *)out + field->offset;
    int type = sqlite3_column_type(row, at);
    double real;
    switch (field->kind) {
    case REP_KIND_TEXT:
        return type == SQLITE_TEXT && take_text(field, row, at, member);
    case REP_KIND_NAME:
        return type == SQLITE_TEXT && take_name(field, row, at, member);
    case REP_KIND_SEED:
        return type == SQLITE_TEXT && take_seed(row, at, member);
    case REP_KIND_REAL:
        real = sqlite3_column_double(row, at);
        memcpy(member, &real, sizeof real);
        return type == SQLITE_FLOAT;
    default:
        return type == SQLITE_INTEGER && take_integer(field, sqlite3_column_int64(row, at), member);
    }
}

static int take_row(const struct rep_table *table, sqlite3_stmt *row, void *out)
{
    for (size_t i = 0; i < table->fields_n; i++) {
        if (!take_field(&table->fields[i], row, (int)i, out))
            return rep_fail(REP_EFORMAT, "the result is damaged: %s.%s has an impossible value",
                            table->name, table->fields[i].name);
    }
    return REP_OK;
}

/* SELECT fields... FROM table [WHERE parent = ?1] ORDER BY position; last adds a column at the end.
 */
static int prepare_select(sqlite3 *db, sqlite3_stmt **out, const struct rep_table *table,
                          const char *last)
{
    sqlite3_str *text = sqlite3_str_new(db);
    for (size_t i = 0; i < table->fields_n; i++)
        sqlite3_str_appendf(text, "%s%s", i ? ", " : "SELECT ", table->fields[i].name);
    sqlite3_str_appendf(text, "%s FROM %s", last, table->name);
    if (table->parent)
        sqlite3_str_appendf(text, " WHERE %s = ?1", table->parent);
    sqlite3_str_appendall(text, " ORDER BY position");
    char *sql = sqlite3_str_finish(text);
    if (!sql)
        return rep_fail(REP_EMEMORY, "cannot read the result: out of memory");
    int status = sqlite3_prepare_v2(db, sql, -1, out, NULL);
    sqlite3_free(sql);
    return status == SQLITE_OK ? REP_OK
                               : rep_fail_sqlite(REP_EFORMAT, db, "cannot read the result");
}

/* The array of a table while it grows; it is handed to its owner even after an error, to be freed
 * there. */
struct rows {
    char *first;
    uint32_t count, room;
};

static void *add_row(struct rows *rows, size_t row_bytes)
{
    if (rows->count == rows->room) {
        uint32_t room = rows->room ? rows->room * 2 : 8;
        char *first = room > rows->room ? realloc(rows->first, room * row_bytes) : NULL;
        if (!first)
            return NULL;
        rows->first = first;
        rows->room = room;
    }
    void *row = rows->first + rows->count * row_bytes;
    memset(row, 0, row_bytes);
    rows->count++;
    return row;
}

static int read_rows(sqlite3 *db, const struct rep_table *table, void *owner, uint32_t parent)
{
    struct rows rows = {0};
    sqlite3_stmt *select = NULL;
    int error = prepare_select(db, &select, table, "");
    if (!error && table->parent)
        sqlite3_bind_int64(select, 1, parent);
    int status = SQLITE_DONE;
    while (!error && (status = sqlite3_step(select)) == SQLITE_ROW) {
        void *row = add_row(&rows, table->row_bytes);
        error = row ? take_row(table, select, row)
                    : rep_fail(REP_EMEMORY, "cannot read the result: out of memory");
    }
    if (!error && status != SQLITE_DONE)
        error = rep_fail_sqlite(REP_EFORMAT, db, "cannot read the result");
    sqlite3_finalize(select);
    memcpy((char *)owner + table->count_offset, &rows.count, sizeof rows.count);
    memcpy((char *)owner + table->array_offset, &rows.first, sizeof rows.first);
    return error;
}

static void mark_unfinished(struct rep_result *out)
{
    static const char why[] = "the run did not finish; what it recorded until then is here";
    out->verdict = REP_UNFINISHED;
    out->exit_code = 8;
    out->cut_short = true;
    if (!out->explanation[0])
        memcpy(out->explanation, why, sizeof why);
}

static int read_run(sqlite3 *db, struct rep_result *out)
{
    sqlite3_stmt *select = NULL;
    int error = prepare_select(db, &select, &rep_table_run, ", status");
    if (!error && sqlite3_step(select) != SQLITE_ROW)
        error = rep_fail(REP_EFORMAT, "the result is damaged: it has no run");
    if (!error)
        error = take_row(&rep_table_run, select, out);
    if (!error && (out->exit_code < 0 || out->exit_code > 8))
        error = rep_fail(REP_EFORMAT, "the result is damaged: exit code %d", out->exit_code);
    const char *status =
        error ? NULL : (const char *)sqlite3_column_text(select, (int)rep_table_run.fields_n);
    if (!error && (!status || strcmp(status, "finished") != 0))
        mark_unfinished(out);
    if (!error && out->cut_short)
        rep_db_take_belief(db, out);
    sqlite3_finalize(select);
    return error;
}

int rep_db_read(sqlite3 *db, struct rep_result *out)
{
    rep_result_init(out);
    int error = read_run(db, out);
    for (size_t i = 0; !error && i < rep_tables_n; i++)
        error = read_rows(db, &rep_tables[i], out, 0);
    for (uint32_t i = 0; !error && i < out->phases; i++)
        error = read_rows(db, &rep_table_gate, &out->phase[i], i);
    if (error)
        rep_result_free(out);
    return error;
}
