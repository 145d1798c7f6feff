#include "talk.h"
#include "rig/calibrate.h"

/* What a busy host makes of a board that prints each millisecond is longer than its pauses: a gap
 * is what no such board has. */
enum { GAP_US = 50000, STEADY_US = 200000, WINDOW_US = 1000000, READS_MIN = 100 };
enum { QUIET_US_MIN = 1000 };

void talk_begin(struct talk *talk)
{
    talk->last_us = talk->since_us = talk->window_us = 0;
}

void talk_hear(struct talk *talk, int64_t now_us)
{
    if (!talk->last_us || now_us - talk->last_us > GAP_US)
        talk->since_us = now_us;
    if (talk->window_us && talk->last_us >= talk->window_us)
        rig_histogram_add(&talk->pauses, now_us - talk->last_us);
    talk->last_us = now_us;
}

bool talk_is_steady(const struct talk *talk, int64_t now_us)
{
    return talk->last_us && now_us - talk->last_us <= GAP_US &&
           talk->last_us - talk->since_us >= STEADY_US;
}

static void begin_window(struct talk *talk, int64_t now_us)
{
    talk->window_us = now_us;
    talk->pauses = (struct rig_histogram){.samples = 0};
}

bool talk_is_measured(struct talk *talk, int64_t now_us)
{
    if (!talk->last_us)
        return false;
    if (!talk->window_us)
        begin_window(talk, now_us);
    if (now_us - talk->window_us < WINDOW_US)
        return false;
    /* A pause that is not over yet belongs to it, too. */
    if (now_us - talk->last_us > GAP_US)
        rig_histogram_add(&talk->pauses, now_us - talk->last_us);
    int64_t pause_us = rig_histogram_quantile(&talk->pauses, 950);
    if (!talk->best_us || pause_us < talk->best_us)
        talk->best_us = pause_us;
    if (talk->pauses.samples >= READS_MIN && pause_us <= RIG_CALIBRATE_PAUSE_US_MAX)
        return true;
    begin_window(talk, now_us);
    return false;
}

int64_t talk_quiet_us(const struct talk *talk)
{
    int64_t us = rig_histogram_quantile(&talk->pauses, 990);
    return us < QUIET_US_MIN                 ? QUIET_US_MIN
           : us > RIG_CALIBRATE_PAUSE_US_MAX ? RIG_CALIBRATE_PAUSE_US_MAX
                                             : us;
}
