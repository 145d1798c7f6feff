#include "sql.h"
#include <stdarg.h>
#include <stdio.h>

static int fail(sqlite3 *db, char *message, size_t len)
{
    snprintf(message, len, "%s: %s", sqlite3_db_filename(db, "main"), sqlite3_errmsg(db));
    return -1;
}

static int bind(sqlite3_stmt *statement, const char *format, va_list values)
{
    int status = SQLITE_OK;
    for (int i = 0; format[i] && status == SQLITE_OK; i++)
        if (format[i] == 'i')
            status = sqlite3_bind_int64(statement, i + 1, va_arg(values, int64_t));
        else
            status = sqlite3_bind_text(statement, i + 1, va_arg(values, const char *), -1,
                                       SQLITE_TRANSIENT);
    return status;
}

int bi_sql(sqlite3 *db, char *message, size_t len, const char *sql, const char *format, ...)
{
    sqlite3_stmt *statement = NULL;
    va_list values;
    va_start(values, format);
    int status = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);
    if (status == SQLITE_OK)
        status = bind(statement, format, values);
    if (status == SQLITE_OK)
        status = sqlite3_step(statement);
    va_end(values);
    int error = status == SQLITE_DONE || status == SQLITE_ROW ? 0 : fail(db, message, len);
    sqlite3_finalize(statement);
    return error;
}

void bi_sql_text(sqlite3_stmt *row, int column, char *out, size_t room)
{
    const char *text = (const char *)sqlite3_column_text(row, column);
    snprintf(out, room, "%s", text ? text : "");
}

int bi_sql_each(sqlite3 *db, char *message, size_t len, const char *sql,
                int (*visit)(void *ctx, sqlite3_stmt *row), void *ctx)
{
    sqlite3_stmt *statement = NULL;
    int status = sqlite3_prepare_v2(db, sql, -1, &statement, NULL), error = 0;
    while (status == SQLITE_OK && !error) {
        int step = sqlite3_step(statement);
        if (step == SQLITE_ROW)
            error = visit(ctx, statement);
        else
            status = step;
    }
    if (!error && status != SQLITE_DONE)
        error = fail(db, message, len);
    sqlite3_finalize(statement);
    return error ? -1 : 0;
}
