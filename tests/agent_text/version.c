#include "agent/agent.h"
#include <criterion/criterion.h>
#include <string.h>

/* semver.org 2.0.0, section 11, with neighbours: each is lower than all that follow. */
static const char *const ascending[] = {
    "0.0.0-0",
    "0.0.0",
    "0.0.1",
    "0.1.0",
    "1.0.0--",
    "1.0.0-alpha",
    "1.0.0-alpha.1",
    "1.0.0-alpha.9",
    "1.0.0-alpha.10",
    "1.0.0-alpha.10a",
    "1.0.0-alpha.beta",
    "1.0.0-alpha-1",
    "1.0.0-beta",
    "1.0.0-beta.2",
    "1.0.0-beta.11",
    "1.0.0-rc.1",
    "1.0.0",
    "1.9.0",
    "1.10.0",
    "1.10.1",
    "2.3.1",
    "2.4.0-rc.1",
    "2.4.0",
    "10.0.0",
    "99999999999999999999.0.0",
    "100000000000000000000.0.0",
};
enum { ASCENDING = sizeof ascending / sizeof *ascending };

Test(version, order_is_semvers_for_every_pair)
{
    for (int a = 0; a < ASCENDING; a++) {
        for (int b = 0; b < ASCENDING; b++) {
            int order = 9;
            cr_assert_eq(agent_version_compare(&order, ascending[a], ascending[b]), AGENT_OK);
            cr_expect_eq(order, (a > b) - (a < b), "%s and %s", ascending[a], ascending[b]);
        }
    }
}

Test(version, build_metadata_does_not_count)
{
    static const char *const same[][2] = {{"1.0.0+a", "1.0.0+b.007"},
                                          {"1.0.0+20130313144700", "1.0.0"},
                                          {"1.0.0-rc.1+x-y.1", "1.0.0-rc.1"}};
    for (unsigned i = 0; i < sizeof same / sizeof *same; i++) {
        int order = 9;
        cr_expect_eq(agent_version_compare(&order, same[i][0], same[i][1]), AGENT_OK, "row %u", i);
        cr_expect_eq(order, 0, "row %u", i);
    }
}

Test(version, what_is_no_version_is_refused_on_either_side)
{
    static const char *const bad[] = {
        "",          "1",        "1.2",        "1.2.",      "1.2.3.4",        "v1.2.3",
        "1.2.x",     "01.2.3",   "1.02.3",     "1.2.03",    "-1.2.3",         "1.2.3-",
        "1.2.3-a.",  "1.2.3-.a", "1.2.3-a..b", "1.2.3-01",  "1.2.3+",         "1.2.3+a..b",
        "1.2.3+a+b", "1.2.3 ",   " 1.2.3",     "1.2.3-a_b", "1.2.3-\xc3\xa9", "1.2.3\n",
        "1..3",      ".1.2",     "1.2.3-a+",   "+1.2.3"};
    for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
        int order = 9;
        cr_expect_eq(agent_version_compare(&order, bad[i], "1.0.0"), AGENT_ERANGE, "%s", bad[i]);
        cr_expect_eq(agent_version_compare(&order, "1.0.0", bad[i]), AGENT_ERANGE, "%s", bad[i]);
        cr_expect_eq(order, 0);
    }
}

Test(version, length_has_no_limit)
{
    static char a[100001], b[100001];
    int order = 9;
    memset(a, '1', sizeof a - 1);
    memcpy(a, "1.0.", 4);
    memcpy(b, a, sizeof a);
    b[sizeof b - 2] = '2';
    cr_assert_eq(agent_version_compare(&order, a, b), AGENT_OK);
    cr_assert_eq(order, -1);
}
