/*
 * Firmware that must not stay, and images that must not run. Every plan has one phase without
 * gates, so that the image gets to every device; what keeps it off is the device alone.
 */
#include "fleet_bench.h"

#include "agent/agent.h"

#include <criterion/criterion.h>
#include <string.h>

enum { DEVICES = 8 };

/* What is true of a device in the middle of anything, told by the words of its status. */
static const char *why(enum agent_reason reason)
{
    return agent_reason_name((int)reason);
}

/* Each row makes every device of the fleet end on the old version, for this reason and no other. */
static const struct spoiled {
    const char *candidate;
    enum rep_outcome outcome;
    enum agent_reason reason;
} behaviour[] =
    {
        {"behaviour: {health: {mqtt: 100%}}", REP_OUT_ROLLED_BACK, AGENT_WHY_HEALTH_MQTT},
        {"behaviour: {health: {drivers: 100%}}", REP_OUT_ROLLED_BACK, AGENT_WHY_HEALTH_DRIVERS},
        {"behaviour: {health: {config: 100%}}", REP_OUT_ROLLED_BACK, AGENT_WHY_HEALTH_CONFIG},
        {"behaviour: {health: {telemetry: 100%}}", REP_OUT_ROLLED_BACK, AGENT_WHY_HEALTH_TELEMETRY},
        {"behaviour: {health: {hard_fault: 100%}}", REP_OUT_ROLLED_BACK,
         AGENT_WHY_HEALTH_HARD_FAULT},
        {"behaviour: {boot_fails: 100%}", REP_OUT_ROLLED_BACK, AGENT_WHY_HEALTH_HARD_FAULT},
        {"behaviour: {hangs: 100%}", REP_OUT_ROLLED_BACK, AGENT_WHY_WATCHDOG},
},
  image[] = {
      {"signing: none", REP_OUT_VERIFY_FAILED, AGENT_WHY_SIGNATURE},
      {"signing: wrong_key", REP_OUT_VERIFY_FAILED, AGENT_WHY_SIGNATURE},
      {"signing: revoked", REP_OUT_REFUSED, AGENT_WHY_REVOKED},
      {"device_type: valve_actuator_v1", REP_OUT_REFUSED, AGENT_WHY_DEVICE_TYPE},
      {"min_hw_revision: Rev-B", REP_OUT_REFUSED, AGENT_WHY_HW_REVISION},
      {"security_counter: 0", REP_OUT_VERIFY_FAILED, AGENT_WHY_COUNTER},
};

static void assert_stays_old(const struct spoiled *row)
{
    struct fleet_run run;
    fleet_run_plan(&run, &(struct fleet_plan){.count = DEVICES, .candidate = row->candidate}, NULL);
    fleet_assert_sound(&run, row->candidate);
    fleet_assert_all(&run, row->outcome, "2.3.1", why(row->reason), row->candidate);
    cr_expect_eq(run.result.enrolled, DEVICES, "%s", row->candidate);
    fleet_run_free(&run);
}

Test(firmware, each_way_to_fail_is_rolled_back_with_its_reason)
{
    for (size_t i = 0; i < sizeof behaviour / sizeof *behaviour; i++)
        assert_stays_old(&behaviour[i]);
}

/* The image was never started: the device booted no more than it had to. */
static void assert_never_ran(const struct fleet_run *run, const char *about)
{
    for (uint32_t d = 0; d < run->result.device_rows; d++)
        cr_expect_eq(fleet_device(run, d)->boots, 0, "%s: device %u booted", about, d);
    cr_expect_eq(run->result.enrolled, run->result.device_rows, "%s", about);
}

Test(firmware, an_image_that_may_not_run_never_does)
{
    for (size_t i = 0; i < sizeof image / sizeof *image; i++) {
        struct fleet_run run;
        assert_stays_old(&image[i]);
        fleet_run_plan(
            &run, &(struct fleet_plan){.count = DEVICES, .candidate = image[i].candidate}, NULL);
        assert_never_ran(&run, image[i].candidate);
        fleet_run_free(&run);
    }
}

