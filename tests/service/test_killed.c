/*
 * Killed at any step (a message heard, before and after a commit, a message sent), once or twice,
 * and started again: the same outcome as the undisturbed run. No message is lost: every device was
 * notified, and the service counted each status of each device as new exactly once.
 */
#include "../soak/soak.h"
#include "bench.h"
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

enum { KILLS = 7, LANES = 4 };
static struct bench bench;

static uint64_t seed(void)
{
    const char *given = getenv("BRICKYARD_SEED");
    return given ? strtoull(given, NULL, 10) : 20260319;
}

static uint64_t draw(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u; /* splitmix64 */
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

/* What must not depend on when it was killed, as one text. */
static char *outcome(void)
{
    char path[160], *text = NULL;
    size_t len;
    sqlite3 *db;
    sqlite3_stmt *row;
    snprintf(path, sizeof path, "%s/report.db", bench.dir);
    cr_assert_eq(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    FILE *out = open_memstream(&text, &len);
    static const char *const ask[] = {
        "SELECT number, outcome, phase, reason, believed FROM device ORDER BY number",
        ("SELECT name, result, cohort, confirmed, rolled_back, presumed_bricked FROM phase "
         "ORDER BY position"),
        "SELECT metric, numerator, denominator, state FROM gate ORDER BY phase, position",
        "SELECT level, cause, substr(device, 4) FROM alert ORDER BY cause, device",
    };
    for (size_t i = 0; i < sizeof ask / sizeof *ask; i++) {
        cr_assert_eq(sqlite3_prepare_v2(db, ask[i], -1, &row, NULL), SQLITE_OK, "%s: %s", ask[i],
                     sqlite3_errmsg(db));
        while (sqlite3_step(row) == SQLITE_ROW) {
            for (int c = 0; c < sqlite3_column_count(row); c++)
                fprintf(out, "%s ", (const char *)sqlite3_column_text(row, c));
            fputc('\n', out);
        }
        sqlite3_finalize(row);
    }
    fclose(out);
    sqlite3_close(db);
    return text;
}

static uint32_t steps_said(void)
{
    const char *at = strstr(bench.said, " steps=");
    cr_assert_not_null(at, "%s", bench.said);
    return (uint32_t)strtoul(at + 7, NULL, 10);
}

static void expect_nothing_lost(uint64_t moment)
{
    char sql[128];
    long long said = 0;
    for (uint32_t d = 0; d < BENCH_DEVICES; d++) {
        const struct bench_device *device = &bench.device[d];
        cr_expect_geq(device->notified, 1, "killed at %llu: device %u was never notified",
                      (unsigned long long)moment, d);
        snprintf(sql, sizeof sql, "SELECT seq FROM camp_device WHERE device = %u", d);
        cr_expect_eq(bench_ask(&bench, "service.db", sql), device->seq, "killed at %llu: device %u",
                     (unsigned long long)moment, d);
        said += device->seq;
    }
    cr_expect_eq(bench_ask(&bench, "service.db", "SELECT statuses - late FROM camp_state"), said,
                 "killed at %llu: a status was lost", (unsigned long long)moment);
    cr_expect_eq(bench_ask(&bench, "service.db", "SELECT dropped FROM camp_state"), 0);
    cr_expect_eq(bench_ask(&bench, "service.db", "SELECT count(*) FROM camp_outgoing"), 0);
}

static void start(uint64_t die_at)
{
    char more[64] = "";
    if (die_at)
        snprintf(more, sizeof more, "die_at: %llu\n", (unsigned long long)die_at);
    bench_config(&bench, NULL, NULL, more);
    bench_spawn(&bench);
}

/* Killed at first, and then at second (0: not again) of its next life. False: it was over before
 * first, because a faster run has fewer ticks, and so fewer steps. */
static bool run_killed(uint64_t first, uint64_t second)
{
    start(first);
    int status = bench_wait_end(&bench);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0 && steps_said() < first)
        return false;
    cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "at %llu: %s",
              (unsigned long long)first, bench.said);
    start(second);
    status = bench_wait_end(&bench);
    if (second && WIFSIGNALED(status)) {
        cr_assert_eq(WTERMSIG(status), SIGKILL, "%s", bench.said);
        start(0);
        status = bench_wait_end(&bench);
    }
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "killed at %llu: %s",
              (unsigned long long)first, bench.said);
    return true;
}

static void run_lane(uint64_t lane)
{
    uint64_t state = seed() + lane;
    fprintf(stderr, "BRICKYARD_SEED=%llu\n", (unsigned long long)seed());
    bench_open(&bench);
    bench_round(&bench, 0, bench_mixed);
    start(0);
    cr_assert_eq(bench_exit_code(&bench), 0, "%s", bench.said);
    uint32_t steps = steps_said(), round = 1;
    char *expected = outcome();
    expect_nothing_lost(0);
    bench_round_end(&bench);
    for (uint32_t k = 0; k < KILLS;) {
        /* One moment in each of LANES * KILLS equal parts of the shortest run's steps but the last
         * few, which another run may not have. */
        uint64_t parts = LANES * KILLS, part = k * LANES + lane, all = steps - 8;
        uint64_t from = all * part / parts, to = all * (part + 1) / parts;
        uint64_t moment = 1 + from + draw(&state) % (to - from);
        uint64_t again = k % 2 ? 1 + draw(&state) % 40 : 0;
        cr_assert_lt(round, BENCH_ROUNDS, "it is never killed");
        bench_round(&bench, round++, bench_mixed);
        if (!run_killed(moment, again)) {
            steps = steps_said();
            bench_round_end(&bench);
            continue;
        }
        char *found = outcome();
        cr_expect_str_eq(found, expected, "killed at %llu and %llu\nexpected:\n%sfound:\n%s",
                         (unsigned long long)moment, (unsigned long long)again, expected, found);
        expect_nothing_lost(moment);
        free(found);
        bench_round_end(&bench);
        k++;
    }
    free(expected);
    bench_close(&bench);
}

