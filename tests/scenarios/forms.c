#include "form.h"
#include "names.h"
#include <criterion/criterion.h>
#include <string.h>

Test(scn_form, gates_read_their_limit)
{
    static const struct {
        enum scn_metric metric;
        const char *in;
        bool ok;
        enum scn_compare compare;
        int64_t num, den;
        uint32_t value;
    } rows[] = {
        {SCN_METRIC_SUCCESS, "< 95%", true, SCN_LESS, 95, 100, 0},
        {SCN_METRIC_CRASH, ">2%", true, SCN_MORE, 2, 100, 0},
        {SCN_METRIC_BRICK, "> 0", true, SCN_MORE, 0, 1, 0},
        {SCN_METRIC_ROLLBACK, "  >=  1/5000", true, SCN_MORE_EQUAL, 1, 5000, 0},
        {SCN_METRIC_CRASH, "<= 0.5%", true, SCN_LESS_EQUAL, 5, 1000, 0},
        {SCN_METRIC_CPU, "> 150%", true, SCN_MORE, 150, 100, 0},
        {SCN_METRIC_COMMAND_MS, ">= 500ms", true, SCN_MORE_EQUAL, 0, 1, 500},
        {SCN_METRIC_COMMAND_MS, "> 2s", true, SCN_MORE, 0, 1, 2000},
        {SCN_METRIC_COMMAND_MS, ">= 5%", false, 0, 0, 0, 0},
        {SCN_METRIC_COMMAND_MS, ">= 500", false, 0, 0, 0, 0},
        {SCN_METRIC_COMMAND_MS, ">= 1us", false, 0, 0, 0, 0},
        {SCN_METRIC_SUCCESS, "95%", false, 0, 0, 0, 0},
        {SCN_METRIC_SUCCESS, "= 95%", false, 0, 0, 0, 0},
        {SCN_METRIC_SUCCESS, "< 101%", false, 0, 0, 0, 0},
        {SCN_METRIC_SUCCESS, "< -1%", false, 0, 0, 0, 0},
        {SCN_METRIC_SUCCESS, "<", false, 0, 0, 0, 0},
        {SCN_METRIC_CPU, "> 1001%", false, 0, 0, 0, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct scn_gate gate = {.metric = rows[i].metric};
        snprintf(gate.text, sizeof gate.text, "%s", rows[i].in);
        cr_expect_eq(scn_gate_parse(&gate), rows[i].ok, "%s", rows[i].in);
        if (!rows[i].ok)
            continue;
        cr_expect_eq(gate.compare, rows[i].compare, "%s", rows[i].in);
        cr_expect(gate.limit.num == rows[i].num && gate.limit.den == rows[i].den, "%s", rows[i].in);
        cr_expect_eq(gate.limit_value, rows[i].value, "%s", rows[i].in);
    }
}

Test(scn_form, windows_are_a_day_two_times_and_a_zone)
{
    static const struct {
        const char *in;
        bool ok;
    } rows[] = {
        {"daily 01:00-05:00 local", true},
        {"Sun 02:00-06:00 UTC", true},
        {"Sat 23:00-01:00 local", true},
        {"daily 00:00-23:59 UTC", true},
        {"", false},
        {"daily", false},
        {"daily 1:00-5:00 local", false},
        {"daily 01:00-05:00", false},
        {"daily 01:00-05:00 CET", false},
        {"daily 24:00-05:00 UTC", false},
        {"daily 01:60-05:00 UTC", false},
        {"daily 01:00-01:00 UTC", false},
        {"Sunday 01:00-05:00 UTC", false},
        {"sun 01:00-05:00 UTC", false},
        {"daily  01:00-05:00 UTC", false},
        {"daily 01:00-05:00 UTC ", false},
        {"daily 01.00-05.00 UTC", false},
        {"daily 01:00 05:00 UTC", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        cr_expect_eq(scn_window_ok(rows[i].in), rows[i].ok, "'%s'", rows[i].in);
}

Test(scn_form, versions_are_semantic)
{
    static const struct {
        const char *in;
        bool ok;
    } rows[] = {
        {"2.4.0", true},         {"0.0.1", true},      {"1.2.3-rc.1", true},
        {"1.2.3+build.7", true}, {"1.2.3-a+b", true},  {"10.20.30", true},
        {"2.4", false},          {"2.4.0.1", false},   {"v2.4.0", false},
        {"02.4.0", false},       {"2.4.0-", false},    {"2.4.0+", false},
        {"2.4.0-a..b", false},   {"2.4.0-a_b", false}, {"", false},
        {"2..0", false},         {"2.4.0-.a", false},  {"1234567890.0.0", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        cr_expect_eq(scn_version_ok(rows[i].in), rows[i].ok, "'%s'", rows[i].in);
}

Test(scn_form, expectations_are_ranges)
{
    static const struct {
        const char *in;
        bool ok;
        int64_t min, max;
    } rows[] = {
        {"0", true, 0, 0},           {"7", true, 7, 7},
        {"> 5", true, 6, INT64_MAX}, {">= 1", true, 1, INT64_MAX},
        {"< 3", true, 0, 2},         {"<= 9", true, 0, 9},
        {"1..20", true, 1, 20},      {"4..4", true, 4, 4},
        {"5..1", false, 0, 0},       {"< 0", false, 0, 0},
        {"-1", false, 0, 0},         {"1..", false, 0, 0},
        {"..5", false, 0, 0},        {"few", false, 0, 0},
        {"", false, 0, 0},           {"> ", false, 0, 0},
        {"1%", false, 0, 0},         {"99999999999999999", false, 0, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct scn_expect_range range = {0};
        cr_expect_eq(scn_range_parse(rows[i].in, &range), rows[i].ok, "'%s'", rows[i].in);
        cr_expect_eq(range.given, rows[i].ok, "'%s'", rows[i].in);
        cr_expect(range.min == rows[i].min && range.max == rows[i].max, "'%s'", rows[i].in);
    }
}

Test(scn_form, words_are_fit_for_ids_and_topics)
{
    static const struct {
        const char *in;
        bool ok;
    } rows[] = {
        {"pumps", true}, {"site-01", true}, {"a.b_c", true}, {"7", true},   {"", false},
        {"-a", false},   {"a/b", false},    {"a b", false},  {"a#", false}, {"\xc3\xbc", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        cr_expect_eq(scn_word_ok(rows[i].in), rows[i].ok, "'%s'", rows[i].in);
}

Test(scn_form, every_name_is_found_again_by_its_value)
{
    static const struct scn_names *const tables[] = {
        &scn_names_fault_kind, &scn_names_during, &scn_names_torn,    &scn_names_how,
        &scn_names_region,     &scn_names_metric, &scn_names_compare, &scn_names_verdict,
        &scn_names_signing,    &scn_names_link,   &scn_names_alert,   &scn_names_health};
    for (size_t t = 0; t < sizeof tables / sizeof tables[0]; t++)
        for (int v = 0; v < (int)tables[t]->count; v++)
            if (scn_names_get(tables[t], v))
                cr_expect_eq(scn_names_find(tables[t], scn_names_get(tables[t], v)), v);
    cr_expect_str_eq(scn_during_name(SCN_DURING_ROLLED_BACK), "rolled_back");
    cr_expect_str_eq(scn_how_name(SCN_HOW_WORN), "worn");
    cr_expect_str_eq(scn_torn_name(SCN_TORN_AFTER), "after");
    cr_expect_str_eq(scn_metric_name(SCN_METRIC_CPU), "cpu");
    cr_expect_str_eq(scn_during_name(SCN_DURING_NONE), "none");
    cr_expect_str_eq(scn_how_name(SCN_HOWS), "?");
    cr_expect_str_eq(scn_how_name(-1), "?");
}

Test(scn_form, the_nearest_word_is_offered_only_when_near)
{
    static const char *const words[] = {"count", "criticality", "link", "lab"};
    static const struct {
        const char *in, *expect;
    } rows[] = {
        {"cuont", "count"}, {"counts", "count"}, {"criticalty", "criticality"},
        {"xyz", NULL},      {"l", NULL},         {"colour", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *found = scn_nearest(rows[i].in, words, 4);
        cr_expect(found == rows[i].expect ||
                      (found && rows[i].expect && !strcmp(found, rows[i].expect)),
                  "%s: %s", rows[i].in, found ? found : "none");
    }
}
