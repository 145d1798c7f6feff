/* Whole runs from the command line: outputs, full disks, killed runs, traces, tokens. */
#include "program.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

TestSuite(cli_run, .init = program_enter, .fini = program_leave);

/* Device 3 hangs in its trial and goes back, so that there is a failure with a token. */
#define SCENARIO(count)                                                                            \
    "scenario: small\n"                                                                            \
    "fleet:\n"                                                                                     \
    "  - {group: pumps, count: " count ", firmware: 2.3.1, telemetry_every: 1h}\n"                 \
    "flash: {bootloader: 16KiB, slot: 128KiB, data: 128KiB}\n"                                     \
    "firmware:\n"                                                                                  \
    "  2.3.1: {size: 32KiB}\n"                                                                     \
    "  2.4.0: {size: 33KiB}\n"                                                                     \
    "campaign:\n"                                                                                  \
    "  to: 2.4.0\n"                                                                                \
    "  force: true\n"                                                                              \
    "  observe: 0h\n"                                                                              \
    "  phases: [{name: all, share: 100%, hold: 1h}]\n"                                             \
    "faults: [{kind: boot_failure, how: hang, where: {device: pumps-00003}, times: 9}]\n"

static const char small[] = SCENARIO("6"), large[] = SCENARIO("3000");

static json_t *json_of_file(const char *path)
{
    json_error_t error;
    json_t *json = json_load_file(path, 0, &error);
    cr_assert_not_null(json, "%s: %s", path, error.text);
    return json;
}

static const char *text_of(const json_t *json, const char *key)
{
    const char *text = json_string_value(json_object_get(json, key));
    cr_assert_not_null(text, "%s", key);
    return text;
}

/* The digest of the small scenario, by a run of its own. */
static void small_digest(char out[33])
{
    cr_assert_eq(program("run small.yaml --quiet --json digest.json"), 0, "%s", program_err());
    json_t *json = json_of_file("digest.json");
    snprintf(out, 33, "%s", text_of(json, "digest"));
    json_decref(json);
}

Test(cli_run, the_summary_goes_to_standard_output)
{
    program_write("small.yaml", small);
    cr_expect_eq(program("run small.yaml"), 0, "%s", program_err());
    cr_expect_not_null(strstr(program_out(), "small"));
    cr_expect_not_null(strstr(program_out(), "confirmed"));
    cr_expect_null(strchr(program_out(), '\033'), "no colours in a file");
    cr_expect_null(strchr(program_err(), '\r'), "no live display in a file");
}

Test(cli_run, quiet_prints_nothing)
{
    program_write("small.yaml", small);
    cr_expect_eq(program("run small.yaml --quiet"), 0);
    cr_expect_str_eq(program_out(), "");
    cr_expect_str_eq(program_err(), "");
    cr_expect_eq(program("run small.yaml -q --jobs 3 --db run.db --json run.json --junit run.xml"),
                 0);
    cr_expect_str_eq(program_out(), "");
    cr_expect_str_eq(program_err(), "");
    cr_expect_eq(access("run.db", R_OK) | access("run.json", R_OK) | access("run.xml", R_OK), 0);
    cr_expect_eq(program_entries(), 4, "nothing but what was asked for");
}

Test(cli_run, json_on_standard_output_is_json_and_nothing_else)
{
    program_write("small.yaml", small);
    cr_expect_eq(program("run small.yaml --json -"), 0);
    json_t *json = json_loads(program_out(), JSON_REJECT_DUPLICATES, NULL);
    cr_assert_not_null(json, "%s", program_out());
    cr_expect_str_eq(text_of(json, "scenario"), "small");
    cr_expect_eq(json_integer_value(json_object_get(json, "devices")), 6);
    json_decref(json);
    /* Together with a trace, which then goes to standard error. */
    cr_expect_eq(program("run small.yaml --json - --trace 2"), 0);
    json = json_loads(program_out(), 0, NULL);
    cr_assert_not_null(json);
    json_decref(json);
    cr_expect_not_null(strstr(program_err(), "Idle -> Notified"));
}

Test(cli_run, the_json_keys_of_the_contract_are_there)
{
    static const char *const key[] = {
        "scenario",   "seed",    "digest",           "verdict", "exit_code",        "devices",
        "virtual_s",  "wall_s",  "updates",          "bricks",  "presumed_bricked", "phases",
        "alerts",     "faults",  "promises",         "belief",  "crypto",           "flash",
        "power_cuts", "cuts_by", "memory_peak_bytes"};
    program_write("small.yaml", small);
    cr_assert_eq(program("run small.yaml --quiet --json run.json"), 0);
    json_t *json = json_of_file("run.json");
    for (size_t i = 0; i < sizeof key / sizeof *key; i++)
        cr_expect_not_null(json_object_get(json, key[i]), "%s", key[i]);
    json_decref(json);
}

