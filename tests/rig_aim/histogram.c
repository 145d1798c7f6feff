/* Histograms, precision, silence: pure. */
#include "rig/aim.h"
#include <criterion/criterion.h>
#include <stdlib.h>

Test(aim_histogram, bins_are_half_a_millisecond_and_then_sixteen_of_each_doubling)
{
    static const struct {
        int64_t us;
        uint32_t bin;
    } row[] = {{-5, 0},          {0, 0},          {499, 0},      {500, 1},         {127499, 254},
               {127500, 255},    {127999, 255},   {128000, 256}, {135999, 256},    {136000, 257},
               {200000, 265},    {255999, 271},   {256000, 272}, {126975999, 414}, {126976000, 415},
               {131072000, 415}, {INT64_MAX, 415}};
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        struct rig_histogram histogram = {.samples = 0};
        rig_histogram_add(&histogram, row[i].us);
        for (uint32_t bin = 0; bin < RIG_HISTOGRAM_BINS; bin++)
            cr_assert_eq(histogram.bin[bin], bin == row[i].bin, "row %zu, bin %u", i, bin);
        cr_assert_eq(histogram.samples, 1u);
        cr_assert_eq(histogram.least_us, row[i].us < 0 ? 0 : row[i].us);
        cr_assert_eq(histogram.most_us, histogram.least_us);
    }
}

Test(aim_histogram, a_bin_begins_where_the_one_before_ends_and_none_is_wide)
{
    for (uint32_t bin = 0; bin < RIG_HISTOGRAM_BINS; bin++) {
        int64_t from_us = rig_histogram_from_us(bin), to_us = rig_histogram_from_us(bin + 1);
        cr_assert_eq(rig_histogram_bin(from_us), bin);
        cr_assert_eq(rig_histogram_bin(to_us - 1), bin);
        cr_assert(to_us - from_us == 500 || (to_us - from_us) * 16 <= from_us, "bin %u", bin);
    }
}

/* A board that boots in 140 ms, and hung once; a plug of 150 to 300 ms, and a busy network. */
Test(aim_histogram, one_that_was_slow_makes_no_median)
{
    static const int64_t boot_us = 140000, plug_us[] = {150000, 180000, 210000, 240000, 300000};
    struct rig_histogram histogram = {.samples = 0};
    for (int i = 0; i < 9; i++)
        rig_histogram_add(&histogram, boot_us);
    rig_histogram_add(&histogram, 3000000);
    cr_assert_leq(llabs(rig_histogram_quantile(&histogram, 500) - boot_us), boot_us / 16);
    histogram = (struct rig_histogram){.samples = 0};
    for (int i = 0; i < 5; i++)
        rig_histogram_add(&histogram, plug_us[i]);
    rig_histogram_add(&histogram, 2000000);
    int64_t median_us = rig_histogram_quantile(&histogram, 500);
    cr_assert_leq(llabs(median_us - plug_us[2]), plug_us[2] / 16);
    cr_assert_geq(rig_histogram_quantile(&histogram, 950), 1900000);
}

Test(aim_histogram, quantiles_are_by_rank)
{
    struct rig_histogram histogram = {.samples = 0};
    cr_assert_eq(rig_histogram_quantile(&histogram, 500), 0);
    for (int i = 1; i <= 10; i++) /* bins 2, 4, ..., 20 */
        rig_histogram_add(&histogram, i * 1000);
    cr_assert_eq(rig_histogram_quantile(&histogram, 0), 1250);
    cr_assert_eq(rig_histogram_quantile(&histogram, 100), 1250);
    cr_assert_eq(rig_histogram_quantile(&histogram, 101), 2250);
    cr_assert_eq(rig_histogram_quantile(&histogram, 500), 5250);
    cr_assert_eq(rig_histogram_quantile(&histogram, 501), 6250);
    cr_assert_eq(rig_histogram_quantile(&histogram, 900), 9250);
    cr_assert_eq(rig_histogram_quantile(&histogram, 1000), 10250);
    cr_assert_eq(histogram.least_us, 1000);
    cr_assert_eq(histogram.most_us, 10000);
}

Test(aim_histogram, the_last_bin_ends_at_the_most)
{
    struct rig_histogram histogram = {.samples = 0};
    rig_histogram_add(&histogram, 300000000);
    cr_assert_eq(rig_histogram_quantile(&histogram, 500), (126976000 + 300000000) / 2);
    histogram = (struct rig_histogram){.samples = 0};
    rig_histogram_add(&histogram, 127000000);
    cr_assert_eq(rig_histogram_quantile(&histogram, 500), (126976000 + 131072000) / 2);
}

Test(aim_histogram, a_rank_of_very_many_samples_does_not_overflow)
{
    struct rig_histogram histogram = {.samples = UINT64_MAX / 2 + 1};
    histogram.bin[3] = UINT64_MAX / 4;
    histogram.bin[7] = UINT64_MAX / 4 + 1;
    cr_assert_eq(rig_histogram_quantile(&histogram, 499), 3 * 500 + 250);
    cr_assert_eq(rig_histogram_quantile(&histogram, 999), 7 * 500 + 250);
}

