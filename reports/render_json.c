/*
 * The JSON of CONTRACT.md, `run --json`, to the letter: its keys in its order. Each object is a
 * list of fields, so that the page and this file can be compared line by line. Names in the result
 * that differ from the page (limit is "red_if" in SQLite) are named here once more, because the
 * page is the contract.
 */
#include "rep/db.h"
#include "rep/json.h"
#include "rep/render.h"

#define COUNT(list) (sizeof(list) / sizeof(list)[0])
#define RUN(member, key, kind) REP_FIELD(rep_result, member, key, kind)
#define OUTCOME(outcome, key) REP_FIELD(rep_result, updates[outcome], key, U32)
#define BRICK(brick, key) REP_FIELD(rep_result, bricks[brick], key, U32)

static const struct rep_field head[] = {
    RUN(scenario, "scenario", TEXT),
    RUN(seed, "seed", SEED),
    RUN(digest, "digest", TEXT),
    REP_FIELD_NAME(rep_result, verdict, "verdict", rep_verdict_name),
    RUN(exit_code, "exit_code", I32),
    RUN(devices, "devices", U32),
    RUN(virtual_s, "virtual_s", I64),
    RUN(wall_s, "wall_s", REAL),
};
static const struct rep_field updates[] = {
    RUN(enrolled, "enrolled", U32),
    OUTCOME(REP_OUT_CONFIRMED, "confirmed"),
    OUTCOME(REP_OUT_ROLLED_BACK, "rolled_back"),
    OUTCOME(REP_OUT_ROLLED_BACK_BY_CAMPAIGN, "rolled_back_by_campaign"),
    OUTCOME(REP_OUT_REFUSED, "refused"),
    OUTCOME(REP_OUT_DOWNLOAD_FAILED, "download_failed"),
    OUTCOME(REP_OUT_VERIFY_FAILED, "verify_failed"),
    OUTCOME(REP_OUT_SILENT, "silent"),
    OUTCOME(REP_OUT_PENDING, "pending"),
    OUTCOME(REP_OUT_BRICKED, "bricked"),
};
static const struct rep_field bricks[] = {
    BRICK(REP_BRICK_NO_BOOT, "no_boot"),
    BRICK(REP_BRICK_BOOT_LOOP, "boot_loop"),
    BRICK(REP_BRICK_UNREACHABLE, "unreachable"),
    BRICK(REP_BRICK_HARDWARE, "hardware"),
};
static const struct rep_field presumed[] = {RUN(presumed_bricked, "presumed_bricked", U32)};
static const struct rep_field phase[] = {
    REP_FIELD(rep_phase, name, "name", TEXT),
    REP_FIELD_NAME(rep_phase, result, "result", rep_phase_result_name),
    REP_FIELD(rep_phase, started_s, "started_s", I64),
    REP_FIELD(rep_phase, hold_from_s, "hold_from_s", I64),
    REP_FIELD(rep_phase, ended_s, "ended_s", I64),
    REP_FIELD(rep_phase, cohort, "cohort", U32),
    REP_FIELD(rep_phase, confirmed, "confirmed", U32),
    REP_FIELD(rep_phase, rolled_back, "rolled_back", U32),
    REP_FIELD(rep_phase, bricked, "bricked", U32),
};
static const struct rep_field gate[] = {
    REP_FIELD(rep_gate, metric, "metric", TEXT),
    REP_FIELD(rep_gate, numerator, "numerator", I64),
    REP_FIELD(rep_gate, denominator, "denominator", I64),
    REP_FIELD(rep_gate, limit, "limit", TEXT),
    REP_FIELD(rep_gate, comparison, "comparison", TEXT),
    REP_FIELD_NAME(rep_gate, state, "state", rep_gate_state_name),
    REP_FIELD(rep_gate, at_s, "at_s", I64),
};
static const struct rep_field alert[] = {
    REP_FIELD(rep_alert, at_s, "at_s", I64),
    REP_FIELD_NAME(rep_alert, level, "level", rep_alert_level_name),
    REP_FIELD(rep_alert, cause, "cause", TEXT),
    REP_FIELD(rep_alert, device, "device", TEXT),
};
static const struct rep_field fault[] = {
    REP_FIELD(rep_fault, kind, "kind", TEXT),
    REP_FIELD(rep_fault, scheduled, "scheduled", U64),
    REP_FIELD(rep_fault, armed, "armed", U64),
    REP_FIELD(rep_fault, fired, "fired", U64),
};
static const struct rep_field promise[] = {
    REP_FIELD_NAME(rep_promise_row, promise, "name", rep_promise_name),
    REP_FIELD(rep_promise_row, broken, "broken", U64),
    REP_FIELD(rep_promise_row, first_token, "first_token", TEXT),
    REP_FIELD(rep_promise_row, first_what, "first_what", TEXT),
};
static const struct rep_field belief[] = {
    RUN(belief_wrong_at_end, "wrong_at_end", U32),
    RUN(belief_wrong_longest_s, "wrong_longest_s", I64),
};
static const struct rep_field crypto[] = {
    RUN(sha256_bytes, "sha256_bytes", U64),
    RUN(ecdsa_verifies, "ecdsa_verifies", U64),
};
static const struct rep_field flash[] = {
    RUN(flash_programs, "programs", U64),
    RUN(flash_erases, "erases", U64),
    RUN(wear_max, "wear_max", U32),
};
static const struct rep_field power_cuts[] = {RUN(power_cuts, "power_cuts", U64)};
static const struct rep_field cut[] = {
    REP_FIELD(rep_cuts, state, "state", TEXT),
    REP_FIELD(rep_cuts, region, "region", TEXT),
    REP_FIELD(rep_cuts, form, "form", TEXT),
    REP_FIELD(rep_cuts, cuts, "cuts", U64),
};
static const struct rep_field memory[] = {RUN(memory_peak_bytes, "memory_peak_bytes", U64)};

