/* Campaigns as wholes: the catalogue meets its expectations, and what a stop does to everybody. */
#include "../soak/soak.h"
#include "fleet_bench.h"

#include <criterion/criterion.h>
#include <string.h>

static const struct rep_phase *phase_named(const struct fleet_run *run, const char *name)
{
    for (uint32_t p = 0; p < run->result.phases; p++)
        if (!strcmp(run->result.phase[p].name, name))
            return &run->result.phase[p];
    cr_assert_fail("no phase %s", name);
    return NULL;
}

static const struct rep_gate *gate_of(const struct rep_phase *phase, const char *metric)
{
    for (uint32_t g = 0; g < phase->gates; g++)
        if (!strcmp(phase->gate[g].metric, metric))
            return &phase->gate[g];
    cr_assert_fail("no gate %s in %s", metric, phase->name);
    return NULL;
}

/* The last moment at which anybody was notified. */
static int64_t last_enrolment(const struct fleet_run *run)
{
    int64_t last = -1;
    for (uint32_t d = 0; d < run->result.device_rows; d++)
        if (fleet_device(run, d)->enrolled_s > last)
            last = fleet_device(run, d)->enrolled_s;
    return last;
}

static void run_catalogue(struct fleet_run *run, const char *name)
{
    fleet_run_file(run, name, NULL, &(struct sim_fleet_options){.jobs = 2});
    cr_expect_eq(run->result.exit_code, 0, "%s: %d, %s", name, run->result.exit_code,
                 run->result.explanation);
    for (uint32_t p = 0; p < run->result.promises; p++)
        cr_expect_eq(run->result.promise[p].broken, 0, "%s: %s", name,
                     run->result.promise[p].first_what);
}

Test(campaign, smoke_survives_every_kind_of_fault)
{
    struct fleet_run run;
    run_catalogue(&run, "smoke-200.yaml");
    fleet_assert_sound(&run, "smoke-200");
    cr_expect_eq(run.result.enrolled, 205);
    /* Whose network is away for 20 minutes right after the download boots the trial without it. */
    cr_expect_geq(run.result.updates[REP_OUT_CONFIRMED], 201);
    cr_expect_eq(run.result.updates[REP_OUT_CONFIRMED] + run.result.updates[REP_OUT_ROLLED_BACK],
                 205);
    for (uint32_t f = 0; f < run.result.faults; f++)
        cr_expect_gt(run.result.fault[f].fired, 0, "fault %u", f);
    fleet_run_free(&run);
}

Test(campaign, the_canary_stops_bad_firmware)
{
    struct fleet_run run;
    run_catalogue(&run, "canary-stops-bad-firmware.yaml");
    const struct rep_phase *canary = phase_named(&run, "phase-1 canary");
    cr_expect_eq(canary->result, REP_PHASE_STOPPED);
    cr_expect_eq(gate_of(canary, "success")->state, REP_GATE_RED);
    cr_expect_leq(run.result.enrolled, 60, "the lab and the canary are all that see it");
    cr_expect_leq(last_enrolment(&run), canary->ended_s);
    cr_expect_gt(run.result.updates[REP_OUT_ROLLED_BACK], 2);
    fleet_run_free(&run);
}

Test(campaign, a_failing_download_alerts_operations_and_goes_on)
{
    struct fleet_run run;
    run_catalogue(&run, "playbook-download-failure.yaml");
    cr_expect(fleet_alerted(&run, REP_ALERT_OPERATIONS));
    cr_expect_eq(run.result.updates[REP_OUT_CONFIRMED], run.result.enrolled);
    cr_expect_eq(fleet_fault(&run, 0)->fired, fleet_fault(&run, 0)->scheduled);
    fleet_run_free(&run);
}

Test(campaign, a_failing_verification_leaves_the_old_version, RELEASE_ONLY)
{
    struct fleet_run run;
    uint32_t old = 0;
    run_catalogue(&run, "playbook-verification-failure.yaml");
    for (uint32_t d = 0; d < run.result.device_rows; d++) {
        const struct rep_device *row = fleet_device(&run, d);
        if (row->outcome != REP_OUT_VERIFY_FAILED)
            continue;
        cr_expect_str_eq(row->version, "2.3.1", "%s", row->id);
        cr_expect_str_eq(row->reason, "checksum", "%s", row->id);
        cr_expect_eq(row->boots, 0, "%s", row->id);
        old++;
    }
    cr_expect_eq(old, 20);
    fleet_run_free(&run);
}

