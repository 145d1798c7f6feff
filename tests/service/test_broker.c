/* A broker that goes, refuses, or is another one; and devices that say anything at all. */
#include "bench.h"
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct bench bench;

static void restart_once(struct bench *at)
{
    char message[1024];
    if (at->acknowledged != 20)
        return;
    cr_assert(!sim_broker_restart(&at->broker, SIM_MEMORY_KEPT, message, sizeof message), "%s",
              message);
}

Test(service_broker, it_goes_on_after_a_restart_of_the_broker)
{
    bench_open(&bench);
    bench_round(&bench, 0, bench_mixed);
    bench.on_acknowledged = restart_once;
    bench_spawn(&bench);
    cr_assert_eq(bench_exit_code(&bench), 0, "%s", bench.said);
    cr_expect(strstr(bench.said, "event=disconnected"), "%s", bench.said);
    json_t *json = bench_json(&bench);
    cr_expect_eq(bench_number(json, "updates/confirmed"), 8);
    cr_expect_eq(bench_number(json, "updates/silent"), 0);
    json_decref(json);
    bench_round_end(&bench);
    bench_close(&bench);
}

Test(service_broker, it_waits_for_a_broker_that_is_down)
{
    char message[1024];
    bench_open(&bench);
    bench_round(&bench, 0, bench_good);
    sim_broker_stop(&bench.broker);
    bench_spawn(&bench);
    cr_assert(bench_wait(&bench, "event=disconnected"), "%s", bench.said);
    cr_expect(bench_wait(&bench, "refused"), "%s", bench.said);
    cr_assert(!sim_broker_start_again(&bench.broker, SIM_MEMORY_KEPT, message, sizeof message));
    cr_assert_eq(bench_exit_code(&bench), 0, "%s", bench.said);
    bench_round_end(&bench);
    bench_close(&bench);
}

static void expect_order(const char *order)
{
    char said[4096], options[64];
    snprintf(options, sizeof options, "--order %s", order);
    cr_assert_eq(bench_run(&bench, options, said, sizeof said), 0, "%s: %s", order, said);
}

/* Of the devices that were notified, how many were told so often to wait, and to go on. */
static uint32_t told(uint32_t deferred, uint32_t notified)
{
    uint32_t devices = 0;
    for (uint32_t d = 0; d < BENCH_DEVICES; d++)
        devices += bench.device[d].deferred >= deferred && bench.device[d].notified >= notified;
    return devices;
}

static uint32_t all_hang(void)
{
    uint32_t devices = 0;
    for (uint32_t d = 0; d < BENCH_DEVICES; d++)
        devices += bench.device[d].word && !bench.device[d].word->status;
    return devices == 3;
}

/* Committed one after the other while there was no broker, and then killed. */
Test(service_broker, what_it_could_not_send_before_it_was_killed_is_sent)
{
    char message[1024];
    bench_open(&bench);
    bench_round(&bench, 0, bench_hanging);
    bench_spawn(&bench);
    ev_timer_again(bench.loop, &bench.deadline);
    while (!all_hang())
        ev_run(bench.loop, EVRUN_ONCE);
    sim_broker_stop(&bench.broker);
    cr_assert(bench_wait(&bench, "event=disconnected"), "%s", bench.said);
    expect_order("pause");
    expect_order("resume");
    expect_order("pause");
    kill(bench.pid, SIGKILL);
    bench_wait_end(&bench);
    cr_assert(!sim_broker_start_again(&bench.broker, SIM_MEMORY_KEPT, message, sizeof message));
    bench_spawn(&bench);
    ev_timer_again(bench.loop, &bench.deadline);
    while (told(2, 2) < 3)
        ev_run(bench.loop, EVRUN_ONCE);
    ev_timer_stop(bench.loop, &bench.deadline);
    kill(bench.pid, SIGTERM);
    bench_wait_end(&bench);
    bench_round_end(&bench);
    bench_close(&bench);
}

