#include "smooth.h"

static int32_t median(const int32_t tap[SMOOTH_TAPS])
{
    int32_t sorted[SMOOTH_TAPS];
    for (int i = 0; i < SMOOTH_TAPS; i++) {
        int at = i;
        for (; at > 0 && sorted[at - 1] > tap[i]; at--)
            sorted[at] = sorted[at - 1];
        sorted[at] = tap[i];
    }
    return sorted[SMOOTH_TAPS / 2];
}

void smooth_put(struct smooth *smooth, int32_t value)
{
    if (!smooth->count) {
        for (int i = 0; i < SMOOTH_TAPS; i++)
            smooth->tap[i] = value;
        smooth->average_x8 = value * 8;
    }
    smooth->tap[smooth->count++ % SMOOTH_TAPS] = value;
    smooth->average_x8 += median(smooth->tap) - smooth->average_x8 / 8;
}

int32_t smooth_value(const struct smooth *smooth)
{
    return smooth->average_x8 / 8;
}