Test(campaign, a_hanging_image_is_reverted_by_the_watchdog_and_pages_on_call, RELEASE_ONLY)
{
    struct fleet_run run;
    run_catalogue(&run, "playbook-boot-failure.yaml");
    cr_expect(fleet_alerted(&run, REP_ALERT_ON_CALL));
    for (uint32_t d = 0; d < run.result.device_rows; d++) {
        const struct rep_device *row = fleet_device(&run, d);
        if (row->outcome == REP_OUT_ROLLED_BACK) {
            cr_expect_str_eq(row->version, "2.3.1", "%s", row->id);
            cr_expect_str_eq(row->reason, "watchdog", "%s", row->id);
        }
    }
    fleet_run_free(&run);
}

Test(campaign, one_brick_stops_the_campaign)
{
    struct fleet_run run;
    run_catalogue(&run, "playbook-brick.yaml");
    const struct rep_phase *canary = phase_named(&run, "canary");
    cr_expect_eq(run.result.verdict, REP_GATE_STOPPED);
    cr_expect_eq(gate_of(canary, "brick")->state, REP_GATE_RED);
    cr_expect_eq(run.result.bricks[REP_BRICK_HARDWARE], 1);
    cr_expect_eq(run.result.presumed_bricked, 1);
    cr_expect(fleet_alerted(&run, REP_ALERT_ENGINEERING_LEAD));
    cr_expect_eq(run.result.enrolled, 10);
    fleet_run_free(&run);
}

Test(campaign, a_mass_rollback_pauses_and_enrols_nobody_further)
{
    struct fleet_run run;
    run_catalogue(&run, "playbook-mass-rollback.yaml");
    const struct rep_phase *phase = phase_named(&run, "phase-2 early adopters");
    cr_expect_eq(phase->result, REP_PHASE_STOPPED);
    cr_expect_eq(gate_of(phase, "rollback")->state, REP_GATE_RED);
    cr_expect(fleet_alerted(&run, REP_ALERT_ENGINEERING_LEAD));
    cr_expect_leq(last_enrolment(&run), phase->ended_s);
    cr_expect_leq(run.result.enrolled, 210);
    cr_expect_eq(phase_named(&run, "phase-3a general 50%")->result, REP_PHASE_NOT_REACHED);
    for (uint32_t d = 0; d < run.result.device_rows; d++)
        if (fleet_device(&run, d)->outcome == REP_OUT_NONE)
            cr_expect_str_eq(fleet_device(&run, d)->version, "2.3.1");
    fleet_run_free(&run);
}

/* Notified one by one, at 30 an hour, so that the stop finds devices in every place. */
static const char slow_phase[] =
    "    - {name: all, share: 100%, hold: 24h, rate_per_hour: 30,\n"
    "       gates: [{metric: rollback, stop_if: '> 5%', of: cohort}]}\n";
static const char failing_quarter[] =
    "{kind: boot_failure, how: health_config, devices: 25%, times: 9}";

Test(campaign, a_paused_campaign_leaves_confirmed_devices_alone)
{
    struct fleet_run run;
    fleet_run_plan(
        &run, &(struct fleet_plan){.count = 40, .phases = slow_phase, .faults = failing_quarter},
        NULL);
    fleet_assert_sound(&run, "pause");
    cr_expect_eq(run.result.exit_code, 2);
    cr_expect_gt(run.result.updates[REP_OUT_CONFIRMED], 0);
    cr_expect_eq(run.result.updates[REP_OUT_ROLLED_BACK_BY_CAMPAIGN], 0);
    cr_expect_lt(run.result.enrolled, 40, "nobody further");
    cr_expect_leq(last_enrolment(&run), run.result.phase[0].ended_s);
    fleet_run_free(&run);
}

Test(campaign, a_trigger_with_rollback_takes_confirmed_devices_back)
{
    struct fleet_run run;
    fleet_run_plan(&run,
                   &(struct fleet_plan){.count = 40,
                                        .campaign = "  on_trigger: rollback\n",
                                        .phases = slow_phase,
                                        .faults = failing_quarter},
                   NULL);
    fleet_assert_sound(&run, "rollback");
    cr_expect_eq(run.result.updates[REP_OUT_CONFIRMED], 0);
    cr_expect_gt(run.result.updates[REP_OUT_ROLLED_BACK_BY_CAMPAIGN], 0);
    cr_expect_leq(last_enrolment(&run), run.result.phase[0].ended_s);
    for (uint32_t d = 0; d < run.result.device_rows; d++)
        cr_expect_str_eq(fleet_device(&run, d)->version, "2.3.1");
    fleet_run_free(&run);
}

