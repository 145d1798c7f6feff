/*
 * Creating and opening the SQLite file. Whether an existing file is ours is read from its first 100
 * bytes, before SQLite may touch it: opening a foreign database can already change it, by rolling
 * back its journal.
 */
#include "db_private.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* SQLite file format, section 1.3: the header string and the big endian application id at
 * offset 68. */
enum { HEADER_BYTES = 100, APPLICATION_ID_AT = 68 };

static bool header_is_ours(const uint8_t header[HEADER_BYTES])
{
    const uint8_t *id = header + APPLICATION_ID_AT;
    uint32_t application =
        (uint32_t)id[0] << 24 | (uint32_t)id[1] << 16 | (uint32_t)id[2] << 8 | id[3];
    return memcmp(header, "SQLite format 3", 16) == 0 && application == REP_APPLICATION_ID;
}

/* REP_OK: a Brickyard result. REP_EOPEN with errno: it cannot be read (ENOENT: there is none). */
static int probe(const char *path)
{
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0) {
        int reason = errno;
        rep_fail(REP_EOPEN, "cannot open %s: %s", path, strerror(reason));
        errno = reason;
        return REP_EOPEN;
    }
    struct stat status;
    uint8_t header[HEADER_BYTES];
    bool ours = fstat(file, &status) == 0 && S_ISREG(status.st_mode) &&
                read(file, header, sizeof header) == (ssize_t)sizeof header &&
                header_is_ours(header);
    close(file);
    return ours ? REP_OK : rep_fail(REP_EFORMAT, "%s is not a Brickyard result", path);
}

/* The schema and the run row, in one transaction. */
static int fill_new(sqlite3 *db, const char *scenario, uint64_t seed)
{
    int error = rep_exec(db, "BEGIN IMMEDIATE", "cannot create the result");
    if (!error)
        error = rep_exec(db, rep_schema_sql, "cannot create the result's tables");
    if (error)
        return error;
    char decimal[24];
    snprintf(decimal, sizeof decimal, "%llu", (unsigned long long)seed);
    sqlite3_stmt *insert = NULL;
    if (sqlite3_prepare_v2(db, "INSERT INTO run (position, scenario, seed) VALUES (0, ?, ?)", -1,
                           &insert, NULL) != SQLITE_OK ||
        sqlite3_bind_text(insert, 1, scenario, -1, SQLITE_TRANSIENT) != SQLITE_OK ||
        sqlite3_bind_text(insert, 2, decimal, -1, SQLITE_TRANSIENT) != SQLITE_OK ||
        sqlite3_step(insert) != SQLITE_DONE)
        error = rep_fail_sqlite(REP_EWRITE, db, "cannot create the run's row");
    sqlite3_finalize(insert);
    return error ? error : rep_exec(db, "COMMIT", "cannot create the result");
}

static int open_connection(sqlite3 **out, const char *path, int flags)
{
    sqlite3 *db = NULL;
    char doing[PATH_MAX + 32];
    snprintf(doing, sizeof doing, "cannot open %s", path);
    if (sqlite3_open_v2(path, &db, flags, NULL) != SQLITE_OK) {
        int error = rep_fail_sqlite(REP_EOPEN, db, doing);
        sqlite3_close(db);
        return error;
    }
    sqlite3_busy_timeout(db, 2000);
    *out = db;
    return REP_OK;
}

