/* The file: what is kept, when, and what is refused. */
#include "made.h"
#include "rep/db.h"
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

TestSuite(burnin_kept, .init = made_enter, .fini = made_leave);

static char message[600];

static struct bi_store *fresh(const struct bi_identity *it)
{
    struct bi_store *store;
    cr_assert_eq(bi_store_create(&store, made_path("b.db"), it, message, sizeof message), 0, "%s",
                 message);
    return store;
}

static void keep(struct bi_store *store, struct bi_cycle cycle)
{
    const struct bi_identity it = made_identity(1, 0);
    struct bi_sum sum;
    made_sum(&sum, &it);
    cr_assert_eq(bi_store_begin(store, &cycle, message, sizeof message), 0, "%s", message);
    cr_assert_eq(bi_store_end(store, &cycle, sum.plan, sum.gates, message, sizeof message), 0, "%s",
                 message);
    bi_cycle_free(&cycle);
}

static struct bi_store *resumed(struct bi_identity *it)
{
    struct bi_store *store;
    cr_assert_eq(bi_store_resume(&store, made_path("b.db"), it, message, sizeof message), 0, "%s",
                 message);
    return store;
}

static int64_t ask(const char *sql)
{
    sqlite3 *db;
    sqlite3_stmt *query;
    cr_assert_eq(sqlite3_open(made_path("b.db"), &db), SQLITE_OK);
    cr_assert_eq(sqlite3_prepare_v2(db, sql, -1, &query, NULL), SQLITE_OK, "%s",
                 sqlite3_errmsg(db));
    cr_assert_eq(sqlite3_step(query), SQLITE_ROW, "%s", sql);
    int64_t number = sqlite3_column_int64(query, 0);
    sqlite3_finalize(query);
    sqlite3_close(db);
    return number;
}

static int add(void *ctx, const struct bi_cycle *cycle)
{
    return bi_sum_add(ctx, cycle);
}

/* What was read back gives the same result, number for number, as what was written. */
Test(burnin_kept, what_is_read_back_sums_up_to_the_same)
{
    const struct bi_identity it = made_identity(9, 0);
    struct bi_identity kept;
    struct bi_sum direct, back;
    struct rep_result a, b;
    struct bi_store *store = fresh(&it);
    made_sum(&direct, &it);
    for (uint32_t n = 1; n <= 5; n++) {
        struct bi_cycle cycle = n == 4 ? made_failure(n, 3, "bricked") : made_cycle(n);
        cycle.broken[REP_PROMISE_NO_BRICK] = n == 4;
        if (n == 2)
            strcpy(cycle.broken_what[REP_PROMISE_FLASH_DISCIPLINE], "nobody could look");
        cr_assert_eq(bi_sum_add(&direct, &cycle), 0);
        keep(store, cycle);
    }
    bi_store_close(store);
    store = resumed(&kept);
    made_sum(&back, &kept);
    cr_assert_eq(bi_store_cycles(store, add, &back, message, sizeof message), 0, "%s", message);
    cr_assert(!bi_sum_result(&direct, true, 0, &a) && !bi_sum_result(&back, true, 0, &b));
    cr_expect(a.exit_code == 3 && b.exit_code == 3);
    cr_expect_str_eq(a.explanation, b.explanation);
    cr_expect_arr_eq(a.phase[0].gate, b.phase[0].gate, 3 * sizeof *a.phase[0].gate);
    cr_expect_arr_eq(a.device, b.device, 2 * sizeof *a.device);
    cr_expect_arr_eq(a.promise, b.promise, REP_PROMISES * sizeof *a.promise);
    cr_expect_str_eq(b.promise[REP_PROMISE_FLASH_DISCIPLINE].first_what, "nobody could look");
    cr_assert_eq(a.facts, b.facts);
    for (uint32_t i = 0; i < a.facts; i++)
        cr_expect_str_eq(a.fact[i].value, b.fact[i].value);
    cr_assert(a.faults == 1 && b.faults == 1 && a.cuts == 2 && b.cuts == 2);
    cr_expect_arr_eq(a.fault, b.fault, sizeof *a.fault);
    cr_expect_arr_eq(a.cut, b.cut, 2 * sizeof *a.cut);
    cr_expect(a.fault[0].scheduled == 40 && a.cut[0].cuts == 20);
    cr_expect(a.power_cuts == b.power_cuts && a.virtual_s == b.virtual_s);
    rep_result_free(&a);
    rep_result_free(&b);
    bi_sum_free(&direct);
    bi_sum_free(&back);
    bi_store_close(store);
}

