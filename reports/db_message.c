/* The words behind an error number: what was being done, what SQLite says, what the system says. */
#include "db_private.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* A failed open leaves no connection that could keep its message, so the thread keeps it. */
static _Thread_local char last_message[1024];

const char *rep_error_name(int error)
{
    switch (error) {
    case REP_OK:
        return "ok";
    case REP_EOPEN:
        return "cannot open";
    case REP_EWRITE:
        return "cannot write";
    case REP_EFORMAT:
        return "not a Brickyard result, or damaged";
    case REP_EMEMORY:
        return "out of memory";
    case REP_EEXISTS:
        return "exists and is no Brickyard result";
    }
    return "unknown error";
}

int rep_fail(int code, const char *format, ...)
{
    va_list words;
    va_start(words, format);
    vsnprintf(last_message, sizeof last_message, format, words);
    va_end(words);
    return code;
}

int rep_fail_sqlite(int code, sqlite3 *db, const char *doing)
{
    int reason = db ? sqlite3_errcode(db) : SQLITE_NOMEM;
    int system = db ? sqlite3_system_errno(db) : 0;
    bool of_the_system = system && (reason == SQLITE_CANTOPEN || reason == SQLITE_IOERR ||
                                    reason == SQLITE_FULL || reason == SQLITE_READONLY);
    rep_fail(code, "%s: %s%s%s%s", doing, db ? sqlite3_errmsg(db) : sqlite3_errstr(reason),
             of_the_system ? " (" : "", of_the_system ? strerror(system) : "",
             of_the_system ? ")" : "");
    if (reason == SQLITE_CORRUPT || reason == SQLITE_NOTADB)
        return REP_EFORMAT;
    return reason == SQLITE_NOMEM ? REP_EMEMORY : code;
}

int rep_exec(sqlite3 *db, const char *sql, const char *doing)
{
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        return rep_fail_sqlite(REP_EWRITE, db, doing);
    return REP_OK;
}

const char *rep_db_message(sqlite3 *db)
{
    if (last_message[0])
        return last_message;
    return db ? sqlite3_errmsg(db) : "no error";
}
