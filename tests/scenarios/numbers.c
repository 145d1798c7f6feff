#include "number.h"
#include <criterion/criterion.h>

Test(scn_number, ratios_are_exact_as_written)
{
    static const struct {
        const char *in;
        int64_t num, den;
    } rows[] = {
        {"2%", 2, 100},         {"0.05%", 5, 10000},
        {"1/5000", 1, 5000},    {"0", 0, 1},
        {"100%", 100, 100},     {"+1%", 1, 100},
        {"-0.5%", -5, 1000},    {"33.3333333%", 333333333, 1000000000},
        {"02.50%", 250, 10000}, {"3/2", 3, 2},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct scn_ratio out = {0, 0};
        cr_expect(scn_ratio_parse(rows[i].in, &out), "%s", rows[i].in);
        cr_expect(out.num == rows[i].num && out.den == rows[i].den, "%s: %lld/%lld", rows[i].in,
                  (long long)out.num, (long long)out.den);
    }
}

Test(scn_number, what_is_no_ratio_is_refused)
{
    static const char *const rows[] = {
        "",      "%",     "1",           "0.5",         "1/0",           "1/-2",
        "1.5/2", "1/2.0", "2 %",         "2%%",         "--2%",          "2e1%",
        "nan",   "1/",    "0x2%",        "2%x",         ".5%",           "5.%",
        "0.0",   " 2%",   "0.12345678%", "9999999999%", "1/99999999999", "1000000000000000000000%"};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct scn_ratio out = {7, 7};
        cr_expect_not(scn_ratio_parse(rows[i], &out), "'%s'", rows[i]);
        cr_expect(out.num == 7 && out.den == 7, "'%s' was written", rows[i]);
    }
}

Test(scn_number, durations_are_whole_microseconds)
{
    static const struct {
        const char *in;
        bool ok;
        int64_t us;
    } rows[] = {
        {"90s", true, 90000000},
        {"15m", true, 900000000},
        {"48h", true, 172800000000},
        {"7d", true, 604800000000},
        {"1.5h", true, 5400000000},
        {"0", true, 0},
        {"250ms", true, 250000},
        {"3us", true, 3},
        {"-5s", true, -5000000},
        {"0.5us", false, 0},
        {"5", false, 0},
        {"5 s", false, 0},
        {"5S", false, 0},
        {"h", false, 0},
        {"1h30m", false, 0},
        {"999999999999999999d", false, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t us = 0;
        cr_expect_eq(scn_duration_parse(rows[i].in, &us), rows[i].ok, "%s", rows[i].in);
        cr_expect_eq(us, rows[i].us, "%s", rows[i].in);
    }
}

Test(scn_number, sizes_are_bytes_in_binary_units)
{
    static const struct {
        const char *in;
        bool ok;
        int64_t bytes;
    } rows[] = {
        {"256", true, 256},         {"512KiB", true, 524288}, {"4MiB", true, 4194304},
        {"1GiB", true, 1073741824}, {"0.5KiB", true, 512},    {"-4KiB", true, -4096},
        {"4KB", false, 0},          {"4kib", false, 0},       {"", false, 0},
        {"0.3", false, 0},          {"4 MiB", false, 0},      {"99999999999999999GiB", false, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t bytes = 0;
        cr_expect_eq(scn_size_parse(rows[i].in, &bytes), rows[i].ok, "%s", rows[i].in);
        cr_expect_eq(bytes, rows[i].bytes, "%s", rows[i].in);
    }
}

Test(scn_number, times_are_utc_microseconds)
{
    static const struct {
        const char *in;
        int64_t us;
    } rows[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"2000-02-29T12:00:00Z", 951825600000000},
        {"2026-03-19T10:00:00Z", 1773914400000000},
        {"2026-03-19T11:00:00+01:00", 1773914400000000},
        {"2026-03-19T04:30:00-05:30", 1773914400000000},
        {"2026-03-19T10:00:00.25Z", 1773914400250000},
        {"2199-12-31T23:59:59Z", 7258118399000000},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t us = -1;
        cr_expect(scn_time_parse(rows[i].in, &us), "%s", rows[i].in);
        cr_expect_eq(us, rows[i].us, "%s: %lld", rows[i].in, (long long)us);
    }
}

Test(scn_number, impossible_times_are_refused)
{
    static const char *const rows[] = {
        "2026-02-29T10:00:00Z",      "2100-02-29T10:00:00Z", "2026-13-01T10:00:00Z",
        "2026-00-01T10:00:00Z",      "2026-04-31T10:00:00Z", "2026-01-01T24:00:00Z",
        "2026-01-01T10:60:00Z",      "2026-01-01T10:00:60Z", "2026-01-01 10:00:00Z",
        "2026-01-01T10:00:00",       "2026-01-01",           "1969-12-31T23:59:59Z",
        "2200-01-01T00:00:00Z",      "2026-1-1T10:00:00Z",   "2026-01-01T10:00:00.Z",
        "2026-01-01T10:00:00+15:00", "2026-01-01T10:00:00Zx"};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t us = 7;
        cr_expect_not(scn_time_parse(rows[i], &us), "%s", rows[i]);
        cr_expect_eq(us, 7);
    }
}

Test(scn_number, whole_numbers_take_all_of_64_bits_and_no_more)
{
    uint64_t out = 7;
    cr_expect(scn_u64_parse("18446744073709551615", &out));
    cr_expect_eq(out, UINT64_MAX);
    cr_expect_not(scn_u64_parse("18446744073709551616", &out));
    cr_expect_not(scn_u64_parse("", &out));
    cr_expect_not(scn_u64_parse("-1", &out));
    cr_expect_not(scn_u64_parse("1.0", &out));
    cr_expect_eq(out, UINT64_MAX);
}

Test(scn_number, texts_take_the_largest_unit_that_is_exact)
{
    static const struct {
        int64_t us;
        const char *expect;
    } times[] = {
        {0, "0"}, {90000000, "90s"}, {900000000, "15m"}, {86400000000, "1d"}, {1500, "1500us"}};
    static const struct {
        int64_t bytes;
        const char *expect;
    } sizes[] = {{0, "0"}, {256, "256"}, {4096, "4KiB"}, {1536, "1536"}, {4194304, "4MiB"}};
    char text[32];
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        scn_duration_text(text, sizeof text, times[i].us);
        cr_expect_str_eq(text, times[i].expect);
    }
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        scn_size_text(text, sizeof text, sizes[i].bytes);
        cr_expect_str_eq(text, sizes[i].expect);
    }
}
