/* JUnit XML: well formed whatever the texts, counts that are true, and CI's colour the exit code's.
 */
#include "sample.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static unsigned occurrences(const char *text, const char *what)
{
    unsigned n = 0;
    for (; (text = strstr(text, what)) != NULL; text += strlen(what))
        n++;
    return n;
}

/* The number in the first attribute of this name at or behind `from`. */
static unsigned attribute(const char *from, const char *name)
{
    char start[32];
    snprintf(start, sizeof start, " %s=\"", name);
    const char *at = strstr(from, start);
    cr_assert_not_null(at, "%s", name);
    return (unsigned)strtoul(at + strlen(start), NULL, 10);
}

/* xmllint is not on every machine; the tests that need it say so and check the rest. */
static bool is_well_formed(const char *xml)
{
    if (system("command -v xmllint >/dev/null 2>&1"))
        return strncmp(xml, "<?xml", 5) == 0;
    FILE *lint = popen("xmllint --noout - 2>&1", "w");
    cr_assert_not_null(lint);
    fputs(xml, lint);
    return pclose(lint) == 0;
}

static void expect_counts_true(const char *xml)
{
    static const struct {
        const char *name, *element;
    } rows[] = {{"tests", "<testcase "},
                {"failures", "<failure "},
                {"errors", "<error "},
                {"skipped", "<skipped "}};
    for (size_t i = 0; i < 4; i++) {
        unsigned total = attribute(xml, rows[i].name), sum = 0;
        for (const char *at = xml; (at = strstr(at, "<testsuite ")) != NULL; at++)
            sum += attribute(at, rows[i].name);
        cr_expect_eq(total, occurrences(xml, rows[i].element), "%s", rows[i].name);
        cr_expect_eq(total, sum, "%s of the suites", rows[i].name);
    }
}

Test(rep_junit, a_stopped_campaign_fails_where_it_was_stopped)
{
    struct rep_result result;
    sample_stopped(&result);
    char *xml = sample_render(rep_render_junit, &result);
    cr_expect(is_well_formed(xml));
    expect_counts_true(xml);
    cr_expect_eq(occurrences(xml, "<testsuite "), 3 + 2, "three phases, promises, expectation");
    cr_expect_eq(attribute(xml, "tests"), 6 + REP_PROMISES + 1);
    cr_expect_eq(attribute(xml, "failures"), 3, "the red gate, the promise, the expectation");
    cr_expect_eq(attribute(xml, "skipped"), 3, "gates on hold, same_run");
    cr_expect_not_null(strstr(xml, "message=\"red: 2/50, red if &#62; 2%"), "%s", xml);
    cr_expect_not_null(strstr(xml, "exit code 2"));
    cr_expect_not_null(strstr(xml, "brickyard replay by1:"));
    free(xml);
    rep_result_free(&result);
}

Test(rep_junit, failures_are_there_exactly_when_the_run_failed)
{
    for (int code = 0; code <= 8; code++) {
        struct rep_result result;
        sample_stopped(&result);
        result.exit_code = code;
        char *xml = sample_render(rep_render_junit, &result);
        cr_expect_eq(attribute(xml, "failures") + attribute(xml, "errors") > 0, code != 0, "%d",
                     code);
        cr_expect_eq(attribute(xml, "errors"), code == 8, "%d", code);
        expect_counts_true(xml);
        if (code == 0)
            cr_expect_not_null(strstr(xml, "as the scenario expects"));
        free(xml);
        rep_result_free(&result);
    }
}

Test(rep_junit, hostile_text_stays_text)
{
    struct rep_result result;
    sample_stopped(&result);
    strcpy(result.scenario, "a<b>&\"'\x01\x1F\xFF\xEF\xBF\xBE]]>\n\t");
    strcpy(result.explanation, "</failure><testcase name=\"no\"/>");
    memset(result.phase[1].gate[1].comparison, 0x02, REP_TEXT_MAX - 1);
    result.phase[1].gate[1].comparison[REP_TEXT_MAX - 1] = 0;
    memset(result.promise[0].first_token, '&', REP_TOKEN_MAX - 1);
    memset(result.promise[0].first_what, '<', REP_TEXT_MAX - 1);
    char *xml = sample_render(rep_render_junit, &result);
    cr_expect(is_well_formed(xml), "%s", xml);
    expect_counts_true(xml);
    cr_expect_null(strstr(xml, "name=\"no\"/>"));
    cr_expect_geq(occurrences(xml, "&#38;"), (unsigned)REP_TOKEN_MAX - 1, "the token is whole");
    free(xml);
    rep_result_free(&result);
}

Test(rep_junit, random_results_are_well_formed)
{
    for (uint64_t seed = 1; seed <= 12; seed++) {
        struct rep_result result;
        sample_random(&result, seed);
        char *xml = sample_render(rep_render_junit, &result);
        cr_expect(is_well_formed(xml), "seed %lu", seed);
        expect_counts_true(xml);
        free(xml);
        rep_result_free(&result);
    }
}
