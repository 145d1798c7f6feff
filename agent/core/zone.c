/*
 * POSIX TZ strings (IEEE 1003.1-2017, 8.3), with the wider rule times of RFC 8536, 3.3.1 (-167..167
 * hours), as zone files use them for Nuuk, and Dublin's daylight time that is behind standard time.
 */
#include "zone.h"
#include "agent/agent.h"
#include "calendar.h"

enum { HOUR_S = 3600, WEEK_S = 7 * AGENT_DAY_S, NAME_CHARS_MIN = 3 };

/* Reads [sign] hours[:minutes[:seconds]]; NULL when it is none, or beyond hours_max. */
static const char *read_time(int32_t *out_s, const char *at, int32_t hours_max)
{
    int32_t parts[3] = {0, 0, 0};
    bool minus = *at == '-';
    if (*at == '-' || *at == '+')
        at++;
    for (int i = 0; i < 3; i++) {
        int32_t limit = i == 0 ? hours_max : 59;
        if (*at < '0' || *at > '9')
            return NULL;
        for (; *at >= '0' && *at <= '9'; at++) {
            parts[i] = parts[i] * 10 + (*at - '0');
            if (parts[i] > limit)
                return NULL;
        }
        if (i == 2 || *at != ':')
            break;
        at++;
    }
    int32_t time_s = parts[0] * HOUR_S + parts[1] * 60 + parts[2];
    if (time_s > hours_max * HOUR_S)
        return NULL;
    *out_s = minus ? -time_s : time_s;
    return at;
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Skips "CET" or "<+0330>"; NULL when there is no name. Names are not kept: nothing shows them. */
static const char *skip_name(const char *at)
{
    bool quoted = *at == '<';
    const char *start = at += quoted;
    while (is_letter(*at) || (quoted && ((*at >= '0' && *at <= '9') || *at == '+' || *at == '-')))
        at++;
    if (at - start < NAME_CHARS_MIN || (quoted && *at != '>'))
        return NULL;
    return at + quoted;
}

static const char *read_number(uint16_t *out, const char *at, uint16_t low, uint16_t high)
{
    uint32_t value = 0;
    if (!at || *at < '0' || *at > '9')
        return NULL;
    for (; *at >= '0' && *at <= '9'; at++) {
        value = value * 10 + (uint32_t)(*at - '0');
        if (value > high)
            return NULL;
    }
    *out = (uint16_t)value;
    return value < low ? NULL : at;
}

static const char *read_dot(const char *at)
{
    return at && *at == '.' ? at + 1 : NULL;
}

/* ",Mm.w.d", ",Jn" or ",n", each with an optional "/time". */
static const char *read_rule(struct agent_zone_rule *out, const char *at)
{
    uint16_t month = 0, week = 0;
    if (*at++ != ',')
        return NULL;
    out->form = *at == 'M' || *at == 'J' ? (uint8_t)*at++ : (uint8_t)'0';
    if (out->form == 'M') {
        at = read_dot(read_number(&month, at, 1, 12));
        at = read_dot(read_number(&week, at, 1, 5));
        at = read_number(&out->day, at, 0, 6);
    } else {
        at = read_number(&out->day, at, out->form == 'J', 365);
    }
    out->month = (uint8_t)month;
    out->week = (uint8_t)week;
    out->time_s = 2 * HOUR_S;
    return at && *at == '/' ? read_time(&out->time_s, at + 1, 167) : at;
}

/* POSIX leaves a missing rule to the system; this is the one that everybody's library takes. */
static const char default_rules[] = ",M3.2.0,M11.1.0";

static bool read_zone(struct agent_zone *out, const char *at)
{
    int32_t west_s;
    at = skip_name(at);
    if (!at || !(at = read_time(&west_s, at, 24)))
        return false;
    out->offset_s = -west_s;
    out->dst_offset_s = out->offset_s;
    if (*at == '\0')
        return true;

    out->has_dst = true;
    out->dst_offset_s = out->offset_s + HOUR_S;
    at = skip_name(at);
    if (at && *at != ',' && *at != '\0') {
        at = read_time(&west_s, at, 24);
        out->dst_offset_s = -west_s;
    }
    if (!at)
        return false;
    at = read_rule(&out->start, *at ? at : default_rules);
    at = at ? read_rule(&out->end, at) : NULL;
    return at && *at == '\0';
}

int agent_zone_parse(struct agent_zone *out, const char *posix_tz)
{
    static const struct agent_zone utc;
    struct agent_zone zone = utc;
    *out = utc;
    if (!posix_tz || *posix_tz == '\0')
        return AGENT_OK;
    if (!read_zone(&zone, posix_tz))
        return AGENT_ERANGE;
    *out = zone;
    return AGENT_OK;
}

/* The day of a rule in a year, in days since 1970-01-01. */
static int64_t rule_day(const struct agent_zone_rule *rule, int64_t year)
{
    if (rule->form != 'M') {
        /* Jn never counts February 29; n counts it and starts at 0. */
        int64_t new_year = agent_date_days(year, 1, 1);
        if (rule->form == '0')
            return new_year + rule->day;
        return new_year + rule->day - 1 + (rule->day >= 60 && agent_leap_year(year));
    }
    int64_t first = agent_date_days(year, rule->month, 1);
    unsigned to_weekday = (rule->day + 7u - agent_days_weekday(first)) % 7;
    unsigned day = to_weekday + 7u * (rule->week - 1u);
    /* Week 5 is the last one, which may be the fourth. */
    if (day >= agent_month_days(year, rule->month))
        day -= 7;
    return first + day;
}

/* The daylight times of three years around a moment, in UTC. */
struct zone_years {
    int64_t start[3], end[3];
    bool over_new_year; /* southern: daylight time begins late in the year and ends in the next */
};

static void zone_years_find(struct zone_years *out, const struct agent_zone *zone, int64_t utc_s)
{
    int64_t year = agent_days_year(agent_floor_div(utc_s, AGENT_DAY_S));
    for (int i = 0; i < 3; i++) {
        /* A rule's time is shown by the clock before the change. */
        out->start[i] = rule_day(&zone->start, year + i - 1) * AGENT_DAY_S + zone->start.time_s -
                        zone->offset_s;
        out->end[i] = rule_day(&zone->end, year + i - 1) * AGENT_DAY_S + zone->end.time_s -
                      zone->dst_offset_s;
    }
    out->over_new_year = out->start[1] > out->end[1];
}

/*
 * A rule near New Year can fall into a neighbouring year of UTC, so the moment's own year is not
 * enough: it is daylight time if it is so by the rules of any of the three years.
 */
static bool is_daylight(const struct zone_years *years, int64_t utc_s)
{
    if (years->over_new_year) {
        return utc_s < years->end[0] || (years->start[0] <= utc_s && utc_s < years->end[1]) ||
               (years->start[1] <= utc_s && utc_s < years->end[2]) || years->start[2] <= utc_s;
    }
    for (int i = 0; i < 3; i++) {
        if (years->start[i] <= utc_s && utc_s < years->end[i])
            return true;
    }
    return false;
}

static int64_t clamp(int64_t utc_s)
{
    if (utc_s > AGENT_ZONE_LIMIT_S)
        return AGENT_ZONE_LIMIT_S;
    return utc_s < -AGENT_ZONE_LIMIT_S ? -AGENT_ZONE_LIMIT_S : utc_s;
}

int32_t agent_zone_offset(const struct agent_zone *zone, int64_t utc_s)
{
    struct zone_years years;
    if (!zone->has_dst)
        return zone->offset_s;
    utc_s = clamp(utc_s);
    zone_years_find(&years, zone, utc_s);
    return is_daylight(&years, utc_s) ? zone->dst_offset_s : zone->offset_s;
}

/* A change that is past matters once more: when the local times that it repeated are over. */
static int64_t earlier_of(int64_t next, int64_t change, int64_t utc_s, int32_t set_back_s)
{
    if (change <= utc_s)
        change += set_back_s;
    return utc_s < change && change < next ? change : next;
}

/* The first moment after utc_s at which the offset changes or a repeated time ends. */
static int64_t next_change(const struct zone_years *years, int64_t utc_s, int32_t set_back_s)
{
    int64_t next = utc_s + WEEK_S;
    for (int i = 0; i < 3; i++) {
        next = earlier_of(next, years->start[i], utc_s, set_back_s);
        next = earlier_of(next, years->end[i], utc_s, set_back_s);
    }
    return next;
}

struct agent_zone_span agent_zone_span(const struct agent_zone *zone, int64_t utc_s)
{
    struct zone_years years;
    utc_s = clamp(utc_s);
    struct agent_zone_span span = {zone->offset_s, false, utc_s + WEEK_S};
    if (!zone->has_dst)
        return span;
    zone_years_find(&years, zone, utc_s);
    bool daylight = is_daylight(&years, utc_s);
    int32_t late_s = daylight ? zone->dst_offset_s : zone->offset_s;
    int32_t early_s = daylight ? zone->offset_s : zone->dst_offset_s;
    span.offset_s = late_s;
    /* The same local time was shown set_back_s ago if the other offset was in force then. */
    int32_t set_back_s = early_s > late_s ? early_s - late_s : 0;
    span.repeated = set_back_s > 0 && is_daylight(&years, utc_s - set_back_s) != daylight;
    span.until_s = next_change(&years, utc_s, set_back_s);
    return span;
}
