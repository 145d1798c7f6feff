/* Storing a result: every table by its list of fields, in one transaction that is on the disk at
 * the end. */
#include "db_private.h"
#include "fields.h"

#include <stdio.h>
#include <string.h>

static int64_t read_integer(const struct rep_field *field, const void *member, bool *fits)
{
    uint32_t u32;
    int32_t i32;
    int64_t i64;
    switch (field->kind) {
    case REP_KIND_U32:
        memcpy(&u32, member, sizeof u32);
        return u32;
    case REP_KIND_I32:
        memcpy(&i32, member, sizeof i32);
        return i32;
    case REP_KIND_BOOL:
        return *(const bool *)member;
    default:
        memcpy(&i64, member, sizeof i64);
        *fits = field->kind == REP_KIND_I64 || i64 >= 0;
        return i64;
    }
}

static int bind_text(sqlite3_stmt *statement, int at, const struct rep_field *field,
                     const char *text)
{
    size_t length = strnlen(text, field->bytes);
    return sqlite3_bind_text(statement, at, text, (int)length, SQLITE_TRANSIENT);
}

static int bind_seed(sqlite3_stmt *statement, int at, const void *member)
{
    uint64_t seed;
    char decimal[24];
    memcpy(&seed, member, sizeof seed);
    int length = snprintf(decimal, sizeof decimal, "%llu", (unsigned long long)seed);
    return sqlite3_bind_text(statement, at, decimal, length, SQLITE_TRANSIENT);
}

/* SQLITE_RANGE for a value that the file could not give back. */
static int bind_field(sqlite3_stmt *statement, int at, const struct rep_field *field,
                      const void *row)
{
    const void *member = (const char *)row + field->offset;
    double real;
    int value;
    bool fits = true;
    switch (field->kind) {
    case REP_KIND_TEXT:
        return bind_text(statement, at, field, member);
    case REP_KIND_SEED:
        return bind_seed(statement, at, member);
    case REP_KIND_REAL:
        memcpy(&real, member, sizeof real);
        return sqlite3_bind_double(statement, at, real);
    case REP_KIND_NAME:
        memcpy(&value, member, sizeof value);
        if (!field->label(value))
            return SQLITE_RANGE;
        return sqlite3_bind_text(statement, at, field->label(value), -1, SQLITE_STATIC);
    default: {
        int64_t integer = read_integer(field, member, &fits);
        return fits ? sqlite3_bind_int64(statement, at, integer) : SQLITE_RANGE;
    }
    }
}

static int bind_row(sqlite3 *db, sqlite3_stmt *statement, int first, const struct rep_table *table,
                    const void *row)
{
    for (size_t i = 0; i < table->fields_n; i++) {
        int status = bind_field(statement, first + (int)i, &table->fields[i], row);
        if (status == SQLITE_RANGE)
            return rep_fail(REP_EFORMAT,
                            "the result cannot be stored: %s.%s has an impossible value",
                            table->name, table->fields[i].name);
        if (status != SQLITE_OK)
            return rep_fail_sqlite(REP_EWRITE, db, "cannot store the result");
    }
    return REP_OK;
}

static int prepare(sqlite3 *db, sqlite3_stmt **out, sqlite3_str *text)
{
    char *sql = sqlite3_str_finish(text);
    if (!sql)
        return rep_fail(REP_EMEMORY, "cannot store the result: out of memory");
    int status = sqlite3_prepare_v2(db, sql, -1, out, NULL);
    sqlite3_free(sql);
    return status == SQLITE_OK ? REP_OK
                               : rep_fail_sqlite(REP_EWRITE, db, "cannot store the result");
}

/* INSERT INTO table (position, parent, fields...) VALUES (...): parameters 1, 2 and from 3 on. */
static int prepare_insert(sqlite3 *db, sqlite3_stmt **out, const struct rep_table *table)
{
    sqlite3_str *text = sqlite3_str_new(db);
    sqlite3_str_appendf(text, "INSERT INTO %s (position", table->name);
    if (table->parent)
        sqlite3_str_appendf(text, ", %s", table->parent);
    for (size_t i = 0; i < table->fields_n; i++)
        sqlite3_str_appendf(text, ", %s", table->fields[i].name);
    sqlite3_str_appendf(text, ") VALUES (?1%s", table->parent ? ", ?2" : "");
    for (size_t i = 0; i < table->fields_n; i++)
        sqlite3_str_appendf(text, ", ?%d", (int)i + 3);
    sqlite3_str_appendall(text, ")");
    return prepare(db, out, text);
}

