/* Same seed, same run: the digest over all events, and what may and may not change it (promise 7).
 */
#include "fleet_bench.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum { DEVICES = 8, MUTATIONS = 100, DROP = 1, SWAP = 3 };

static const char mixed_faults[] =
    "{kind: power_loss, during: any, torn: any, devices: 50%},"
    "{kind: corrupt_download, how: any, devices: 25%},"
    "{kind: network_drop, during: downloading, devices: 25%, for: 5m},"
    "{kind: boot_failure, how: health_drivers, devices: 12%},"
    "{kind: network_drop, how: any, at: 20s, for: 30s, devices: 25%},"
    "{kind: bad_certificate, server: broker, how: any, at: 5m, for: 10m, devices: 25%},"
    "{kind: slow_link, latency: 1s, jitter: 1s, bandwidth: 4KiB, slice: 300, devices: 25%},"
    "{kind: broker_restart, at: 40s, how: any},"
    "{kind: clock_skew, by: -2d, at: 15s, for: 1m, devices: 25%},"
    "{kind: message, how: any, delay: 20s, devices: 50%, times: 2},"
    "{kind: service_restart, at: 30m}";

/* Something of everything, so that all kinds of events are in the chains. */
static const struct fleet_plan mixed = {.count = DEVICES,
                                        .group = "active_process: 10%, sites: 2",
                                        .candidate = "behaviour: {telemetry_gap: 1%}",
                                        .faults = mixed_faults};

static void digest_of(char out[33], const struct fleet_plan *plan,
                      const struct sim_fleet_options *options)
{
    struct fleet_run run;
    fleet_run_plan(&run, plan, options);
    memcpy(out, run.result.digest, 33);
    cr_assert_eq(strlen(out), 32);
    fleet_run_free(&run);
}

Test(determinism, the_same_seed_gives_the_same_digest)
{
    char first[33], second[33];
    digest_of(first, &mixed, NULL);
    digest_of(second, &mixed, NULL);
    cr_assert_str_eq(first, second);
}

Test(determinism, each_seed_has_a_digest_of_its_own)
{
    enum { SEEDS = 8 };
    char digest[SEEDS][33];
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct fleet_plan plan = mixed;
        plan.seed = seed;
        digest_of(digest[seed - 1], &plan, NULL);
        for (uint64_t other = 1; other < seed; other++)
            cr_assert_str_neq(digest[seed - 1], digest[other - 1]);
    }
}

Test(determinism, the_number_of_threads_does_not_matter)
{
    struct fleet_plan plan = mixed;
    char one[33];
    plan.count = 37; /* no multiple of any number of threads below */
    digest_of(one, &plan, NULL);
    for (uint32_t jobs = 2; jobs <= 5; jobs++) {
        char many[33];
        digest_of(many, &plan, &(struct sim_fleet_options){.jobs = jobs});
        cr_assert_str_eq(many, one, "%u jobs", jobs);
    }
}

Test(determinism, more_threads_than_devices_do_no_harm)
{
    char one[33], many[33];
    digest_of(one, &mixed, NULL);
    digest_of(many, &mixed, &(struct sim_fleet_options){.jobs = 2 * DEVICES});
    cr_assert_str_eq(many, one);
}

Test(determinism, the_smoke_scenario_has_one_digest_for_any_number_of_threads)
{
    const struct scn_overrides small = {.devices = 60};
    char digest[3][33];
    for (uint32_t i = 0; i < 3; i++) {
        struct fleet_run run;
        fleet_run_file(&run, "smoke-200.yaml", &small,
                       &(struct sim_fleet_options){.jobs = 1u << i});
        memcpy(digest[i], run.result.digest, sizeof digest[i]);
        cr_assert_str_eq(digest[i], digest[0]);
        fleet_run_free(&run);
    }
}

Test(determinism, a_traced_run_is_the_untraced_one)
{
    char plain[33], traced[33], *text = NULL;
    size_t len = 0;
    FILE *trace = open_memstream(&text, &len);
    cr_assert_not_null(trace);
    digest_of(plain, &mixed, NULL);
    digest_of(
        traced, &mixed,
        &(struct sim_fleet_options){.jobs = 2, .trace_device = "pumps-00003", .trace = trace});
    fclose(trace);
    cr_assert_str_eq(traced, plain);
    cr_assert_gt(len, 1000);
    free(text);
}

static void assert_same_device(const struct fleet_run *a, const struct fleet_run *b, uint32_t d)
{
    const struct rep_device *x = fleet_device(a, d), *y = fleet_device(b, d);
    cr_expect_eq(x->outcome, y->outcome, "%s", x->id);
    cr_expect_eq(x->enrolled_s, y->enrolled_s, "%s", x->id);
    cr_expect_eq(x->outcome_s, y->outcome_s, "%s", x->id);
    cr_expect_eq(x->boots, y->boots, "%s", x->id);
    cr_expect_eq(x->cuts, y->cuts, "%s", x->id);
    cr_expect_str_eq(x->version, y->version, "%s", x->id);
    cr_expect_str_eq(x->reason, y->reason, "%s", x->id);
}