Test(service_killed, same_outcome_lane_0)
{
    run_lane(0);
}

Test(service_killed, same_outcome_lane_1, RELEASE_ONLY)
{
    run_lane(1);
}

Test(service_killed, same_outcome_lane_2, RELEASE_ONLY)
{
    run_lane(2);
}

Test(service_killed, same_outcome_lane_3, RELEASE_ONLY)
{
    run_lane(3);
}

/* ---- Long dead ---- */

/* More than the broker sends without an acknowledgement (100), before what matters: so not all of
 * it comes before the broker has answered the subscription. */
static void kill_in_the_trial(struct bench *at)
{
    if (at->acknowledged != 16)
        return;
    kill(at->pid, SIGKILL);
    for (uint32_t d = 0; d < BENCH_DEVICES; d++)
        for (int k = 0; k < 80 && at->device[d].notified; k++)
            bench_telemetry(&at->device[d]);
}

/* Three notified devices, and what was the last that each said. */
static bool all_said_last(const char *status)
{
    uint32_t said = 0;
    for (uint32_t d = 0; d < BENCH_DEVICES; d++)
        said += bench.device[d].last && !strcmp(bench.device[d].last, status);
    return said == 3;
}

static bool all_said(void)
{
    uint32_t notified = 0, said = 0;
    for (uint32_t d = 0; d < BENCH_DEVICES; d++) {
        notified += bench.device[d].notified > 0;
        said += bench.device[d].word && !bench.device[d].word->status;
    }
    return notified >= 3 && said == notified;
}

/* As if the service had been down for 20 h of the campaign: longer than a device in its trial, and
 * one without an outcome, may be silent. */
static void let_time_pass(void)
{
    char path[160];
    sqlite3 *db;
    snprintf(path, sizeof path, "%s/service.db", bench.dir);
    cr_assert_eq(sqlite3_open(path, &db), SQLITE_OK);
    cr_assert_eq(
        sqlite3_exec(db, "UPDATE service SET started_us = started_us - 20000000", NULL, NULL, NULL),
        SQLITE_OK);
    sqlite3_close(db);
}

Test(service_killed, what_devices_said_while_it_was_dead_is_heard_before_it_judges)
{
    bench_open(&bench);
    /* It waits for ten times that at the most: hundreds of words come, each kept before the next,
     * on a machine that does other things too. */
    bench.settle = "2s";
    bench_round(&bench, 0, bench_good);
    bench.on_acknowledged = kill_in_the_trial;
    start(0);
    int status = bench_wait_end(&bench);
    cr_assert(WIFSIGNALED(status), "%s", bench.said);
    ev_timer_again(bench.loop, &bench.deadline);
    while (!all_said())
        ev_run(bench.loop, EVRUN_ONCE);
    ev_timer_stop(bench.loop, &bench.deadline);
    let_time_pass();
    start(0);
    cr_assert_eq(bench_exit_code(&bench), 0, "%s", bench.said);
    cr_expect(!strstr(bench.said, "presumed brick"), "%s", bench.said);
    json_t *json = bench_json(&bench);
    cr_expect_eq(bench_number(json, "updates/confirmed"), BENCH_DEVICES);
    cr_expect_eq(json_array_size(json_object_get(json, "alerts")), 0);
    json_decref(json);
    /* Its clock says nothing that can be true; so nobody expects telemetry of hours before. */
    cr_expect_eq(bench_ask(&bench, "service.db",
                           "SELECT count(*) FROM camp_device, service "
                           "WHERE confirmed_us < started_us + 70000000000"),
                 0);
    expect_nothing_lost(0);
    bench_round_end(&bench);
    bench_close(&bench);
}

static void kill_early(struct bench *at)
{
    if (at->acknowledged == 6)
        kill(at->pid, SIGKILL);
}

/* Seconds before the service is there again, for all that it knows. */
Test(service_killed, a_device_that_rebooted_while_it_was_dead_is_waited_for)
{
    bench_open(&bench);
    bench.silent_after = "48h";
    bench_round(&bench, 0, bench_good);
    bench.on_acknowledged = kill_early;
    bench.held = "health_check";
    start(0);
    int status = bench_wait_end(&bench);
    cr_assert(WIFSIGNALED(status), "%s", bench.said);
    ev_timer_again(bench.loop, &bench.deadline);
    while (!all_said_last("rebooting"))
        ev_run(bench.loop, EVRUN_ONCE);
    ev_timer_stop(bench.loop, &bench.deadline);
    let_time_pass();
    start(0);
    cr_assert(bench_wait(&bench, "event=settled"), "%s", bench.said);
    bench_let_go(&bench);
    cr_assert_eq(bench_exit_code(&bench), 0, "%s", bench.said);
    cr_expect(!strstr(bench.said, "presumed brick"), "%s", bench.said);
    bench_round_end(&bench);
    bench_close(&bench);
}
