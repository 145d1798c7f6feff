/*
 * Faults of every kind on devices of their own: each strikes, none breaks a promise, and the device
 * comes to rest on one of both versions.
 */
#include "fault_list.h"

#include "agent/agent.h"

#include <criterion/criterion.h>
#include <string.h>

enum { DAMAGES = 64 };

/* In states that only a failing update visits, another fault makes it fail. */
static const struct {
    const char *during, *with;
    enum rep_outcome outcome; /* after a single cut */
    bool always;              /* a cut strikes for certain */
} moment[] = {
    {"idle", NULL, REP_OUT_CONFIRMED, false},
    {"notified", NULL, REP_OUT_CONFIRMED, true},
    {"checking", NULL, REP_OUT_CONFIRMED, true},
    {"download_scheduled", NULL, REP_OUT_CONFIRMED, true},
    {"downloading", NULL, REP_OUT_CONFIRMED, true},
    {"download_failed", "corrupt_download, how: http_500", REP_OUT_CONFIRMED, true},
    {"verifying", NULL, REP_OUT_CONFIRMED, true},
    {"verify_failed", "corrupt_download, how: bit_flip", REP_OUT_VERIFY_FAILED, true},
    {"verified", NULL, REP_OUT_CONFIRMED, true},
    {"waiting_apply", NULL, REP_OUT_CONFIRMED, true},
    {"applying", NULL, REP_OUT_CONFIRMED, true},
    {"rebooting", NULL, REP_OUT_CONFIRMED, true},
    {"health_check", NULL, REP_OUT_CONFIRMED, true},
    {"confirmed", NULL, REP_OUT_CONFIRMED, true},
    {"rolled_back", "boot_failure, how: health_config, times: 9", REP_OUT_ROLLED_BACK, true},
    {"boot", NULL, REP_OUT_CONFIRMED, true},
    {"flash_write", NULL, REP_OUT_CONFIRMED, true},
    {"flash_erase", NULL, REP_OUT_CONFIRMED, true},
    {"any", NULL, REP_OUT_CONFIRMED, true},
};
enum { MOMENTS = sizeof moment / sizeof *moment };

static const char *const torn[] = {"before", "nothing",  "prefix", "suffix",
                                   "random", "unstable", "after"};
enum { FORMS = sizeof torn / sizeof *torn };

/* Fault i is the cut on device i; what makes its update fail comes behind them all. */
static void cut_everywhere(struct fleet_run *run, const char *form, uint32_t times, uint64_t seed)
{
    struct list list = {.len = 0};
    for (uint32_t i = 0; i < MOMENTS; i++)
        add(&list, "kind: power_loss, during: %s, torn: %s, times: %u, " ONE, moment[i].during,
            form, times, i + 1);
    for (uint32_t i = 0; i < MOMENTS; i++)
        if (moment[i].with)
            add(&list, "kind: %s, " ONE, moment[i].with, i + 1);
    fleet_run_plan(run, &(struct fleet_plan){.count = MOMENTS, .seed = seed, .faults = list.text},
                   NULL);
}

Test(faults, one_cut_in_any_state_and_any_form_loses_no_update)
{
    for (uint32_t f = 0; f < FORMS; f++) {
        struct fleet_run run;
        cut_everywhere(&run, torn[f], 1, 1 + f);
        assert_at_rest(&run, torn[f]);
        for (uint32_t i = 0; i < MOMENTS; i++) {
            const struct rep_device *row = fleet_device(&run, i);
            cr_expect_eq(row->outcome, moment[i].outcome, "%s in %s: %s", torn[f], moment[i].during,
                         rep_outcome_name((int)row->outcome));
            if (moment[i].always)
                cr_expect_eq(row->cuts, 1, "%s in %s: %u cuts", torn[f], moment[i].during,
                             row->cuts);
        }
        fleet_run_free(&run);
    }
}

/* Three trial boots are granted, and a power cut in a trial uses one up: with up to five cuts in a
 * row a device may go back, but never away. */
