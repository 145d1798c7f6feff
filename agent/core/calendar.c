#include "calendar.h"
#include "agent/agent.h"

int64_t agent_floor_div(int64_t value, int64_t by)
{
    return value / by - (value % by < 0);
}

int64_t agent_floor_mod(int64_t value, int64_t by)
{
    int64_t rest = value % by;
    return rest < 0 ? rest + by : rest;
}

bool agent_leap_year(int64_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

unsigned agent_month_days(int64_t year, unsigned month)
{
    static const uint8_t days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return month == 2 && agent_leap_year(year) ? 29u : days[month - 1];
}

/*
 * Years are counted from March, so that the leap day is the last of its year; then a year's days
 * are a straight line (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms",
 * days_from_civil). 719,468 is the number of days from 0000-03-01 to 1970-01-01.
 */
int64_t agent_date_days(int64_t year, unsigned month, unsigned day)
{
    int64_t from_march = year - (month <= 2);
    int64_t era = agent_floor_div(from_march, 400);
    int64_t year_of_era = from_march - era * 400;
    int64_t day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

int64_t agent_days_year(int64_t days)
{
    /* The mean year is 365.2425 days: the guess is at most one year off, on either side. */
    int64_t year =
        1970 + agent_floor_div(days, 146097) * 400 + agent_floor_mod(days, 146097) * 400 / 146097;
    if (agent_date_days(year, 1, 1) > days)
        return year - 1;
    return agent_date_days(year + 1, 1, 1) <= days ? year + 1 : year;
}

unsigned agent_days_weekday(int64_t days)
{
    /* 1970-01-01 was a Thursday. */
    return (unsigned)agent_floor_mod(days + 4, 7);
}

struct time_text {
    const char *at, *end;
    bool bad;
};

/* Exactly `count` digits, of a value in low..high. */
static unsigned take_number(struct time_text *text, unsigned count, unsigned low, unsigned high)
{
    unsigned value = 0;
    while (count--) {
        if (text->at == text->end || *text->at < '0' || *text->at > '9') {
            text->bad = true;
            return low;
        }
        value = value * 10 + (unsigned)(*text->at++ - '0');
    }
    text->bad |= value < low || value > high;
    return text->bad ? low : value;
}

static bool take_if(struct time_text *text, char expected)
{
    if (text->at == text->end || *text->at != expected)
        return false;
    text->at++;
    return true;
}

static void take(struct time_text *text, char expected)
{
    text->bad |= !take_if(text, expected);
}

/* The digits after the point, as milliseconds; finer ones are cut, but have to be digits. */
static int64_t take_fraction_ms(struct time_text *text)
{
    int64_t ms = 0, weight = 100;
    if (!take_if(text, '.'))
        return 0;
    do {
        ms += weight * take_number(text, 1, 0, 9);
        weight /= 10;
    } while (!text->bad && text->at < text->end && *text->at >= '0' && *text->at <= '9');
    return ms;
}

static int64_t take_zone_s(struct time_text *text)
{
    if (take_if(text, 'Z'))
        return 0;
    bool west = take_if(text, '-');
    if (!west)
        take(text, '+');
    int64_t offset_s = take_number(text, 2, 0, 23) * 3600;
    take(text, ':');
    offset_s += take_number(text, 2, 0, 59) * 60;
    return west ? -offset_s : offset_s;
}

int agent_time_parse(int64_t *out_ms, const char *chars, uint32_t len)
{
    struct time_text text = {chars, chars + len, false};
    unsigned year = take_number(&text, 4, 0, 9999);
    take(&text, '-');
    unsigned month = take_number(&text, 2, 1, 12);
    take(&text, '-');
    unsigned day = take_number(&text, 2, 1, agent_month_days(year, month));
    take(&text, 'T');
    int64_t second = take_number(&text, 2, 0, 23) * 3600;
    take(&text, ':');
    second += take_number(&text, 2, 0, 59) * 60;
    int64_t fraction_ms = 0;
    if (take_if(&text, ':')) {
        /* 60 is a leap second (RFC 3339, 5.7); POSIX time has no name for it but the next second.
         */
        second += take_number(&text, 2, 0, 60);
        fraction_ms = take_fraction_ms(&text);
    }
    second -= take_zone_s(&text);
    if (text.bad || text.at != text.end)
        return AGENT_ERANGE;
    *out_ms = (agent_date_days(year, month, day) * AGENT_DAY_S + second) * 1000 + fraction_ms;
    return AGENT_OK;
}
