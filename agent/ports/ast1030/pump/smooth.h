/* Flow without its spikes: the median of five readings, then an average that forgets by an eighth.
 */
#ifndef PUMP_SMOOTH_H
#define PUMP_SMOOTH_H

#include <stdint.h>

enum { SMOOTH_TAPS = 5 };
struct smooth {
    int32_t tap[SMOOTH_TAPS];
    uint32_t count; /* readings so far */
    int32_t average_x8;
};

void smooth_put(struct smooth *smooth, int32_t value);
int32_t smooth_value(const struct smooth *smooth); /* 0 before the first reading */

#endif
