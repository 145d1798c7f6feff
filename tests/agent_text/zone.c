/*
 * The C library is the oracle: it reads the same TZ strings by code of its own. Two kinds of moment
 * are beyond it: those before 1970, and rules that fall into another year of UTC than their own.
 */
#include "agent/agent.h"
#include <criterion/criterion.h>
#include <stdlib.h>
#include <time.h>

static const char *const zones[] = {
    "UTC0",
    "CET-1CEST,M3.5.0,M10.5.0/3",
    "CST6CDT,M3.2.0,M11.1.0",
    "CST6CDT",
    "JST-9",
    "AEST-10AEDT,M10.1.0,M4.1.0/3",
    "NZST-12NZDT,M9.5.0,M4.1.0/3",
    "LHST-10:30LHDT-11,M10.1.0,M4.1.0",
    "IST-5:30",
    "<+0330>-3:30",
    "<-02>2<-01>,M3.5.0/-1,M10.5.0/0",
    "IST-1GMT0,M10.5.0,M3.5.0/1",
    "EET-2EEST,M3.5.0/0,M10.5.0/0",
    "IST-2IDT,M3.4.4/26,M10.5.0",
    "AAA3BBB,J60,J300",
    "AAA3BBB,59/4:30,299/0:00:30",
    "AAA-3:15:20BBB-4:45,J2/3,J200/25",
    "AAA5BBB,300,J61/1",
};
enum { ZONES = sizeof zones / sizeof *zones };

static time_t utc(int year, int month, int day, int hour)
{
    struct tm tm = {.tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day, .tm_hour = hour};
    return timegm(&tm);
}

static struct agent_zone zone_of(const char *text)
{
    struct agent_zone zone;
    cr_assert_eq(agent_zone_parse(&zone, text), AGENT_OK, "%s", text);
    return zone;
}

static long oracle_offset(time_t at)
{
    struct tm tm;
    cr_assert(localtime_r(&at, &tm));
    return tm.tm_gmtoff;
}

Test(zone, offset_is_the_c_librarys_in_every_hour_of_2024_to_2028)
{
    for (int i = 0; i < ZONES; i++) {
        struct agent_zone zone = zone_of(zones[i]);
        setenv("TZ", zones[i], 1);
        tzset();
        for (time_t at = utc(2024, 1, 1, 0); at < utc(2029, 1, 1, 0); at += 3600)
            cr_assert_eq(agent_zone_offset(&zone, at), oracle_offset(at), "%s at %ld", zones[i],
                         (long)at);
    }
}

/* Every second around each change, to see that it happens in the right one. */
Test(zone, offset_changes_in_the_c_librarys_second)
{
    unsigned changes = 0;
    for (int i = 0; i < ZONES; i++) {
        struct agent_zone zone = zone_of(zones[i]);
        setenv("TZ", zones[i], 1);
        tzset();
        for (time_t hour = utc(2026, 1, 1, 0); hour < utc(2028, 12, 31, 0); hour += 3600) {
            if (oracle_offset(hour) == oracle_offset(hour + 3600))
                continue;
            changes++;
            for (time_t at = hour; at < hour + 3600; at++)
                cr_assert_eq(agent_zone_offset(&zone, at), oracle_offset(at), "%s at %ld", zones[i],
                             (long)at);
        }
    }
    cr_assert_eq(changes, 14 * 6);
}

Test(zone, offset_is_right_in_far_years_and_leap_centuries)
{
    struct agent_zone zone = zone_of(zones[1]);
    setenv("TZ", zones[1], 1);
    tzset();
    for (int year = 1971; year < 3000; year++) {
        for (int month = 1; month <= 12; month++) {
            time_t at = utc(year, month, 28, 1);
            cr_assert_eq(agent_zone_offset(&zone, at), oracle_offset(at), "%d-%d", year, month);
        }
    }
}