/* The fault on one device is taken away; those of all others strike as before. */
Test(determinism, a_fault_taken_away_shifts_no_draw_of_another_device)
{
    static const char rest[] = "{kind: power_loss, during: any, devices: 60%, times: 2},"
                               "{kind: corrupt_download, how: any, devices: 60%}";
    char faults[512];
    struct fleet_plan with = {.count = 16, .faults = faults},
                      without = {.count = 16, .faults = rest};
    struct fleet_run a, b;
    snprintf(faults, sizeof faults, "%s,%s", rest,
             "{kind: boot_failure, how: hang, where: {device: pumps-00005}, times: 10}");
    fleet_run_plan(&a, &with, NULL);
    fleet_run_plan(&b, &without, NULL);
    cr_assert_eq(fleet_fault(&a, 2)->fired, 1);
    cr_assert_eq(fleet_device(&a, 4)->outcome, REP_OUT_ROLLED_BACK);
    cr_assert_eq(fleet_device(&b, 4)->outcome, REP_OUT_CONFIRMED);
    for (uint32_t d = 0; d < 16; d++)
        if (d != 4)
            assert_same_device(&a, &b, d);
    fleet_run_free(&a);
    fleet_run_free(&b);
}

static void assert_same_run(const struct fleet_run *a, const struct fleet_run *b, const char *about)
{
    cr_assert_str_eq(a->result.digest, b->result.digest, "%s", about);
    for (int o = 0; o < REP_OUTCOMES; o++)
        cr_assert_eq(a->result.updates[o], b->result.updates[o], "%s: %s", about,
                     rep_outcome_name(o));
    for (uint32_t d = 0; d < a->result.device_rows; d++)
        assert_same_device(a, b, d);
    cr_assert_eq(a->result.alerts, b->result.alerts, "%s", about);
    cr_assert_eq(a->result.exit_code, b->result.exit_code, "%s", about);
}

static const char two_phases[] =
    "    - {name: first, count: 3, hold: 30m, gates: [{metric: command_ms, stop_if: '>= 500ms'}]}\n"
    "    - {name: rest, share: 100%, hold: 1h, rate_per_hour: 30,\n"
    "       gates: [{metric: success, stop_if: '< 20%'}, {metric: crash, stop_if: '> 90%'}]}\n";

Test(determinism, a_service_that_is_restarted_at_every_tick_decides_the_same)
{
    static const uint32_t every[] = {1, 2, 7};
    struct fleet_plan plan = mixed;
    struct fleet_run never, often;
    plan.phases = two_phases;
    fleet_run_plan(&never, &plan, NULL);
    for (size_t i = 0; i < sizeof every / sizeof *every; i++) {
        char about[32];
        snprintf(about, sizeof about, "every %u ticks", every[i]);
        fleet_run_plan(&often, &plan,
                       &(struct sim_fleet_options){.jobs = 2, .restart_every = every[i]});
        assert_same_run(&never, &often, about);
        fleet_run_free(&often);
    }
    fleet_run_free(&never);
}

Test(determinism, a_service_restarted_in_a_stop_with_rollback_decides_the_same)
{
    static const char strict[] = "    - {name: all, share: 100%, hold: 2h, rate_per_hour: 20,\n"
                                 "       gates: [{metric: rollback, stop_if: '> 10%'}]}\n";
    const struct fleet_plan plan = {
        .count = 16,
        .campaign = "  on_trigger: rollback\n",
        .phases = strict,
        .faults = "{kind: boot_failure, how: health_config, devices: 25%, times: 9}"};
    struct fleet_run never, often;
    fleet_run_plan(&never, &plan, NULL);
    cr_assert_gt(never.result.updates[REP_OUT_ROLLED_BACK_BY_CAMPAIGN], 0);
    fleet_run_plan(&often, &plan, &(struct sim_fleet_options){.jobs = 1, .restart_every = 1});
    assert_same_run(&never, &often, "every tick");
    fleet_run_free(&never);
    fleet_run_free(&often);
}

/* Drops, changes and swaps in turn, over all devices and from their first events to their last. */
Test(determinism, a_mutation_of_any_one_event_changes_the_digest)
{
    uint64_t events[DEVICES];
    char clean[33];
    digest_of(clean, &mixed, NULL);
    fleet_count_events(&mixed, events, DEVICES);
    for (uint32_t i = 0; i < MUTATIONS; i++) {
        char mutated[33];
        uint32_t device = i % DEVICES;
        uint64_t event = events[device] * (i / DEVICES) / (MUTATIONS / DEVICES + 1);
        int how = DROP + (int)(i % SWAP);
        cr_assert_gt(events[device], MUTATIONS / DEVICES);
        digest_of(mutated, &mixed,
                  &(struct sim_fleet_options){
                      .jobs = 1, .mutate = how, .mutate_device = device, .mutate_event = event});
        cr_expect_str_neq(mutated, clean, "mutation %d of event %u of device %u", how,
                          (unsigned)event, device);
    }
}

Test(determinism, a_mutation_of_no_event_changes_nothing)
{
    char clean[33], same[33];
    digest_of(clean, &mixed, NULL);
    digest_of(same, &mixed,
              &(struct sim_fleet_options){
                  .jobs = 1, .mutate = DROP, .mutate_device = 0, .mutate_event = UINT64_MAX});
    cr_assert_str_eq(clean, same);
}

Test(determinism, a_digest_is_checked_and_a_wrong_one_is_told)
{
    struct fleet_run run;
    char right[33];
    digest_of(right, &mixed, NULL);
    fleet_run_plan(&run, &mixed, &(struct sim_fleet_options){.jobs = 1, .check_digest = right});
    cr_expect_eq(run.result.exit_code, 0, "%s", run.result.explanation);
    fleet_run_free(&run);
    right[31] = right[31] == '0' ? '1' : '0';
    fleet_run_plan(&run, &mixed, &(struct sim_fleet_options){.jobs = 1, .check_digest = right});
    cr_expect_eq(run.result.exit_code, 5, "%s", run.result.explanation);
    fleet_run_free(&run);
}
