/*
 * Reading it all back. Rows are checked before they are believed: a database of another campaign or
 * another fleet, or one that somebody edited, is refused. Tallies, lanes and deadlines are rebuilt
 * from the rows.
 */
#include "camp.h"

#include <stdio.h>
#include <string.h>

static int error_format(struct camp *camp, const char *what)
{
    snprintf(camp->message, sizeof camp->message, "campaign database: %s", what);
    return CAMP_ECONFIG;
}

typedef int row_fn(struct camp *camp, sqlite3_stmt *row);

static int each_row(struct camp *camp, const char *sql, row_fn *take)
{
    sqlite3_stmt *statement;
    if (sqlite3_prepare_v2(camp->db, sql, -1, &statement, NULL) != SQLITE_OK)
        return camp_error_db(camp, "reading");
    int error = CAMP_OK, step;
    while (!error && (step = sqlite3_step(statement)) != SQLITE_DONE)
        error = step == SQLITE_ROW ? take(camp, statement) : camp_error_db(camp, "reading");
    sqlite3_finalize(statement);
    return error;
}

static bool column_text(char *out, size_t room, sqlite3_stmt *row, int column)
{
    const char *text = (const char *)sqlite3_column_text(row, column);
    if (!text || strlen(text) >= room)
        return false;
    memcpy(out, text, strlen(text) + 1);
    return true;
}

static int take_state(struct camp *camp, sqlite3_stmt *row)
{
    char id[REP_TEXT_MAX];
    if (!column_text(id, sizeof id, row, 1) || strcmp(id, camp->config->campaign_id) != 0)
        return error_format(camp, "it holds another campaign");
    if (sqlite3_column_int64(row, 2) != camp->config->devices)
        return error_format(camp, "it holds another fleet");
    int64_t state = sqlite3_column_int64(row, 3), phase = sqlite3_column_int64(row, 4);
    if (state < CAMP_RUNNING || state > CAMP_FINISHED || phase < -1 ||
        phase >= (int64_t)camp->phases)
        return error_format(camp, "its state is damaged");
    camp->state = (enum camp_state)state;
    camp->at_phase = (int32_t)phase;
    camp->now_us = sqlite3_column_int64(row, 5);
    camp->stopped_us = sqlite3_column_int64(row, 6);
    camp->rate_next_us = sqlite3_column_int64(row, 7);
    camp->send_number = sqlite3_column_int64(row, 8);
    uint64_t *counts[] = {&camp->counts.statuses, &camp->counts.telemetry, &camp->counts.pongs,
                          &camp->counts.late,     &camp->counts.foreign,   &camp->counts.dropped};
    for (int i = 0; i < 6; i++)
        *counts[i] = (uint64_t)sqlite3_column_int64(row, 9 + i);
    return CAMP_OK;
}

static int status_parse(const char *name)
{
    for (int status = 0; status < CAMP_STATUS_KINDS; status++)
        if (strcmp(name, camp_status_name(status)) == 0)
            return status;
    return -1;
}

static void device_flags_set(struct camp_device *it, int flags)
{
    it->presumed = flags & 1;
    it->crashed = flags & 2;
    it->deferred = flags & 4;
    it->ordered = flags & 8;
}

static int take_device(struct camp *camp, sqlite3_stmt *row)
{
    int64_t device = sqlite3_column_int64(row, 0), outcome = sqlite3_column_int64(row, 5);
    int64_t phase = sqlite3_column_int64(row, 1);
    char name[REP_NAME_MAX];
    if (device < 0 || device >= camp->config->devices || outcome < 0 || outcome >= REP_OUTCOMES ||
        phase < -1 || phase > camp->at_phase || !column_text(name, sizeof name, row, 4) ||
        status_parse(name) < 0)
        return error_format(camp, "a device's row is damaged");
    struct camp_device *it = &camp->device[device];
    it->phase = (int32_t)phase;
    it->position = (uint32_t)sqlite3_column_int64(row, 2);
    it->seq = (uint32_t)sqlite3_column_int64(row, 3);
    it->status = (uint8_t)status_parse(name);
    it->outcome = (uint8_t)outcome;
    device_flags_set(it, sqlite3_column_int(row, 6));
    it->alerted = (uint32_t)sqlite3_column_int64(row, 7);
    int64_t *times[] = {&it->enrolled_us,  &it->notified_us, &it->heard_us,  &it->outcome_us,
                        &it->confirmed_us, &it->approve_us,  &it->version_us};
    for (int i = 0; i < 7; i++)
        *times[i] = sqlite3_column_int64(row, 8 + i);
    it->silent_us = sqlite3_column_int64(row, 17);
    if (!column_text(it->version, sizeof it->version, row, 15) ||
        !column_text(it->reason, sizeof it->reason, row, 16))
        return error_format(camp, "a device's row is damaged");
    return CAMP_OK;
}

static int take_measured(struct camp *camp, sqlite3_stmt *row)
{
    int64_t device = sqlite3_column_int64(row, 0);
    if (device < 0 || device >= camp->config->devices)
        return error_format(camp, "a device's measurements are damaged");
    struct camp_device *it = &camp->device[device];
    int error = camp_measured_decode(&it->measured, sqlite3_column_blob(row, 1),
                                     (uint32_t)sqlite3_column_bytes(row, 1));
    if (error)
        return error == CAMP_EMEMORY ? error
                                     : error_format(camp, "a device's measurements are damaged");
    if (it->heard_us < it->measured.last_us)
        it->heard_us = it->measured.last_us; /* telemetry alone writes no device row */
    return CAMP_OK;
}

