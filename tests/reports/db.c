/* The SQLite file: what is written is read back; what is not ours is left alone; what failed says
 * so. */
#include "rep/db.h"
#include "sample.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void join(char path[128], const char *folder, const char *name)
{
    snprintf(path, 128, "%s/%s", folder, name);
}

static void write_bytes(const char *path, const void *bytes, size_t n)
{
    FILE *file = fopen(path, "wb");
    cr_assert_not_null(file);
    cr_assert_eq(fwrite(bytes, 1, n, file), n);
    fclose(file);
}

static int64_t number(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *query = NULL;
    cr_assert_eq(sqlite3_prepare_v2(db, sql, -1, &query, NULL), SQLITE_OK, "%s",
                 sqlite3_errmsg(db));
    cr_assert_eq(sqlite3_step(query), SQLITE_ROW);
    int64_t value = sqlite3_column_int64(query, 0);
    sqlite3_finalize(query);
    return value;
}

Test(rep_db, random_results_come_back_the_same)
{
    for (uint64_t seed = 1; seed <= 30; seed++) {
        sqlite3 *db;
        struct rep_result wrote, read;
        sample_random(&wrote, seed);
        cr_assert_eq(rep_db_create(&db, NULL, "x", seed), REP_OK, "%s", rep_db_message(NULL));
        cr_assert_eq(rep_db_write(db, &wrote), REP_OK, "seed %lu: %s", seed, rep_db_message(db));
        cr_assert_eq(rep_db_read(db, &read), REP_OK, "seed %lu: %s", seed, rep_db_message(db));
        const char *difference = sample_difference(&wrote, &read);
        cr_assert_null(difference, "seed %lu: %s differs", seed, difference);
        sqlite3_close(db);
        rep_result_free(&wrote);
        rep_result_free(&read);
    }
}

Test(rep_db, a_file_comes_back_the_same_from_another_connection)
{
    char folder[64], path[128];
    sample_folder(folder);
    join(path, folder, "run.db");
    sqlite3 *db;
    struct rep_result wrote, read;
    sample_stopped(&wrote);
    wrote.seed = UINT64_MAX;
    cr_assert_eq(rep_db_create(&db, path, wrote.scenario, wrote.seed), REP_OK);
    cr_assert_eq(rep_db_write(db, &wrote), REP_OK);
    cr_assert_eq(rep_db_write(db, &wrote), REP_OK, "storing again replaces");
    cr_expect_eq(number(db, "PRAGMA synchronous"), 3, "the last transaction is on the disk");
    sqlite3_close(db);
    cr_assert_eq(rep_db_open(&db, path), REP_OK, "%s", rep_db_message(NULL));
    cr_assert_eq(rep_db_read(db, &read), REP_OK);
    cr_expect_null(sample_difference(&wrote, &read));
    cr_expect_eq(number(db, "SELECT count(*) FROM gate"), 6);
    cr_expect_eq(number(db, "SELECT count(*) FROM run WHERE status = 'finished'"), 1);
    cr_expect_neq(sqlite3_exec(db, "DELETE FROM run", NULL, NULL, NULL), SQLITE_OK,
                  "for reading only");
    sqlite3_close(db);
    cr_expect_eq(sample_folder_count(folder), 1, "no journal, no temporary file");
    sample_folder_remove(folder);
    rep_result_free(&wrote);
    rep_result_free(&read);
}

/* A run that was killed inside a transaction of the service, so that its journal stays behind. */
static void leave_killed_run(const char *folder, const char *path)
{
    pid_t child = fork();
    if (child == 0) {
        sqlite3 *db;
        if (rep_db_create(&db, path, "campaign-5000", 41))
            _exit(1);
        sqlite3_exec(
            db,
            "PRAGMA cache_size = 1; BEGIN; UPDATE run SET status = 'finished', exit_code = 0;"
            "CREATE TABLE camp_x (a); INSERT INTO camp_x WITH RECURSIVE n (i) AS "
            "(SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50) SELECT randomblob(9000) FROM n",
            NULL, NULL, NULL);
        kill(getpid(), SIGKILL);
    }
    int status;
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert(WIFSIGNALED(status));
    cr_assert_eq(sample_folder_count(folder), 2, "the transaction was under way");
}

