/* Whether a board prints without a pause: from the times at which its console was read. Pure. */
#ifndef RIG_CALIBRATE_TALK_H
#define RIG_CALIBRATE_TALK_H

#include "rig/aim.h"

struct talk {
    int64_t last_us, since_us; /* last read; since when there was no gap; 0: nothing yet */
    int64_t window_us;         /* when the window that is measured began; 0: none */
    struct rig_histogram pauses;
    int64_t best_us; /* the 95 of 100 pause of the best window so far; 0: none was over */
};

void talk_begin(struct talk *talk); /* power is on: nothing was heard */
/* Bytes came. A pause goes to the histogram of the window. */
void talk_hear(struct talk *talk, int64_t now_us);
/* It has printed for a while without a gap, until now. */
bool talk_is_steady(const struct talk *talk, int64_t now_us);
/* A window of 1 s is over: true if its pauses are short enough, and they are in talk->pauses; else
 * the next one begins. */
bool talk_is_measured(struct talk *talk, int64_t now_us);
/* What a pause is taken for: 99 of 100, from 1 ms to the longest that is accepted. */
int64_t talk_quiet_us(const struct talk *talk);

#endif