Test(faults, several_cuts_in_a_row_leave_every_device_at_rest)
{
    for (uint32_t f = 0; f < FORMS; f++) {
        for (uint32_t times = 2; times <= 5; times++) {
            struct fleet_run run;
            cut_everywhere(&run, torn[f], times, 10 * times + f);
            assert_at_rest(&run, torn[f]);
            fleet_run_free(&run);
        }
    }
}

Test(faults, cuts_in_every_trial_boot_use_the_trials_up)
{
    struct fleet_run run;
    fleet_run_plan(&run,
                   &(struct fleet_plan){
                       .count = 4, .faults = "{kind: power_loss, during: health_check, times: 3}"},
                   NULL);
    fleet_assert_sound(&run, "three cuts");
    fleet_assert_all(&run, REP_OUT_ROLLED_BACK, "2.3.1", agent_reason_name(AGENT_WHY_TRIALS_USED),
                     "three cuts");
    fleet_run_free(&run);
}

/* At a time instead of in a state: in the middle of whatever the device does then. */
Test(faults, a_cut_at_any_moment_of_the_update_is_survived)
{
    enum { DEVICES = 60 };
    struct list list = {.len = 0};
    struct fleet_run run;
    for (uint32_t i = 0; i < DEVICES; i++)
        add(&list, "kind: power_loss, at: %ums, torn: any, " ONE, 10000 + 31 * i, i + 1);
    fleet_run_plan(&run, &(struct fleet_plan){.count = DEVICES, .faults = list.text}, NULL);
    assert_at_rest(&run, "at a time");
    cr_expect_eq(run.result.updates[REP_OUT_CONFIRMED], DEVICES);
    cr_expect_eq(run.result.power_cuts, DEVICES);
    fleet_run_free(&run);
}

/* Bad content costs the device its update; a bad answer is asked for again. */
static const struct {
    const char *how;
    enum rep_outcome once, always;
    enum agent_reason reason;
} corrupt[] = {
    {"bit_flip", REP_OUT_VERIFY_FAILED, REP_OUT_VERIFY_FAILED, AGENT_WHY_CHECKSUM},
    {"truncated", REP_OUT_CONFIRMED, REP_OUT_DOWNLOAD_FAILED, AGENT_WHY_SIZE},
    {"wrong_file", REP_OUT_VERIFY_FAILED, REP_OUT_VERIFY_FAILED, AGENT_WHY_HEADER},
    {"stale_file", REP_OUT_CONFIRMED, REP_OUT_DOWNLOAD_FAILED, AGENT_WHY_SIZE},
    {"wrong_length", REP_OUT_CONFIRMED, REP_OUT_DOWNLOAD_FAILED, AGENT_WHY_SIZE},
    {"garbage", REP_OUT_VERIFY_FAILED, REP_OUT_VERIFY_FAILED, AGENT_WHY_CHECKSUM},
    {"http_403", REP_OUT_CONFIRMED, REP_OUT_DOWNLOAD_FAILED, AGENT_WHY_HTTP_STATUS},
    {"http_404", REP_OUT_CONFIRMED, REP_OUT_DOWNLOAD_FAILED, AGENT_WHY_HTTP_STATUS},
    {"http_500", REP_OUT_CONFIRMED, REP_OUT_DOWNLOAD_FAILED, AGENT_WHY_HTTP_STATUS},
    {"http_416", REP_OUT_CONFIRMED, REP_OUT_DOWNLOAD_FAILED, AGENT_WHY_HTTP_STATUS},
    {"redirect_loop", REP_OUT_CONFIRMED, REP_OUT_DOWNLOAD_FAILED, AGENT_WHY_NETWORK},
    {"huge_headers", REP_OUT_CONFIRMED, REP_OUT_DOWNLOAD_FAILED, AGENT_WHY_NETWORK},
    /* The whole image came, whatever followed it. */
    {"endless", REP_OUT_CONFIRMED, REP_OUT_CONFIRMED, AGENT_WHY_NONE},
    /* Each connection brings something, or nothing: whether ten are enough is chance. */
    {"disconnect", REP_OUT_CONFIRMED, REP_OUT_NONE, AGENT_WHY_NONE},
};
enum { CORRUPTIONS = sizeof corrupt / sizeof *corrupt };