Test(burnin_kept, measurements_have_limits_and_outcomes)
{
    const struct bi_identity it = made_identity(9, 0);
    struct bi_store *store = fresh(&it);
    struct bi_cycle late = made_cycle(1);
    late.board[1].value[BI_ROUND_TRIP_WORST] = 600000;
    keep(store, late);
    bi_store_close(store);
    cr_expect_eq(ask("SELECT count(*) FROM burnin_board"), 2);
    cr_expect_eq(ask("SELECT value FROM burnin_measurement WHERE outcome = 'fail' AND number = 1 "
                     "AND name = 'round_trip_worst' AND unit = 'us' AND red_if = '>= 500ms'"),
                 600000);
    cr_expect_eq(ask("SELECT count(*) FROM burnin_measurement WHERE outcome = 'fail'"), 2,
                 "its telemetry, 9 of 10, is the other one");
    cr_expect_eq(ask("SELECT count(*) FROM burnin_measurement WHERE name = 'cuts' AND outcome = "
                     "'none'"),
                 2);
}

/* SIGKILL after any of the steps: what had ended is there, what ran is interrupted. */
Test(burnin_kept, no_cycle_that_ended_is_lost_to_sigkill)
{
    for (uint32_t steps = 0; steps < 6; steps++) {
        const struct bi_identity it = made_identity(9, 0);
        struct bi_identity kept;
        unlink(made_path("b.db"));
        pid_t child = fork();
        if (!child) {
            struct bi_store *store = fresh(&it);
            for (uint32_t step = 0; step < steps; step++) {
                struct bi_cycle cycle = made_cycle(step / 2 + 1);
                if (step % 2)
                    bi_store_end(store, &cycle, NULL, 0, message, sizeof message);
                else
                    bi_store_begin(store, &cycle, message, sizeof message);
            }
            raise(SIGKILL);
        }
        int status;
        cr_assert(waitpid(child, &status, 0) == child && WIFSIGNALED(status));
        struct bi_store *store = resumed(&kept);
        struct bi_sum sum;
        made_sum(&sum, &kept);
        cr_assert_eq(bi_store_cycles(store, add, &sum, message, sizeof message), 0, "%s", message);
        struct bi_cycle next;
        cr_assert(bi_next(&kept, &sum.progress, false, &next));
        cr_expect_eq(sum.progress.passed, steps / 2);
        cr_expect(next.number == steps / 2 + 1 && next.seed == 100 + next.number);
        cr_expect_eq(next.tries, steps % 2 + 1);
        bi_sum_free(&sum);
        bi_store_close(store);
        cr_expect_eq(ask("SELECT count(*) FROM burnin_try WHERE state = 'interrupted'"), steps % 2);
        cr_expect_eq(ask("SELECT count(*) FROM burnin_cycle WHERE state = 'running'"), 0);
    }
}

Test(burnin_kept, infrastructure_is_kept_as_a_try_that_was_none)
{
    const struct bi_identity it = made_identity(9, 0);
    struct bi_store *store = fresh(&it);
    struct bi_cycle cycle = made_cycle(1);
    uint64_t tries;
    cycle.state = BI_INFRASTRUCTURE;
    strcpy(cycle.what, "the relay is gone");
    keep(store, cycle);
    cr_expect(!bi_store_failed_tries(store, &tries) && tries == 1);
    struct bi_cycle again = made_cycle(1);
    again.tries = 2;
    keep(store, again);
    bi_store_close(store);
    cr_expect_eq(ask("SELECT count(*) FROM burnin_try WHERE cycle = 1 AND try = 1 AND state = "
                     "'infrastructure' AND what = 'the relay is gone'"),
                 1);
    cr_expect_eq(ask("SELECT tries FROM burnin_cycle WHERE cycle = 1 AND state = 'passed'"), 2);
}

static void refused_resume(const char *says)
{
    struct bi_store *store;
    struct bi_identity kept;
    cr_expect_eq(bi_store_resume(&store, made_path("b.db"), &kept, message, sizeof message), -1);
    cr_expect(strstr(message, says), "%s", message);
    cr_expect_null(store);
}

Test(burnin_kept, an_existing_file_is_never_begun_anew)
{
    const struct bi_identity it = made_identity(9, 0);
    struct bi_store *store = fresh(&it), *other;
    cr_expect_eq(bi_store_create(&other, made_path("b.db"), &it, message, sizeof message), -1);
    cr_expect(strstr(message, "--resume"), "%s", message);
    refused_resume("at work on it");
    bi_store_close(store);
    struct bi_identity kept;
    bi_store_close(resumed(&kept));
}

