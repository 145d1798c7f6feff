#include "rep/text.h"

#include <criterion/criterion.h>
#include <string.h>

Test(rep_text, bad_bytes_become_the_replacement_character)
{
    static const struct {
        const char *from, *expect;
        enum rep_text_form form;
    } rows[] = {
        {"pump-1", "pump-1", REP_TEXT_JSON},
        {"caf\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x94\xA5", "caf\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x94\xA5",
         REP_TEXT_XML},
        {"a\xFFz", "a\xEF\xBF\xBDz", REP_TEXT_JSON},
        {"a\xC3", "a\xEF\xBF\xBD", REP_TEXT_JSON},               /* cut short */
        {"\xC0\xAF", "\xEF\xBF\xBD\xEF\xBF\xBD", REP_TEXT_JSON}, /* overlong '/' */
        {"\xE0\x80\x80x", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBDx", REP_TEXT_JSON},
        {"\xED\xA0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD", REP_TEXT_JSON}, /* surrogate */
        {"\xF4\x90\x80\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD", REP_TEXT_JSON},
        {"a\x01\tb", "a\x01\tb", REP_TEXT_JSON},
        {"a\x01\tb", "a\xEF\xBF\xBD\tb", REP_TEXT_XML},
        {"\xEF\xBF\xBE", "\xEF\xBF\xBD", REP_TEXT_XML}, /* U+FFFE is no Char */
        {"\x1B[31m\n", "?[31m?", REP_TEXT_LINE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char to[64];
        rep_text_clean(to, sizeof to, rows[i].from, strlen(rows[i].from), rows[i].form);
        cr_expect_str_eq(to, rows[i].expect, "row %zu: %s", i, to);
    }
}

Test(rep_text, a_full_field_needs_no_terminator_and_room_is_kept)
{
    char to[8];
    rep_text_clean(to, sizeof to, "abcdefghij", 3, REP_TEXT_JSON);
    cr_expect_str_eq(to, "abc");
    rep_text_clean(to, sizeof to, "abcdefghij", 10, REP_TEXT_JSON);
    cr_expect_str_eq(to, "abcdefg");
    rep_text_clean(to, sizeof to, "abcdef\xE2\x82\xAC", 9, REP_TEXT_JSON);
    cr_expect_str_eq(to, "abcdef", "no half character: %s", to);
}

Test(rep_text, ratios_are_rounded_towards_zero_by_integers)
{
    static const struct {
        int64_t k, n;
        bool percent;
        const char *expect;
    } rows[] = {
        {1, 50, true, "2.00%"},
        {2, 3, true, "66.66%"},
        {4999, 5000, true, "99.98%"},
        {999999, 1000000, true, "99.99%"},
        {0, 7, true, "0.00%"},
        {0, 0, true, "no data"},
        {81234, 1000, false, "81.234"},
        {-1, 50, true, "-2.00%"},
        {-1, 3, false, "-0.333"},
        {INT64_MIN, 1, false, "-9223372036854775808.000"},
        {INT64_MAX, 100, true, "9223372036854775807.00%"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char to[64];
        rep_text_ratio(to, sizeof to, rows[i].k, rows[i].n, rows[i].percent);
        cr_expect_str_eq(to, rows[i].expect, "row %zu: %s", i, to);
    }
}

Test(rep_text, times_and_sizes_read_well)
{
    char to[64];
    rep_text_time(to, sizeof to, 3 * 86400 + 4 * 3600 + 5 * 60 + 6);
    cr_expect_str_eq(to, "3d 04:05");
    rep_text_time(to, sizeof to, -1);
    cr_expect_str_eq(to, "-");
    rep_text_bytes(to, sizeof to, 1023);
    cr_expect_str_eq(to, "1023 bytes");
    rep_text_bytes(to, sizeof to, 1536);
    cr_expect_str_eq(to, "1.5 KiB", "%s", to);
    rep_text_bytes(to, sizeof to, UINT64_MAX);
    cr_expect_str_eq(to, "16383.9 PiB", "%s", to);
}