static void corrupt_each(struct fleet_run *run, uint32_t times)
{
    struct list list = {.len = 0};
    for (uint32_t i = 0; i < CORRUPTIONS; i++)
        add(&list, "kind: corrupt_download, how: %s, times: %u, " ONE, corrupt[i].how, times,
            i + 1);
    fleet_run_plan(run, &(struct fleet_plan){.count = CORRUPTIONS, .faults = list.text}, NULL);
    assert_at_rest(run, "corrupt download");
}

Test(faults, a_download_spoiled_once_is_retried_or_refused)
{
    struct fleet_run run;
    corrupt_each(&run, 1);
    for (uint32_t i = 0; i < CORRUPTIONS; i++) {
        cr_expect_eq(fleet_fault(&run, i)->fired, 1, "%s", corrupt[i].how);
        cr_expect_eq(fleet_device(&run, i)->outcome, corrupt[i].once, "%s", corrupt[i].how);
    }
    fleet_run_free(&run);
}

Test(faults, a_download_spoiled_always_is_given_up_with_its_reason)
{
    struct fleet_run run;
    corrupt_each(&run, 1000);
    for (uint32_t i = 0; i < CORRUPTIONS; i++) {
        const struct rep_device *row = fleet_device(&run, i);
        if (corrupt[i].always == REP_OUT_NONE)
            continue;
        cr_expect_eq(row->outcome, corrupt[i].always, "%s", corrupt[i].how);
        cr_expect_str_eq(row->reason, agent_reason_name((int)corrupt[i].reason), "%s",
                         corrupt[i].how);
    }
    cr_expect(fleet_alerted(&run, REP_ALERT_OPERATIONS));
    fleet_run_free(&run);
}

static const struct {
    const char *how;
    enum rep_outcome once, always;
    enum agent_reason reason; /* of the rollback */
} failing_boot[] = {
    {"hang", REP_OUT_ROLLED_BACK, REP_OUT_ROLLED_BACK, AGENT_WHY_WATCHDOG},
    {"hard_fault", REP_OUT_ROLLED_BACK, REP_OUT_ROLLED_BACK, AGENT_WHY_HEALTH_HARD_FAULT},
    /* A reset that is no fault uses up one of the three trial boots. */
    {"reset_loop", REP_OUT_CONFIRMED, REP_OUT_ROLLED_BACK, AGENT_WHY_TRIALS_USED},
    {"brown_out", REP_OUT_CONFIRMED, REP_OUT_ROLLED_BACK, AGENT_WHY_TRIALS_USED},
    {"health_mqtt", REP_OUT_ROLLED_BACK, REP_OUT_ROLLED_BACK, AGENT_WHY_HEALTH_MQTT},
    {"health_drivers", REP_OUT_ROLLED_BACK, REP_OUT_ROLLED_BACK, AGENT_WHY_HEALTH_DRIVERS},
    {"health_config", REP_OUT_ROLLED_BACK, REP_OUT_ROLLED_BACK, AGENT_WHY_HEALTH_CONFIG},
    {"health_telemetry", REP_OUT_ROLLED_BACK, REP_OUT_ROLLED_BACK, AGENT_WHY_HEALTH_TELEMETRY},
    {"health_hard_fault", REP_OUT_ROLLED_BACK, REP_OUT_ROLLED_BACK, AGENT_WHY_HEALTH_HARD_FAULT},
};
enum { FAILURES = sizeof failing_boot / sizeof *failing_boot };

