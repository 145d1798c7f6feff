#include "../soak/soak.h"
#include "agent/agent.h"
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char berlin[] = "CET-1CEST,M3.5.0,M10.5.0/3";

static int64_t ms_of(const char *iso)
{
    struct tm tm = {0};
    cr_assert_not_null(strptime(iso, "%Y-%m-%dT%H:%M:%SZ", &tm), "%s", iso);
    return (int64_t)timegm(&tm) * 1000;
}

static struct agent_zone zone_of(const char *text)
{
    struct agent_zone zone;
    cr_assert_eq(agent_zone_parse(&zone, text), AGENT_OK, "%s", text);
    return zone;
}

static struct agent_window window_of(const char *text)
{
    struct agent_window window;
    cr_assert_eq(agent_window_parse(&window, text), AGENT_OK, "%s", text);
    return window;
}

Test(window, text_gives_its_members)
{
    static const struct {
        const char *text;
        struct agent_window expect;
    } rows[] = {
        {"Sun 02:00-06:00 UTC", {AGENT_WINDOW_WEEKLY, true, 0, 120, 360}},
        {"Sat 23:30-01:15 local", {AGENT_WINDOW_WEEKLY, false, 6, 1410, 75}},
        {"daily 01:00-05:00 local", {AGENT_WINDOW_DAILY, false, 0, 60, 300}},
        {"daily 22:00-24:00 UTC", {AGENT_WINDOW_DAILY, true, 0, 1320, 0}},
        {"", {AGENT_WINDOW_PREFER_NIGHT, false, 0, 0, 0}},
        {NULL, {AGENT_WINDOW_PREFER_NIGHT, false, 0, 0, 0}},
    };
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct agent_window window = window_of(rows[i].text);
        cr_expect_eq(window.kind, rows[i].expect.kind, "row %u", i);
        cr_expect_eq(window.utc, rows[i].expect.utc, "row %u", i);
        cr_expect_eq(window.weekday, rows[i].expect.weekday, "row %u", i);
        cr_expect_eq(window.start_min, rows[i].expect.start_min, "row %u", i);
        cr_expect_eq(window.end_min, rows[i].expect.end_min, "row %u", i);
    }
}

Test(window, text_of_another_form_is_refused)
{
    static const char *const bad[] = {" ",
                                      "Sun",
                                      "sun 02:00-06:00 UTC",
                                      "Sunday 02:00-06:00 UTC",
                                      "Sun 2:00-06:00 UTC",
                                      "Sun 02:00-06:00",
                                      "Sun 02:00-06:00 utc",
                                      "Sun 02:00-06:00 UTC ",
                                      "Sun  02:00-06:00 UTC",
                                      "Sun 02:60-06:00 UTC",
                                      "Sun 24:00-06:00 UTC",
                                      "Sun 02:00-24:01 UTC",
                                      "Sun 25:00-06:00 UTC",
                                      "daily 02:00-02:00 local",
                                      "daily 00:00-24:00 local",
                                      "daily 01:00-05:00 CET",
                                      "daily 01:00 05:00 local",
                                      "daily01:00-05:00 local",
                                      "weekly 01:00-05:00 local",
                                      "daily 01:00-05:00local",
                                      "daily 01:00-",
                                      "\xff"};
    for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct agent_window window = {.kind = AGENT_WINDOW_DAILY, .start_min = 7};
        cr_expect_eq(agent_window_parse(&window, bad[i]), AGENT_ERANGE, "\"%s\"", bad[i]);
        cr_expect(window.kind == AGENT_WINDOW_PREFER_NIGHT && window.start_min == 0);
    }
}

/* Berlin: the gap is 2026-03-29 01:00Z (02:00 -> 03:00), the doubled hour 2026-10-25 00:00Z-02:00Z.
 */