Test(burnin_kept, a_finished_one_is_not_resumed_and_is_read_as_a_result)
{
    const struct bi_identity it = made_identity(1, 0);
    struct bi_store *store = fresh(&it);
    struct bi_sum sum;
    struct rep_result made, read;
    struct bi_identity kept;
    struct bi_cycle cycle = made_cycle(1);
    made_sum(&sum, &it);
    cr_assert_eq(bi_sum_add(&sum, &cycle), 0);
    keep(store, cycle);
    cr_assert(!bi_sum_result(&sum, true, 0, &made));
    cr_assert_eq(bi_store_finish(store, &made, message, sizeof message), 0, "%s", message);
    bi_store_close(store);
    refused_resume("finished");
    cr_assert_eq(bi_store_read(made_path("b.db"), &kept, &read, message, sizeof message), 0);
    cr_expect(!read.cut_short && read.phases == 1 && read.exit_code == 0);
    cr_expect(read.phase[0].gate[1].numerator == 1 && read.phase[0].gate[1].denominator == 20);
    cr_expect_str_eq(kept.image_sha256, it.image_sha256);
    rep_result_free(&made);
    rep_result_free(&read);
    bi_sum_free(&sum);
}

Test(burnin_kept, what_is_no_burn_in_is_said_to_be_none)
{
    sqlite3 *db;
    refused_resume("No such file");
    cr_assert_eq(rep_db_create(&db, made_path("b.db"), "campaign", 1), REP_OK);
    sqlite3_close(db);
    refused_resume("no burn-in");
    unlink(made_path("b.db"));
    FILE *file = fopen(made_path("b.db"), "w");
    fputs("rubbish", file);
    fclose(file);
    refused_resume("not a Brickyard result");
}

/* A page in the middle is overwritten, or the file is cut: said, and nothing is believed. */
Test(burnin_kept, a_damaged_file_is_a_clear_error)
{
    const struct bi_identity it = made_identity(9, 0);
    struct bi_store *store = fresh(&it);
    for (uint32_t n = 1; n <= 20; n++)
        keep(store, made_cycle(n));
    bi_store_close(store);
    char rubbish[4096];
    memset(rubbish, 0xA5, sizeof rubbish);
    int fd = open(made_path("b.db"), O_RDWR);
    off_t end = lseek(fd, 0, SEEK_END);
    cr_assert(end > 30 * 4096, "%lld", (long long)end);
    for (off_t at = 8 * 4096; at < end; at += 4096)
        cr_assert_eq(pwrite(fd, rubbish, sizeof rubbish, at), (ssize_t)sizeof rubbish);
    close(fd);
    refused_resume("damaged");
    cr_assert_eq(truncate(made_path("b.db"), 3 * 4096), 0);
    refused_resume("damaged");
}

/* Whole for SQLite, but no words of ours. */
Test(burnin_kept, impossible_rows_are_refused)
{
    static const char *const edits[] = {
        "UPDATE burnin_cycle SET seed = 'x'",
        "UPDATE burnin_cycle SET scenario = 99",
        "UPDATE burnin_gate SET metric = metric, numerator = -1",
        "UPDATE burnin_board SET outcome = 'thrown away'",
        "UPDATE burnin_measurement SET number = 7, name = name || rowid",
        "UPDATE burnin_cycle SET spent_ms = -5",
        "UPDATE burnin_fault SET kind = 'boredom'",
        "UPDATE burnin_fault SET fired = -1",
        "UPDATE burnin_cut SET cuts = -1",
    };
    for (size_t i = 0; i < sizeof edits / sizeof *edits; i++) {
        const struct bi_identity it = made_identity(9, 0);
        struct bi_identity kept;
        struct bi_sum sum;
        sqlite3 *db;
        unlink(made_path("b.db"));
        struct bi_store *store = fresh(&it);
        keep(store, made_cycle(1));
        bi_store_close(store);
        cr_assert_eq(sqlite3_open(made_path("b.db"), &db), SQLITE_OK);
        cr_assert_eq(sqlite3_exec(db, edits[i], NULL, NULL, NULL), SQLITE_OK, "%s: %s", edits[i],
                     sqlite3_errmsg(db));
        sqlite3_close(db);
        store = resumed(&kept);
        made_sum(&sum, &kept);
        cr_expect_eq(bi_store_cycles(store, add, &sum, message, sizeof message), -1, "%s",
                     edits[i]);
        cr_expect(strstr(message, "damaged"), "%s", message);
        bi_sum_free(&sum);
        bi_store_close(store);
    }
}