static int take_phase(struct camp *camp, sqlite3_stmt *row)
{
    int64_t number = sqlite3_column_int64(row, 0), result = sqlite3_column_int64(row, 1);
    if (number < 0 || number >= (int64_t)camp->phases || result < 0 || result > REP_PHASE_STOPPED)
        return error_format(camp, "a phase's row is damaged");
    struct camp_phase_now *phase = &camp->phase[number];
    phase->result = (enum rep_phase_result)result;
    phase->started_us = sqlite3_column_int64(row, 2);
    phase->hold_from_us = sqlite3_column_int64(row, 3);
    phase->ended_us = sqlite3_column_int64(row, 4);
    phase->cohort = (uint32_t)sqlite3_column_int64(row, 5);
    phase->confirmed = (uint32_t)sqlite3_column_int64(row, 6);
    phase->rolled_back = (uint32_t)sqlite3_column_int64(row, 7);
    phase->bricked = (uint32_t)sqlite3_column_int64(row, 8);
    phase->paused_us = sqlite3_column_int64(row, 9);
    return CAMP_OK;
}

static int take_gate(struct camp *camp, sqlite3_stmt *row)
{
    int64_t number = sqlite3_column_int64(row, 0), gate = sqlite3_column_int64(row, 1);
    int64_t state = sqlite3_column_int64(row, 2);
    if (number < 0 || number >= (int64_t)camp->phases || gate < 0 ||
        gate >= camp->phase[number].plan->gates || state < 0 || state > REP_GATE_RED)
        return error_format(camp, "a gate's row is damaged");
    camp->phase[number].gate[gate] = (struct camp_gate_now){
        .state = (enum rep_gate_state)state,
        .numerator = sqlite3_column_int64(row, 3),
        .denominator = sqlite3_column_int64(row, 4),
        .at_us = sqlite3_column_int64(row, 5),
        .overruled = sqlite3_column_int64(row, 6) != 0,
    };
    return CAMP_OK;
}

static int take_alert(struct camp *camp, sqlite3_stmt *row)
{
    struct camp_alert alert = {.at_us = sqlite3_column_int64(row, 1)};
    int64_t kind = sqlite3_column_int64(row, 2), level = sqlite3_column_int64(row, 3);
    int64_t device = sqlite3_column_int64(row, 4);
    if (kind < 0 || kind >= CAMP_ALERT_KINDS || level < 0 || level > REP_ALERT_ENGINEERING_LEAD ||
        device < -1 || device >= camp->config->devices ||
        !column_text(alert.cause, sizeof alert.cause, row, 5))
        return error_format(camp, "an alert's row is damaged");
    alert.kind = (enum camp_alert_kind)kind;
    alert.level = (enum rep_alert_level)level;
    alert.device = (int32_t)device;
    return camp_alert_restore(camp, &alert);
}

static int take_send(struct camp *camp, sqlite3_stmt *row)
{
    int64_t device = sqlite3_column_int64(row, 2), command = sqlite3_column_int64(row, 3);
    if (device < 0 || device >= camp->config->devices || command < 0 || command > CAMP_CMD_PING)
        return error_format(camp, "an outgoing message's row is damaged");
    struct camp_send send = {sqlite3_column_int64(row, 0), sqlite3_column_int64(row, 1),
                             (uint32_t)device, (enum camp_command)command};
    camp_send_restore(camp, &send);
    return camp->broken ? CAMP_EMEMORY : CAMP_OK;
}

/* What is derived: tallies, deadlines, lanes, and the numbers of the gates that are being watched.
 */
static void rebuild(struct camp *camp)
{
    camp->alerts_stored = camp->alerts;
    camp->sends_committed = camp->sends;
    if (camp->at_phase < 0)
        return;
    for (uint32_t i = 0; i < camp->config->devices; i++)
        camp_device_rearm(camp, i);
    if (camp->state == CAMP_RUNNING) {
        camp_lanes_fill(camp);
        camp_enrol_rearm(camp);
    }
    if (camp->state == CAMP_RUNNING || camp->state == CAMP_OBSERVING)
        camp_gates_refresh(camp, &camp->phase[camp->at_phase]);
}

int camp_load(struct camp *camp)
{
    static const struct {
        const char *sql;
        row_fn *take;
    } table[] = {
        {"SELECT * FROM camp_state", take_state},
        {"SELECT * FROM camp_device", take_device},
        {"SELECT * FROM camp_measured", take_measured},
        {"SELECT * FROM camp_phase", take_phase},
        {"SELECT * FROM camp_gate", take_gate},
        {"SELECT * FROM camp_alert ORDER BY alert", take_alert},
        {"SELECT * FROM camp_outgoing ORDER BY number", take_send},
    };
    int error = CAMP_OK;
    for (size_t i = 0; i < sizeof table / sizeof table[0] && !error; i++)
        error = each_row(camp, table[i].sql, table[i].take);
    if (error)
        return error;
    for (uint32_t i = 0; i < camp->config->devices; i++)
        camp_tally_apply(camp, i, +1);
    rebuild(camp);
    return CAMP_OK;
}