Test(faults, each_boot_failure_ends_as_it_must)
{
    for (uint32_t times = 1; times <= 10; times += 9) {
        struct list list = {.len = 0};
        struct fleet_run run;
        for (uint32_t i = 0; i < FAILURES; i++)
            add(&list, "kind: boot_failure, how: %s, times: %u, " ONE, failing_boot[i].how, times,
                i + 1);
        fleet_run_plan(&run, &(struct fleet_plan){.count = FAILURES, .faults = list.text}, NULL);
        assert_at_rest(&run, "boot failure");
        for (uint32_t i = 0; i < FAILURES; i++) {
            const struct rep_device *row = fleet_device(&run, i);
            enum rep_outcome expect = times == 1 ? failing_boot[i].once : failing_boot[i].always;
            enum agent_reason why =
                expect == REP_OUT_CONFIRMED ? AGENT_WHY_NONE : failing_boot[i].reason;
            cr_expect_geq(fleet_fault(&run, i)->fired, 1, "%s", failing_boot[i].how);
            cr_expect_eq(row->outcome, expect, "%s x %u", failing_boot[i].how, times);
            cr_expect_str_eq(row->reason, agent_reason_name((int)why), "%s x %u",
                             failing_boot[i].how, times);
        }
        fleet_run_free(&run);
    }
}

/* One rotten bit in each region that is kept twice, or is not needed: device 1 is looked at as a
 * whole. */
Test(faults, a_rotten_bit_outside_the_bootloader_is_survived)
{
    static const char *const region[] = {"data", "config", "journal", "staging_slot",
                                         "running_slot"};
    static const char *const when[] = {"at: 3s", "during: downloading", "during: waiting_apply",
                                       "during: rebooting", "during: health_check"};
    for (size_t w = 0; w < sizeof when / sizeof *when; w++) {
        struct list list = {.len = 0};
        struct fleet_run run;
        for (uint32_t i = 0; i < 5; i++)
            add(&list, "kind: flash_damage, how: bit_rot, region: %s, %s, " ONE, region[i], when[w],
                i + 1);
        fleet_run_plan(&run, &(struct fleet_plan){.count = 5, .faults = list.text}, NULL);
        assert_at_rest(&run, when[w]);
        for (uint32_t i = 0; i < 5; i++)
            cr_expect_eq(fleet_fault(&run, i)->fired, 1, "%s %s", region[i], when[w]);
        fleet_run_free(&run);
    }
}

/* Many bits, by many seeds, in what the boot decides by. */
Test(faults, a_rotten_bit_in_the_boot_config_never_bricks)
{
    for (uint64_t seed = 1; seed <= 4; seed++) {
        struct fleet_run run;
        fleet_run_plan(&run,
                       &(struct fleet_plan){
                           .count = 32,
                           .seed = seed,
                           .faults = "{kind: flash_damage, how: bit_rot, region: config, during: "
                                     "rebooting},{kind: flash_damage, how: bit_rot, region: "
                                     "journal, during: waiting_apply}"},
                       NULL);
        assert_at_rest(&run, "config and journal");
        fleet_run_free(&run);
    }
}

Test(faults, a_stuck_or_worn_sector_of_the_boot_config_is_no_brick)
{
    static const char *const when[] = {"at: 3s", "during: downloading", "during: waiting_apply",
                                       "during: rebooting", "during: health_check"};
    struct list list = {.len = 0};
    struct fleet_run run;
    for (uint32_t i = 0; i < 5; i++) {
        add(&list, "kind: flash_damage, how: stuck, region: config, %s, " ONE, when[i], i + 1);
        add(&list, "kind: flash_damage, how: worn, region: config, %s, " ONE, when[i], i + 6);
    }
    fleet_run_plan(&run, &(struct fleet_plan){.count = 10, .faults = list.text}, NULL);
    assert_at_rest(&run, "config sector");
    cr_expect_eq(run.result.updates[REP_OUT_BRICKED], 0);
    fleet_run_free(&run);
}

