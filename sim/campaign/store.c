/*
 * Writing: everything that a tick changed, in one transaction, by prepared statements over dirty
 * lists. A tick that changed nothing writes nothing.
 */
#include "camp.h"
#include "camp_schema.h"

#include <stdio.h>

static const char *const statement_sql[CAMP_STATEMENTS] = {
    [CAMP_SQL_BEGIN] = "BEGIN",
    [CAMP_SQL_COMMIT] = "COMMIT",
    [CAMP_SQL_STATE] = "INSERT OR REPLACE INTO camp_state VALUES "
                       "(1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    [CAMP_SQL_DEVICE] = "INSERT OR REPLACE INTO camp_device VALUES "
                        "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    [CAMP_SQL_MEASURED] = "INSERT OR REPLACE INTO camp_measured VALUES (?, ?)",
    [CAMP_SQL_PHASE] = "INSERT OR REPLACE INTO camp_phase VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    [CAMP_SQL_GATE] = "INSERT OR REPLACE INTO camp_gate VALUES (?, ?, ?, ?, ?, ?, ?)",
    [CAMP_SQL_ALERT] = "INSERT INTO camp_alert VALUES (?, ?, ?, ?, ?, ?)",
    [CAMP_SQL_SEND] = "INSERT INTO camp_outgoing VALUES (?, ?, ?, ?)",
    [CAMP_SQL_TAKEN] = "DELETE FROM camp_outgoing WHERE number <= ?",
};

int camp_error_db(struct camp *camp, const char *what)
{
    snprintf(camp->message, sizeof camp->message, "campaign database: %s: %s", what,
             sqlite3_errmsg(camp->db));
    return CAMP_EDB;
}

int camp_store_open(struct camp *camp)
{
    if (sqlite3_exec(camp->db, camp_schema_sql, NULL, NULL, NULL) != SQLITE_OK)
        return camp_error_db(camp, "creating its tables");
    for (int i = 0; i < CAMP_STATEMENTS; i++)
        if (sqlite3_prepare_v3(camp->db, statement_sql[i], -1, SQLITE_PREPARE_PERSISTENT,
                               &camp->statement[i], NULL) != SQLITE_OK)
            return camp_error_db(camp, "preparing to write");
    return CAMP_OK;
}

void camp_store_close(struct camp *camp)
{
    for (int i = 0; i < CAMP_STATEMENTS; i++)
        sqlite3_finalize(camp->statement[i]);
}

static void bind_ints(sqlite3_stmt *statement, int first, const int64_t *values, int count)
{
    for (int i = 0; i < count; i++)
        sqlite3_bind_int64(statement, first + i, values[i]);
}

/* Text lives in the row's struct until the statement has run. */
static void bind_text(sqlite3_stmt *statement, int at, const char *text)
{
    sqlite3_bind_text(statement, at, text, -1, SQLITE_STATIC);
}

static bool run(struct camp *camp, enum camp_statement which)
{
    sqlite3_stmt *statement = camp->statement[which];
    bool done = sqlite3_step(statement) == SQLITE_DONE;
    return sqlite3_reset(statement) == SQLITE_OK && done;
}

static bool write_state(struct camp *camp)
{
    sqlite3_stmt *statement = camp->statement[CAMP_SQL_STATE];
    const struct camp_counts *counts = &camp->counts;
    const int64_t values[] = {
        camp->config->devices,
        camp->state,
        camp->at_phase,
        camp->now_us,
        camp->stopped_us,
        camp->rate_next_us,
        camp->send_number,
        (int64_t)counts->statuses,
        (int64_t)counts->telemetry,
        (int64_t)counts->pongs,
        (int64_t)counts->late,
        (int64_t)counts->foreign,
        (int64_t)counts->dropped,
    };
    bind_text(statement, 1, camp->config->campaign_id);
    bind_ints(statement, 2, values, sizeof values / sizeof values[0]);
    return run(camp, CAMP_SQL_STATE);
}

static int64_t device_flags(const struct camp_device *it)
{
    return it->presumed | it->crashed << 1 | it->deferred << 2 | it->ordered << 3;
}

static bool write_device(struct camp *camp, uint32_t device)
{
    sqlite3_stmt *statement = camp->statement[CAMP_SQL_DEVICE];
    const struct camp_device *it = &camp->device[device];
    const int64_t head[] = {device, it->phase, it->position, it->seq};
    const int64_t rest[] = {it->outcome,     device_flags(it), it->alerted,    it->enrolled_us,
                            it->notified_us, it->heard_us,     it->outcome_us, it->confirmed_us,
                            it->approve_us,  it->version_us};
    bind_ints(statement, 1, head, 4);
    bind_text(statement, 5, camp_status_name(it->status));
    bind_ints(statement, 6, rest, 10);
    bind_text(statement, 16, it->version);
    bind_text(statement, 17, it->reason);
    sqlite3_bind_int64(statement, 18, it->silent_us);
    return run(camp, CAMP_SQL_DEVICE);
}

