/*
 * The histograms of all boards in SQLite. Write-ahead log, so that readers and one writer of
 * several processes do not wait for each other; not synced at each sample, because a loop must not
 * wait for a disk, and a sample less does no harm. For the same reason a lock of another process is
 * waited for only as long as a loop may stand still.
 *
 * A table `latency` is of builds whose last bin was "127.5 ms and above": it is not read.
 */
#include "rig/aim.h"
#include <assert.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { OPEN_BUSY_MS = 5000, BUSY_MS = 200, WHY = 512 };
enum statement { ADD, READ, FORGET, STATEMENTS };

_Static_assert(RIG_HISTOGRAM_BINS == 416, "the table's CHECK says so, too");
static const char schema[] =
    "CREATE TABLE IF NOT EXISTS latency_bins ("
    "board TEXT NOT NULL, bin INTEGER NOT NULL CHECK (bin BETWEEN 0 AND 415), "
    "count INTEGER NOT NULL, least_us INTEGER NOT NULL, most_us INTEGER NOT NULL, "
    "last_us INTEGER NOT NULL, " /* UTC, of the last sample */
    "PRIMARY KEY (board, bin))";

static const char *const sql[STATEMENTS] = {
    [ADD] = "INSERT INTO latency_bins (board, bin, count, least_us, most_us, last_us) "
            "VALUES (?1, ?2, 1, ?3, ?3, ?4) ON CONFLICT (board, bin) DO UPDATE SET "
            "count = count + 1, least_us = min(least_us, excluded.least_us), "
            "most_us = max(most_us, excluded.most_us), last_us = excluded.last_us",
    [READ] = "SELECT bin, count, least_us, most_us FROM latency_bins WHERE board = ?1",
    [FORGET] = "DELETE FROM latency_bins WHERE board = ?1",
};

struct rig_aim_store {
    pthread_mutex_t lock; /* statements are bound and stepped by one thread at a time */
    sqlite3 *db;
    sqlite3_stmt *statement[STATEMENTS];
    char why[WHY];
    char path[];
};

static int error_of(int code)
{
    switch (code & 0xFF) {
    case SQLITE_OK:
    case SQLITE_DONE:
        return RIG_OK;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return RIG_EBUSY;
    case SQLITE_NOMEM:
        return RIG_EMEMORY;
    case SQLITE_CANTOPEN:
    case SQLITE_NOTADB:
    case SQLITE_READONLY:
    case SQLITE_PERM:
        return RIG_EOPEN;
    default:
        return RIG_EGONE;
    }
}

static int note(struct rig_aim_store *store, int error, const char *why)
{
    if (error)
        snprintf(store->why, sizeof store->why, "%s: %s", store->path, why);
    return error;
}

static int prepare(struct rig_aim_store *store)
{
    int code =
        sqlite3_open_v2(store->path, &store->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL);
    if (!store->db)
        return note(store, RIG_EMEMORY, "no memory");
    if (!code)
        code = sqlite3_busy_timeout(store->db, OPEN_BUSY_MS);
    if (!code)
        code = sqlite3_exec(store->db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL",
                            NULL, NULL, NULL);
    if (!code)
        code = sqlite3_exec(store->db, schema, NULL, NULL, NULL);
    if (!code)
        code = sqlite3_busy_timeout(store->db, BUSY_MS);
    for (int i = 0; i < STATEMENTS && !code; i++)
        code = sqlite3_prepare_v3(store->db, sql[i], -1, SQLITE_PREPARE_PERSISTENT,
                                  &store->statement[i], NULL);
    /* SQLITE_ERROR: there is a table of this name, and it is another's. */
    int error = (code & 0xFF) == SQLITE_ERROR ? RIG_EOPEN : error_of(code);
    return note(store, error, sqlite3_errmsg(store->db));
}

