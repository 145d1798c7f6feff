/* Histograms, precision, and what a console's silence tells. Pure. */
#include "rig/aim.h"
#include <assert.h>

/* Of each doubling from FINE on; FINE is SHARES << SHIFT. */
enum { SHARES = 16, SHIFT = 4 };
_Static_assert(SHARES << SHIFT == RIG_HISTOGRAM_FINE, "the first doubling begins where they end");

uint32_t rig_histogram_bin(int64_t us)
{
    int64_t fine = us < 0 ? 0 : us / RIG_HISTOGRAM_FINE_US;
    uint32_t doublings = 0;
    if (fine < RIG_HISTOGRAM_FINE)
        return (uint32_t)fine;
    while (fine >> doublings >= 2 * RIG_HISTOGRAM_FINE)
        doublings++;
    uint32_t share = (uint32_t)(fine >> (doublings + SHIFT)) - SHARES;
    uint32_t bin = RIG_HISTOGRAM_FINE + doublings * SHARES + share;
    return bin < RIG_HISTOGRAM_BINS ? bin : RIG_HISTOGRAM_BINS - 1;
}

int64_t rig_histogram_from_us(uint32_t bin)
{
    assert(bin <= RIG_HISTOGRAM_BINS);
    if (bin < RIG_HISTOGRAM_FINE)
        return (int64_t)bin * RIG_HISTOGRAM_FINE_US;
    uint32_t doublings = (bin - RIG_HISTOGRAM_FINE) / SHARES;
    int64_t share = SHARES + (bin - RIG_HISTOGRAM_FINE) % SHARES;
    return (share << (doublings + SHIFT)) * RIG_HISTOGRAM_FINE_US;
}

void rig_histogram_add(struct rig_histogram *histogram, int64_t us)
{
    assert(histogram);
    int64_t taken = us < 0 ? 0 : us;
    histogram->bin[rig_histogram_bin(taken)]++;
    if (!histogram->samples || taken < histogram->least_us)
        histogram->least_us = taken;
    if (!histogram->samples || taken > histogram->most_us)
        histogram->most_us = taken;
    histogram->samples++;
}

static int64_t middle(const struct rig_histogram *histogram, uint32_t bin)
{
    int64_t from = rig_histogram_from_us(bin), to = rig_histogram_from_us(bin + 1);
    if (bin == RIG_HISTOGRAM_BINS - 1 && histogram->most_us > to)
        to = histogram->most_us;
    return from + (to - from) / 2;
}

/* The first bin with which at least samples * per_mille / 1000 of them, and at least one, are at or
 * below. Whole thousands and the rest apart, so that no number of samples overflows. */
int64_t rig_histogram_quantile(const struct rig_histogram *histogram, uint32_t per_mille)
{
    assert(histogram && per_mille <= 1000);
    uint64_t rest = histogram->samples % 1000;
    uint64_t rank = histogram->samples / 1000 * per_mille + (rest * per_mille + 999) / 1000;
    uint64_t below = 0;
    if (!rank)
        rank = 1;
    for (uint32_t bin = 0; bin < RIG_HISTOGRAM_BINS; bin++) {
        below += histogram->bin[bin];
        if (below >= rank)
            return middle(histogram, bin);
    }
    return 0;
}

enum rig_silence rig_aim_silence(int64_t *latency_us, int64_t sent_us, int64_t heard_us,
                                 int64_t now_us, int64_t quiet_us)
{
    assert(latency_us && quiet_us > 0);
    int64_t silent_us = 10 * quiet_us;
    if (now_us - heard_us < silent_us || now_us - sent_us < silent_us)
        return RIG_SILENCE_NOT_YET;
    if (heard_us < sent_us - 2 * quiet_us)
        return RIG_SILENCE_USELESS;
    *latency_us = heard_us > sent_us ? heard_us - sent_us : 0;
    return RIG_SILENCE_TOLD;
}

void rig_precision_add(struct rig_precision *precision, int64_t asked_us, int64_t got_us,
                       bool was_late)
{
    assert(precision);
    precision->cuts++;
    precision->late += was_late;
    if (got_us < 0)
        return;
    int64_t error_us = got_us - asked_us;
    precision->measured++;
    precision->sum_us += error_us;
    rig_histogram_add(&precision->error, error_us < 0 ? -error_us : error_us);
}