static bool write_measured(struct camp *camp, uint32_t device)
{
    sqlite3_stmt *statement = camp->statement[CAMP_SQL_MEASURED];
    uint8_t sums[CAMP_MEASURED_BYTES_MAX];
    uint32_t bytes = camp_measured_encode(sums, &camp->device[device].measured);
    sqlite3_bind_int64(statement, 1, device);
    sqlite3_bind_blob(statement, 2, sums, (int)bytes, SQLITE_STATIC);
    return run(camp, CAMP_SQL_MEASURED);
}

static bool write_phase(struct camp *camp, uint32_t number)
{
    const struct camp_phase_now *phase = &camp->phase[number];
    const int64_t values[] = {
        number,        phase->result,    phase->started_us,  phase->hold_from_us, phase->ended_us,
        phase->cohort, phase->confirmed, phase->rolled_back, phase->bricked,      phase->paused_us};
    bind_ints(camp->statement[CAMP_SQL_PHASE], 1, values, 10);
    bool ok = run(camp, CAMP_SQL_PHASE);
    for (uint32_t i = 0; i < phase->plan->gates && ok; i++) {
        const struct camp_gate_now *gate = &phase->gate[i];
        const int64_t row[] = {
            number,         i, gate->state, gate->numerator, gate->denominator, gate->at_us,
            gate->overruled};
        bind_ints(camp->statement[CAMP_SQL_GATE], 1, row, 7);
        ok = run(camp, CAMP_SQL_GATE);
    }
    return ok;
}

static bool write_alert(struct camp *camp, uint32_t number)
{
    sqlite3_stmt *statement = camp->statement[CAMP_SQL_ALERT];
    const struct camp_alert *alert = &camp->alert[number];
    const int64_t values[] = {number, alert->at_us, alert->kind, alert->level, alert->device};
    bind_ints(statement, 1, values, 5);
    bind_text(statement, 6, alert->cause);
    return run(camp, CAMP_SQL_ALERT);
}

static bool write_sends(struct camp *camp)
{
    bool ok = true;
    if (camp_sent_up_to(camp) != camp->taken_stored) {
        sqlite3_bind_int64(camp->statement[CAMP_SQL_TAKEN], 1, camp_sent_up_to(camp));
        ok = run(camp, CAMP_SQL_TAKEN);
    }
    for (uint32_t i = camp->sends_committed; i < camp->sends && ok; i++) {
        const struct camp_send *send = &camp->send[(camp->send_head + i) % camp->sends_room];
        const int64_t values[] = {send->number, send->at_us, send->device, send->command};
        bind_ints(camp->statement[CAMP_SQL_SEND], 1, values, 4);
        ok = run(camp, CAMP_SQL_SEND);
    }
    return ok;
}

static bool write_all(struct camp *camp)
{
    bool ok = run(camp, CAMP_SQL_BEGIN);
    for (uint32_t i = 0; i < camp->dirty_rows && ok; i++)
        ok = write_device(camp, camp->dirty_row[i]);
    for (uint32_t i = 0; i < camp->dirty_measureds && ok; i++)
        ok = write_measured(camp, camp->dirty_measured[i]);
    for (uint32_t i = 0; i < camp->phases && ok; i++)
        ok = !camp->phase[i].dirty || write_phase(camp, i);
    for (uint32_t i = camp->alerts_stored; i < camp->alerts && ok; i++)
        ok = write_alert(camp, i);
    ok = ok && write_sends(camp);
    ok = ok && (!camp->dirty || write_state(camp));
    return ok && run(camp, CAMP_SQL_COMMIT);
}

static void all_clean(struct camp *camp)
{
    for (uint32_t i = 0; i < camp->dirty_rows; i++)
        camp->device[camp->dirty_row[i]].dirty = false;
    for (uint32_t i = 0; i < camp->dirty_measureds; i++)
        camp->device[camp->dirty_measured[i]].dirty_measured = false;
    for (uint32_t i = 0; i < camp->phases; i++)
        camp->phase[i].dirty = false;
    camp->dirty_rows = camp->dirty_measureds = 0;
    camp->alerts_stored = camp->alerts;
    camp->sends_committed = camp->sends;
    camp->taken_stored = camp_sent_up_to(camp);
    camp->dirty = false;
}

/* Anything but measurements. */
static bool more_than_measurements(const struct camp *camp)
{
    bool phases = false;
    for (uint32_t i = 0; i < camp->phases; i++)
        phases = phases || camp->phase[i].dirty;
    return phases || camp->dirty || camp->dirty_rows || camp->alerts != camp->alerts_stored ||
           camp->sends != camp->sends_committed || camp_sent_up_to(camp) != camp->taken_stored;
}

int camp_store_commit(struct camp *camp)
{
    bool more = more_than_measurements(camp);
    if (!more && camp->dirty_measureds == 0)
        return CAMP_OK;
    /* Most ticks of a long hold bring telemetry of one device; a single statement commits itself.
     */
    bool alone = !more && camp->dirty_measureds == 1;
    if (!(alone ? write_measured(camp, camp->dirty_measured[0]) : write_all(camp))) {
        int error = camp_error_db(camp, "writing a tick");
        sqlite3_exec(camp->db, "ROLLBACK", NULL, NULL, NULL);
        return error;
    }
    all_clean(camp);
    return CAMP_OK;
}