Test(rep_db, a_run_that_is_killed_says_unfinished)
{
    char folder[64], path[128];
    sample_folder(folder);
    join(path, folder, "run.db");
    leave_killed_run(folder, path);
    sqlite3 *db;
    struct rep_result read;
    cr_assert_eq(rep_db_open(&db, path), REP_OK, "%s", rep_db_message(NULL));
    cr_assert_eq(rep_db_read(db, &read), REP_OK, "%s", rep_db_message(NULL));
    cr_expect_str_eq(read.scenario, "campaign-5000");
    cr_expect_eq(read.seed, 41);
    cr_expect_eq(read.verdict, REP_UNFINISHED);
    cr_expect_eq(read.exit_code, 8);
    cr_expect_neq(read.explanation[0], 0);
    rep_result_free(&read);
    sqlite3_close(db);
    cr_expect_eq(rep_db_create(&db, path, "again", 1), REP_OK, "and may be replaced");
    sqlite3_close(db);
    sample_folder_remove(folder);
}

/* The service's tables as a killed run leaves them; with impossible rows they are not believed. */
Test(rep_db, an_unfinished_run_shows_what_the_service_believed)
{
    sqlite3 *db;
    struct rep_result known, read;
    sample_passed(&known);
    known.enrolled = known.updates[REP_OUT_CONFIRMED] = 0;
    cr_assert_eq(rep_db_create(&db, NULL, "x", 1), REP_OK);
    cr_assert_eq(rep_db_describe(db, &known), REP_OK);
    cr_assert_eq(rep_db_read(db, &read), REP_OK);
    cr_expect(read.cut_short && !read.belief_only, "there are no tables yet");
    cr_expect_eq(read.verdict, REP_UNFINISHED);
    cr_expect_eq(read.exit_code, 8);
    cr_expect_eq(read.devices, 5010u);
    cr_expect_str_eq(read.candidate, "2.4.0");
    rep_result_free(&read);
    cr_assert_eq(
        sqlite3_exec(db,
                     "CREATE TABLE camp_state (now_us); CREATE TABLE camp_device (outcome, flags, "
                     "enrolled_us); INSERT INTO camp_state VALUES (1773914460000000);"
                     "INSERT INTO camp_device VALUES (1, 0, 5), (1, 0, 5), (2, 0, 5), (0, 0, 5), "
                     "(0, 0, -1), (7, 3, 5)",
                     NULL, NULL, NULL),
        SQLITE_OK);
    cr_assert_eq(rep_db_read(db, &read), REP_OK);
    cr_expect(read.cut_short && read.belief_only);
    cr_expect_eq(read.virtual_s, 60);
    cr_expect_eq(read.enrolled, 5u);
    cr_expect_eq(read.updates[REP_OUT_CONFIRMED], 2u);
    cr_expect_eq(read.updates[REP_OUT_ROLLED_BACK], 1u);
    cr_expect_eq(read.updates[REP_OUT_PENDING], 1u);
    cr_expect_eq(read.updates[REP_OUT_SILENT], 1u);
    cr_expect_eq(read.presumed_bricked, 1u);
    rep_result_free(&read);
    sqlite3_exec(db, "INSERT INTO camp_device VALUES (99, 0, 5)", NULL, NULL, NULL);
    cr_assert_eq(rep_db_read(db, &read), REP_OK);
    cr_expect(!read.belief_only && !read.enrolled && !read.updates[REP_OUT_CONFIRMED]);
    rep_result_free(&read);
    rep_result_free(&known);
    sqlite3_close(db);
}