Test(window, state_and_next_change_at_named_moments)
{
    static const struct {
        const char *window, *at;
        bool expect;
        const char *next;
    } rows[] = {
        {"Sun 02:00-06:00 UTC", "2026-03-22T01:59:59Z", false, "2026-03-22T02:00:00Z"},
        {"Sun 02:00-06:00 UTC", "2026-03-22T02:00:00Z", true, "2026-03-22T06:00:00Z"},
        {"Sun 02:00-06:00 UTC", "2026-03-22T05:59:59Z", true, "2026-03-22T06:00:00Z"},
        {"Sun 02:00-06:00 UTC", "2026-03-22T06:00:00Z", false, "2026-03-29T02:00:00Z"},
        {"daily 01:00-05:00 local", "2026-03-20T00:00:00Z", true, "2026-03-20T04:00:00Z"},
        {"daily 01:00-05:00 local", "2026-07-20T00:00:00Z", true, "2026-07-20T03:00:00Z"},
        {"daily 23:00-01:00 local", "2026-03-20T23:30:00Z", true, "2026-03-21T00:00:00Z"},
        {"Sat 23:00-01:00 local", "2026-03-21T23:30:00Z", true, "2026-03-22T00:00:00Z"},
        {"Sun 23:00-01:00 local", "2026-03-21T23:30:00Z", false, "2026-03-22T22:00:00Z"},
        /* A start in the gap opens at the gap's end. */
        {"daily 02:30-04:00 local", "2026-03-29T00:59:59Z", false, "2026-03-29T01:00:00Z"},
        {"daily 02:30-04:00 local", "2026-03-29T01:00:00Z", true, "2026-03-29T02:00:00Z"},
        /* An end in the gap closes there, and a window that is all gap does not open. */
        {"daily 01:00-02:30 local", "2026-03-29T00:30:00Z", true, "2026-03-29T01:00:00Z"},
        {"Sun 02:00-03:00 local", "2026-03-29T00:30:00Z", false, "2026-04-05T00:00:00Z"},
        /* The doubled hour counts once, the first time. */
        {"daily 02:00-03:00 local", "2026-10-25T00:00:00Z", true, "2026-10-25T01:00:00Z"},
        {"daily 02:00-03:00 local", "2026-10-25T01:00:00Z", false, "2026-10-26T01:00:00Z"},
        {"daily 01:00-05:00 local", "2026-10-25T00:59:59Z", true, "2026-10-25T01:00:00Z"},
        {"daily 01:00-05:00 local", "2026-10-25T01:00:00Z", false, "2026-10-25T02:00:00Z"},
        {"daily 01:00-05:00 local", "2026-10-25T02:00:00Z", true, "2026-10-25T04:00:00Z"},
        /* Nights and weekends, where there is no window. 2026-03-20 is a Friday. */
        {"", "2026-03-19T12:00:00Z", false, "2026-03-19T21:00:00Z"},
        {"", "2026-03-19T21:00:00Z", true, "2026-03-20T05:00:00Z"},
        {"", "2026-03-20T05:00:00Z", false, "2026-03-20T21:00:00Z"},
        {"", "2026-03-20T21:00:00Z", true, "2026-03-23T05:00:00Z"},
        {"", "2026-03-21T11:00:00Z", true, "2026-03-23T05:00:00Z"},
        {"", "2026-03-23T05:00:00Z", false, "2026-03-23T21:00:00Z"},
    };
    struct agent_zone zone = zone_of(berlin);
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct agent_window window = window_of(rows[i].window);
        int64_t next_ms = -1;
        bool open = agent_window_open(&window, &zone, ms_of(rows[i].at), &next_ms);
        cr_expect_eq(open, rows[i].expect, "%s at %s", rows[i].window, rows[i].at);
        cr_expect_eq(next_ms, ms_of(rows[i].next), "%s at %s: next is %ld", rows[i].window,
                     rows[i].at, (long)(next_ms / 1000));
    }
}