Test(firmware, an_older_version_is_refused)
{
    static const char *const older[] = {"2.3.0", "2.2.9", "1.99.99"};
    for (size_t i = 0; i < sizeof older / sizeof *older; i++) {
        struct fleet_run run;
        fleet_run_plan(&run, &(struct fleet_plan){.count = DEVICES, .candidate_version = older[i]},
                       NULL);
        fleet_assert_sound(&run, older[i]);
        fleet_assert_all(&run, REP_OUT_REFUSED, "2.3.1", why(AGENT_WHY_VERSION), older[i]);
        assert_never_ran(&run, older[i]);
        fleet_run_free(&run);
    }
}

/* Semantic order: 2.10 is younger than 2.9, and 2.3.10 than 2.3.1. */
Test(firmware, a_younger_version_that_sorts_lower_as_text_is_installed)
{
    struct fleet_run run;
    fleet_run_plan(&run, &(struct fleet_plan){.count = DEVICES, .candidate_version = "2.10.0"},
                   NULL);
    fleet_assert_sound(&run, "2.10.0");
    fleet_assert_all(&run, REP_OUT_CONFIRMED, "2.10.0", "", "2.10.0");
    fleet_run_free(&run);
}

Test(firmware, an_image_for_another_hardware_revision_runs_where_it_may)
{
    struct fleet_run run;
    fleet_run_plan(&run,
                   &(struct fleet_plan){.count = DEVICES,
                                        .group = "hw_revision: {Rev-B: 50%, Rev-C: 50%}",
                                        .candidate = "min_hw_revision: Rev-C"},
                   NULL);
    fleet_assert_sound(&run, "Rev-C only");
    cr_expect_eq(run.result.updates[REP_OUT_CONFIRMED], DEVICES / 2);
    cr_expect_eq(run.result.updates[REP_OUT_REFUSED], DEVICES / 2);
    fleet_run_free(&run);
}

/* The bytes that come are not the image. With retries they would be: so they are spoiled each time.
 */
Test(firmware, a_spoiled_download_never_runs)
{
    static const struct {
        const char *how;
        enum rep_outcome outcome;
        enum agent_reason reason;
    } row[] = {
        {"truncated", REP_OUT_DOWNLOAD_FAILED, AGENT_WHY_SIZE},
        {"bit_flip", REP_OUT_VERIFY_FAILED, AGENT_WHY_CHECKSUM},
        {"garbage", REP_OUT_VERIFY_FAILED, AGENT_WHY_CHECKSUM},
        {"wrong_length", REP_OUT_DOWNLOAD_FAILED, AGENT_WHY_SIZE},
        {"stale_file", REP_OUT_DOWNLOAD_FAILED, AGENT_WHY_SIZE},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        char faults[128];
        struct fleet_run run;
        snprintf(faults, sizeof faults, "{kind: corrupt_download, how: %s, times: 1000}",
                 row[i].how);
        fleet_run_plan(&run, &(struct fleet_plan){.count = DEVICES, .faults = faults}, NULL);
        fleet_assert_sound(&run, row[i].how);
        fleet_assert_all(&run, row[i].outcome, "2.3.1", why(row[i].reason), row[i].how);
        assert_never_ran(&run, row[i].how);
        fleet_run_free(&run);
    }
}

/* The header decides before the signature can: another file is another image. */
Test(firmware, another_file_under_the_same_address_never_runs)
{
    struct fleet_run run;
    fleet_run_plan(
        &run,
        &(struct fleet_plan){.count = DEVICES,
                             .faults = "{kind: corrupt_download, how: wrong_file, times: 1000}"},
        NULL);
    fleet_assert_sound(&run, "wrong_file");
    cr_expect_eq(run.result.updates[REP_OUT_VERIFY_FAILED], DEVICES);
    assert_never_ran(&run, "wrong_file");
    fleet_run_free(&run);
}

/* Each check fails on half of the devices, drawn: a device ends on exactly one of both versions,
 * and the old one always has a reason. */
Test(firmware, a_firmware_that_fails_on_some_devices_stays_on_the_others)
{
    struct fleet_run run;
    fleet_run_plan(&run,
                   &(struct fleet_plan){.count = 40,
                                        .candidate =
                                            "behaviour: {boot_fails: 10%, hangs: 10%, "
                                            "health: {mqtt: 10%, drivers: 10%, config: 10%, "
                                            "telemetry: 10%, hard_fault: 10%}}"},
                   NULL);
    fleet_assert_sound(&run, "some devices");
    uint32_t confirmed = run.result.updates[REP_OUT_CONFIRMED];
    cr_expect_gt(confirmed, 0);
    cr_expect_lt(confirmed, 40);
    cr_expect_eq(confirmed + run.result.updates[REP_OUT_ROLLED_BACK], 40);
    for (uint32_t d = 0; d < 40; d++) {
        const struct rep_device *row = fleet_device(&run, d);
        bool stays = row->outcome == REP_OUT_CONFIRMED;
        cr_expect_str_eq(row->version, stays ? "2.4.0" : "2.3.1", "%s", row->id);
        cr_expect_eq(row->reason[0] == 0, stays, "%s: %s", row->id, row->reason);
    }
    fleet_run_free(&run);
}

