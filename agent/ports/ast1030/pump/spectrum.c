#include "spectrum.h"
#include "sine.h"

enum { STAGES = 9, Q15 = 15 };
_Static_assert(1 << STAGES == (int)SPECTRUM_POINTS, "radix 2");
_Static_assert((int)SINE_POINTS == (int)SPECTRUM_POINTS, "the twiddles are the table");

static int32_t cosine_of(uint32_t point)
{
    return sine_of(point + SINE_POINTS / 4);
}

static int32_t times(int32_t a, int32_t q15)
{
    return (int32_t)(((int64_t)a * q15) >> Q15);
}

/* Hann: (1 - cos) / 2. Samples are taken with 8 more bits, so that nine halvings keep them. */
static int32_t windowed(int16_t sample, uint32_t at)
{
    int32_t weight = (32767 - cosine_of(at)) / 2;
    return times(sample * 256, weight);
}

static uint32_t reversed(uint32_t index)
{
    uint32_t out = 0;
    for (int bit = 0; bit < STAGES; bit++, index >>= 1)
        out = out << 1 | (index & 1);
    return out;
}

/* One butterfly, halved so that nothing overflows: the result is the transform over 512. */
static void butterfly(struct spectrum *s, uint32_t a, uint32_t b, uint32_t turn)
{
    int32_t cos = cosine_of(turn), sin = -sine_of(turn);
    int32_t re = times(s->re[b], cos) - times(s->im[b], sin);
    int32_t im = times(s->re[b], sin) + times(s->im[b], cos);
    s->re[b] = (s->re[a] - re) / 2;
    s->im[b] = (s->im[a] - im) / 2;
    s->re[a] = (s->re[a] + re) / 2;
    s->im[a] = (s->im[a] + im) / 2;
}

void spectrum_of(struct spectrum *out, const int16_t samples[SPECTRUM_POINTS])
{
    for (uint32_t i = 0; i < SPECTRUM_POINTS; i++) {
        out->re[reversed(i)] = windowed(samples[i], i);
        out->im[reversed(i)] = 0;
    }
    for (uint32_t half = 1; half < SPECTRUM_POINTS; half *= 2)
        for (uint32_t from = 0; from < SPECTRUM_POINTS; from += 2 * half)
            for (uint32_t k = 0; k < half; k++)
                butterfly(out, from + k, from + k + half, k * (SPECTRUM_POINTS / 2 / half));
}

static uint32_t root_of(uint64_t square)
{
    uint64_t root = 0;
    for (uint64_t bit = 1ull << 31; bit; bit >>= 1)
        if ((root + bit) * (root + bit) <= square)
            root += bit;
    return (uint32_t)root;
}

/* Of a line that falls between two points, the larger one's part: at most 15 % too low. A sine's
 * amplitude is shared by two lines, and the window takes half: four times, less the 8 bits. */
struct spectrum_line spectrum_strongest(const struct spectrum *spectrum, uint32_t rate_hz,
                                        uint32_t from_hz, uint32_t to_hz)
{
    uint64_t most = 0;
    uint32_t at = 0, from = from_hz * SPECTRUM_POINTS / rate_hz + 1;
    for (uint32_t i = from; i < SPECTRUM_POINTS / 2 && i * rate_hz <= to_hz * SPECTRUM_POINTS;
         i++) {
        uint64_t power = (uint64_t)((int64_t)spectrum->re[i] * spectrum->re[i]) +
                         (uint64_t)((int64_t)spectrum->im[i] * spectrum->im[i]);
        if (power > most) {
            most = power;
            at = i;
        }
    }
    return (struct spectrum_line){
        .millihertz = (uint32_t)((uint64_t)at * rate_hz * 1000 / SPECTRUM_POINTS),
        .amplitude = root_of(most) * 4 / 256,
    };
}
