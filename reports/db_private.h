/*
 * What the files of rep/db.h share: the schema's text and numbers, and the message of the last
 * failure. Private to reports/. The message belongs to the thread.
 */
#ifndef REP_DB_PRIVATE_H
#define REP_DB_PRIVATE_H

#include "rep/db.h"

enum { REP_APPLICATION_ID = 0x4252594B, REP_SCHEMA_VERSION = 2 };

extern const char rep_schema_sql[]; /* schema.sql, generated into schema.c by CMake */

/* Keeps the words for rep_db_message and returns code. */
__attribute__((format(printf, 2, 3))) int rep_fail(int code, const char *format, ...);

/* Like rep_fail, with what SQLite and the system say behind the words. REP_EFORMAT where SQLite
 * says that the file is damaged, REP_EMEMORY where it had no memory; else code. */
int rep_fail_sqlite(int code, sqlite3 *db, const char *doing);

/* Runs statements that return nothing of interest; REP_EWRITE on failure. */
int rep_exec(sqlite3 *db, const char *sql, const char *doing);

/* Fills in what the campaign service believed when an unfinished run ended, if its tables are there
 * and sound; else changes nothing. */
void rep_db_take_belief(sqlite3 *db, struct rep_result *out);

#endif
