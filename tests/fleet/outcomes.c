/* Every device in exactly one outcome, and one set of numbers in every form of the result. */
#include "fleet_bench.h"

#include "rep/db.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DEVICES = 60, IMAGE_BYTES = 33 * 1024 };

/* Faults and firmware for all outcomes at once; the rest confirms. */
static const char spoilt[] =
    "{kind: corrupt_download, how: bit_flip, where: {site: site-01}, times: 1000},"
    "{kind: corrupt_download, how: http_404, where: {site: site-02}, times: 1000},"
    "{kind: boot_failure, how: hang, where: {site: site-03}, times: 10},"
    "{kind: flash_damage, region: bootloader, how: bit_rot, during: rebooting, where: {site: "
    "site-04},"
    " devices: 50%},"
    "{kind: network_drop, where: {site: site-05}, at: 0s, for: 60h}";

static const struct fleet_plan every_outcome = {
    .count = DEVICES,
    .group = "sites: 12, hw_revision: {Rev-B: 80%, Rev-A: 20%}",
    .candidate = "min_hw_revision: Rev-B",
    .faults = spoilt,
    .expect = "{bricked: '>= 1'}"};

Test(outcomes, every_device_is_in_exactly_one)
{
    struct fleet_run run;
    uint32_t by_row[REP_OUTCOMES] = {0}, sum = 0, bricks = 0;
    fleet_run_plan(&run, &every_outcome, NULL);
    const struct rep_result *result = &run.result;
    cr_assert_eq(result->device_rows, DEVICES);
    for (uint32_t d = 0; d < DEVICES; d++)
        by_row[fleet_device(&run, d)->outcome]++;
    for (int o = REP_OUT_NONE + 1; o < REP_OUTCOMES; o++) {
        cr_expect_eq(by_row[o], result->updates[o], "%s", rep_outcome_name(o));
        sum += result->updates[o];
    }
    for (int b = REP_BRICK_NONE + 1; b < REP_BRICKS; b++)
        bricks += result->bricks[b];
    cr_expect_eq(sum, result->enrolled);
    cr_expect_eq(result->enrolled, DEVICES);
    cr_expect_eq(bricks, result->updates[REP_OUT_BRICKED]);
    fleet_run_free(&run);
}

/* Each kind is there, or the test above would show little. */
Test(outcomes, the_plan_makes_each_kind_of_them)
{
    static const enum rep_outcome kind[] = {REP_OUT_CONFIRMED,     REP_OUT_ROLLED_BACK,
                                            REP_OUT_REFUSED,       REP_OUT_DOWNLOAD_FAILED,
                                            REP_OUT_VERIFY_FAILED, REP_OUT_BRICKED};
    struct fleet_run run;
    fleet_run_plan(&run, &every_outcome, NULL);
    for (size_t i = 0; i < sizeof kind / sizeof *kind; i++)
        cr_expect_gt(run.result.updates[kind[i]], 0, "%s", rep_outcome_name((int)kind[i]));
    fleet_run_free(&run);
}

/* A device that fell silent and came back later has the outcome of its last attempt. */
Test(outcomes, the_last_attempt_wins)
{
    struct fleet_run run;
    fleet_run_plan(&run,
                   &(struct fleet_plan){.count = 4,
                                        .campaign = "  silent_after: 2h\n",
                                        .phases = "    - {name: all, share: 100%, hold: 12h}\n",
                                        .faults = "{kind: power_loss, during: rebooting, where: "
                                                  "{device: pumps-00002}, off_for: 6h}"},
                   NULL);
    fleet_assert_sound(&run, "six hours without power");
    cr_expect_eq(run.result.updates[REP_OUT_CONFIRMED], 4);
    cr_expect_geq(fleet_device(&run, 1)->outcome_s, 6 * 3600);
    fleet_run_free(&run);
}

Test(outcomes, a_device_that_is_never_reached_is_silent)
{
    struct fleet_run run;
    fleet_run_plan(&run,
                   &(struct fleet_plan){.count = 4,
                                        .campaign = "  silent_after: 2h\n",
                                        .faults = "{kind: network_drop, where: {device: "
                                                  "pumps-00002}, at: 0s, for: 300d}"},
                   NULL);
    cr_expect_eq(fleet_device(&run, 1)->outcome, REP_OUT_SILENT);
    cr_expect_eq(run.result.updates[REP_OUT_SILENT], 1);
    cr_expect_eq(run.result.updates[REP_OUT_CONFIRMED], 3);
    fleet_run_free(&run);
}