/* Told why, tried again, ended by nothing but a signal. */
static void expect_refused(const char *why)
{
    char said[4096];
    bench_spawn(&bench);
    cr_assert(bench_wait(&bench, "event=disconnected"), "%s", bench.said);
    cr_expect(bench_wait(&bench, why), "wanted %s: %s", why, bench.said);
    cr_expect(bench_wait(&bench, "next=\"tried again\""), "%s", bench.said);
    cr_expect_eq(bench_run(&bench, "--order status", said, sizeof said), 0);
    cr_expect(strstr(said, "\"connected\":false"), "%s", said);
    kill(bench.pid, SIGTERM);
    cr_expect_eq(bench_exit_code(&bench), 8);
    cr_expect(strstr(bench.said, "event=ended"), "%s", bench.said);
}

Test(service_broker, refusals_are_told_and_it_tries_again)
{
    bench_open(&bench);
    bench_round(&bench, 0, bench_good);
    bench_config(&bench, NULL, "wrong", "");
    expect_refused("not authorised");
    bench_config(&bench, "unknown-ca.pem", NULL, "");
    expect_refused("certificate");
    /* With what is right it begins where it was: nobody was notified. */
    bench_config(&bench, NULL, NULL, "");
    bench_spawn(&bench);
    cr_assert_eq(bench_exit_code(&bench), 0, "%s", bench.said);
    bench_round_end(&bench);
    bench_close(&bench);
}

enum { HOSTILE_RANDOM = 40, HOSTILE_BYTES = 61440 };

static void publish_hostile(struct bench_device *device, const struct bench_device *other)
{
    static char big[HOSTILE_BYTES];
    char json[512];
    for (uint32_t i = 0; i < HOSTILE_RANDOM; i++) {
        uint32_t len = i * 7;
        for (uint32_t k = 0; k < len; k++)
            big[k] = (char)(rand() >> 7);
        bench_publish(device, big, len);
    }
    memset(big, '[', sizeof big);
    bench_publish(device, big, sizeof big);
    bench_publish(device, big, 4000);
    for (size_t k = 0; k < 4000; k += 5)
        memcpy(big + k, "{\"a\":", 5);
    bench_publish(device, big, 4000);
    int len = snprintf(json, sizeof json,
                       "{\"device_id\":\"%s\",\"campaign_id\":\"rollout\",\"firmware_id\":\"f\","
                       "\"seq\":4000000000,\"at\":\"2026-03-19T10:00:00Z\",\"status\":"
                       "\"rolled_back\",\"reason\":\"watchdog\",\"version\":\"2.3.1\","
                       "\"slot\":\"A\"}",
                       other->id);
    bench_publish(device, json, (uint32_t)len);
    bench_publish(device, "{\"device_id\": 5}", 16);
}

/* Before its own first status, after it, and later, but among the first third of all that is said:
 * the campaign is not to end before all of it was heard. */
static void be_hostile(struct bench *at)
{
    if (at->acknowledged == 1 || at->acknowledged == 10 || at->acknowledged == 20)
        publish_hostile(&at->device[0], &at->device[1]);
}

Test(service_broker, hostile_payloads_are_counted_and_dropped)
{
    srand(1);
    bench_open(&bench);
    bench_round(&bench, 0, bench_mixed);
    bench.on_acknowledged = be_hostile;
    bench_spawn(&bench);
    cr_assert_eq(bench_exit_code(&bench), 0, "%s", bench.said);
    json_t *json = bench_json(&bench);
    cr_expect_eq(bench_number(json, "updates/confirmed"), 8);
    cr_expect_eq(bench_number(json, "updates/rolled_back"), 2);
    json_decref(json);
    cr_expect_eq(bench_ask(&bench, "service.db", "SELECT dropped FROM camp_state"),
                 3 * (HOSTILE_RANDOM + 5));
    cr_expect(strstr(bench.said, "event=dropped unreadable="), "%s", bench.said);
    bench_round_end(&bench);
    bench_close(&bench);
}