static const char crash_gate[] =
    "    - {name: few, count: 4, hold: 72h, gates: [{metric: crash, stop_if: '> 2%'}]}\n"
    "    - {name: rest, share: 100%, hold: 1h}\n";

Test(firmware, crashes_after_the_confirmation_stop_the_campaign)
{
    struct fleet_run run;
    fleet_run_plan(
        &run,
        &(struct fleet_plan){.candidate = "behaviour: {crash_per_day: 100%}", .phases = crash_gate},
        NULL);
    fleet_assert_sound(&run, "crashes");
    cr_expect_eq(run.result.verdict, REP_GATE_STOPPED);
    cr_expect_eq(run.result.exit_code, 2);
    cr_expect_eq(run.result.phase[0].result, REP_PHASE_STOPPED);
    cr_expect_eq(run.result.phase[0].gate[0].state, REP_GATE_RED);
    cr_expect_gt(run.result.phase[0].gate[0].numerator, 0);
    cr_expect_eq(run.result.enrolled, 4);
    cr_expect(fleet_alerted(&run, REP_ALERT_ON_CALL));
    fleet_run_free(&run);
}

/* The gate counts 48 h from the confirmation: what begins later is seen by no phase, and is no
 * surprise to the test only. */
Test(firmware, a_crash_with_a_late_onset_comes_after_its_onset)
{
    static const struct {
        const char *candidate;
        enum rep_verdict verdict;
    } row[] = {
        {"behaviour: {crash_per_day: 100%, crash_onset: 1d}", REP_GATE_STOPPED},
        {"behaviour: {crash_per_day: 100%, crash_onset: 30d}", REP_PASS},
    };
    for (size_t i = 0; i < 2; i++) {
        struct fleet_run run;
        fleet_run_plan(
            &run, &(struct fleet_plan){.candidate = row[i].candidate, .phases = crash_gate}, NULL);
        fleet_assert_sound(&run, row[i].candidate);
        cr_expect_eq(run.result.verdict, row[i].verdict, "%s", row[i].candidate);
        if (row[i].verdict == REP_GATE_STOPPED)
            cr_expect_geq(run.result.phase[0].ended_s, 86400, "%s", row[i].candidate);
        fleet_run_free(&run);
    }
}

/* The new version rewrote the data, then failed: the old one runs, but never gets to the broker
 * again. */
Test(firmware, data_that_the_old_version_cannot_read_is_a_soft_brick)
{
    struct fleet_run run;
    fleet_run_plan(
        &run,
        &(struct fleet_plan){
            .count = 4, .candidate = "behaviour: {data_migration: 100%, health: {drivers: 100%}}"},
        NULL);
    cr_expect_eq(run.result.bricks[REP_BRICK_UNREACHABLE], 4);
    cr_expect_eq(run.result.updates[REP_OUT_BRICKED], 4);
    cr_expect_eq(run.result.promise[REP_PROMISE_NO_BRICK].broken, 4);
    cr_expect_eq(run.result.verdict, REP_UNSAFE);
    cr_expect_eq(run.result.exit_code, 3);
    for (uint32_t d = 0; d < 4; d++)
        cr_expect_str_eq(fleet_device(&run, d)->version, "2.3.1");
    cr_expect_gt(strlen(run.result.promise[REP_PROMISE_NO_BRICK].first_token), 0);
    fleet_run_free(&run);
}

Test(firmware, data_that_was_migrated_does_no_harm_to_the_version_that_migrated_it)
{
    struct fleet_run run;
    fleet_run_plan(&run, &(struct fleet_plan){.candidate = "behaviour: {data_migration: 100%}"},
                   NULL);
    fleet_assert_sound(&run, "migration");
    fleet_assert_all(&run, REP_OUT_CONFIRMED, "2.4.0", "", "migration");
    fleet_run_free(&run);
}