static const char *const walked_zones[] = {
    "UTC0",
    "CET-1CEST,M3.5.0,M10.5.0/3",
    "CST6CDT,M3.2.0,M11.1.0",
    "AEST-10AEDT,M10.1.0,M4.1.0/3",
    "LHST-10:30LHDT-11,M10.1.0,M4.1.0",
    "<-02>2<-01>,M3.5.0/-1,M10.5.0/0",
    "IST-1GMT0,M10.5.0,M3.5.0/1",
    "AAA-1BBB-4,J80/0,J290/1",
};
static const char *const walked_windows[] = {
    "daily 01:00-05:00 local", "daily 02:00-03:00 local",
    "daily 02:15-02:45 local", "daily 23:30-00:30 local",
    "daily 03:00-02:00 local", "Sun 02:00-06:00 local",
    "Sat 22:00-02:30 local",   "Sun 00:00-23:59 UTC",
    "Sun 02:30-02:31 local",   "",
};
enum { WALK_MIN = 21 * 1440, DAY_MIN = 1440 };

/* What the window's text means for a local minute of the week, written without any arithmetic. */
static bool reference_member(const struct agent_window *window, const struct tm *tm)
{
    int minute = tm->tm_hour * 60 + tm->tm_min;
    int before = (tm->tm_wday + 6) % 7;
    if (window->kind == AGENT_WINDOW_PREFER_NIGHT)
        return tm->tm_wday == 0 || tm->tm_wday == 6 || tm->tm_hour >= 22 || tm->tm_hour < 6;
    bool weekly = window->kind == AGENT_WINDOW_WEEKLY;
    bool today = !weekly || tm->tm_wday == window->weekday;
    bool yesterday = !weekly || before == window->weekday;
    if (window->start_min < window->end_min)
        return today && minute >= window->start_min && minute < window->end_min;
    return (today && minute >= window->start_min) || (yesterday && minute < window->end_min);
}

/* Minute by minute, with the C library's local time; a local minute seen before does not count. */
static void reference_walk(bool open[WALK_MIN], const struct agent_window *window, time_t from)
{
    int64_t latest = INT64_MIN;
    for (int i = -2 * DAY_MIN; i < WALK_MIN; i++) {
        time_t at = from + i * 60;
        struct tm tm;
        if (window->utc)
            gmtime_r(&at, &tm);
        else
            localtime_r(&at, &tm);
        int64_t local = at + tm.tm_gmtoff;
        if (i >= 0)
            open[i] = local > latest && reference_member(window, &tm);
        latest = local > latest ? local : latest;
    }
}

static void expect_walk(const struct agent_window *window, const struct agent_zone *zone,
                        time_t from, const char *name)
{
    static bool open[WALK_MIN];
    reference_walk(open, window, from);
    /* The last change of the walk is unknown, so next_ms is compared before it only. */
    int change = -1;
    for (int i = WALK_MIN - 1; i >= 0; i--) {
        int64_t next_ms = 0, at_ms = ((int64_t)from + i * 60) * 1000;
        if (i + 1 < WALK_MIN && open[i] != open[i + 1])
            change = i + 1;
        cr_assert_eq(agent_window_open(window, zone, at_ms, &next_ms), open[i], "%s, minute %d",
                     name, i);
        cr_assert_eq(agent_window_open(window, zone, at_ms + 59999, NULL), open[i], "%s", name);
        if (change > 0)
            cr_assert_eq(next_ms, ((int64_t)from + change * 60) * 1000, "%s, minute %d: %ld", name,
                         i, (long)(next_ms / 1000 - from) / 60);
    }
}

/* Each window in each zone over half of these weeks, the next one over the others; in a soak over
 * all. */
Test(window, every_minute_of_the_weeks_of_clock_changes_is_the_references)
{
    static const char *const starts[] = {"2026-03-01T00:00:00Z", "2026-03-20T00:00:00Z",
                                         "2026-10-01T00:00:00Z", "2026-10-15T00:00:00Z"};
    for (unsigned z = 0; z < sizeof walked_zones / sizeof *walked_zones; z++) {
        struct agent_zone zone = zone_of(walked_zones[z]);
        setenv("TZ", walked_zones[z], 1);
        tzset();
        for (unsigned w = 0; w < sizeof walked_windows / sizeof *walked_windows; w++) {
            struct agent_window window = window_of(walked_windows[w]);
            char name[96];
            snprintf(name, sizeof name, "%s in %s", walked_windows[w], walked_zones[z]);
            const unsigned step = soak(2, 1);
            for (unsigned i = (z + w) % step; i < sizeof starts / sizeof *starts; i += step)
                expect_walk(&window, &zone, (time_t)(ms_of(starts[i]) / 1000), name);
        }
    }
}