Test(cli_run, the_digest_is_checked)
{
    char digest[33];
    program_write("small.yaml", small);
    small_digest(digest);
    cr_expect_eq(program("run small.yaml --quiet --check-digest %s", digest), 0);
    cr_expect_eq(program("run small.yaml --quiet --jobs 1 --check-digest %s", digest), 0);
    cr_expect_eq(program("run small.yaml --quiet --seed 2 --check-digest %s", digest), 5);
    digest[0] = digest[0] == '0' ? '1' : '0';
    cr_expect_eq(program("run small.yaml --check-digest %s", digest), 5);
    cr_expect_not_null(strstr(program_out(), digest), "%s", program_out());
}

Test(cli_run, the_promise_of_the_same_run_is_broken_kept_or_not_checked)
{
    char digest[33];
    program_write("small.yaml", small);
    small_digest(digest);
    cr_expect_eq(program("run small.yaml"), 0);
    cr_expect_not_null(strstr(program_out(), "same_run                 not checked"));
    cr_expect_eq(program("run small.yaml --check-digest %s", digest), 0);
    cr_expect_not_null(strstr(program_out(), "same_run                 kept"));
    cr_expect_eq(program("run small.yaml --seed 2 --check-digest %s --json run.json", digest), 5);
    cr_expect_not_null(strstr(program_out(), "same_run                 BROKEN"));
    const char *first = strstr(program_out(), "first: the digest is ");
    cr_expect(first && strstr(first, digest), "%s", program_out());
    json_t *json = json_of_file("run.json");
    const json_t *row = json_array_get(json_object_get(json, "promises"), 6);
    cr_expect_str_eq(text_of(row, "name"), "same_run");
    cr_expect_eq(json_integer_value(json_object_get(row, "broken")), 1);
    cr_expect_str_eq(text_of(json, "verdict"), "pass", "the digest has an exit code of its own");
    json_decref(json);
}

Test(cli_run, a_trace_tells_the_whole_story_of_a_device)
{
    static const char *const word[] = {"app_start",
                                       "Idle -> Notified",
                                       "http_get",
                                       "Downloading -> Verifying",
                                       "Applying",
                                       "reset",
                                       "boot",
                                       "on trial",
                                       "until the watchdog",
                                       "slot A",
                                       "published",
                                       "rolled_back",
                                       "fault_fired",
                                       "mqtt_up",
                                       "program",
                                       "erase"};
    program_write("small.yaml", small);
    cr_assert_eq(program("run small.yaml --trace pumps-00003"), 0, "%s", program_err());
    const char *at = program_out();
    for (size_t i = 0; i < sizeof word / sizeof *word; i++)
        cr_expect_not_null(strstr(at, word[i]), "%s", word[i]);
    cr_expect_lt(strstr(at, "Idle -> Notified"), strstr(at, "on trial"), "in order");
    cr_expect_eq(program("run small.yaml --trace 2 --quiet"), 0);
    cr_expect_not_null(strstr(program_out(), "until the watchdog"), "by its number too");
}

/* A device that is always full, of the test's own where it may make one. */
static bool full_device(char *path, size_t len)
{
    struct stat status;
    snprintf(path, len, "full");
    if (mknod(path, S_IFCHR | 0666, makedev(1, 7)) == 0 && access(path, W_OK) == 0)
        return true;
    unlink(path);
    snprintf(path, len, "/dev/full");
    return stat(path, &status) == 0 && S_ISCHR(status.st_mode) && geteuid() != 0;
}

Test(cli_run, a_full_disk_is_an_infrastructure_failure)
{
    char full[32];
    program_write("small.yaml", small);
    if (!full_device(full, sizeof full))
        cr_skip_test("no device that is full");
    cr_expect_eq(program("run small.yaml --quiet --json %s", full), 8);
    cr_expect_not_null(strstr(program_err(), full), "%s", program_err());
    cr_expect_eq(program("run small.yaml --quiet --junit %s", full), 8);
    program_output_to(full);
    cr_expect_eq(program("run small.yaml"), 8, "the summary");
    program_output_to(full);
    cr_expect_eq(program("run small.yaml --json -"), 8, "JSON on standard output");
    cr_expect_not_null(strstr(program_err(), "standard output"), "%s", program_err());
}

/* True for a run that is whole; everything else must be told apart from it. */
static bool looks_whole(const char *path)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    bool whole = sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK &&
                 sqlite3_prepare_v2(db, "SELECT 1 FROM run WHERE status = 'finished'", -1,
                                    &statement, NULL) == SQLITE_OK &&
                 sqlite3_step(statement) == SQLITE_ROW;
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return whole;
}

