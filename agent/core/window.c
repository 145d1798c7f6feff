/*
 * A window is a set of seconds of the local week or day. It is open at a moment if the local
 * clock's reading is in the set and is not one that the clock has shown already, before it was set
 * back. So
 *
 *     gap      01:59:59 -> 03:00:00   a start at 02:30 opens at 03:00; nothing is left of
 * 02:00-03:00 doubled  02:00 .. 02:59, again  open the first time only, whether all of the window
 * or a part
 *
 * A window never runs past its end on the wall, which is when people come to work.
 */
#include "agent/agent.h"
#include "calendar.h"
#include "zone.h"

enum { MINUTE_S = 60, DAY_MIN = 1440, WEEK_S = 7 * AGENT_DAY_S, CHANGES_MAX = 64 };
enum { FRIDAY = 5, NIGHT_START_MIN = 22 * 60, NIGHT_END_MIN = 6 * 60 };

static const char *skip_text(const char *at, const char *text)
{
    while (at && *text)
        at = *at == *text++ ? at + 1 : NULL;
    return at;
}

static const char *read_weekday(uint8_t *out, const char *at)
{
    static const char names[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    for (uint8_t i = 0; i < 7; i++) {
        const char *end = skip_text(at, names[i]);
        if (end) {
            *out = i;
            return end;
        }
    }
    return NULL;
}

static const char *read_two_digits(uint16_t *out, const char *at)
{
    if (!at || at[0] < '0' || at[0] > '9' || at[1] < '0' || at[1] > '9')
        return NULL;
    *out = (uint16_t)((at[0] - '0') * 10 + (at[1] - '0'));
    return at + 2;
}

/* "hh:mm", 00:00 to 24:00. */
static const char *read_minute(uint16_t *out, const char *at)
{
    uint16_t hour = 0, minute = 0;
    at = skip_text(read_two_digits(&hour, at), ":");
    at = read_two_digits(&minute, at);
    *out = (uint16_t)(hour * 60 + minute);
    return minute < 60 && *out <= DAY_MIN ? at : NULL;
}

static bool read_window(struct agent_window *out, const char *text)
{
    const char *at = skip_text(text, "daily");
    out->kind = at ? AGENT_WINDOW_DAILY : AGENT_WINDOW_WEEKLY;
    if (!at)
        at = read_weekday(&out->weekday, text);
    at = read_minute(&out->start_min, skip_text(at, " "));
    at = read_minute(&out->end_min, skip_text(at, "-"));
    at = skip_text(at, " ");
    const char *utc = skip_text(at, "UTC");
    out->utc = utc != NULL;
    at = utc ? utc : skip_text(at, "local");
    if (!at || *at != '\0' || out->start_min == DAY_MIN)
        return false;
    /* 24:00 is how people write the end of a day. */
    out->end_min %= DAY_MIN;
    return out->start_min != out->end_min;
}

int agent_window_parse(struct agent_window *out, const char *text)
{
    static const struct agent_window prefer_night;
    struct agent_window window = prefer_night;
    *out = prefer_night;
    if (!text || *text == '\0')
        return AGENT_OK;
    if (!read_window(&window, text))
        return AGENT_ERANGE;
    *out = window;
    return AGENT_OK;
}

/* Open for length_s seconds from start_s, again in every period; local seconds, 0 is Sunday 00:00.
 */
struct opening {
    int32_t period_s, start_s, length_s;
};

static struct opening opening_between(int32_t period_s, int32_t day, int32_t start_min,
                                      int32_t end_min)
{
    struct opening opening = {
        period_s,
        day * AGENT_DAY_S + start_min * MINUTE_S,
        (end_min - start_min + (end_min < start_min ? DAY_MIN : 0)) * MINUTE_S,
    };
    return opening;
}

/* Fills the openings of a window, of which at most two exist. Overlapping ones: the longest first.
 */
static int window_openings(struct opening out[2], const struct agent_window *window)
{
    switch (window->kind) {
    case AGENT_WINDOW_WEEKLY:
        out[0] = opening_between(WEEK_S, window->weekday, window->start_min, window->end_min);
        return 1;
    case AGENT_WINDOW_DAILY:
        out[0] = opening_between(AGENT_DAY_S, 0, window->start_min, window->end_min);
        return 1;
    default:
        /* The weekend joins the nights before and after it: Friday 22:00 to Monday 06:00. */
        out[0] = opening_between(WEEK_S, FRIDAY, NIGHT_START_MIN, NIGHT_END_MIN);
        out[0].length_s += 2 * AGENT_DAY_S;
        out[1] = opening_between(AGENT_DAY_S, 0, NIGHT_START_MIN, NIGHT_END_MIN);
        return 2;
    }
}

/* Seconds since the opening's last start, on a clock that is never changed. */
static int32_t since_start(const struct opening *opening, int64_t week_s)
{
    return (int32_t)agent_floor_mod(week_s - opening->start_s, opening->period_s);
}

struct window_view {
    struct opening openings[2];
    int openings_count;
    const struct agent_zone *zone;
};

/* Seconds since a Sunday 00:00 local. 1970-01-04 was a Sunday. */
static int64_t local_week_s(const struct agent_zone_span *span, int64_t utc_s)
{
    return utc_s + span->offset_s - 3 * AGENT_DAY_S;
}

static bool view_open(const struct window_view *view, const struct agent_zone_span *span,
                      int64_t utc_s)
{
    int64_t week_s = local_week_s(span, utc_s);
    if (span->repeated)
        return false;
    for (int i = 0; i < view->openings_count; i++) {
        if (since_start(&view->openings[i], week_s) < view->openings[i].length_s)
            return true;
    }
    return false;
}

/* How long the clock, if it is not changed, leaves the window as it is. */
static int32_t view_steady_s(const struct window_view *view, const struct agent_zone_span *span,
                             int64_t utc_s)
{
    int64_t week_s = local_week_s(span, utc_s);
    int32_t steady_s = INT32_MAX;
    for (int i = 0; i < view->openings_count; i++) {
        const struct opening *opening = &view->openings[i];
        int32_t since_s = since_start(opening, week_s);
        if (since_s < opening->length_s)
            return opening->length_s - since_s;
        if (opening->period_s - since_s < steady_s)
            steady_s = opening->period_s - since_s;
    }
    return steady_s;
}

/*
 * Goes from span to span of steady local time until the state is another. Two changes of the clock
 * a year and a look each week cannot fill CHANGES_MAX. A window of no length, which no text gives,
 * never opens; then the answer is its next start, which is a moment to look again.
 */
static int64_t view_change(const struct window_view *view, struct agent_zone_span span,
                           int64_t utc_s, bool open)
{
    for (int i = 0; i < CHANGES_MAX; i++) {
        if (!span.repeated) {
            int64_t change_s = utc_s + view_steady_s(view, &span, utc_s);
            if (change_s < span.until_s)
                return change_s;
        }
        utc_s = span.until_s;
        span = agent_zone_span(view->zone, utc_s);
        if (view_open(view, &span, utc_s) != open)
            return utc_s;
    }
    return utc_s;
}

bool agent_window_open(const struct agent_window *window, const struct agent_zone *zone,
                       int64_t utc_ms, int64_t *next_ms)
{
    static const struct agent_zone utc;
    struct window_view view;
    int64_t utc_s = agent_floor_div(utc_ms, 1000);
    if (utc_s > AGENT_ZONE_LIMIT_S)
        utc_s = AGENT_ZONE_LIMIT_S;
    if (utc_s < -AGENT_ZONE_LIMIT_S)
        utc_s = -AGENT_ZONE_LIMIT_S;
    view.openings_count = window_openings(view.openings, window);
    view.zone = window->utc ? &utc : zone;
    struct agent_zone_span span = agent_zone_span(view.zone, utc_s);
    bool open = view_open(&view, &span, utc_s);
    if (next_ms)
        *next_ms = view_change(&view, span, utc_s, open) * 1000;
    return open;
}
