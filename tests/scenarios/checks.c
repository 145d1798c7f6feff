#include "files.h"

/* What is suspicious but possible is told and goes on. */
Test(scn_checks, suspicious_values_warn_and_go_on)
{
    static const struct {
        const char *text, *expect;
    } rows[] = {
        {SMALL "faults:\n  - {kind: boot_failure, devices: 0.1%}\n",
         "t.yaml:9:35: faults.0.devices: this share is no device of the 100 that match; accepted: "
         "a "
         "larger share"},
        {SMALL_HEAD "fleet:\n  - {group: a, count: 3, firmware: 1.0.0, link: {wifi: 99%, lte-m: "
                    "1%}}\n" SMALL_FIRMWARE
                    "campaign: {to: 1.1.0, phases: [{name: all, share: 100%}]}\n",
         "t.yaml:3:49: fleet.0.link: the share of 'lte-m' is no device of 3; accepted: a larger "
         "share "
         "or count"},
        {SMALL_HEAD "fleet:\n  - {group: a, count: 3, firmware: 1.0.0, sites: 9}\n" SMALL_FIRMWARE
                    "campaign: {to: 1.1.0, phases: [{name: all, share: 100%}]}\n",
         "t.yaml:3:50: fleet.0.sites: 9 sites for 3 devices: some are empty"},
        {SMALL_HEAD SMALL_FLEET SMALL_FIRMWARE
         "campaign: {to: 1.1.0, phases: [{name: all, count: 500}]}\n",
         "t.yaml:7:32: campaign.phases.0: 'all' asks for 500 of 100 devices"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct scn_messages messages;
        struct scn *scn;
        cr_expect_eq(parse_text(&scn, rows[i].text, NULL, &messages), SCN_OK);
        cr_assert_eq(messages.count, 1, "row %zu", i);
        cr_expect(messages.message[0].warning);
        cr_expect_str_eq(messages.message[0].text, rows[i].expect);
        scn_free(scn);
    }
}

/* More warnings than there is room for do not push out the error that follows. */
Test(scn_checks, the_error_is_told_however_many_warnings_there_are)
{
    char text[8192] = SMALL "faults:\n";
    for (int i = 0; i < 40; i++)
        strcat(text, "  - {kind: boot_failure, devices: 0.1%}\n");
    strcat(text, "expect: {verdict: gate_stopped, stopped_in: nowhere}\n");
    struct scn_messages messages;
    struct scn *scn;
    cr_expect_eq(parse_text(&scn, text, NULL, &messages), SCN_EVALUE);
    cr_assert_eq(messages.count, 32);
    cr_expect_not(messages.message[31].warning);
    cr_expect(strstr(messages.message[31].text, "expect.stopped_in: 'nowhere' is not a phase"));
}

Test(scn_checks, each_kind_of_fault_is_accepted_in_its_right_form)
{
    static const char *const rows[] = {
        "{kind: power_loss, at: 3h, torn: suffix, off_for: 2h, times: 3}",
        "{kind: power_loss, during: health_check, where: {site: site-01, link: ethernet}}",
        "{kind: corrupt_download, how: http_404, times: 4, devices: 1/50}",
        "{kind: network_drop, where: {device: 99}, at: 0, for: 2d}",
        "{kind: network_drop, during: downloading, for: 10m, devices: 20%}",
        "{kind: boot_failure, how: health_hard_fault, where: {criticality: low}}",
        "{kind: flash_damage, region: running_slot, how: bit_rot, at: 1d, where: {group: pumps}}",
        "{kind: flash_damage, region: config, how: worn, during: boot}",
        "{kind: broker_down, at: 1h, for: 10m}",
        "{kind: cdn_down, at: 1h}",
        "{kind: service_restart, at: 1h}",
        "{kind: network_drop, at: 1h, how: black_hole}",
        "{kind: broker_restart, at: 1h}",
        "{kind: clock_skew, by: +400d, at: 1h, for: 1d, devices: 3%}",
        "{kind: clock_skew, by: -90s, at: 0s, where: {group: pumps}}",
        "{kind: broker_restart, at: 1h, how: forget}",
        "{kind: message, how: late, delay: 2h, times: 3, at: 1d, where: {group: pumps}}",
        "{kind: bad_certificate, server: store, how: wrong_name, at: 1h, for: 2h, devices: 5%}",
        "{kind: slow_link, latency: 2s, jitter: 500ms, where: {link: ethernet}}",
        "{kind: slow_link, bandwidth: 2KiB, slice: 100, at: 1h, for: 1d}",
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[512];
        snprintf(text, sizeof text, SMALL "faults:\n  - %s\n", rows[i]);
        struct scn *scn = parse_good(text, NULL);
        cr_expect(scn->faults == 1 && scn->fault[0].line == 9 && scn->fault[0].column == 5);
        scn_free(scn);
    }
}

Test(scn_checks, the_operators_orders_are_read_in_their_order)
{
    static const struct {
        int64_t at_h;
        enum scn_order_action action;
    } rows[] = {{0, SCN_ORDER_PAUSE}, {50, SCN_ORDER_RESUME}, {50, SCN_ORDER_ROLLBACK}};
    struct scn *scn = parse_good(SMALL_HEAD SMALL_FLEET SMALL_FIRMWARE
                                 "campaign:\n  to: 1.1.0\n  operator:\n    - {at: 0h, do: pause}\n"
                                 "    - {at: 50h, do: resume}\n    - {do: rollback, at: 50h}\n",
                                 NULL);
    cr_assert_eq(scn->campaign.orders, 3);
    for (uint32_t i = 0; i < 3; i++) {
        cr_expect_eq(scn->campaign.order[i].at_us, rows[i].at_h * INT64_C(3600000000), "%u", i);
        cr_expect_eq(scn->campaign.order[i].action, rows[i].action, "%u", i);
    }
    cr_expect_str_eq(scn_order_name(SCN_ORDER_RESUME), "resume");
    cr_expect_str_eq(scn_order_name(SCN_ORDER_ACTIONS), "?");
    scn_free(scn);
    scn = parse_good(SMALL, NULL);
    cr_expect_eq(scn->campaign.orders, 0);
    scn_free(scn);
}

Test(scn_checks, a_lab_is_a_site_of_its_own)
{
    char text[1024];
    static const struct {
        const char *site;
        int expect;
    } rows[] = {
        {"lab", SCN_OK},         {"site-01", SCN_OK},    {"site-03", SCN_OK},
        {"site-04", SCN_EVALUE}, {"site-1", SCN_EVALUE}, {"site-00", SCN_EVALUE},
        {"Lab", SCN_EVALUE},     {"site-", SCN_EVALUE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct scn_messages messages;
        struct scn *scn;
        snprintf(
            text, sizeof text,
            SMALL_HEAD
            "fleet:\n  - {group: lab, lab: true, firmware: 1.0.0}\n"
            "  - {group: a, count: 90, firmware: 1.0.0, sites: 3}\n" SMALL_FIRMWARE SMALL_CAMPAIGN
            "faults:\n  - {kind: network_drop, at: 1h, where: {site: %s}}\n",
            rows[i].site);
        cr_expect_eq(parse_text(&scn, text, NULL, &messages), rows[i].expect, "%s", rows[i].site);
        scn_free(scn);
    }
}

/* NULL for the messages is allowed: a caller may want the code alone. */
Test(scn_checks, messages_may_be_left_out)
{
    struct scn *scn = NULL;
    cr_expect_eq(scn_parse(&scn, "t", SMALL, strlen(SMALL), NULL, NULL), SCN_OK);
    scn_free(scn);
    cr_expect_eq(scn_parse(&scn, "t", "x: 1", 4, NULL, NULL), SCN_EVALUE);
    cr_expect_null(scn);
    cr_expect_eq(scn_load(&scn, "/nowhere", NULL, NULL), SCN_EFILE);
}