Test(outcomes, each_confirmed_device_hashed_and_verified_twice)
{
    struct fleet_run run;
    fleet_run_plan(&run, &(struct fleet_plan){.count = DEVICES}, NULL);
    const struct rep_result *result = &run.result;
    uint64_t confirmed = result->updates[REP_OUT_CONFIRMED];
    cr_assert_eq(confirmed, DEVICES);
    cr_expect_geq(result->sha256_bytes, 2 * confirmed * IMAGE_BYTES);
    cr_expect_geq(result->ecdsa_verifies, 2 * confirmed);
    /* A run without faults does no more than that: the count is of work that was done. */
    cr_expect_lt(result->sha256_bytes, 3 * confirmed * IMAGE_BYTES);
    cr_expect_lt(result->ecdsa_verifies, 3 * confirmed);
    fleet_run_free(&run);
}

Test(outcomes, the_smoke_scenario_verifies_every_image_twice_too)
{
    struct fleet_run run;
    fleet_run_file(&run, "smoke-200.yaml", NULL, &(struct sim_fleet_options){.jobs = 2});
    uint64_t confirmed = run.result.updates[REP_OUT_CONFIRMED];
    cr_expect_gt(confirmed, 190);
    cr_expect_geq(run.result.sha256_bytes, 2 * confirmed * 66 * 1024);
    cr_expect_geq(run.result.ecdsa_verifies, 2 * confirmed);
    fleet_run_free(&run);
}

/* The forms of one run. */
struct forms {
    struct fleet_run run;
    char db_path[64];
    sqlite3 *db;
    json_t *json;
    char *junit, *terminal;
};

static char *render(int (*form)(FILE *, const struct rep_result *), const struct rep_result *result)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    cr_assert_not_null(out);
    cr_assert_eq(form(out, result), 0);
    fclose(out);
    return text;
}

static int render_terminal(FILE *out, const struct rep_result *result)
{
    rep_render_terminal(out, result, false);
    return 0;
}

static void make_forms(struct forms *forms)
{
    snprintf(forms->db_path, sizeof forms->db_path, "/tmp/brickyard-outcomes-%d.db", (int)getpid());
    fleet_run_plan(&forms->run, &every_outcome,
                   &(struct sim_fleet_options){.jobs = 2, .db_path = forms->db_path});
    cr_assert_eq(sqlite3_open(forms->db_path, &forms->db), SQLITE_OK);
    char *text = render(rep_render_json, &forms->run.result);
    forms->json = json_loads(text, 0, NULL);
    free(text);
    cr_assert_not_null(forms->json);
    forms->junit = render(rep_render_junit, &forms->run.result);
    forms->terminal = render(render_terminal, &forms->run.result);
}

static void free_forms(struct forms *forms)
{
    sqlite3_close(forms->db);
    unlink(forms->db_path);
    json_decref(forms->json);
    free(forms->junit);
    free(forms->terminal);
    fleet_run_free(&forms->run);
}

static int64_t number_in_db(struct forms *forms, const char *sql, const char *bind)
{
    sqlite3_stmt *statement;
    cr_assert_eq(sqlite3_prepare_v2(forms->db, sql, -1, &statement, NULL), SQLITE_OK, "%s: %s", sql,
                 sqlite3_errmsg(forms->db));
    if (bind)
        sqlite3_bind_text(statement, 1, bind, -1, SQLITE_STATIC);
    cr_assert_eq(sqlite3_step(statement), SQLITE_ROW, "%s", sql);
    int64_t number = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return number;
}

/* The number behind this word at the beginning of a line of the terminal's table; -1 none. */
static int64_t number_in_terminal(const char *text, const char *word)
{
    size_t len = strlen(word);
    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (!strncmp(line, word, len) && line[len] == ' ')
            return strtoll(line + len, NULL, 10);
    }
    return -1;
}