/* From too little for the first page to nearly enough. */
Test(cli_run, a_database_that_may_not_grow_never_looks_whole)
{
    static const size_t bytes[] = {1,     512,    4096,   16384,  65536,
                                   90000, 120000, 140000, 160000, 200000};
    unsigned failed = 0;
    program_write("large.yaml", large);
    for (size_t i = 0; i < sizeof bytes / sizeof *bytes; i++) {
        program_limit_files(bytes[i]);
        int code = program("run large.yaml --devices 300 --quiet --db run.db");
        cr_expect(code == 8 || code == 1 || code == 0, "%zu bytes: %d", bytes[i], code);
        failed += code != 0;
        if (code)
            cr_expect_gt(strlen(program_err()), 0, "%zu bytes", bytes[i]);
        if (access("run.db", F_OK) == 0) {
            int reported = program("report run.db");
            cr_expect_eq(looks_whole("run.db"), code == 0, "%zu bytes", bytes[i]);
            cr_expect(code == 0 ? reported == 0 : reported == 8 || reported == 1,
                      "%zu bytes: report says %d", bytes[i], reported);
        } else {
            cr_expect_neq(code, 0, "%zu bytes", bytes[i]);
        }
        unlink("run.db");
        unlink("run.db-journal");
        cr_expect_eq(program_entries(), 1, "%zu bytes left something behind", bytes[i]);
    }
    cr_expect_geq(failed, 5);
}

Test(cli_run, a_json_that_may_not_grow_leaves_the_old_one)
{
    program_write("small.yaml", small);
    program_write("run.json", "old\n");
    program_limit_files(1000);
    cr_expect_eq(program("run small.yaml --quiet --json run.json"), 8);
    FILE *file = fopen("run.json", "r");
    char text[16] = "";
    cr_assert_not_null(file);
    cr_expect_not_null(fgets(text, sizeof text, file));
    fclose(file);
    cr_expect_str_eq(text, "old\n");
    cr_expect_eq(program_entries(), 2, "no half of a file");
}

/* Waits, at most a minute, until the service has written down that somebody is enrolled. */
static bool enrolled_in(const char *path)
{
    bool enrolled = false;
    for (unsigned tries = 0; tries < 2400 && !enrolled; tries++) {
        sqlite3 *db = NULL;
        sqlite3_stmt *query = NULL;
        enrolled = sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK &&
                   sqlite3_prepare_v2(db, "SELECT 1 FROM camp_device WHERE enrolled_us >= 0", -1,
                                      &query, NULL) == SQLITE_OK &&
                   sqlite3_step(query) == SQLITE_ROW;
        sqlite3_finalize(query);
        sqlite3_close(db);
        usleep(25000);
    }
    return enrolled;
}

enum { WHEN_ENROLLED = -1 };

/* A run of large.yaml into run.db and run.json, killed after so many writes to the database. Where
 * this test was held up until the run was over there is nothing to be seen, and another one. */
static void kill_a_run(int writes)
{
    bool killed = false;
    for (int tries = 0; tries < 10 && !killed; tries++) {
        int watch = program_watch();
        pid_t pid = program_start("run large.yaml --quiet --jobs 1 --db run.db --json run.json "
                                  "--set campaign.phases.0.rate_per_hour=100");
        program_await(watch, "run.db", writes > 0 ? (unsigned)writes : 0);
        if (writes == WHEN_ENROLLED)
            cr_expect(enrolled_in("run.db"));
        killed = program_kill(pid);
        if (!killed)
            cr_assert_eq(unlink("run.db") | unlink("run.json"), 0);
    }
    cr_assert(killed, "each was over before %d writes", writes);
}

/* After so many writes to the database: in its making, and in the run. */
Test(cli_run, a_killed_run_is_unfinished)
{
    static const int writes[] = {0, 1, 2, 5, 10, 20};
    program_write("large.yaml", large);
    for (size_t i = 0; i < sizeof writes / sizeof *writes; i++) {
        kill_a_run(writes[i]);
        cr_expect_eq(program("report run.db"), 8, "%d writes: %s", writes[i], program_err());
        cr_expect_not_null(strstr(program_out(), "UNFINISHED"), "%s", program_out());
        cr_expect_eq(program("report run.db --json -"), 8);
        cr_expect_not_null(strstr(program_out(), "\"unfinished\""), "%s", program_out());
        cr_expect_not(looks_whole("run.db"));
        cr_expect_neq(access("run.json", F_OK), 0, "nothing of a form was written");
    }
}

