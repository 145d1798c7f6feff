/*
 * Maintenance windows: "Sun 02:00-06:00 UTC", "daily 01:00-05:00 local", in a zone given as a POSIX
 * TZ string ("CET-1CEST,M3.5.0,M10.5.0/3"; IEEE 1003.1 section 8.3). Pure functions of UTC time. A
 * start which falls into a DST gap opens at the gap's end; an hour that occurs twice counts once
 * (the first time). A window that ends before it starts runs past midnight. Without a window,
 * nights (22:00-06:00 local) and weekends are preferred.
 */
#ifndef AGENT_WINDOW_H
#define AGENT_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

enum agent_window_kind { AGENT_WINDOW_PREFER_NIGHT, AGENT_WINDOW_WEEKLY, AGENT_WINDOW_DAILY };

struct agent_window {
    enum agent_window_kind kind;
    bool utc;           /* the times are UTC; else local */
    uint8_t weekday;    /* 0 = Sunday .. 6, of the start; weekly only */
    uint16_t start_min; /* minute of the day, 0..1439 */
    uint16_t end_min;   /* not equal to start_min */
};

/* A date rule of a POSIX TZ string. */
struct agent_zone_rule {
    uint8_t form; /* 'M', 'J' or '0' */
    uint8_t month, week;
    uint16_t day;
    int32_t time_s;
};
struct agent_zone {
    int32_t offset_s;     /* east of UTC, standard time */
    int32_t dst_offset_s; /* east of UTC, daylight time */
    bool has_dst;
    struct agent_zone_rule start, end;
};

/* AGENT_OK or AGENT_ERANGE (-4). "" or NULL text gives the preferred nights, and UTC for a zone. */
int agent_window_parse(struct agent_window *out, const char *text);
int agent_zone_parse(struct agent_zone *out, const char *posix_tz);

/* Local minus UTC at this moment, in seconds. */
int32_t agent_zone_offset(const struct agent_zone *zone, int64_t utc_s);

/*
 * True while the window is open at utc_ms. *next_ms (may be NULL) gets the moment of the next
 * change: when it closes if open, when it opens if closed; rounded to whole seconds.
 */
bool agent_window_open(const struct agent_window *window, const struct agent_zone *zone,
                       int64_t utc_ms, int64_t *next_ms);

#endif