Test(aim_precision, counts_what_was_asked_measured_and_late)
{
    struct rig_precision precision = {.cuts = 0};
    rig_precision_add(&precision, 5000, 7000, false);
    rig_precision_add(&precision, 5000, 4000, false);
    rig_precision_add(&precision, 0, 9000, true);
    rig_precision_add(&precision, 5000, -1, true);
    cr_assert_eq(precision.cuts, 4u);
    cr_assert_eq(precision.measured, 3u);
    cr_assert_eq(precision.late, 2u);
    cr_assert_eq(precision.sum_us, 2000 - 1000 + 9000);
    cr_assert_eq(precision.error.samples, 3u);
    cr_assert_eq(precision.error.least_us, 1000);
    cr_assert_eq(precision.error.most_us, 9000);
    cr_assert_eq(rig_histogram_quantile(&precision.error, 500), 2250);
}

Test(aim_silence, is_told_only_when_it_is_sure_and_the_board_was_alive)
{
    static const struct {
        int64_t sent, heard, now;
        enum rig_silence silence;
        int64_t latency;
    } row[] = {
        {10000, 18000, 27999, RIG_SILENCE_NOT_YET, -1}, /* 9.999 ms of silence, 1 ms pauses */
        {10000, 18000, 28000, RIG_SILENCE_TOLD, 8000},  {10000, 10000, 20000, RIG_SILENCE_TOLD, 0},
        {10000, 9500, 20000, RIG_SILENCE_TOLD, 0},     /* gone within its pause */
        {10000, 9500, 19600, RIG_SILENCE_NOT_YET, -1}, /* it may be one of its pauses */
        {10000, 7999, 20000, RIG_SILENCE_USELESS, -1}, /* silent before */
        {10000, 0, 20000, RIG_SILENCE_USELESS, -1},    /* never heard */
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        int64_t latency_us = -1;
        cr_assert_eq(rig_aim_silence(&latency_us, row[i].sent, row[i].heard, row[i].now, 1000),
                     row[i].silence, "row %zu", i);
        cr_assert_eq(latency_us, row[i].latency, "row %zu", i);
    }
}

static const char *bars_of(const struct rig_histogram *histogram, uint32_t rows_max)
{
    static char text[4096];
    FILE *to = fmemopen(text, sizeof text, "w");
    rig_histogram_bars(to, histogram, rows_max);
    fclose(to);
    return text;
}

Test(aim_histogram, bars_begin_at_round_times)
{
    struct rig_histogram histogram = {.samples = 0};
    for (int i = 0; i < 100; i++)
        rig_histogram_add(&histogram, 6300);
    rig_histogram_add(&histogram, 7600); /* one mark, though 1 of 100 is none of 50 */
    for (int i = 0; i < 50; i++)
        rig_histogram_add(&histogram, 8000);
    static const char rows_of_half[] =
        "     6.0 ms  ##################################################  100\n"
        "     6.5 ms  0\n"
        "     7.0 ms  0\n"
        "     7.5 ms  #  1\n"
        "     8.0 ms  #########################  50\n";
    cr_assert_str_eq(bars_of(&histogram, 6), rows_of_half);
    static const char rows_of_two[] =
        "     6.0 ms  ##################################################  101\n"
        "     8.0 ms  #########################  50\n";
    cr_assert_str_eq(bars_of(&histogram, 3), rows_of_two);
}

Test(aim_histogram, bars_say_that_the_last_has_no_end)
{
    struct rig_histogram histogram = {.samples = 0};
    rig_histogram_bars(stdout, &histogram, 10);
    rig_histogram_add(&histogram, 200000);
    cr_assert_str_eq(bars_of(&histogram, 10),
                     "   200.0 ms  ##################################################  1\n");
    histogram = (struct rig_histogram){.samples = 0};
    rig_histogram_add(&histogram, 900000000);
    cr_assert_str_eq(bars_of(&histogram, 10),
                     "  126976.0 ms+ ##################################################  1\n");
}

Test(aim_histogram, any_two_samples_fit_into_the_rows)
{
    for (uint32_t from = 0; from < RIG_HISTOGRAM_BINS; from += 5)
        for (uint32_t to = from; to < RIG_HISTOGRAM_BINS; to += 3)
            for (uint32_t rows = 3; rows < 30; rows += 4) {
                struct rig_histogram histogram = {.samples = 0};
                uint32_t lines = 0, counted = 0;
                rig_histogram_add(&histogram, rig_histogram_from_us(from));
                rig_histogram_add(&histogram, rig_histogram_from_us(to));
                for (const char *at = bars_of(&histogram, rows); *at; at++)
                    if (*at == '\n') {
                        lines++;
                        counted += (uint32_t)(at[-1] - '0');
                    }
                cr_assert_leq(lines, rows, "from %d to %d", from, to);
                cr_assert_eq(counted, 2u, "from %d to %d in %u", from, to, rows);
            }
}