/* By an override, as `--set campaign.on_trigger=rollback` gives it. */
Test(campaign, the_mass_rollback_scenario_can_be_told_to_roll_back)
{
    static const char *const set[] = {"campaign.on_trigger=rollback"};
    const struct scn_overrides overrides = {.sets = 1, .set = set};
    struct fleet_run run;
    fleet_run_file(&run, "playbook-mass-rollback.yaml", &overrides, NULL);
    fleet_assert_sound(&run, "rollback by override");
    cr_expect_gt(run.result.updates[REP_OUT_ROLLED_BACK_BY_CAMPAIGN], 100);
    cr_expect_eq(run.result.updates[REP_OUT_CONFIRMED], 0);
    for (uint32_t d = 0; d < run.result.device_rows; d++)
        cr_expect_str_eq(fleet_device(&run, d)->version, "2.3.1");
    fleet_run_free(&run);
}

/* The operator answers 10 s after the request; without force, which overrides the approval. */
Test(campaign, an_update_that_needs_approval_is_applied_after_it)
{
    static const struct {
        const char *approval;
        int64_t least_s;
    } row[] = {{"none", 60}, {"operator", 70}};
    int64_t first_s[2];
    for (size_t i = 0; i < 2; i++) {
        const char *set[] = {"campaign.force=false",
                             i ? "campaign.approval=operator" : "campaign.approval=none",
                             "fleet.1.ota_window=daily 00:00-23:59 UTC"};
        const struct scn_overrides overrides = {.devices = 20, .sets = 3, .set = set};
        struct fleet_run run;
        fleet_run_file(&run, "smoke-200.yaml", &overrides, NULL);
        fleet_assert_sound(&run, row[i].approval);
        cr_expect_eq(run.result.updates[REP_OUT_CONFIRMED], 25, "%s", row[i].approval);
        first_s[i] = INT64_MAX;
        for (uint32_t d = 5; d < 25; d++) {
            const struct rep_device *device = fleet_device(&run, d);
            int64_t took_s = device->outcome_s - device->enrolled_s;
            first_s[i] = took_s < first_s[i] ? took_s : first_s[i];
        }
        cr_expect_geq(first_s[i], row[i].least_s, "%s: %d s", row[i].approval, (int)first_s[i]);
        fleet_run_free(&run);
    }
    cr_expect_lt(first_s[0], first_s[1]);
}

static const char pinging[] =
    "    - {name: lab, count: 4, hold: 3h, gates: [{metric: command_ms, stop_if: '>= 500ms'}]}\n"
    "    - {name: rest, share: 100%, hold: 1h}\n";

Test(campaign, slow_answers_to_pings_stop_the_phase)
{
    static const struct {
        const char *candidate;
        enum rep_gate_state state;
    } row[] = {
        {"behaviour: {command_ms: 80}", REP_GATE_GREEN},
        {"behaviour: {command_ms: 600}", REP_GATE_RED},
    };
    for (size_t i = 0; i < 2; i++) {
        struct fleet_run run;
        fleet_run_plan(&run, &(struct fleet_plan){.candidate = row[i].candidate, .phases = pinging},
                       NULL);
        const struct rep_gate *gate = &run.result.phase[0].gate[0];
        fleet_assert_sound(&run, row[i].candidate);
        cr_expect_eq(gate->state, row[i].state, "%s", row[i].candidate);
        cr_expect_gt(gate->denominator, 0, "%s", row[i].candidate);
        cr_expect_eq(run.result.enrolled, row[i].state == REP_GATE_RED ? 4 : 8);
        fleet_run_free(&run);
    }
}

/* The figures of the standard gates, each made red by a firmware that is bad in just this. */
Test(campaign, a_bad_trend_stops_the_phase_that_watches_it)
{
    static const struct {
        const char *candidate, *gate, *metric;
    } row[] = {
        {"behaviour: {telemetry_gap: 20%}", "{metric: telemetry_gap, stop_if: '> 5%'}",
         "telemetry_gap"},
        {"behaviour: {memory_growth: 20%}", "{metric: memory, stop_if: '> 10%'}", "memory"},
        {"behaviour: {cpu: +30%}", "{metric: cpu, stop_if: '> 20%'}", "cpu"},
        {"behaviour: {crash_per_day: 90%}", "{metric: crash, stop_if: '> 2%'}", "crash"},
        {"behaviour: {hangs: 50%}", "{metric: success, stop_if: '< 95%'}", "success"},
        {"behaviour: {hangs: 50%}", "{metric: rollback, stop_if: '> 5%'}", "rollback"},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        char phases[256];
        struct fleet_run run;
        snprintf(phases, sizeof phases,
                 "    - {name: before, count: 1, hold: 26h}\n"
                 "    - {name: watched, count: 24, hold: 72h, gates: [%s]}\n"
                 "    - {name: rest, share: 100%%, hold: 1h}\n",
                 row[i].gate);
        fleet_run_plan(
            &run,
            &(struct fleet_plan){.count = 32, .candidate = row[i].candidate, .phases = phases},
            NULL);
        fleet_assert_sound(&run, row[i].candidate);
        cr_expect_eq(gate_of(&run.result.phase[1], row[i].metric)->state, REP_GATE_RED, "%s",
                     row[i].candidate);
        cr_expect_eq(run.result.phase[2].result, REP_PHASE_NOT_REACHED, "%s", row[i].candidate);
        cr_expect_eq(run.result.enrolled, 24, "%s", row[i].candidate);
        cr_expect_eq(run.result.exit_code, 2, "%s", row[i].candidate);
        fleet_run_free(&run);
    }
}

