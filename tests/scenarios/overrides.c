#include "files.h"

static const char fixture[] = SMALL_HEAD
    "fleet:\n  - {group: lab, lab: true, count: 5, firmware: 1.0.0}\n"
    "  - {group: a, count: 700, firmware: 1.0.0, link: {wifi: 70%, lte-m: 30%}}\n"
    "  - {group: b, count: 200, firmware: 1.0.0}\n  - {group: c, count: 100, firmware: "
    "1.0.0}\n" SMALL_FIRMWARE SMALL_CAMPAIGN "faults:\n  - {kind: boot_failure, devices: 1%}\n";

static struct scn *with_set(const char *set)
{
    struct scn_overrides overrides = {.sets = 1, .set = &set};
    return parse_good(fixture, &overrides);
}

Test(scn_set, a_value_is_replaced_before_the_checks)
{
    struct scn *scn = with_set("campaign.on_trigger=rollback");
    cr_expect_eq(scn->campaign.on_trigger, SCN_TRIGGER_ROLLBACK);
    scn_free(scn);
    scn = with_set("faults.0.devices=1/50");
    cr_expect(scn->fault[0].devices.num == 1 && scn->fault[0].devices.den == 50);
    scn_free(scn);
    scn = with_set("fleet.1.link={wifi: 20%, satellite: 80%}");
    cr_expect_str_eq(scn->group[1].link.share[1].name, "satellite");
    scn_free(scn);
}

Test(scn_set, a_key_with_dots_in_it_is_found)
{
    struct scn *scn = with_set("firmware.1.1.0.size=1MiB");
    cr_expect_eq(scn_firmware_find(scn, "1.1.0")->size_bytes, 1 << 20);
    cr_expect_eq(scn_firmware_find(scn, "1.0.0")->size_bytes, 64 << 10);
    scn_free(scn);
}

Test(scn_set, a_mapping_that_was_left_out_is_made)
{
    struct scn *scn = with_set("firmware.1.1.0.behaviour.health.mqtt=20%");
    cr_expect_eq(scn_firmware_find(scn, "1.1.0")->behaviour.health[0].num, 20);
    scn_free(scn);
    scn = with_set("device.watchdog=150s");
    cr_expect_eq(scn->device.watchdog_us, 150000000);
    scn_free(scn);
    scn = with_set("expect={verdict: pass, bricked: 0}");
    cr_expect(scn->expect.given && scn->expect.verdict == SCN_VERDICT_PASS);
    scn_free(scn);
}

Test(scn_set, the_last_of_several_wins)
{
    const char *const sets[] = {"seed=5", "seed=6", "campaign.force=true"};
    struct scn_overrides overrides = {.sets = 3, .set = sets};
    struct scn *scn = parse_good(fixture, &overrides);
    cr_expect(scn->seed == 6 && scn->campaign.force);
    scn_free(scn);
    overrides.has_seed = true;
    overrides.seed = 7;
    scn = parse_good(fixture, &overrides);
    cr_expect_eq(scn->seed, 7, "--seed goes before what is written");
    scn_free(scn);
}

Test(scn_set, an_error_names_the_component_and_what_there_is)
{
    static const struct {
        const char *set, *expect;
    } rows[] = {
        {"devcie.watchdog=9s",
         "--set devcie.watchdog: there is no 'devcie' in the scenario; accepted: scenario, fleet, "
         "firmware, campaign, faults"},
        {"faults.7.devices=5%",
         "--set faults.7.devices: there is no '7' in faults; accepted: 0..0"},
        {"faults.x.devices=5%",
         "--set faults.x.devices: there is no 'x' in faults; accepted: 0..0"},
        {"firmware.9.9.9.size=1KiB",
         "--set firmware.9.9.9.size: there is no '9' in firmware; accepted: 1.0.0, 1.1.0"},
        {"campaign.to.x=1",
         "--set campaign.to.x: 'campaign.to' is a single value, 'x' is not in it"},
        {"campaign..to=1", "--set campaign..to: there is no '' in campaign; accepted: to"},
        {"nothing", "--set: 'nothing' has no path or no '='; accepted: key.path=value, as "
                    "campaign.on_trigger=rollback"},
        {"=5", "--set: '=5' has no path or no '='; accepted: key.path=value, as "
               "campaign.on_trigger=rollback"},
        {"seed=[1", "--set seed: not YAML: flow sequence without a closing bracket"},
        {"seed=&a 1", "--set seed: anchors (&name) are not accepted; write the value out"},
        {"seed=", "--set seed: seed: no value; accepted: a whole number 0..18446744073709551615"},
        {"seed=\xff", "--set seed:1:1: byte 0xff is not UTF-8; accepted: UTF-8 text"},
        {"campaign.force=yes",
         "--set campaign.force: campaign.force: 'yes' is neither true nor false; accepted: true or "
         "false"},
        {"campaign.to=9.9.9",
         "--set campaign.to: campaign.to: '9.9.9' is not under firmware; accepted: 1.0.0, 1.1.0"},
        {"device.wachdog=9s",
         "--set device.wachdog: device: unknown key 'wachdog'; did you mean 'watchdog'? accepted: "
         "mqtt_within, fault_free, watchdog, trial_boots, retry_first, retry_max, "
         "credentials, keepalive, stall"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct scn_overrides overrides = {.sets = 1, .set = &rows[i].set};
        struct scn_messages messages;
        struct scn *scn;
        cr_expect(parse_text(&scn, fixture, &overrides, &messages) < 0, "%s", rows[i].set);
        cr_assert_eq(messages.count, 1);
        cr_expect_str_eq(messages.message[0].text, rows[i].expect);
    }
}

Test(scn_devices, groups_outside_labs_are_scaled_in_proportion)
{
    static const struct {
        uint32_t devices, expect[3];
        int error;
    } rows[] = {
        {0, {700, 200, 100}, SCN_OK},
        {1000, {700, 200, 100}, SCN_OK},
        {100, {70, 20, 10}, SCN_OK},
        {10000, {7000, 2000, 1000}, SCN_OK},
        {7, {5, 1, 1}, SCN_OK},
        {3, {1, 1, 1}, SCN_OK},
        {4, {2, 1, 1}, SCN_OK},
        {999, {699, 200, 100}, SCN_OK},
        {999995, {699997, 199999, 99999}, SCN_OK},
        {SCN_DEVICES_MAX, {0}, SCN_EVALUE}, /* the lab comes on top */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct scn_overrides overrides = {.devices = rows[i].devices};
        struct scn_messages messages;
        struct scn *scn;
        int error = parse_text(&scn, fixture, &overrides, &messages);
        cr_expect_eq(error, rows[i].error, "%u", rows[i].devices);
        if (error)
            continue;
        cr_expect_eq(scn->group[0].count, 5, "a lab is not scaled");
        for (uint32_t g = 0; g < 3; g++)
            cr_expect_eq(scn->group[g + 1].count, rows[i].expect[g], "%u: group %u: %u",
                         rows[i].devices, g, scn->group[g + 1].count);
        scn_free(scn);
    }
}

Test(scn_devices, fewer_devices_than_groups_are_refused)
{
    static const uint32_t rows[] = {1, 2, SCN_DEVICES_MAX + 1};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct scn_overrides overrides = {.devices = rows[i]};
        struct scn_messages messages;
        struct scn *scn;
        cr_expect_eq(parse_text(&scn, fixture, &overrides, &messages), SCN_EVALUE);
        cr_expect(strstr(messages.message[0].text, "for 3 groups; accepted: 3..1000000"));
    }
}
