/* One turn of a sine in 512 points, Q15: round(32767 * sin(2 pi i / 512)). */
#ifndef PUMP_SINE_H
#define PUMP_SINE_H

#include <stdint.h>

enum { SINE_POINTS = 512, SINE_SHIFT = 32 - 9 /* of a phase of 32 bits */ };
extern const int16_t sine_table[SINE_POINTS];

static inline int32_t sine_of(uint32_t point)
{
    return sine_table[point % SINE_POINTS];
}

#endif