/* 20 of 100 an hour: so many, and no more, in any hour. */
Test(campaign, the_rate_of_enrolment_is_kept)
{
    enum { DEVICES = 60, RATE = 20 };
    struct fleet_run run;
    fleet_run_plan(&run,
                   &(struct fleet_plan){
                       .count = DEVICES,
                       .phases = "    - {name: all, share: 100%, hold: 1h, rate_per_hour: 20}\n"},
                   NULL);
    fleet_assert_sound(&run, "rate");
    for (uint32_t a = 0; a < DEVICES; a++) {
        uint32_t within = 0;
        for (uint32_t b = 0; b < DEVICES; b++) {
            int64_t after = fleet_device(&run, b)->enrolled_s - fleet_device(&run, a)->enrolled_s;
            within += after >= 0 && after < 3600;
        }
        cr_expect_leq(within, RATE, "%u within an hour of device %u", within, a);
    }
    cr_expect_geq(last_enrolment(&run), 2 * 3600);
    fleet_run_free(&run);
}

/* A year of hold is accepted and 60 days more too, so that they must come to an end. */
Test(campaign, a_plan_of_more_than_400_days_ends)
{
    struct fleet_run run;
    fleet_run_plan(&run,
                   &(struct fleet_plan){.count = 2,
                                        .phases = "    - {name: one, count: 1, hold: 60d}\n"
                                                  "    - {name: all, share: 100%, hold: 365d}\n"},
                   NULL);
    cr_expect_eq(run.result.exit_code, 0, "%s", run.result.explanation);
    cr_expect_gt(run.result.virtual_s, INT64_C(425) * 86400);
    fleet_run_free(&run);
}

Test(campaign, a_run_that_gives_up_says_after_how_many_days)
{
    struct fleet_run run;
    const struct fleet_plan plan = {.count = 2,
                                    .phases = "    - {name: all, share: 100%, hold: 9d}\n"};
    fleet_run_plan(&run, &plan, &(struct sim_fleet_options){.jobs = 1, .days_max = 5});
    cr_expect_eq(run.result.verdict, REP_UNFINISHED);
    cr_expect_eq(run.result.exit_code, 8);
    cr_expect_not_null(strstr(run.result.explanation, "within 5 days"), "%s",
                       run.result.explanation);
    fleet_run_free(&run);
}

/* A terminal that counts the full cells of the bar, and lets the next line come at once. */
struct watcher {
    struct rep_progress progress;
    unsigned lines, fullest;
};

static ssize_t watch(void *cookie, const char *bytes, size_t len)
{
    struct watcher *watcher = cookie;
    unsigned full = 0;
    for (size_t i = 0; i < len; i++)
        full += bytes[i] == '#';
    watcher->lines++;
    watcher->fullest = full > watcher->fullest ? full : watcher->fullest;
    watcher->progress.last = -1e9;
    return (ssize_t)len;
}

Test(campaign, the_live_display_has_a_bar_that_fills)
{
    struct fleet_run run;
    struct watcher watcher = {0};
    FILE *shown = fopencookie(&watcher, "w", (cookie_io_functions_t){.write = watch});
    cr_assert_not_null(shown);
    rep_progress_start(&watcher.progress, shown, false);
    watcher.progress.terminal = true;
    fleet_run_plan(&run, &(struct fleet_plan){.count = 2},
                   &(struct sim_fleet_options){.jobs = 1, .progress = &watcher.progress});
    fclose(shown);
    cr_expect_geq(watcher.lines, 3u, "%u lines", watcher.lines);
    cr_expect_geq(watcher.fullest, 8u, "%u full cells at most", watcher.fullest);
    fleet_run_free(&run);
}
