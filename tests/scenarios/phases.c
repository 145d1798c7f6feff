#include "files.h"

struct gate_row {
    enum scn_metric metric;
    enum scn_compare compare;
    int64_t num, den;
    uint32_t value;
};

static void expect_gates(const struct scn_phase *phase, const struct gate_row *rows, size_t count)
{
    cr_assert_eq(phase->gates, count, "%s", phase->name);
    for (size_t i = 0; i < count; i++) {
        const struct scn_gate *gate = &phase->gate[i];
        cr_expect_eq(gate->metric, rows[i].metric, "%s %zu", phase->name, i);
        cr_expect_eq(gate->compare, rows[i].compare, "%s %zu", phase->name, i);
        cr_expect(gate->limit.num == rows[i].num && gate->limit.den == rows[i].den);
        cr_expect_eq(gate->limit_value, rows[i].value);
        cr_expect(!gate->of_cohort && gate->min_sample == 1);
    }
}

static const struct gate_row lab_rows[] = {
    {SCN_METRIC_CRASH, SCN_MORE, 0, 100, 0},
    {SCN_METRIC_TELEMETRY_GAP, SCN_MORE, 5, 100, 0},
    {SCN_METRIC_COMMAND_MS, SCN_MORE_EQUAL, 0, 1, 500},
    {SCN_METRIC_BRICK, SCN_MORE, 0, 100, 0},
};
static const struct gate_row field_rows[] = {
    {SCN_METRIC_SUCCESS, SCN_LESS, 95, 100, 0},      {SCN_METRIC_CRASH, SCN_MORE, 2, 100, 0},
    {SCN_METRIC_TELEMETRY_GAP, SCN_MORE, 5, 100, 0}, {SCN_METRIC_BRICK, SCN_MORE, 0, 100, 0},
    {SCN_METRIC_ROLLBACK, SCN_MORE, 5, 100, 0},      {SCN_METRIC_MEMORY, SCN_MORE, 10, 100, 0},
    {SCN_METRIC_CPU, SCN_MORE, 20, 100, 0},
};

Test(scn_phases, the_standard_ones_are_those_of_the_design)
{
    static const struct {
        const char *name, *criticality;
        enum scn_size_kind size;
        int64_t percent, hold_h;
        uint32_t rate;
        bool stagger;
        size_t gates;
    } rows[] = {
        {"phase-0 lab", "", SCN_SIZE_LAB, 1, 24, 0, false, 4},
        {"phase-1 canary", "low", SCN_SIZE_SHARE, 1, 48, 0, false, 5},
        {"phase-2 early adopters", "", SCN_SIZE_SHARE, 10, 72, 0, false, 7},
        {"phase-3a general 50%", "", SCN_SIZE_SHARE, 50, 24, 500, true, 5},
        {"phase-3b general 100%", "", SCN_SIZE_SHARE, 100, 24, 500, true, 5},
    };
    struct scn_campaign campaign = {0};
    scn_standard_phases(&campaign, true);
    cr_assert_eq(campaign.phases, 5);
    for (size_t i = 0; i < 5; i++) {
        const struct scn_phase *phase = &campaign.phase[i];
        cr_expect_str_eq(phase->name, rows[i].name);
        cr_expect_str_eq(phase->where_criticality, rows[i].criticality);
        cr_expect_eq(phase->size, rows[i].size);
        cr_expect(i == 0 || (phase->share.num == rows[i].percent && phase->share.den == 100));
        cr_expect_eq(phase->hold_us, rows[i].hold_h * INT64_C(3600000000));
        cr_expect(phase->rate_per_hour == rows[i].rate && phase->stagger == rows[i].stagger);
        expect_gates(phase, i ? field_rows : lab_rows, rows[i].gates);
    }
}

Test(scn_phases, without_a_lab_there_is_no_phase_0)
{
    struct scn_campaign campaign = {0};
    scn_standard_phases(&campaign, false);
    cr_assert_eq(campaign.phases, 4);
    cr_expect_str_eq(campaign.phase[0].name, "phase-1 canary");
}

/* A burn-in: the lab is the fleet, and --devices is its size. */
Test(scn_phases, a_fleet_of_labs_has_lab_phases_alone)
{
    static const char head[] = SMALL_HEAD
        "fleet:\n  - {group: lab, lab: true, count: 20, firmware: 1.0.0}\n" SMALL_FIRMWARE
        "campaign:\n  to: 1.1.0\n  phases:\n    - {name: bench, lab: true, hold: 1h}\n";
    struct scn_overrides three = {.devices = 3};
    struct scn_messages messages;
    struct scn *scn;
    cr_assert_eq(parse_text(&scn, head, &three, &messages), SCN_OK);
    cr_expect_eq(scn->group[0].count, 3);
    cr_expect_str_eq(scn->firmware[0].device_type, scn->group[0].device_type);
    scn_free(scn);
    char more[sizeof head + 64];
    snprintf(more, sizeof more, "%s    - {name: all, share: 100%%}\n", head);
    cr_assert_eq(parse_text(&scn, more, NULL, &messages), SCN_EVALUE);
    cr_expect(strstr(messages.message[0].text, "every group is a lab"));
}

Test(scn_phases, a_list_is_read_as_written)
{
    struct scn *scn = parse_good(
        SMALL_HEAD SMALL_FLEET
        "  - {group: lab, lab: true, firmware: 1.0.0}\n" SMALL_FIRMWARE
        "campaign:\n  to: 1.1.0\n  on_trigger: rollback\n  approval: operator\n"
        "  force: true\n  delta: never\n  phases:\n"
        "    - {name: bench, lab: true, hold: 1h}\n"
        "    - {name: two, devices: [a-1, a-2], gates: [{metric: success, stop_if: \"< 90%\", of: "
        "cohort, "
        "min_sample: 2}]}\n"
        "    - {name: some, count: 20, where: {site: site-01, group: pumps, criticality: low}}\n"
        "    - {name: all, share: 100%, hold: 2d, rate_per_hour: 7, stagger: true}\n",
        NULL);
    const struct scn_campaign *campaign = &scn->campaign;
    cr_assert_eq(campaign->phases, 4);
    cr_expect(!campaign->standard_phases && campaign->approval && campaign->force);
    cr_expect(campaign->on_trigger == SCN_TRIGGER_ROLLBACK && campaign->delta == SCN_DELTA_NEVER);
    cr_expect_eq(campaign->phase[0].size, SCN_SIZE_LAB);
    cr_expect(campaign->phase[1].size == SCN_SIZE_DEVICES && campaign->phase[1].devices_count == 2);
    cr_expect_str_eq(campaign->phase[1].devices[1], "a-2");
    cr_expect(campaign->phase[1].gate[0].of_cohort && campaign->phase[1].gate[0].min_sample == 2);
    cr_expect_str_eq(campaign->phase[1].gate[0].text, "< 90%");
    cr_expect(campaign->phase[2].size == SCN_SIZE_COUNT && campaign->phase[2].count == 20);
    cr_expect_str_eq(campaign->phase[2].where_site, "site-01");
    cr_expect_str_eq(campaign->phase[2].where_criticality, "low");
    cr_expect_eq(campaign->phase[3].hold_us, 2 * INT64_C(86400000000));
    cr_expect(campaign->phase[3].rate_per_hour == 7 && campaign->phase[3].stagger);
    scn_free(scn);
}