int rig_aim_store_open(struct rig_aim_store **out, const char *path, char *message, size_t len)
{
    assert(out && path && message);
    size_t room = strlen(path) + 1;
    struct rig_aim_store *store = calloc(1, sizeof *store + room);
    *out = NULL;
    if (!store)
        return rig_port_say(RIG_EMEMORY, message, len, "%s: no memory", path);
    memcpy(store->path, path, room);
    pthread_mutex_init(&store->lock, NULL);
    int error = prepare(store);
    if (error) {
        rig_aim_store_why(store, message, len);
        rig_aim_store_close(store);
        return error;
    }
    *out = store;
    return RIG_OK;
}

void rig_aim_store_close(struct rig_aim_store *store)
{
    if (!store)
        return;
    for (int i = 0; i < STATEMENTS; i++)
        sqlite3_finalize(store->statement[i]);
    sqlite3_close(store->db);
    pthread_mutex_destroy(&store->lock);
    free(store);
}

void rig_aim_store_why(struct rig_aim_store *store, char *message, size_t len)
{
    assert(store && message);
    pthread_mutex_lock(&store->lock);
    snprintf(message, len, "%s", store->why);
    pthread_mutex_unlock(&store->lock);
}

static sqlite3_stmt *begin(struct rig_aim_store *store, enum statement which, const char *board)
{
    assert(store && board);
    pthread_mutex_lock(&store->lock);
    sqlite3_bind_text(store->statement[which], 1, board, -1, SQLITE_STATIC);
    return store->statement[which];
}

static int end(struct rig_aim_store *store, enum statement which, int code)
{
    int error = note(store, error_of(code), sqlite3_errmsg(store->db));
    sqlite3_reset(store->statement[which]);
    sqlite3_clear_bindings(store->statement[which]);
    pthread_mutex_unlock(&store->lock);
    return error;
}

static int64_t utc_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int rig_aim_store_add(struct rig_aim_store *store, const char *board, int64_t us)
{
    int64_t taken = us < 0 ? 0 : us;
    sqlite3_stmt *add = begin(store, ADD, board);
    sqlite3_bind_int64(add, 2, rig_histogram_bin(taken));
    sqlite3_bind_int64(add, 3, taken);
    sqlite3_bind_int64(add, 4, utc_us());
    return end(store, ADD, sqlite3_step(add));
}

/* The file may have been written by anybody. */
static bool take_row(struct rig_histogram *out, sqlite3_stmt *row)
{
    int64_t bin = sqlite3_column_int64(row, 0), count = sqlite3_column_int64(row, 1);
    int64_t least_us = sqlite3_column_int64(row, 2), most_us = sqlite3_column_int64(row, 3);
    if (bin < 0 || bin >= RIG_HISTOGRAM_BINS || count < 1 || count > INT64_MAX / 1000000 ||
        most_us < least_us || rig_histogram_bin(least_us) != bin ||
        rig_histogram_bin(most_us) != bin)
        return false;
    if (!out->samples || least_us < out->least_us)
        out->least_us = least_us;
    if (most_us > out->most_us)
        out->most_us = most_us;
    out->bin[bin] = (uint64_t)count;
    out->samples += (uint64_t)count;
    return true;
}

/* With the lock held. */
static int read_rows(struct rig_aim_store *store, sqlite3_stmt *rows, struct rig_histogram *out)
{
    int code;
    while ((code = sqlite3_step(rows)) == SQLITE_ROW)
        if (!take_row(out, rows))
            return note(store, RIG_EANSWER, "table latency_bins: a row that is of no histogram");
    return note(store, error_of(code), sqlite3_errmsg(store->db));
}

int rig_aim_store_read(struct rig_aim_store *store, const char *board, struct rig_histogram *out)
{
    assert(out);
    *out = (struct rig_histogram){.samples = 0};
    int error = read_rows(store, begin(store, READ, board), out);
    end(store, READ, SQLITE_OK);
    if (error)
        *out = (struct rig_histogram){.samples = 0};
    return error;
}

int rig_aim_store_forget(struct rig_aim_store *store, const char *board)
{
    return end(store, FORGET, sqlite3_step(begin(store, FORGET, board)));
}
