/*
 * The odometer: one row a contact; and which are FAILED. Other tables may share the file.
 *
 *   odometer(controller TEXT, channel INTEGER, operations INTEGER)   key: controller, channel
 *   failed(controller TEXT, channel INTEGER, cause TEXT)             key: controller, channel
 *
 * Write-ahead log, not synced at each commit: a count costs some 70 us and survives the death of
 * the process; a power cut of the host may lose the last ones, which no odometer of relays minds.
 * The database is never left damaged by it.
 */
#include "rig/controller.h"
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* COUNT_MS: as long as somebody else keeps the database locked, a count holds up its wire. */
enum { BUSY_MS = 2000, BUSY_EACH_MS = 5, COUNT_MS = 500 };

enum statement { COUNT, READ, RESET, FAIL, HEAL, FAILED, STATEMENTS };

struct rig_odometer {
    pthread_mutex_t lock;
    sqlite3 *db;
    sqlite3_stmt *statement[STATEMENTS];
};

static const char prepare_file[] =
    "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
    "CREATE TABLE IF NOT EXISTS odometer (controller TEXT NOT NULL, channel INTEGER NOT NULL, "
    "operations INTEGER NOT NULL CHECK (operations >= 0), PRIMARY KEY (controller, channel)) "
    "WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS failed (controller TEXT NOT NULL, channel INTEGER NOT NULL, "
    "cause TEXT NOT NULL, PRIMARY KEY (controller, channel)) WITHOUT ROWID";

static const char *const sql[STATEMENTS] = {
    [COUNT] = ("INSERT INTO odometer VALUES (?1, ?2, 1) ON CONFLICT DO UPDATE SET "
               "operations = operations + 1 RETURNING operations"),
    [READ] = "SELECT operations FROM odometer WHERE controller = ?1 AND channel = ?2",
    [RESET] = "DELETE FROM odometer WHERE controller = ?1 AND channel = ?2",
    [FAIL] = ("INSERT INTO failed VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET "
              "cause = excluded.cause"),
    [HEAL] = "DELETE FROM failed WHERE controller = ?1 AND channel = ?2",
    [FAILED] = "SELECT channel, cause FROM failed WHERE controller = ?1",
};

static int error_of(int code)
{
    switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return RIG_EBUSY;
    case SQLITE_NOMEM:
        return RIG_EMEMORY;
    default:
        return RIG_EOPEN;
    }
}

/* SQLite's busy timeout does not wait where two processes turn one new file into WAL. */
static int make_tables(sqlite3 *db)
{
    const struct timespec pause = {.tv_nsec = BUSY_EACH_MS * 1000000};
    int code = sqlite3_exec(db, prepare_file, NULL, NULL, NULL);
    for (int waited = 0; (code & 0xff) == SQLITE_BUSY && waited < BUSY_MS; waited += BUSY_EACH_MS) {
        nanosleep(&pause, NULL);
        code = sqlite3_exec(db, prepare_file, NULL, NULL, NULL);
    }
    return code;
}

static int begin(struct rig_odometer *odometer, const char *path)
{
    int code =
        sqlite3_open_v2(path, &odometer->db,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
    if (code)
        return code;
    sqlite3_busy_timeout(odometer->db, BUSY_MS);
    code = make_tables(odometer->db);
    for (int i = 0; !code && i < STATEMENTS; i++)
        code = sqlite3_prepare_v3(odometer->db, sql[i], -1, SQLITE_PREPARE_PERSISTENT,
                                  &odometer->statement[i], NULL);
    sqlite3_busy_timeout(odometer->db, COUNT_MS);
    return code;
}

int rig_odometer_open(struct rig_odometer **out, const char *path, char *message, size_t len)
{
    struct rig_odometer *odometer = calloc(1, sizeof *odometer);
    *out = NULL;
    if (!odometer) {
        snprintf(message, len, "%s: no memory", path);
        return RIG_EMEMORY;
    }
    pthread_mutex_init(&odometer->lock, NULL);
    int code = begin(odometer, path);
    if (code) {
        snprintf(message, len, "%s: %s", path,
                 odometer->db ? sqlite3_errmsg(odometer->db) : sqlite3_errstr(code));
        rig_odometer_close(odometer);
        return error_of(code);
    }
    *out = odometer;
    return RIG_OK;
}

void rig_odometer_close(struct rig_odometer *odometer)
{
    if (!odometer)
        return;
    for (int i = 0; i < STATEMENTS; i++)
        sqlite3_finalize(odometer->statement[i]);
    sqlite3_close(odometer->db);
    pthread_mutex_destroy(&odometer->lock);
    free(odometer);
}

/* With the lock held. */
static int end(sqlite3_stmt *statement, int code)
{
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    return code == SQLITE_DONE ? RIG_OK : error_of(code);
}

/* *cycles: half of the row that comes; 0 where none does. NULL: not wanted. */
static int run(struct rig_odometer *odometer, enum statement which, const char *controller,
               uint32_t channel, uint64_t *cycles)
{
    sqlite3_stmt *statement = odometer->statement[which];
    pthread_mutex_lock(&odometer->lock);
    sqlite3_bind_text(statement, 1, controller, -1, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 2, channel);
    uint64_t found = 0;
    int code = sqlite3_step(statement);
    if (code == SQLITE_ROW) {
        found = (uint64_t)sqlite3_column_int64(statement, 0) / 2;
        code = sqlite3_step(statement);
    }
    int error = end(statement, code);
    pthread_mutex_unlock(&odometer->lock);
    if (!error && cycles)
        *cycles = found;
    return error;
}

int rig_odometer_count(struct rig_odometer *odometer, const char *controller, uint32_t channel,
                       uint64_t *cycles)
{
    return run(odometer, COUNT, controller, channel, cycles);
}

int rig_odometer_read(struct rig_odometer *odometer, const char *controller, uint32_t channel,
                      uint64_t *cycles)
{
    return run(odometer, READ, controller, channel, cycles);
}

int rig_odometer_reset(struct rig_odometer *odometer, const char *controller, uint32_t channel)
{
    return run(odometer, RESET, controller, channel, NULL);
}

int rig_odometer_fail(struct rig_odometer *odometer, const char *controller, uint32_t channel,
                      const char *cause)
{
    sqlite3_stmt *statement = odometer->statement[FAIL];
    pthread_mutex_lock(&odometer->lock);
    sqlite3_bind_text(statement, 1, controller, -1, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 2, channel);
    sqlite3_bind_text(statement, 3, cause, -1, SQLITE_STATIC);
    int error = end(statement, sqlite3_step(statement));
    pthread_mutex_unlock(&odometer->lock);
    return error;
}

int rig_odometer_heal(struct rig_odometer *odometer, const char *controller, uint32_t channel)
{
    return run(odometer, HEAL, controller, channel, NULL);
}

int rig_odometer_failed(struct rig_odometer *odometer, const char *controller,
                        rig_odometer_each_failed *each, void *ctx)
{
    sqlite3_stmt *statement = odometer->statement[FAILED];
    int code;
    pthread_mutex_lock(&odometer->lock);
    sqlite3_bind_text(statement, 1, controller, -1, SQLITE_STATIC);
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
        int64_t channel = sqlite3_column_int64(statement, 0);
        const char *cause = (const char *)sqlite3_column_text(statement, 1);
        if (channel >= 0 && channel <= UINT32_MAX)
            each(ctx, (uint32_t)channel, cause ? cause : "");
    }
    int error = end(statement, code);
    pthread_mutex_unlock(&odometer->lock);
    return error;
}
