#include "share.h"
#include <criterion/criterion.h>

static struct scn_shares shares_of(const struct scn_ratio *ratio, uint32_t count)
{
    struct scn_shares shares = {.count = count};
    for (uint32_t i = 0; i < count; i++)
        shares.share[i].share = ratio[i];
    return shares;
}

Test(scn_shares, largest_remainder_gives_exact_counts)
{
    static const struct {
        uint32_t parts;
        struct scn_ratio ratio[3];
        uint32_t n, expect[3];
    } rows[] = {
        {2, {{60, 100}, {40, 100}}, 5000, {3000, 2000, 0}},
        {3, {{1, 3}, {1, 3}, {1, 3}}, 10, {4, 3, 3}},         /* ties: the earlier first */
        {3, {{50, 100}, {35, 100}, {15, 100}}, 7, {4, 2, 1}}, /* 3.5 2.45 1.05 */
        {2, {{999, 1000}, {1, 1000}}, 100, {100, 0, 0}},
        {2, {{1, 2}, {1, 2}}, 1, {1, 0, 0}},
        {3, {{1, 3}, {1, 3}, {1, 3}}, 0, {0, 0, 0}},
        {2, {{1, 5000}, {4999, 5000}}, 1000000, {200, 999800, 0}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct scn_shares shares = shares_of(rows[i].ratio, rows[i].parts);
        uint32_t out[SCN_SHARES_MAX] = {0};
        scn_shares_apportion(&shares, rows[i].n, out);
        for (uint32_t p = 0; p < rows[i].parts; p++)
            cr_expect_eq(out[p], rows[i].expect[p], "row %zu part %u: %u", i, p, out[p]);
    }
}

Test(scn_shares, counts_add_up_for_every_n)
{
    static const struct scn_ratio ratio[] = {{1, 7}, {2, 7}, {33, 100}, {69, 700}, {1, 7}};
    struct scn_shares shares = shares_of(ratio, 5);
    cr_assert(scn_shares_are_whole(&shares));
    for (uint32_t n = 0; n < 2000; n++) {
        uint32_t out[SCN_SHARES_MAX] = {0}, sum = 0;
        scn_shares_apportion(&shares, n, out);
        for (uint32_t i = 0; i < 5; i++) {
            int64_t low = ratio[i].num * n / ratio[i].den;
            cr_assert(out[i] == low || out[i] == low + 1, "n %u part %u: %u", n, i, out[i]);
            sum += out[i];
        }
        cr_assert_eq(sum, n);
    }
}

Test(scn_shares, whole_means_exactly_one)
{
    static const struct {
        uint32_t parts;
        struct scn_ratio ratio[3];
        bool whole;
    } rows[] = {
        {1, {{1, 1}}, true},
        {3, {{1, 3}, {1, 3}, {1, 3}}, true},
        {3, {{333333333, 1000000000}, {333333333, 1000000000}, {333333334, 1000000000}}, true},
        {2, {{70, 100}, {20, 100}}, false},
        {2, {{70, 100}, {31, 100}}, false},
        {3, {{1, 999999937}, {1, 999999929}, {1, 999999893}}, false}, /* too fine to add up */
        {1, {{0, 100}}, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct scn_shares shares = shares_of(rows[i].ratio, rows[i].parts);
        cr_expect_eq(scn_shares_are_whole(&shares), rows[i].whole, "row %zu", i);
    }
}

Test(scn_shares, cohorts_are_rounded_up)
{
    static const struct {
        struct scn_ratio share;
        uint32_t n, ceil, round;
    } rows[] = {
        {{1, 100}, 5000, 50, 50},
        {{10, 100}, 5000, 500, 500},
        {{1, 100}, 101, 2, 1},
        {{1, 100}, 1, 1, 0},
        {{100, 100}, 7, 7, 7},
        {{0, 100}, 7, 0, 0},
        {{1, 2}, 3, 2, 2},
        {{1, 1000000000}, 1000000, 1, 0},
        {{999999999, 1000000000}, 1000000, 1000000, 1000000},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cr_expect_eq(scn_ratio_ceil(rows[i].share, rows[i].n), rows[i].ceil, "row %zu", i);
        cr_expect_eq(scn_ratio_round(rows[i].share, rows[i].n), rows[i].round, "row %zu", i);
    }
}
