/* A histogram as text. Pure, but for the file that it is written to. */
#include "rig/aim.h"
#include <assert.h>
#include <inttypes.h>

enum { WIDTH = 50 };

/* Bins a row holds: 1, 2, 4, .. 128, so that rows begin where a doubling does. */
static uint32_t bins_a_row(uint32_t bins, uint32_t rows_max)
{
    uint32_t step = 1;
    while (step < RIG_HISTOGRAM_BINS && (bins + step - 1) / step + 1 > rows_max)
        step *= 2;
    return step;
}

static uint64_t sum(const struct rig_histogram *histogram, uint32_t from, uint32_t bins)
{
    uint64_t all = 0;
    for (uint32_t i = from; i < from + bins && i < RIG_HISTOGRAM_BINS; i++)
        all += histogram->bin[i];
    return all;
}

/* At least one mark where there is anything at all. */
static int marks(uint64_t count, uint64_t most)
{
    int wide = (int)((double)count * WIDTH / (double)most + 0.5);
    return count && !wide ? 1 : wide;
}

void rig_histogram_bars(FILE *to, const struct rig_histogram *histogram, uint32_t rows_max)
{
    static const char bar[] = "##################################################";
    _Static_assert(sizeof bar == WIDTH + 1, "as long as the longest");
    assert(to && histogram && rows_max >= 3);
    uint32_t first = 0, last = RIG_HISTOGRAM_BINS - 1;
    if (!histogram->samples)
        return;
    while (first < last && !histogram->bin[first])
        first++;
    while (last > first && !histogram->bin[last])
        last--;
    uint32_t step = bins_a_row(last - first + 1, rows_max);
    uint64_t most = 0;
    for (uint32_t at = first / step * step; at <= last; at += step)
        most = sum(histogram, at, step) > most ? sum(histogram, at, step) : most;
    for (uint32_t at = first / step * step; at <= last; at += step) {
        uint64_t count = sum(histogram, at, step);
        int wide = marks(count, most);
        fprintf(to, "  %6.1f ms%s%.*s%s%" PRIu64 "\n", (double)rig_histogram_from_us(at) / 1e3,
                at + step >= RIG_HISTOGRAM_BINS ? "+ " : "  ", wide, bar, wide ? "  " : "", count);
    }
}
