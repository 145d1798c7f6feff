#include "zones.h"
#include "scn/scenario.h"
#include <criterion/criterion.h>
#include <string.h>

Test(scn_zones, the_table_is_sorted_and_large)
{
    cr_expect_geq(scn_zones_count, 400);
    for (size_t i = 1; i < scn_zones_count; i++)
        cr_expect_lt(strcmp(scn_zones[i - 1].name, scn_zones[i].name), 0, "%s", scn_zones[i].name);
}

Test(scn_zones, every_zone_is_found_by_its_name)
{
    for (size_t i = 0; i < scn_zones_count; i++)
        cr_expect_eq(scn_zone_posix(scn_zones[i].name), scn_zones[i].posix);
}

Test(scn_zones, rules_are_those_of_the_time_zone_database)
{
    static const struct {
        const char *in, *expect;
    } rows[] = {
        {"UTC", "UTC0"},
        {"Europe/Berlin", "CET-1CEST,M3.5.0,M10.5.0/3"},
        {"Europe/London", "GMT0BST,M3.5.0/1,M10.5.0"},
        {"America/Chicago", "CST6CDT,M3.2.0,M11.1.0"},
        {"America/New_York", "EST5EDT,M3.2.0,M11.1.0"},
        {"America/Sao_Paulo", "<-03>3"},
        {"America/St_Johns", "NST3:30NDT,M3.2.0,M11.1.0"},
        {"Asia/Tokyo", "JST-9"},
        {"Asia/Kolkata", "IST-5:30"},
        {"Asia/Kathmandu", "<+0545>-5:45"},
        {"Australia/Sydney", "AEST-10AEDT,M10.1.0,M4.1.0/3"},
        {"Australia/Lord_Howe", "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0"},
        {"Africa/Cairo", "EET-2EEST,M4.5.5/0,M10.5.4/24"},
        {"Africa/Johannesburg", "SAST-2"},
        {"Pacific/Auckland", "NZST-12NZDT,M9.5.0,M4.1.0/3"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *posix = scn_zone_posix(rows[i].in);
        cr_assert(posix, "%s", rows[i].in);
        cr_expect_str_eq(posix, rows[i].expect);
    }
}

Test(scn_zones, what_is_no_zone_is_not_found)
{
    static const char *const rows[] = {"", "Mars/Olympus", "utc", "Europe/Berli", "Europe/Berlinn",
                                       "~"};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        cr_expect_null(scn_zone_posix(rows[i]), "%s", rows[i]);
}