/* RFC 8536, 3.3.1: daylight time all year. The end of one year's is the start of the next. */
Test(zone, daylight_time_all_year_has_no_hole_at_new_year)
{
    struct agent_zone zone = zone_of("XXX3EDT4,0/0,J365/23");
    for (time_t at = utc(2024, 1, 1, 0); at < utc(2029, 1, 1, 0); at += 1800)
        cr_assert_eq(agent_zone_offset(&zone, at), -4 * 3600, "at %ld", (long)at);
}

/* A rule of January 1 at -25:00 local is December 30: its year is not the year of the moment. */
Test(zone, rule_that_falls_into_the_year_before_holds_there)
{
    struct agent_zone zone = zone_of("AAA0BBB,J1/-25,J90");
    static const struct {
        int day, hour, expect;
    } rows[] = {{30, 22, 0}, {30, 23, 3600}, {31, 0, 3600}, {31, 23, 3600}};
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++)
        cr_expect_eq(agent_zone_offset(&zone, utc(2026, 12, rows[i].day, rows[i].hour)),
                     rows[i].expect, "row %u", i);
}

Test(zone, empty_or_no_text_is_utc)
{
    struct agent_zone zone = zone_of("JST-9");
    cr_assert_eq(agent_zone_parse(&zone, ""), AGENT_OK);
    cr_assert_eq(agent_zone_offset(&zone, 0), 0);
    zone = zone_of("JST-9");
    cr_assert_eq(agent_zone_parse(&zone, NULL), AGENT_OK);
    cr_assert_eq(agent_zone_offset(&zone, 0), 0);
}

Test(zone, text_of_another_form_is_refused_and_leaves_utc)
{
    static const char *const bad[] = {"Europe/Berlin",
                                      ":CET",
                                      "C1",
                                      "CE-1",
                                      "CET",
                                      "CET-",
                                      "CET-25",
                                      "CET-24:01",
                                      "CET-1:60",
                                      "CET-1:00:60",
                                      "CET-1:",
                                      "CET-1 ",
                                      "<+0330-3:30",
                                      "<+>1",
                                      "<>1",
                                      "CET-1CE",
                                      "CET-1CEST,",
                                      "CET-1CEST,M3.5.0",
                                      "CET-1CEST,M3.5.0,",
                                      "CET-1CEST,M0.5.0,M10.5.0",
                                      "CET-1CEST,M13.5.0,M10.5.0",
                                      "CET-1CEST,M3.0.0,M10.5.0",
                                      "CET-1CEST,M3.6.0,M10.5.0",
                                      "CET-1CEST,M3.5.7,M10.5.0",
                                      "CET-1CEST,M3.5,M10.5.0",
                                      "CET-1CEST,J0,J1",
                                      "CET-1CEST,J366,J1",
                                      "CET-1CEST,366,1",
                                      "CET-1CEST,M3.5.0/168,M10.5.0",
                                      "CET-1CEST,M3.5.0/,M10.5.0",
                                      "CET-1CEST,M3.5.0,M10.5.0/3x",
                                      "CET-1CEST-25,M3.5.0,M10.5.0",
                                      "CET-99999999999999999999",
                                      "CET-1CEST,99999999999999999999,1",
                                      "\x80\xff\x01"};
    for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct agent_zone zone = zone_of("JST-9");
        cr_expect_eq(agent_zone_parse(&zone, bad[i]), AGENT_ERANGE, "\"%s\"", bad[i]);
        cr_expect_eq(agent_zone_offset(&zone, 0), 0, "\"%s\"", bad[i]);
    }
}

Test(zone, any_moment_has_an_offset)
{
    static const int64_t moments[] = {INT64_MIN, INT64_MIN + 1, -1, 0, INT64_MAX - 1, INT64_MAX};
    for (int z = 0; z < ZONES; z++) {
        struct agent_zone zone = zone_of(zones[z]);
        for (unsigned i = 0; i < sizeof moments / sizeof *moments; i++) {
            int32_t offset = agent_zone_offset(&zone, moments[i]);
            cr_expect(offset == zone.offset_s || offset == zone.dst_offset_s);
        }
    }
}