/* SplitMix64 (Steele, Lea, Flood 2014): the same rows in every run. */
static uint64_t draw(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

static int below(uint64_t *state, int limit)
{
    return (int)(draw(state) % (uint64_t)limit);
}

static void random_rule(char *out, size_t max, uint64_t *state)
{
    switch (below(state, 3)) {
    case 0:
        snprintf(out, max, "M%d.%d.%d/%d", 1 + below(state, 12), 1 + below(state, 5),
                 below(state, 7), below(state, 60) - 30);
        break;
    case 1:
        snprintf(out, max, "J%d/%d:%02d", 1 + below(state, 365), below(state, 26),
                 below(state, 60));
        break;
    default:
        snprintf(out, max, "%d", below(state, 366));
    }
}

static void random_zone(char *out, size_t max, uint64_t *state)
{
    char start[24], end[24];
    random_rule(start, sizeof start, state);
    random_rule(end, sizeof end, state);
    snprintf(out, max, "AAA%d:%02dBBB%d:%02d:%02d,%s,%s", below(state, 24) - 12, below(state, 60),
             below(state, 24) - 12, below(state, 60), below(state, 60), start, end);
}

static struct agent_window random_window(uint64_t *state)
{
    struct agent_window window = {.kind = (enum agent_window_kind)below(state, 3)};
    window.utc = below(state, 8) == 0 && window.kind != AGENT_WINDOW_PREFER_NIGHT;
    window.weekday = (uint8_t)below(state, 7);
    window.start_min = (uint16_t)below(state, 1440);
    window.end_min = (uint16_t)((window.start_min + 1 + below(state, 1439)) % 1440);
    return window;
}

Test(window, state_is_steady_until_next_and_changes_there)
{
    uint64_t state = 20260319;
    for (int i = 0; i < 20000; i++) {
        char text[96];
        random_zone(text, sizeof text, &state);
        struct agent_zone zone = zone_of(text);
        struct agent_window window = random_window(&state);
        int64_t at_ms = ms_of("2024-01-01T00:00:00Z") + (int64_t)(draw(&state) % 157766400000);
        int64_t next_ms = 0;
        bool open = agent_window_open(&window, &zone, at_ms, &next_ms);
        cr_assert(next_ms > at_ms && next_ms % 1000 == 0, "%s, row %d", text, i);
        cr_assert_eq(agent_window_open(&window, &zone, next_ms, NULL), !open, "%s, row %d", text,
                     i);
        cr_assert_eq(agent_window_open(&window, &zone, next_ms - 1, NULL), open, "%s, row %d", text,
                     i);
        for (int k = 0; k < 20; k++) {
            int64_t between_ms = at_ms + (int64_t)(draw(&state) % (uint64_t)(next_ms - at_ms));
            cr_assert_eq(agent_window_open(&window, &zone, between_ms, NULL), open, "%s, row %d",
                         text, i);
        }
    }
}

Test(window, moments_beyond_the_calendar_and_empty_windows_have_an_answer)
{
    static const int64_t moments[] = {INT64_MIN, -1, 0, INT64_MAX};
    struct agent_zone zone = zone_of(berlin);
    struct agent_window night = window_of("");
    struct agent_window never = {.kind = AGENT_WINDOW_DAILY, .start_min = 60, .end_min = 60};
    for (unsigned i = 0; i < sizeof moments / sizeof *moments; i++) {
        int64_t next_ms = 1;
        agent_window_open(&night, &zone, moments[i], &next_ms);
        cr_expect_eq(next_ms % 1000, 0);
        cr_expect_not(agent_window_open(&never, &zone, moments[i], &next_ms));
        cr_expect(next_ms > moments[i] || moments[i] == INT64_MAX);
    }
}
