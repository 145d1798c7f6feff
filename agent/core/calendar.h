/*
 * The Gregorian calendar in both directions and the one text form of a moment that messages use.
 * Pure functions of integers; private to agent/core.
 */
#ifndef AGENT_CALENDAR_H
#define AGENT_CALENDAR_H

#include <stdbool.h>
#include <stdint.h>

enum { AGENT_DAY_S = 86400 };

/* Quotient and remainder of a floor division, so that times before 1970 fall into the right day. */
int64_t agent_floor_div(int64_t value, int64_t by);
int64_t agent_floor_mod(int64_t value, int64_t by);

bool agent_leap_year(int64_t year);

/* 28..31; month is 1..12. */
unsigned agent_month_days(int64_t year, unsigned month);

/* Days since 1970-01-01 of a date of the proleptic Gregorian calendar. */
int64_t agent_date_days(int64_t year, unsigned month, unsigned day);

/* The year into which a day falls, days counted since 1970-01-01. */
int64_t agent_days_year(int64_t days);

/* 0 = Sunday .. 6, of days since 1970-01-01. */
unsigned agent_days_weekday(int64_t days);

/*
 * ISO 8601 as RFC 3339 narrows it: "2026-03-19T10:00:00Z", with optional fraction (cut to
 * milliseconds), "+01:00" instead of "Z", seconds that may be left out. A moment without a zone is
 * refused, because it names no moment. AGENT_OK or AGENT_ERANGE.
 */
int agent_time_parse(int64_t *out_ms, const char *text, uint32_t len);

#endif
