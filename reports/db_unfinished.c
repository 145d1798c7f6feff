/*
 * A result whose run never came to its end. The run's row has what was known when it began; what
 * happened since is only in the tables of the campaign service (camp_*), so that the counts are
 * what the service believed at its last tick. Bricks on the flash and all work are not known.
 */
#include "db_private.h"

#include <string.h>

/* The next row of a query without parameters; NULL where there is none, or no such table. */
static sqlite3_stmt *first_row(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *query = NULL;
    if (sqlite3_prepare_v2(db, sql, -1, &query, NULL) == SQLITE_OK &&
        sqlite3_step(query) == SQLITE_ROW)
        return query;
    sqlite3_finalize(query);
    return NULL;
}

/* Outcomes are numbered as in rep/result.h; an enrolled device without one is under way. */
static bool count_outcomes(sqlite3 *db, struct rep_result *out)
{
    sqlite3_stmt *query = first_row(db, "SELECT outcome, count(*), sum(flags & 1) FROM camp_device "
                                        "WHERE enrolled_us >= 0 GROUP BY outcome");
    bool sound = true;
    for (int status = SQLITE_ROW; query && status == SQLITE_ROW; status = sqlite3_step(query)) {
        int64_t outcome = sqlite3_column_int64(query, 0), devices = sqlite3_column_int64(query, 1);
        if (outcome < 0 || outcome >= REP_OUTCOMES || devices > out->devices - out->enrolled) {
            sound = false;
            break;
        }
        out->enrolled += (uint32_t)devices;
        out->updates[outcome == REP_OUT_NONE ? REP_OUT_PENDING : outcome] += (uint32_t)devices;
        out->presumed_bricked += (uint32_t)sqlite3_column_int64(query, 2);
    }
    sqlite3_finalize(query);
    return sound;
}

/* Virtual seconds up to the service's last tick. */
static bool take_time(sqlite3 *db, struct rep_result *out)
{
    sqlite3_stmt *query = first_row(db, "SELECT now_us / 1000000 - CAST(strftime('%s', start) AS "
                                        "INTEGER) FROM camp_state, run WHERE start <> ''");
    int64_t seconds = query ? sqlite3_column_int64(query, 0) : -1;
    sqlite3_finalize(query);
    out->virtual_s = seconds < 0 ? 0 : seconds;
    return seconds >= 0;
}

void rep_db_take_belief(sqlite3 *db, struct rep_result *out)
{
    const struct rep_result known = *out;
    out->belief_only = take_time(db, out) && count_outcomes(db, out);
    if (out->belief_only)
        return;
    memcpy(out, &known, sizeof known);
}