/* What was known at the start, what the service had written down, and no zeros for the rest. */
Test(cli_run, a_killed_run_tells_what_is_known)
{
    program_write("large.yaml", large);
    kill_a_run(WHEN_ENROLLED);
    cr_assert_eq(program("report run.db"), 8, "%s", program_err());
    cr_expect_not_null(strstr(program_out(), "3000 devices, "), "%s", program_out());
    cr_expect_not_null(strstr(program_out(), "enrolled for 2.4.0; virtual world from 20"));
    cr_expect_not_null(strstr(program_out(), "Bricks on the flash: not known"));
    cr_expect_not_null(strstr(program_out(), "as the service believed"), "%s", program_out());
    cr_expect_null(strstr(program_out(), ", 0 enrolled"), "%s", program_out());
    cr_expect_null(strstr(program_out(), "Power cuts: 0"), "%s", program_out());
    cr_assert_eq(program("report run.db --json run.json"), 8);
    json_t *json = json_of_file("run.json"), *updates = json_object_get(json, "updates"), *count;
    cr_expect_eq(json_integer_value(json_object_get(json, "devices")), 3000);
    const char *key;
    json_int_t outcomes = 0, enrolled = json_integer_value(json_object_get(updates, "enrolled"));
    json_object_foreach(updates, key, count) outcomes += json_integer_value(count);
    cr_expect_gt(enrolled, 0);
    cr_expect_eq(outcomes, 2 * enrolled, "each of them has one outcome");
    json_decref(json);
}

Test(cli_run, a_killed_run_may_be_run_again_into_the_same_file)
{
    program_write("large.yaml", large);
    program_write("small.yaml", small);
    kill_a_run(10);
    cr_expect_eq(program("run small.yaml --quiet --db run.db"), 0, "%s", program_err());
    cr_expect(looks_whole("run.db"));
    cr_expect_eq(program("report run.db"), 0);
}

Test(cli_run, a_stored_result_gives_the_same_forms_again)
{
    program_write("small.yaml", small);
    cr_assert_eq(program("run small.yaml --quiet --db run.db --json run.json"), 0);
    cr_assert_eq(program("report run.db --json again.json"), 0);
    json_t *first = json_of_file("run.json"), *again = json_of_file("again.json");
    cr_expect(json_equal(first, again));
    json_decref(first);
    json_decref(again);
}

/* The token of the only device that failed, from the summary. */
static void token_of(char *out, size_t len)
{
    const char *at = strstr(program_out(), "by1,hash=");
    cr_assert_not_null(at, "%s", program_out());
    size_t end = strcspn(at, " \n");
    cr_assert_lt(end, len);
    memcpy(out, at, end);
    out[end] = 0;
}

Test(cli_run, a_token_replays_the_failure_with_its_story)
{
    char token[512];
    program_write("small.yaml", small);
    cr_assert_eq(program("run small.yaml --seed 7 --set campaign.observe=2h"), 0);
    token_of(token, sizeof token);
    cr_expect_not_null(strstr(token, "seed=7"), "%s", token);
    cr_expect_not_null(strstr(token, "device=pumps-00003"), "%s", token);
    cr_expect_eq(program("replay %s", token), 0, "%s", program_err());
    cr_expect_not_null(strstr(program_out(), "until the watchdog bites"));
    const char *end =
        strstr(program_out(), "\npumps-00003: rolled_back, reason: watchdog, boots 2.3.1; "
                              "the run: pass, exit code 0 (");
    cr_assert_not_null(end, "%s", program_out());
    cr_expect_eq(strchr(end + 1, '\n')[1], 0, "it is the last line");
    cr_expect_null(strstr(program_out(), "Phases"), "no summary of the fleet");
}

/* The run again is the run: the same digest, by the same overrides. */
Test(cli_run, a_replay_has_the_digest_of_the_run)
{
    char token[512], digest[64];
    program_write("small.yaml", small);
    cr_assert_eq(program("run small.yaml --seed 9 --devices 12 --set campaign.on_trigger=rollback"),
                 0);
    token_of(token, sizeof token);
    const char *at = strstr(program_out(), "digest ");
    cr_assert_not_null(at);
    snprintf(digest, sizeof digest, "%.39s", at);
    cr_expect_eq(program("replay %s", token), 0);
    cr_expect_not_null(strstr(program_out(), digest), "%s", digest);
}

Test(cli_run, a_replay_has_the_exit_code_of_the_run)
{
    char token[512];
    program_write("strict.yaml", SCENARIO("6") "expect: {rolled_back: 0}\n");
    cr_assert_eq(program("run strict.yaml"), 7, "%s", program_out());
    token_of(token, sizeof token);
    cr_expect_eq(program("replay %s", token), 7);
}

Test(cli_run, a_token_is_refused_when_the_scenario_has_changed)
{
    char token[512];
    program_write("small.yaml", small);
    cr_assert_eq(program("run small.yaml"), 0);
    token_of(token, sizeof token);
    program_write("small.yaml", SCENARIO("6") "# a comment\n");
    cr_expect_eq(program("replay %s", token), 1);
    cr_expect_not_null(strstr(program_err(), "content"), "%s", program_err());
    cr_expect_str_eq(program_out(), "");
    unlink("small.yaml");
    cr_expect_eq(program("replay %s", token), 1);
}
