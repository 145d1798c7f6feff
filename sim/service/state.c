/*
 * The database of a service. One file, one service: `<database>.lock` is locked as long as it runs
 * (the kernel takes the lock back when it dies, however it dies). A row of its own says which
 * campaign this is and when it began, so that a restart goes on with the same clock.
 *
 * Write-ahead log, synced at each commit: what was committed survives the death of the process, and
 * a power cut of the host as far as its disk keeps what it was told to keep.
 */
#include "service.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

enum { BUSY_MS = 10000 };

static const char schema[] = "CREATE TABLE service ("
                             "one INTEGER PRIMARY KEY CHECK (one = 1), "
                             "fingerprint TEXT NOT NULL, " /* of scenario and manifest */
                             "scenario TEXT NOT NULL, started_us INTEGER NOT NULL)";

static int lock(struct svc_state *state, const char *database,
                char message[SIM_SERVICE_MESSAGE_MAX])
{
    char path[SIM_SERVICE_PATH_MAX + 8];
    snprintf(path, sizeof path, "%s.lock", database);
    state->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (state->lock >= 0 && !flock(state->lock, LOCK_EX | LOCK_NB))
        return 0;
    snprintf(message, SIM_SERVICE_MESSAGE_MAX, "%.400s: %s", path,
             state->lock >= 0 && errno == EWOULDBLOCK
                 ? "another service runs on this database; accepted: one at a time"
                 : strerror(errno));
    return -1;
}

static int fail_db(const struct svc_state *state, const char *database,
                   char message[SIM_SERVICE_MESSAGE_MAX])
{
    snprintf(message, SIM_SERVICE_MESSAGE_MAX, "%.400s: %s", database,
             state->db ? sqlite3_errmsg(state->db) : "no memory");
    return -1;
}

/* The first column of the first row, -1: no row, -2: an error. */
static int64_t ask_number(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *statement;
    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK)
        return -2;
    int step = sqlite3_step(statement);
    int64_t number = step == SQLITE_ROW    ? sqlite3_column_int64(statement, 0)
                     : step == SQLITE_DONE ? -1
                                           : -2;
    sqlite3_finalize(statement);
    return number;
}

static bool is_ours(sqlite3 *db, const struct svc_plan *plan)
{
    sqlite3_stmt *statement;
    bool ours = false;
    if (sqlite3_prepare_v2(db, "SELECT fingerprint FROM service", -1, &statement, NULL) !=
        SQLITE_OK)
        return false;
    if (sqlite3_step(statement) == SQLITE_ROW) {
        const char *text = (const char *)sqlite3_column_text(statement, 0);
        ours = text && !strcmp(text, plan->fingerprint);
    }
    sqlite3_finalize(statement);
    return ours;
}

static int64_t real_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* Table and row in one transaction: no file is ever half a service's. */
static int begin(struct svc_state *state, const struct svc_plan *plan)
{
    sqlite3_stmt *statement = NULL;
    state->started_us = real_us();
    if (sqlite3_exec(state->db, "BEGIN IMMEDIATE", NULL, NULL, NULL) ||
        sqlite3_exec(state->db, schema, NULL, NULL, NULL) ||
        sqlite3_prepare_v2(state->db, "INSERT INTO service VALUES (1, ?, ?, ?)", -1, &statement,
                           NULL))
        return -1;
    sqlite3_bind_text(statement, 1, plan->fingerprint, -1, SQLITE_STATIC);
    sqlite3_bind_text(statement, 2, plan->scn->name, -1, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 3, state->started_us);
    int step = sqlite3_step(statement);
    sqlite3_finalize(statement);
    return step == SQLITE_DONE && !sqlite3_exec(state->db, "COMMIT", NULL, NULL, NULL) ? 0 : -1;
}

static int resume(struct svc_state *state, const char *database, const struct svc_plan *plan,
                  char message[SIM_SERVICE_MESSAGE_MAX])
{
    state->started_us = ask_number(state->db, "SELECT started_us FROM service");
    state->resumed = true;
    if (state->started_us >= 0 && is_ours(state->db, plan))
        return 0;
    snprintf(message, SIM_SERVICE_MESSAGE_MAX,
             "%.400s: it holds a campaign of another scenario or manifest; accepted: the files "
             "that it was begun with, or another database",
             database);
    return -1;
}

int svc_state_open(struct svc_state *out, const struct sim_service_settings *settings,
                   const struct svc_plan *plan, char message[SIM_SERVICE_MESSAGE_MAX])
{
    const char *path = settings->database;
    *out = (struct svc_state){.lock = -1};
    if (lock(out, path, message))
        return -1;
    if (sqlite3_open_v2(path, &out->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL) !=
        SQLITE_OK)
        return fail_db(out, path, message);
    sqlite3_busy_timeout(out->db, BUSY_MS);
    int64_t tables = ask_number(out->db, "SELECT count(*) FROM sqlite_master");
    int64_t own = ask_number(out->db, "SELECT count(*) FROM sqlite_master WHERE name = 'service'");
    if (tables < 0 || own < 0)
        return fail_db(out, path, message);
    if (tables > 0 && !own) {
        snprintf(message, SIM_SERVICE_MESSAGE_MAX,
                 "%.400s: not the database of a service; accepted: one, or a new file", path);
        return -1;
    }
    if (sqlite3_exec(out->db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;", NULL, NULL,
                     NULL))
        return fail_db(out, path, message);
    if (own)
        return resume(out, path, plan, message);
    return begin(out, plan) ? fail_db(out, path, message) : 0;
}

void svc_state_close(struct svc_state *state)
{
    sqlite3_close(state->db);
    if (state->lock >= 0)
        close(state->lock);
}