static int create_in_memory(sqlite3 **out, const char *scenario, uint64_t seed)
{
    sqlite3 *db = NULL;
    int error = open_connection(&db, ":memory:", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
    if (!error)
        error =
            rep_exec(db, "PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF", "cannot start");
    if (!error)
        error = fill_new(db, scenario, seed);
    if (error)
        sqlite3_close(db);
    else
        *out = db;
    return error;
}

/* A new database beside path, complete and synced, under a name that is nobody's. */
static int build_beside(const char *path, const char *beside, const char *scenario, uint64_t seed)
{
    sqlite3 *db = NULL;
    unlink(beside);
    int error = open_connection(&db, beside, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
    if (error)
        return rep_fail(error, "cannot create %s: %s", path,
                        errno ? strerror(errno) : rep_error_name(error));
    error = fill_new(db, scenario, seed);
    sqlite3_close(db);
    return error;
}

/* A journal that an earlier, killed run left beside path would be rolled back into the new file. */
static void remove_journals(const char *path)
{
    static const char *const tails[] = {"-journal", "-wal", "-shm"};
    char name[PATH_MAX + 64];
    for (size_t i = 0; i < sizeof tails / sizeof tails[0]; i++) {
        snprintf(name, sizeof name, "%s%s", path, tails[i]);
        unlink(name);
    }
}

static int replace_file(const char *path, const char *scenario, uint64_t seed)
{
    char beside[PATH_MAX + 32];
    snprintf(beside, sizeof beside, "%s.new-%ld", path, (long)getpid());
    errno = 0;
    int error = build_beside(path, beside, scenario, seed);
    if (!error) {
        remove_journals(path);
        if (rename(beside, path))
            error = rep_fail(REP_EWRITE, "cannot create %s: %s", path, strerror(errno));
    }
    if (error) {
        remove_journals(beside);
        unlink(beside);
    }
    return error;
}

int rep_db_create(sqlite3 **out, const char *path, const char *scenario, uint64_t seed)
{
    *out = NULL;
    if (!path)
        return create_in_memory(out, scenario, seed);
    if (strlen(path) >= PATH_MAX)
        return rep_fail(REP_EOPEN, "the name of the result is too long");
    int error = probe(path);
    if (error == REP_EFORMAT)
        return rep_fail(REP_EEXISTS,
                        "%s exists and is not a Brickyard result: it was left alone; "
                        "give --db another name",
                        path);
    if (error && errno != ENOENT)
        return error;
    error = replace_file(path, scenario, seed);
    if (!error)
        error = open_connection(out, path, SQLITE_OPEN_READWRITE);
    if (!error)
        error = rep_exec(*out, "PRAGMA journal_mode = TRUNCATE; PRAGMA synchronous = OFF",
                         "cannot open the result");
    if (error) {
        sqlite3_close(*out);
        *out = NULL;
    }
    return error;
}

/* The one number that a query gives; -1 where it gives none. */
static int64_t query_number(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *query = NULL;
    int64_t number = -1;
    if (sqlite3_prepare_v2(db, sql, -1, &query, NULL) == SQLITE_OK &&
        sqlite3_step(query) == SQLITE_ROW)
        number = sqlite3_column_int64(query, 0);
    sqlite3_finalize(query);
    return number;
}

/* A damaged page is found here, once, and not in the middle of a report. */
static int check_whole(sqlite3 *db, const char *path)
{
    sqlite3_stmt *check = NULL;
    bool whole = sqlite3_prepare_v2(db, "PRAGMA quick_check(1)", -1, &check, NULL) == SQLITE_OK &&
                 sqlite3_step(check) == SQLITE_ROW && sqlite3_column_text(check, 0) &&
                 strcmp((const char *)sqlite3_column_text(check, 0), "ok") == 0;
    sqlite3_finalize(check);
    if (!whole)
        return rep_fail(REP_EFORMAT, "%s is damaged: it fails SQLite's check", path);
    int64_t version = query_number(db, "PRAGMA user_version");
    if (version != REP_SCHEMA_VERSION)
        return rep_fail(REP_EFORMAT, "%s has schema version %lld; this program reads %d", path,
                        (long long)version, REP_SCHEMA_VERSION);
    if (query_number(db, "SELECT count(*) FROM run") != 1)
        return rep_fail(REP_EFORMAT, "%s is damaged: it has no run", path);
    return REP_OK;
}

int rep_db_open(sqlite3 **out, const char *path)
{
    sqlite3 *db = NULL;
    *out = NULL;
    int error = probe(path);
    /* Not read-only: the journal of a killed run must be rolled back before anything is true. */
    if (!error)
        error = open_connection(&db, path, SQLITE_OPEN_READWRITE);
    if (error)
        return error;
    sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    error = check_whole(db, path);
    if (!error)
        error = rep_exec(db, "PRAGMA query_only = ON", "cannot open the result");
    if (error)
        sqlite3_close(db);
    else
        *out = db;
    return error;
}
