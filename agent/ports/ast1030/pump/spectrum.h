/*
 * What the vibration is made of: a radix-2 FFT of 512 points in Q15 with a Hann window (Harris
 * 1978), and the strongest line around the shaft's turn and around a bearing's ball pass frequency.
 */
#ifndef PUMP_SPECTRUM_H
#define PUMP_SPECTRUM_H

#include <stdint.h>

enum { SPECTRUM_POINTS = 512 };

struct spectrum_line {
    uint32_t millihertz;
    uint32_t amplitude; /* peak, in the samples' unit */
};

struct spectrum {
    int32_t re[SPECTRUM_POINTS], im[SPECTRUM_POINTS];
};

/* samples: -32768..32767. spectrum is the caller's workspace, and holds the result. */
void spectrum_of(struct spectrum *out, const int16_t samples[SPECTRUM_POINTS]);
/* The strongest line between two frequencies; amplitude 0 when there is none between them. */
struct spectrum_line spectrum_strongest(const struct spectrum *spectrum, uint32_t rate_hz,
                                        uint32_t from_hz, uint32_t to_hz);

#endif