static int insert_rows(sqlite3 *db, const struct rep_table *table, const void *owner,
                       uint32_t parent)
{
    const char *rows;
    uint32_t count;
    memcpy(&count, (const char *)owner + table->count_offset, sizeof count);
    memcpy(&rows, (const char *)owner + table->array_offset, sizeof rows);
    sqlite3_stmt *insert = NULL;
    int error = prepare_insert(db, &insert, table);
    for (uint32_t i = 0; !error && i < count; i++) {
        sqlite3_bind_int64(insert, 1, i);
        if (table->parent)
            sqlite3_bind_int64(insert, 2, parent);
        error = bind_row(db, insert, 3, table, rows + (size_t)i * table->row_bytes);
        if (!error && sqlite3_step(insert) != SQLITE_DONE)
            error = rep_fail_sqlite(REP_EWRITE, db, "cannot store the result");
        sqlite3_reset(insert);
    }
    sqlite3_finalize(insert);
    return error;
}

static int delete_rows(sqlite3 *db, const struct rep_table *table)
{
    sqlite3_str *text = sqlite3_str_new(db);
    sqlite3_str_appendf(text, "DELETE FROM %s", table->name);
    sqlite3_stmt *statement = NULL;
    int error = prepare(db, &statement, text);
    if (!error && sqlite3_step(statement) != SQLITE_DONE)
        error = rep_fail_sqlite(REP_EWRITE, db, "cannot store the result");
    sqlite3_finalize(statement);
    return error;
}

/* The run row was there from the start; `finished` is the status at the end of rep_db_write and
 * nowhere else. */
static int update_run(sqlite3 *db, const struct rep_result *result, const char *status)
{
    const struct rep_table *table = &rep_table_run;
    sqlite3_str *text = sqlite3_str_new(db);
    sqlite3_str_appendf(text, "UPDATE run SET status = %Q", status);
    for (size_t i = 0; i < table->fields_n; i++)
        sqlite3_str_appendf(text, ", %s = ?%d", table->fields[i].name, (int)i + 1);
    sqlite3_stmt *update = NULL;
    int error = prepare(db, &update, text);
    if (!error)
        error = bind_row(db, update, 1, table, result);
    if (!error && sqlite3_step(update) != SQLITE_DONE)
        error = rep_fail_sqlite(REP_EWRITE, db, "cannot store the result");
    sqlite3_finalize(update);
    if (!error && sqlite3_changes(db) != 1)
        error = rep_fail(REP_EFORMAT, "the result has no run row; was it made by rep_db_create?");
    return error;
}

static int store(sqlite3 *db, const struct rep_result *result)
{
    int error = delete_rows(db, &rep_table_gate);
    for (size_t i = 0; !error && i < rep_tables_n; i++) {
        error = delete_rows(db, &rep_tables[i]);
        if (!error)
            error = insert_rows(db, &rep_tables[i], result, 0);
    }
    for (uint32_t i = 0; !error && i < result->phases; i++)
        error = insert_rows(db, &rep_table_gate, &result->phase[i], i);
    return error ? error : update_run(db, result, "finished");
}

int rep_db_describe(sqlite3 *db, const struct rep_result *known)
{
    return update_run(db, known, "unfinished");
}

int rep_db_write(sqlite3 *db, const struct rep_result *result)
{
    /* The ticks leave a truncated journal; a finished run leaves none. EXTRA also syncs the folder
     * after the journal is gone, so that the commit survives a power cut. */
    bool in_file = sqlite3_db_filename(db, "main") && sqlite3_db_filename(db, "main")[0];
    int error = rep_exec(db,
                         in_file ? "PRAGMA journal_mode = DELETE; PRAGMA synchronous = EXTRA"
                                 : "PRAGMA synchronous = OFF",
                         "cannot store the result");
    if (!error)
        error = rep_exec(db, "BEGIN IMMEDIATE", "cannot store the result");
    if (error)
        return error;
    error = store(db, result);
    if (!error)
        error = rep_exec(db, "COMMIT", "cannot store the result");
    if (error && !sqlite3_get_autocommit(db))
        sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    return error;
}