Test(rep_db, a_foreign_file_is_left_alone)
{
    static const struct {
        char bytes[24];
        size_t n;
    } rows[] = {{"", 0}, {"thesis", 6}, {"SQLite format 3", 16}};
    char folder[64], path[128], after[64];
    sample_folder(folder);
    join(path, folder, "foreign");
    for (size_t i = 0; i < 3; i++) {
        sqlite3 *db;
        write_bytes(path, rows[i].bytes, rows[i].n);
        cr_expect_eq(rep_db_create(&db, path, "x", 1), REP_EEXISTS, "row %zu", i);
        cr_expect_null(db);
        cr_expect_not_null(strstr(rep_db_message(NULL), path), "%s", rep_db_message(NULL));
        cr_expect_eq(rep_db_open(&db, path), REP_EFORMAT);
        FILE *file = fopen(path, "rb");
        cr_expect_eq(fread(after, 1, sizeof after, file), rows[i].n);
        fclose(file);
        cr_expect_eq(memcmp(after, rows[i].bytes, rows[i].n), 0);
        cr_expect_eq(sample_folder_count(folder), 1);
    }
    sample_folder_remove(folder);
}

Test(rep_db, another_programs_database_is_left_alone)
{
    char folder[64], path[128];
    sample_folder(folder);
    join(path, folder, "other.db");
    sqlite3 *db;
    cr_assert_eq(sqlite3_open(path, &db), SQLITE_OK);
    sqlite3_exec(db, "CREATE TABLE photos (a); INSERT INTO photos VALUES (77)", NULL, NULL, NULL);
    sqlite3_close(db);
    cr_expect_eq(rep_db_create(&db, path, "x", 1), REP_EEXISTS);
    cr_expect_eq(rep_db_open(&db, path), REP_EFORMAT);
    cr_assert_eq(sqlite3_open(path, &db), SQLITE_OK);
    cr_expect_eq(number(db, "SELECT a FROM photos"), 77);
    sqlite3_close(db);
    sample_folder_remove(folder);
}

Test(rep_db, the_journal_of_a_killed_run_is_not_rolled_back_into_the_next)
{
    char folder[64], path[128];
    sample_folder(folder);
    join(path, folder, "run.db");
    leave_killed_run(folder, path);
    sqlite3 *db;
    struct rep_result read;
    cr_assert_eq(rep_db_create(&db, path, "second", 2), REP_OK, "%s", rep_db_message(NULL));
    sqlite3_close(db);
    cr_assert_eq(rep_db_open(&db, path), REP_OK, "%s", rep_db_message(NULL));
    cr_assert_eq(rep_db_read(db, &read), REP_OK);
    cr_expect_str_eq(read.scenario, "second");
    rep_result_free(&read);
    sqlite3_close(db);
    cr_expect_eq(sample_folder_count(folder), 1);
    sample_folder_remove(folder);
}

Test(rep_db, a_place_that_cannot_be_written_is_named)
{
    char folder[64], full[128];
    struct stat status;
    sample_folder(folder);
    sample_full_device(full, folder);
    const char *const paths[] = {"/nonexistent-folder/run.db", "/proc/run.db", folder, full};
    for (size_t i = 0; i < 4; i++) {
        sqlite3 *db;
        cr_expect_lt(rep_db_create(&db, paths[i], "x", 1), 0, "%s", paths[i]);
        cr_expect_null(db);
        cr_expect_not_null(strstr(rep_db_message(NULL), paths[i]), "%s", rep_db_message(NULL));
        cr_expect_eq(stat(paths[i], &status) == 0, i >= 2, "%s is as it was", paths[i]);
    }
    cr_expect(stat(full, &status) == 0 && S_ISCHR(status.st_mode), "the device is still one");
    sample_folder_remove(folder);
}

