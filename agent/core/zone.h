/*
 * What the window arithmetic asks of a zone: how local time runs around a moment, and until when it
 * goes on like that. Private to agent/core.
 */
#ifndef AGENT_ZONE_H
#define AGENT_ZONE_H

#include "agent/window.h"

/*
 * Moments are clamped to this many seconds on either side of 1970 (285 million years), so that no
 * sum of a moment and an offset overflows, in seconds or in milliseconds.
 */
#define AGENT_ZONE_LIMIT_S INT64_C(9000000000000000)

struct agent_zone_span {
    int32_t offset_s; /* local minus UTC */
    bool repeated;    /* the clock was set back: this local time was shown before */
    int64_t until_s;  /* both stay as they are until here, and perhaps longer */
};

/* The span around a moment; until_s is later than utc_s, by a week at most. */
struct agent_zone_span agent_zone_span(const struct agent_zone *zone, int64_t utc_s);

#endif
