/* The store: what is added is read, by several processes at once, and a bad file is told. */
#include "rig/aim.h"
#include <criterion/criterion.h>
#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char folder[64], path[80], message[512];

static void set_up(void)
{
    snprintf(folder, sizeof folder, "/tmp/rig-aim-XXXXXX");
    cr_assert(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/rig.db", folder);
}

static void tear_down(void)
{
    static const char *const end[] = {"", "-wal", "-shm", "-journal"};
    for (int i = 0; i < 4; i++) {
        char name[100];
        snprintf(name, sizeof name, "%s%s", path, end[i]);
        unlink(name);
    }
    cr_assert(!rmdir(folder));
}

TestSuite(aim_store, .init = set_up, .fini = tear_down);

static struct rig_aim_store *open_store(void)
{
    struct rig_aim_store *store;
    int error = rig_aim_store_open(&store, path, message, sizeof message);
    cr_assert_eq(error, RIG_OK, "%s", message);
    return store;
}

static void run_sql(const char *sql)
{
    sqlite3 *db;
    char *why = NULL;
    cr_assert(!sqlite3_open(path, &db));
    cr_assert(!sqlite3_exec(db, sql, NULL, NULL, &why), "%s", why);
    sqlite3_close(db);
}

Test(aim_store, gives_the_histogram_that_was_added_over_all_runs)
{
    static const int64_t sample[] = {-3, 0, 8200, 8300, 9100, 127500, 400000, 8201};
    struct rig_histogram expected = {.samples = 0}, got;
    for (int i = 0; i < 8; i++) {
        struct rig_aim_store *store = open_store(); /* each a run */
        cr_assert_eq(rig_aim_store_add(store, "pump-1", sample[i]), RIG_OK);
        rig_histogram_add(&expected, sample[i]);
        cr_assert_eq(rig_aim_store_read(store, "pump-1", &got), RIG_OK);
        cr_assert(!memcmp(&got, &expected, sizeof got), "sample %d", i);
        rig_aim_store_close(store);
    }
    struct rig_aim_store *store = open_store();
    cr_assert_eq(rig_aim_store_read(store, "pump-2", &got), RIG_OK);
    cr_assert_eq(got.samples, 0u);
    cr_assert_eq(rig_aim_store_add(store, "pump'; DROP TABLE latency_bins; --", 1), RIG_OK);
    cr_assert_eq(rig_aim_store_forget(store, "pump-1"), RIG_OK);
    cr_assert_eq(rig_aim_store_read(store, "pump-1", &got), RIG_OK);
    cr_assert_eq(got.samples, 0u);
    cr_assert_eq(rig_aim_store_read(store, "pump'; DROP TABLE latency_bins; --", &got), RIG_OK);
    cr_assert_eq(got.samples, 1u);
    rig_aim_store_close(store);
}

enum { PROCESSES = 4, ADDS = 250 };

/* From the first opening on: all of them make the table at once. */
static int add_many(int process)
{
    struct rig_aim_store *store;
    struct rig_histogram histogram;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (rig_aim_store_open(&store, path, message, sizeof message)) {
        fprintf(stderr, "%s\n", message);
        return 1;
    }
    for (int i = 0, error; i < ADDS; i += !error) {
        error = rig_aim_store_add(store, "shared", 1000 * process);
        if (error == RIG_EBUSY) /* the others starve it */
            continue;
        if (error || rig_aim_store_read(store, "shared", &histogram) ||
            histogram.samples < (uint64_t)i + 1)
            return 2;
    }
    rig_aim_store_close(store);
    return 0;
}

Test(aim_store, several_processes_add_at_once_and_none_is_lost)
{
    pid_t child[PROCESSES];
    for (int i = 0; i < PROCESSES; i++)
        if (!(child[i] = fork()))
            _exit(add_many(i));
    for (int i = 0; i < PROCESSES; i++) {
        int status;
        cr_assert_eq(waitpid(child[i], &status, 0), child[i]);
        cr_assert_eq(status, 0, "process %d: %d", i, status);
    }
    struct rig_histogram got;
    struct rig_aim_store *store = open_store();
    cr_assert_eq(rig_aim_store_read(store, "shared", &got), RIG_OK);
    cr_assert_eq(got.samples, (uint64_t)PROCESSES * ADDS);
    for (int i = 0; i < PROCESSES; i++)
        cr_assert_eq(got.bin[2 * i], (uint64_t)ADDS);
    rig_aim_store_close(store);
}

static void *add_in_thread(void *store)
{
    for (int i = 0; i < ADDS; i++)
        if (rig_aim_store_add(store, "threads", 700))
            return store;
    return NULL;
}

Test(aim_store, threads_share_one)
{
    struct rig_aim_store *store = open_store();
    struct rig_histogram got;
    pthread_t thread[3];
    for (int i = 0; i < 3; i++)
        cr_assert(!pthread_create(&thread[i], NULL, add_in_thread, store));
    for (int i = 0; i < 3; i++) {
        void *failed;
        cr_assert(!pthread_join(thread[i], &failed));
        cr_assert_null(failed);
    }
    cr_assert_eq(rig_aim_store_read(store, "threads", &got), RIG_OK);
    cr_assert_eq(got.bin[1], 3u * ADDS);
    rig_aim_store_close(store);
}

Test(aim_store, leaves_the_tables_of_others_alone)
{
    run_sql("CREATE TABLE odometer (n INTEGER); INSERT INTO odometer VALUES (42)");
    struct rig_aim_store *store = open_store();
    cr_assert_eq(rig_aim_store_add(store, "b", 5), RIG_OK);
    rig_aim_store_close(store);
    run_sql("CREATE TABLE proof AS SELECT n FROM odometer WHERE n = 42; "
            "CREATE TRIGGER none BEFORE INSERT ON proof BEGIN SELECT 1; END");
}

/* Bin 255 was "127.5 ms and above": of no use, and no error either. */
Test(aim_store, what_an_earlier_build_kept_is_neither_read_nor_in_the_way)
{
    struct rig_histogram got;
    run_sql(
        "CREATE TABLE latency (board TEXT NOT NULL, bin INTEGER NOT NULL, count INTEGER NOT "
        "NULL, least_us INTEGER NOT NULL, most_us INTEGER NOT NULL, last_us INTEGER NOT NULL, "
        "PRIMARY KEY (board, bin)); INSERT INTO latency VALUES ('b', 255, 9, 127500, 3000000, 0)");
    struct rig_aim_store *store = open_store();
    cr_assert_eq(rig_aim_store_add(store, "b", 200000), RIG_OK);
    cr_assert_eq(rig_aim_store_read(store, "b", &got), RIG_OK);
    cr_assert_eq(got.samples, 1u);
    cr_assert_eq(got.most_us, 200000);
    rig_aim_store_close(store);
}

Test(aim_store, a_file_that_is_none_is_refused_with_its_name)
{
    struct rig_aim_store *store;
    FILE *file = fopen(path, "w");
    for (int i = 0; i < 500; i++)
        fputs("not a database ", file);
    fclose(file);
    cr_assert_eq(rig_aim_store_open(&store, path, message, sizeof message), RIG_EOPEN);
    cr_assert(strstr(message, path), "%s", message);
    cr_assert_null(store);
    unlink(path);
    run_sql("CREATE TABLE latency_bins (something TEXT)");
    cr_assert_eq(rig_aim_store_open(&store, path, message, sizeof message), RIG_EOPEN);
    cr_assert(strstr(message, "column"), "%s", message);
    cr_assert_eq(rig_aim_store_open(&store, "/nowhere/rig.db", message, sizeof message), RIG_EOPEN);
    cr_assert(strstr(message, "/nowhere/rig.db"), "%s", message);
}

Test(aim_store, rows_that_are_no_histogram_are_told)
{
    static const char *const row[] = {
        "('b', 3, -1, 1500, 1500, 0)",      "('b', 3, 1, 5, 5, 0)",
        "('b', 3, 1, 1600, 1500, 0)",       "('b', 3, 9223372036854775807, 1500, 1500, 0)",
        "('b', 3, 'many', 1500, 1500, 0)",  "('b', 3, 2, 1500, 2000, 0)",
        "('b', 256, 2, 128000, 136000, 0)", "('b', 415, 1, 500, 131072000, 0)",
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        char sql[128];
        struct rig_histogram got;
        struct rig_aim_store *store = open_store();
        snprintf(sql, sizeof sql, "DELETE FROM latency_bins; INSERT INTO latency_bins VALUES %s",
                 row[i]);
        run_sql(sql);
        cr_assert_eq(rig_aim_store_read(store, "b", &got), RIG_EANSWER, "row %zu", i);
        cr_assert_eq(got.samples, 0u);
        rig_aim_store_why(store, message, sizeof message);
        cr_assert(strstr(message, "latency") && strstr(message, path), "%s", message);
        cr_assert_eq(rig_aim_store_forget(store, "b"), RIG_OK); /* the way out */
        cr_assert_eq(rig_aim_store_add(store, "b", 1), RIG_OK);
        rig_aim_store_close(store);
    }
}

/* A loop adds: it must not stand still for seconds. */
Test(aim_store, a_lock_of_another_is_not_waited_for_long)
{
    struct timespec from, to;
    sqlite3 *other;
    struct rig_aim_store *store = open_store();
    cr_assert(!sqlite3_open(path, &other));
    cr_assert(!sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL));
    double waited_s = 3;
    for (int tries = 0; tries < 5 && waited_s >= 3;
         tries++) { /* the host may stand still, not it */
        clock_gettime(CLOCK_MONOTONIC, &from);
        cr_assert_eq(rig_aim_store_add(store, "b", 5000), RIG_EBUSY);
        clock_gettime(CLOCK_MONOTONIC, &to);
        waited_s = (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9;
    }
    cr_assert(waited_s > 0.1 && waited_s < 3, "%f s", waited_s);
    sqlite3_close(other);
    cr_assert_eq(rig_aim_store_add(store, "b", 5000), RIG_OK);
    rig_aim_store_close(store);
}

Test(aim_store, a_full_disk_is_told_and_what_was_there_stays)
{
    struct rig_histogram got;
    struct rig_aim_store *store = open_store();
    cr_assert_eq(rig_aim_store_add(store, "b", 5000), RIG_OK);
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit limit = {.rlim_cur = 16384, .rlim_max = RLIM_INFINITY};
    cr_assert(!setrlimit(RLIMIT_FSIZE, &limit));
    int error = RIG_OK;
    uint64_t added = 1;
    for (int i = 0; i < 100 && !error; i++) {
        error = rig_aim_store_add(store, "b", 5000);
        added += !error;
    }
    cr_assert_eq(error, RIG_EGONE);
    rig_aim_store_why(store, message, sizeof message);
    cr_assert(strstr(message, path), "%s", message);
    rig_aim_store_close(store);
    limit.rlim_cur = RLIM_INFINITY;
    cr_assert(!setrlimit(RLIMIT_FSIZE, &limit));
    store = open_store();
    cr_assert_eq(rig_aim_store_read(store, "b", &got), RIG_OK);
    cr_assert_eq(got.samples, added);
    rig_aim_store_close(store);
}
