/* The columns of schema.sql, in its order, with the member that each one holds. */
#include "fields.h"

#define COUNT(list) (sizeof(list) / sizeof(list)[0])

#define RUN(member, kind) REP_FIELD(rep_result, member, #member, kind)
static const struct rep_field run_fields[] = {
    RUN(scenario, TEXT),
    RUN(summary, TEXT),
    RUN(scenario_hash, TEXT),
    RUN(world, TEXT),
    RUN(candidate, TEXT),
    RUN(seed, SEED),
    RUN(digest, TEXT),
    RUN(start, TEXT),
    REP_FIELD_NAME(rep_result, verdict, "verdict", rep_verdict_name),
    RUN(exit_code, I32),
    RUN(explanation, TEXT),
    RUN(devices, U32),
    RUN(virtual_s, I64),
    RUN(wall_s, REAL),
    RUN(jobs, U32),
    RUN(enrolled, U32),
    REP_FIELD(rep_result, updates[REP_OUT_NONE], "not_enrolled", U32),
    REP_FIELD(rep_result, updates[REP_OUT_CONFIRMED], "confirmed", U32),
    REP_FIELD(rep_result, updates[REP_OUT_ROLLED_BACK], "rolled_back", U32),
    REP_FIELD(rep_result, updates[REP_OUT_ROLLED_BACK_BY_CAMPAIGN], "rolled_back_by_campaign", U32),
    REP_FIELD(rep_result, updates[REP_OUT_REFUSED], "refused", U32),
    REP_FIELD(rep_result, updates[REP_OUT_DOWNLOAD_FAILED], "download_failed", U32),
    REP_FIELD(rep_result, updates[REP_OUT_VERIFY_FAILED], "verify_failed", U32),
    REP_FIELD(rep_result, updates[REP_OUT_SILENT], "silent", U32),
    REP_FIELD(rep_result, updates[REP_OUT_PENDING], "pending", U32),
    REP_FIELD(rep_result, updates[REP_OUT_BRICKED], "bricked", U32),
    REP_FIELD(rep_result, bricks[REP_BRICK_NONE], "not_bricked", U32),
    REP_FIELD(rep_result, bricks[REP_BRICK_NO_BOOT], "brick_no_boot", U32),
    REP_FIELD(rep_result, bricks[REP_BRICK_BOOT_LOOP], "brick_boot_loop", U32),
    REP_FIELD(rep_result, bricks[REP_BRICK_UNREACHABLE], "brick_unreachable", U32),
    REP_FIELD(rep_result, bricks[REP_BRICK_HARDWARE], "brick_hardware", U32),
    RUN(presumed_bricked, U32),
    RUN(belief_wrong_at_end, U32),
    RUN(belief_wrong_longest_s, I64),
    RUN(sha256_bytes, U64),
    RUN(ecdsa_verifies, U64),
    RUN(flash_programs, U64),
    RUN(flash_erases, U64),
    RUN(wear_max, U32),
    RUN(power_cuts, U64),
    RUN(memory_peak_bytes, U64),
};

static const struct rep_field phase_fields[] = {
    REP_FIELD(rep_phase, name, "name", TEXT),
    REP_FIELD_NAME(rep_phase, result, "result", rep_phase_result_name),
    REP_FIELD(rep_phase, started_s, "started_s", I64),
    REP_FIELD(rep_phase, hold_from_s, "hold_from_s", I64),
    REP_FIELD(rep_phase, ended_s, "ended_s", I64),
    REP_FIELD(rep_phase, cohort, "cohort", U32),
    REP_FIELD(rep_phase, confirmed, "confirmed", U32),
    REP_FIELD(rep_phase, rolled_back, "rolled_back", U32),
    REP_FIELD(rep_phase, bricked, "presumed_bricked", U32),
};

static const struct rep_field gate_fields[] = {
    REP_FIELD(rep_gate, metric, "metric", TEXT),
    REP_FIELD(rep_gate, limit, "red_if", TEXT),
    REP_FIELD(rep_gate, comparison, "comparison", TEXT),
    REP_FIELD(rep_gate, numerator, "numerator", I64),
    REP_FIELD(rep_gate, denominator, "denominator", I64),
    REP_FIELD(rep_gate, min_sample, "min_sample", U32),
    REP_FIELD_NAME(rep_gate, state, "state", rep_gate_state_name),
    REP_FIELD(rep_gate, at_s, "at_s", I64),
};

static const struct rep_field alert_fields[] = {
    REP_FIELD(rep_alert, at_s, "at_s", I64),
    REP_FIELD_NAME(rep_alert, level, "level", rep_alert_level_name),
    REP_FIELD(rep_alert, cause, "cause", TEXT),
    REP_FIELD(rep_alert, device, "device", TEXT),
};