Test(outcomes, database_json_and_terminal_agree_on_every_outcome)
{
    struct forms forms;
    make_forms(&forms);
    const json_t *updates = json_object_get(forms.json, "updates");
    for (int o = REP_OUT_NONE + 1; o < REP_OUTCOMES; o++) {
        const char *name = rep_outcome_name(o);
        char column[128];
        int64_t expect = forms.run.result.updates[o];
        snprintf(column, sizeof column, "SELECT %s FROM run", name);
        cr_expect_eq(json_integer_value(json_object_get(updates, name)), expect, "JSON %s", name);
        cr_expect_eq(number_in_db(&forms, column, NULL), expect, "run.%s", name);
        cr_expect_eq(number_in_db(&forms, "SELECT count(*) FROM device WHERE outcome = ?", name),
                     expect, "rows %s", name);
        cr_expect_eq(number_in_terminal(forms.terminal, name), expect, "terminal %s", name);
    }
    cr_expect_eq(json_integer_value(json_object_get(updates, "enrolled")), DEVICES);
    cr_expect_eq(number_in_db(&forms, "SELECT enrolled FROM run", NULL), DEVICES);
    free_forms(&forms);
}

Test(outcomes, database_json_and_terminal_agree_on_verdict_and_digest)
{
    struct forms forms;
    make_forms(&forms);
    const struct rep_result *result = &forms.run.result;
    const char *verdict = rep_verdict_name((int)result->verdict);
    cr_expect_str_eq(json_string_value(json_object_get(forms.json, "digest")), result->digest);
    cr_expect_str_eq(json_string_value(json_object_get(forms.json, "verdict")), verdict);
    cr_expect_eq(json_integer_value(json_object_get(forms.json, "exit_code")), result->exit_code);
    cr_expect_eq(number_in_db(&forms, "SELECT count(*) FROM run WHERE digest = ?", result->digest),
                 1);
    cr_expect_eq(number_in_db(&forms, "SELECT count(*) FROM run WHERE verdict = ?", verdict), 1);
    cr_expect_eq(number_in_db(&forms, "SELECT exit_code FROM run", NULL), result->exit_code);
    cr_expect_eq(number_in_db(&forms, "SELECT count(*) FROM run WHERE status = ?", "finished"), 1);
    cr_expect_not_null(strstr(forms.terminal, result->digest));
    free_forms(&forms);
}

Test(outcomes, database_and_json_agree_on_crypto_flash_and_cuts)
{
    static const struct {
        const char *object, *key, *column;
    } row[] = {
        {"crypto", "sha256_bytes", "SELECT sha256_bytes FROM run"},
        {"crypto", "ecdsa_verifies", "SELECT ecdsa_verifies FROM run"},
        {"flash", "programs", "SELECT flash_programs FROM run"},
        {"flash", "erases", "SELECT flash_erases FROM run"},
        {"flash", "wear_max", "SELECT wear_max FROM run"},
        {"bricks", "hardware", "SELECT brick_hardware FROM run"},
        {"bricks", "unreachable", "SELECT brick_unreachable FROM run"},
        {"belief", "wrong_at_end", "SELECT belief_wrong_at_end FROM run"},
        {"belief", "wrong_longest_s", "SELECT belief_wrong_longest_s FROM run"},
    };
    struct forms forms;
    make_forms(&forms);
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        const json_t *value =
            json_object_get(json_object_get(forms.json, row[i].object), row[i].key);
        cr_assert(json_is_integer(value), "%s.%s", row[i].object, row[i].key);
        cr_expect_eq(json_integer_value(value), number_in_db(&forms, row[i].column, NULL), "%s.%s",
                     row[i].object, row[i].key);
    }
    cr_expect_eq(number_in_db(&forms, "SELECT coalesce(sum(cuts), 0) FROM cut", NULL),
                 number_in_db(&forms, "SELECT power_cuts FROM run", NULL));
    free_forms(&forms);
}

static unsigned count(const char *text, const char *word)
{
    unsigned n = 0;
    for (const char *at = text; (at = strstr(at, word)); at++)
        n++;
    return n;
}

/* One failure for each red gate, broken promise and unmet expectation, and none else. */
Test(outcomes, junit_fails_where_the_result_does)
{
    struct forms forms;
    make_forms(&forms);
    const struct rep_result *result = &forms.run.result;
    unsigned red = 0;
    for (uint32_t p = 0; p < result->phases; p++)
        for (uint32_t g = 0; g < result->phase[p].gates; g++)
            red += result->phase[p].gate[g].state == REP_GATE_RED;
    for (uint32_t p = 0; p < result->promises; p++)
        red += result->promise[p].broken > 0;
    red += result->exit_code != 0;
    cr_expect_eq(count(forms.junit, "<failure"), red, "%s", forms.junit);
    cr_expect_geq(count(forms.junit, "<testcase"), REP_PROMISES + 1);
    free_forms(&forms);
}
