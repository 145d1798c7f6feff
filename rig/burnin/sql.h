/* Statements of a burn-in's file, with their values in place. */
#ifndef RIG_BURNIN_SQL_H
#define RIG_BURNIN_SQL_H

#include <sqlite3.h>
#include <stddef.h>
#include <stdint.h>

/* Runs one statement; format has a letter for each value: 'i' int64_t, 't' const char *. 0, or -1
 * with what SQLite said in message. */
int bi_sql(sqlite3 *db, char *message, size_t len, const char *sql, const char *format, ...);
/* A column as text into its place; an over-long one is cut, NULL is "". */
void bi_sql_text(sqlite3_stmt *row, int column, char *out, size_t room);
/* Every row of a query without values; 0, -1 with message. visit returns 0 to go on. */
int bi_sql_each(sqlite3 *db, char *message, size_t len, const char *sql,
                int (*visit)(void *ctx, sqlite3_stmt *row), void *ctx);

#endif
