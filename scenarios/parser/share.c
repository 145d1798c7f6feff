#include "share.h"
#include <assert.h>

static int64_t common_divisor(int64_t a, int64_t b)
{
    while (b) {
        int64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

bool scn_shares_are_whole(const struct scn_shares *shares)
{
    int64_t num = 0, den = 1; /* the sum so far, reduced; what overflows adds up to nothing sane */
    for (uint32_t i = 0; i < shares->count; i++) {
        struct scn_ratio share = shares->share[i].share;
        int64_t divisor = common_divisor(den, share.den);
        int64_t left, right, sum, below;
        if (__builtin_mul_overflow(num, share.den / divisor, &left) ||
            __builtin_mul_overflow(share.num, den / divisor, &right) ||
            __builtin_add_overflow(left, right, &sum) ||
            __builtin_mul_overflow(den, share.den / divisor, &below))
            return false;
        divisor = common_divisor(sum, below);
        num = sum / divisor;
        den = below / divisor;
    }
    return num == den;
}

uint32_t scn_ratio_ceil(struct scn_ratio share, uint32_t n)
{
    assert(share.den > 0 && share.num >= 0 && share.num <= share.den);
    return (uint32_t)((share.num * (int64_t)n + share.den - 1) / share.den);
}

uint32_t scn_ratio_round(struct scn_ratio share, uint32_t n)
{
    return (uint32_t)((2 * share.num * (int64_t)n + share.den) / (2 * share.den));
}

/* Whether a's remainder of n is larger than b's. */
static bool remainder_larger(struct scn_ratio a, struct scn_ratio b, uint32_t n)
{
    int64_t left = a.num * (int64_t)n % a.den, right = b.num * (int64_t)n % b.den;
    return left * b.den > right * a.den;
}

void scn_shares_apportion(const struct scn_shares *shares, uint32_t n, uint32_t *out_count)
{
    bool raised[SCN_SHARES_MAX] = {false};
    uint32_t left = n;
    for (uint32_t i = 0; i < shares->count; i++) {
        struct scn_ratio share = shares->share[i].share;
        out_count[i] = (uint32_t)(share.num * (int64_t)n / share.den);
        left -= out_count[i];
    }
    /* Fewer are left than there are shares, because each lost less than one. */
    for (; left; left--) {
        uint32_t best = SCN_SHARES_MAX;
        for (uint32_t i = 0; i < shares->count; i++)
            if (!raised[i] &&
                (best == SCN_SHARES_MAX ||
                 remainder_larger(shares->share[i].share, shares->share[best].share, n)))
                best = i;
        assert(best < SCN_SHARES_MAX);
        raised[best] = true;
        out_count[best]++;
    }
}