static const struct rep_field fault_fields[] = {
    REP_FIELD(rep_fault, kind, "kind", TEXT),          REP_FIELD(rep_fault, number, "number", U32),
    REP_FIELD(rep_fault, scheduled, "scheduled", U64), REP_FIELD(rep_fault, armed, "armed", U64),
    REP_FIELD(rep_fault, fired, "fired", U64),
};

static const struct rep_field promise_fields[] = {
    REP_FIELD_NAME(rep_promise_row, promise, "name", rep_promise_name),
    REP_FIELD(rep_promise_row, broken, "broken", U64),
    REP_FIELD(rep_promise_row, first_token, "first_token", TEXT),
    REP_FIELD(rep_promise_row, first_what, "first_what", TEXT),
};

static const struct rep_field cut_fields[] = {
    REP_FIELD(rep_cuts, state, "state", TEXT),
    REP_FIELD(rep_cuts, region, "region", TEXT),
    REP_FIELD(rep_cuts, form, "form", TEXT),
    REP_FIELD(rep_cuts, cuts, "cuts", U64),
};

static const struct rep_field observation_fields[] = {
    REP_FIELD(rep_observation, metric, "metric", TEXT),
    REP_FIELD(rep_observation, before_num, "before_num", I64),
    REP_FIELD(rep_observation, before_den, "before_den", I64),
    REP_FIELD(rep_observation, after_num, "after_num", I64),
    REP_FIELD(rep_observation, after_den, "after_den", I64),
    REP_FIELD(rep_observation, before_lower_bound, "before_lower_bound", BOOL),
    REP_FIELD(rep_observation, lower_bound, "lower_bound", BOOL),
    REP_FIELD(rep_observation, unit, "unit", TEXT),
};

static const struct rep_field fact_fields[] = {
    REP_FIELD(rep_fact, name, "name", TEXT),
    REP_FIELD(rep_fact, value, "value", TEXT),
};

static const struct rep_field device_fields[] = {
    REP_FIELD(rep_device, id, "id", TEXT),
    REP_FIELD(rep_device, number, "number", U32),
    REP_FIELD(rep_device, group, "fleet_group", TEXT),
    REP_FIELD(rep_device, site, "site", TEXT),
    REP_FIELD(rep_device, version, "version", TEXT),
    REP_FIELD_NAME(rep_device, outcome, "outcome", rep_outcome_name),
    REP_FIELD_NAME(rep_device, brick, "brick", rep_brick_name),
    REP_FIELD(rep_device, reason, "reason", TEXT),
    REP_FIELD(rep_device, phase, "phase", I32),
    REP_FIELD(rep_device, enrolled_s, "enrolled_s", I64),
    REP_FIELD(rep_device, outcome_s, "outcome_s", I64),
    REP_FIELD(rep_device, boots, "boots", U32),
    REP_FIELD(rep_device, cuts, "cuts", U32),
    REP_FIELD(rep_device, believed, "believed", TEXT),
    REP_FIELD(rep_device, token, "token", TEXT),
};

const struct rep_table rep_table_run = {
    .name = "run",
    .row_bytes = sizeof(struct rep_result),
    .fields = run_fields,
    .fields_n = COUNT(run_fields),
};

const struct rep_table rep_table_gate = {
    .name = "gate",
    .parent = "phase",
    .row_bytes = sizeof(struct rep_gate),
    .fields = gate_fields,
    .fields_n = COUNT(gate_fields),
    .count_offset = offsetof(struct rep_phase, gates),
    .array_offset = offsetof(struct rep_phase, gate),
};

#define TABLE(table, type, count, array)                                                           \
    {                                                                                              \
        .name = #table, .row_bytes = sizeof(struct type), .fields = table##_fields,                \
        .fields_n = COUNT(table##_fields), .count_offset = offsetof(struct rep_result, count),     \
        .array_offset = offsetof(struct rep_result, array)                                         \
    }

const struct rep_table rep_tables[] = {
    TABLE(phase, rep_phase, phases, phase),
    TABLE(alert, rep_alert, alerts, alert),
    TABLE(fault, rep_fault, faults, fault),
    TABLE(promise, rep_promise_row, promises, promise),
    TABLE(cut, rep_cuts, cuts, cut),
    TABLE(observation, rep_observation, observations, observation),
    TABLE(fact, rep_fact, facts, fact),
    TABLE(device, rep_device, device_rows, device),
};
const size_t rep_tables_n = COUNT(rep_tables);
