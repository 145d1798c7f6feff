/* A campaign from its start to its end, by a program, over a real broker. */
#include "bench.h"
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct bench bench;

Test(service_whole, campaign_to_its_end)
{
    bench_open(&bench);
    bench_round(&bench, 0, bench_mixed);
    bench_spawn(&bench);
    cr_assert_eq(bench_exit_code(&bench), 0, "%s", bench.said);
    json_t *json = bench_json(&bench);
    cr_expect_str_eq(json_string_value(json_object_get(json, "verdict")), "pass");
    cr_expect_eq(bench_number(json, "updates/enrolled"), BENCH_DEVICES);
    cr_expect_eq(bench_number(json, "updates/confirmed"), 8);
    cr_expect_eq(bench_number(json, "updates/rolled_back"), 2);
    cr_expect_eq(bench_number(json, "updates/verify_failed"), 1);
    cr_expect_eq(bench_number(json, "updates/refused"), 1);
    for (uint32_t d = 0; d < BENCH_DEVICES; d++)
        cr_expect_eq(bench.device[d].notified, 1);
    cr_expect_eq(bench_ask(&bench, "service.db", "SELECT count(*) FROM camp_outgoing"), 0);
    cr_expect_eq(bench_ask(&bench, "report.db", "SELECT count(*) FROM device"), BENCH_DEVICES);
    cr_expect(strstr(bench.said, "event=phase"), "%s", bench.said);
    cr_expect(strstr(bench.said, "event=alert"), "%s", bench.said);
    json_decref(json);
    /* Started once more, it finds that all is done. */
    bench_spawn(&bench);
    cr_expect_eq(bench_exit_code(&bench), 0, "%s", bench.said);
    bench_round_end(&bench);
    bench_close(&bench);
}

Test(service_whole, a_gate_stops_it)
{
    bench_open(&bench);
    bench_round(&bench, 0, bench_bad);
    bench_spawn(&bench);
    cr_assert_eq(bench_exit_code(&bench), 2, "%s", bench.said);
    json_t *json = bench_json(&bench);
    cr_expect_str_eq(json_string_value(json_object_get(json, "verdict")), "gate_stopped");
    cr_expect_eq(bench_number(json, "exit_code"), 2);
    cr_expect_eq(bench_number(json, "updates/enrolled"), 3);
    cr_expect(strstr(bench.said, "gate stopped the campaign"), "%s", bench.said);
    json_decref(json);
    bench_round_end(&bench);
    bench_close(&bench);
}

static void expect_answer(const char *order, int code, const char *text)
{
    char said[4096], options[64];
    snprintf(options, sizeof options, "--order %s", order);
    cr_expect_eq(bench_run(&bench, options, said, sizeof said), code, "%s: %s", order, said);
    cr_expect(strstr(said, text), "%s: %s", order, said);
}

Test(service_whole, orders_and_signals)
{
    char said[4096], path[128];
    struct stat status;
    bench_open(&bench);
    bench_round(&bench, 0, bench_hanging);
    expect_answer("status", 1, "does the service run?");
    bench_config(&bench, NULL, NULL, "when_stopped: wait\n");
    bench_spawn(&bench);
    cr_assert(bench_wait(&bench, "canary begins"), "%s", bench.said);
    /* One at a time. */
    cr_expect_eq(bench_run(&bench, "", said, sizeof said), 1);
    cr_expect(strstr(said, "another service runs on this database"), "%s", said);
    snprintf(path, sizeof path, "%s/service.db.control", bench.dir);
    cr_assert(!stat(path, &status));
    cr_expect_eq(status.st_mode & 0777, 0600);
    expect_answer("status", 0, "\"state\":\"running\"");
    expect_answer("resume", 1, "it makes no sense while the campaign is running");
    expect_answer("pause", 0, "\"state\":\"paused\"");
    expect_answer("pause", 1, "it makes no sense");
    expect_answer("dance", 1, "no such order");
    expect_answer("resume", 0, "\"state\":\"running\"");
    /* Known when it was killed right after the answer. */
    expect_answer("pause", 0, "\"state\":\"paused\"");
    kill(bench.pid, SIGKILL);
    cr_expect_eq(bench_exit_code(&bench), -1);
    bench_spawn(&bench);
    cr_assert(bench_wait(&bench, "event=resumed"), "%s", bench.said);
    expect_answer("status", 0, "\"state\":\"paused\"");
    kill(bench.pid, SIGUSR1);
    cr_assert(bench_wait(&bench, "event=report verdict=unfinished"), "%s", bench.said);
    json_t *json = bench_json(&bench);
    cr_expect_eq(bench_number(json, "exit_code"), 8);
    json_decref(json);
    expect_answer("rollback", 0, "\"state\":\"");
    kill(bench.pid, SIGTERM);
    cr_assert(bench_wait(&bench, "event=ended"), "%s", bench.said);
    int code = bench_exit_code(&bench);
    cr_expect(code == 8 || code == 2, "%d: %s", code, bench.said);
    cr_expect(stat(path, &status), "the socket goes with the service");
    bench_round_end(&bench);
    bench_close(&bench);
}

/* Each gate that is red is overruled by a person, and stays on record. */
Test(service_whole, a_stopped_campaign_waits_for_its_operator)
{
    bench_open(&bench);
    bench_round(&bench, 0, bench_bad);
    bench_config(&bench, NULL, NULL, "when_stopped: wait\n");
    bench_spawn(&bench);
    for (int phase = 0; phase < 2; phase++) {
        cr_assert(bench_wait(&bench, "gate stopped the campaign"), "%s", bench.said);
        cr_assert(bench_wait(&bench, "text=paused"), "%s", bench.said);
        expect_answer("resume", 0, "\"ok\":true");
    }
    cr_assert_eq(bench_exit_code(&bench), 2, "%s", bench.said);
    json_t *json = bench_json(&bench);
    cr_expect_str_eq(json_string_value(json_object_get(json, "verdict")), "gate_stopped");
    cr_expect_eq(bench_number(json, "updates/rolled_back"), BENCH_DEVICES);
    json_decref(json);
    bench_round_end(&bench);
    bench_close(&bench);
}