static void limit_file_size(rlim_t bytes)
{
    struct rlimit limit = {bytes, RLIM_INFINITY};
    signal(SIGXFSZ, SIG_IGN);
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* Enough rows that storing them needs more pages than the empty file has. */
static void grow_devices(struct rep_result *result, uint32_t count)
{
    uint32_t have = result->device_rows;
    struct rep_device *device = realloc(result->device, count * sizeof *device);
    cr_assert_not_null(device);
    for (uint32_t i = have; i < count; i++)
        device[i] = device[i % have];
    result->device = device;
    result->device_rows = count;
}

Test(rep_db, a_disk_that_fills_up_at_any_point_leaves_no_finished_file)
{
    char folder[64], path[128];
    sample_folder(folder);
    join(path, folder, "run.db");
    struct rep_result wrote, read;
    sample_stopped(&wrote);
    grow_devices(&wrote, 500);
    unsigned refused_to_create = 0, refused_to_write = 0, wrote_all = 0;
    for (rlim_t bytes = 0; bytes <= 240 * 1024; bytes += 12 * 1024) {
        sqlite3 *db = NULL;
        unlink(path);
        limit_file_size(bytes);
        int created = rep_db_create(&db, path, "x", 1);
        int stored = created ? created : rep_db_write(db, &wrote);
        cr_assert(stored == REP_OK || stored == REP_EWRITE || created == REP_EOPEN, "%d", stored);
        cr_assert(!stored || strlen(rep_db_message(db)) > 10);
        sqlite3_close(db);
        limit_file_size(RLIM_INFINITY);
        refused_to_create += created != 0;
        refused_to_write += !created && stored;
        wrote_all += !stored;
        if (created) {
            cr_assert_eq(sample_folder_count(folder), 0, "at %lu", (unsigned long)bytes);
            continue;
        }
        cr_assert_eq(rep_db_open(&db, path), REP_OK, "%s", rep_db_message(NULL));
        cr_assert_eq(rep_db_read(db, &read), REP_OK);
        cr_expect_eq(read.exit_code, stored ? 8 : 2);
        cr_expect_eq(read.phases, stored ? 0 : 3);
        sqlite3_close(db);
        rep_result_free(&read);
    }
    cr_expect(refused_to_create > 2 && refused_to_write > 2 && wrote_all > 2, "%u %u %u",
              refused_to_create, refused_to_write, wrote_all);
    sample_folder_remove(folder);
    rep_result_free(&wrote);
}

Test(rep_db, impossible_values_are_refused_and_nothing_is_stored)
{
    sqlite3 *db;
    struct rep_result result, read;
    cr_assert_eq(rep_db_create(&db, NULL, "x", 1), REP_OK);
    sample_stopped(&result);
    result.device[3].outcome = (enum rep_outcome)99;
    cr_expect_eq(rep_db_write(db, &result), REP_EFORMAT);
    cr_expect_not_null(strstr(rep_db_message(db), "device.outcome"), "%s", rep_db_message(db));
    result.device[3].outcome = REP_OUT_BRICKED;
    result.power_cuts = (uint64_t)1 << 63;
    cr_expect_eq(rep_db_write(db, &result), REP_EFORMAT);
    cr_assert_eq(rep_db_read(db, &read), REP_OK);
    cr_expect_eq(read.verdict, REP_UNFINISHED);
    cr_expect_eq(read.phases, 0);
    rep_result_free(&read);
    rep_result_free(&result);
    sqlite3_close(db);
}

Test(rep_db, the_services_own_tables_live_beside_it)
{
    sqlite3 *db;
    struct rep_result wrote, read;
    sample_passed(&wrote);
    cr_assert_eq(rep_db_create(&db, NULL, "x", 1), REP_OK);
    cr_assert_eq(sqlite3_exec(db, "CREATE TABLE camp_a (b); INSERT INTO camp_a VALUES (5)", NULL,
                              NULL, NULL),
                 SQLITE_OK);
    cr_assert_eq(rep_db_write(db, &wrote), REP_OK);
    cr_assert_eq(rep_db_read(db, &read), REP_OK);
    cr_expect_null(sample_difference(&wrote, &read));
    cr_expect_eq(number(db, "SELECT b FROM camp_a"), 5);
    sqlite3_exec(db, "BEGIN", NULL, NULL, NULL);
    cr_expect_eq(rep_db_write(db, &wrote), REP_EWRITE, "not inside another's transaction");
    sqlite3_close(db);
    rep_result_free(&wrote);
    rep_result_free(&read);
}

Test(rep_db, errors_have_names)
{
    for (int error = REP_EEXISTS; error <= REP_OK; error++)
        cr_expect_str_neq(rep_error_name(error), "unknown error", "%d", error);
    cr_expect_str_eq(rep_error_name(-99), "unknown error");
    cr_expect_str_eq(rep_error_name(REP_EEXISTS), "exists and is no Brickyard result");
}