/* One sector of sixteen, in each of many devices: the journal lives in the others. */
Test(faults, a_stuck_or_worn_sector_of_the_journal_costs_no_update)
{
    static const char *const how[] = {"worn", "stuck"};
    static const char *const when[] = {"at: 3s", "during: downloading", "during: waiting_apply",
                                       "during: rebooting", "during: health_check"};
    for (size_t h = 0; h < sizeof how / sizeof *how; h++) {
        for (size_t w = 0; w < sizeof when / sizeof *when; w++) {
            struct list list = {.len = 0};
            struct fleet_run run;
            add(&list, "kind: flash_damage, how: %s, region: journal, %s", how[h], when[w]);
            fleet_run_plan(
                &run, &(struct fleet_plan){.count = 48, .seed = w + 1, .faults = list.text}, NULL);
            assert_at_rest(&run, how[h]);
            cr_expect_eq(fleet_fault(&run, 0)->fired, 48);
            cr_expect_eq(run.result.updates[REP_OUT_CONFIRMED], 48, "%s %s", how[h], when[w]);
            fleet_run_free(&run);
        }
    }
}

/* Enough of them to hit the first sector of both banks: the device refuses the update, and says so.
 */
Test(faults, a_journal_without_a_good_sector_refuses_updates)
{
    static const char *const how[] = {"worn", "stuck"};
    for (size_t h = 0; h < sizeof how / sizeof *how; h++) {
        struct list list = {.len = 0};
        struct fleet_run run;
        for (uint32_t i = 0; i < DAMAGES; i++)
            add(&list, "kind: flash_damage, how: %s, region: journal, at: 3s, " ONE, how[h], 1);
        fleet_run_plan(&run, &(struct fleet_plan){.count = 4, .faults = list.text}, NULL);
        assert_at_rest(&run, how[h]);
        const struct rep_device *row = fleet_device(&run, 0);
        cr_expect_eq(row->outcome, REP_OUT_REFUSED, "%s: %s", how[h],
                     rep_outcome_name((int)row->outcome));
        cr_expect_str_eq(row->reason, agent_reason_name(AGENT_WHY_FLASH));
        cr_expect_eq(run.result.updates[REP_OUT_CONFIRMED], 3);
        fleet_run_free(&run);
    }
}

Test(faults, a_damaged_bootloader_is_a_hardware_brick)
{
    struct fleet_run run;
    fleet_run_plan(&run,
                   &(struct fleet_plan){
                       .count = 6,
                       .faults = "{kind: flash_damage, region: bootloader, how: bit_rot, during: "
                                 "rebooting, where: {device: pumps-00004}}"},
                   NULL);
    const struct rep_device *row = fleet_device(&run, 3);
    cr_expect_eq(row->outcome, REP_OUT_BRICKED);
    cr_expect_eq(row->brick, REP_BRICK_HARDWARE);
    cr_expect_str_eq(row->version, "");
    cr_expect_eq(run.result.bricks[REP_BRICK_HARDWARE], 1);
    cr_expect_eq(run.result.updates[REP_OUT_BRICKED], 1);
    cr_expect_eq(run.result.updates[REP_OUT_CONFIRMED], 5);
    cr_expect_eq(run.result.promise[REP_PROMISE_NO_BRICK].broken, 0, "no software survives that");
    cr_expect_eq(run.result.exit_code, 3);
    cr_expect_gt(strlen(row->token), 0);
    fleet_run_free(&run);
}

Test(faults, a_brick_that_the_scenario_expects_fails_nothing)
{
    static const char damage[] = "{kind: flash_damage, region: bootloader, how: bit_rot, during: "
                                 "rebooting, where: {device: pumps-00004}}";
    static const struct {
        const char *expect;
        int code;
    } row[] = {
        {"{bricked: 1}", 0},        {"{bricked: '1..3', verdict: pass}", 0},
        {"{bricked: 2}", 3},        {"{verdict: unsafe, bricked: 1}", 0},
        {"{confirmed: '>= 1'}", 3},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        struct fleet_run run;
        fleet_run_plan(&run, &(struct fleet_plan){.faults = damage, .expect = row[i].expect}, NULL);
        cr_expect_eq(run.result.exit_code, row[i].code, "%s: %d, %s", row[i].expect,
                     run.result.exit_code, run.result.explanation);
        fleet_run_free(&run);
    }
}