#define PUT(object, fields, row) rep_json_put(object, fields, COUNT(fields), row)

static int put_object(json_t *root, const char *key, const struct rep_field *fields, size_t n,
                      const void *row)
{
    json_t *object = json_object();
    int status = rep_json_put(object, fields, n, row);
    return json_object_set_new(root, key, object) || status;
}
#define PUT_OBJECT(root, key, fields, row) put_object(root, key, fields, COUNT(fields), row)

#define ROWS(fields, rows, count) rep_json_rows(fields, COUNT(fields), rows, count, sizeof(rows)[0])

static int put_phases(json_t *root, const struct rep_result *result)
{
    json_t *phases = ROWS(phase, result->phase, result->phases);
    int status = json_object_set_new(root, "phases", phases);
    for (uint32_t i = 0; !status && i < result->phases; i++)
        status = json_object_set_new(json_array_get(phases, i), "gates",
                                     ROWS(gate, result->phase[i].gate, result->phase[i].gates));
    return status;
}

/* Only a world on the wall clock has facts of its own; in virtual time nothing but the scenario
 * counts. */
static int put_world(json_t *root, const struct rep_result *r)
{
    if (!r->facts)
        return 0;
    json_t *facts = json_object();
    int status = json_object_set_new(root, "world", json_string(r->world));
    for (uint32_t i = 0; !status && i < r->facts; i++)
        status = json_object_set_new(facts, r->fact[i].name, json_string(r->fact[i].value));
    return json_object_set_new(root, "facts", facts) || status;
}

static int put_result(json_t *root, const struct rep_result *r)
{
    return PUT(root, head, r) || PUT_OBJECT(root, "updates", updates, r) ||
           PUT_OBJECT(root, "bricks", bricks, r) || PUT(root, presumed, r) || put_phases(root, r) ||
           json_object_set_new(root, "alerts", ROWS(alert, r->alert, r->alerts)) ||
           json_object_set_new(root, "faults", ROWS(fault, r->fault, r->faults)) ||
           json_object_set_new(root, "promises", ROWS(promise, r->promise, r->promises)) ||
           PUT_OBJECT(root, "belief", belief, r) || PUT_OBJECT(root, "crypto", crypto, r) ||
           PUT_OBJECT(root, "flash", flash, r) || PUT(root, power_cuts, r) ||
           json_object_set_new(root, "cuts_by", ROWS(cut, r->cut, r->cuts)) ||
           PUT(root, memory, r) || put_world(root, r);
}

int rep_render_json(FILE *out, const struct rep_result *result)
{
    json_t *root = json_object();
    int error = put_result(root, result) ? REP_EMEMORY : REP_OK;
    if (!error && rep_json_write(out, root))
        error = REP_EWRITE;
    json_decref(root);
    return error;
}
