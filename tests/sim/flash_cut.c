/* Where and when the power goes: at each microsecond of each operation, and in each unit on order.
 */
#include "flash_bench.h"

#include <criterion/criterion.h>
#include <string.h>

enum { AT = BENCH_DATA, PAGES = 3, LEN = PAGES * BENCH_PAGE, PROGRAM_US = 10, ERASE_US = 40 };

/* Page by page: is it programmed, torn (by form NOTHING: untouched), or untouched? */
static void assert_pages(const struct bench *bench, const uint8_t *data, uint32_t programmed)
{
    uint8_t got[LEN];
    sim_flash_peek(&bench->flash, AT, got, LEN, 1);
    for (uint32_t i = 0; i < LEN; i++)
        cr_assert_eq(got[i], i / BENCH_PAGE < programmed ? data[i] : 0xFF, "byte %u of %u pages", i,
                     programmed);
}

Test(flash, cut_at_each_time_in_a_program_hits_the_page_in_progress)
{
    uint8_t data[LEN];
    bench_pattern(data, LEN, 1);
    for (int64_t at = 0; at <= PAGES * PROGRAM_US + 1; at++) {
        struct bench bench;
        bench_init(&bench, 1);
        bench.now_us = 1000;
        bench.flash.cut_at_us = 1000 + at;
        bench.flash.cut_form = SCN_TORN_NOTHING;
        bool cut = at < PAGES * PROGRAM_US;
        uint32_t page = cut ? (uint32_t)(at / PROGRAM_US) : PAGES;
        cr_assert_eq(bench_program(&bench, AT, data, LEN), cut ? BENCH_CUT : 0, "at %ld", (long)at);
        assert_pages(&bench, data, page);
        cr_assert_eq(bench.now_us, 1000 + (cut ? at : PAGES * PROGRAM_US));
        cr_assert_eq(bench.was_torn, cut);
        cr_assert_eq(bench.lost, cut);
        cr_assert_eq(bench.told, !cut);
        cr_assert_eq(bench.flash.stats.cuts, cut);
        if (cut) {
            cr_assert_eq(bench.torn_kind, SIM_FLASH_PROGRAM);
            cr_assert_eq(bench.torn_addr, AT + page * BENCH_PAGE);
            cr_assert_eq(bench.torn_form, at % PROGRAM_US ? SCN_TORN_NOTHING : SCN_TORN_BEFORE);
            cr_assert_eq(bench.flash.cut_at_us, INT64_MAX, "a cut hits once");
        }
        bench_free(&bench);
    }
}

Test(flash, cut_at_each_time_in_an_erase_hits_it)
{
    static struct cells before, after;
    uint8_t data[BENCH_SECTOR];
    bench_pattern(data, sizeof data, 1);
    for (int64_t at = 0; at <= ERASE_US + 1; at++) {
        struct bench bench;
        bench_init(&bench, (uint64_t)at);
        cr_assert_eq(bench_program(&bench, AT, data, sizeof data), 0);
        bench_cells(&bench, &before, AT, BENCH_SECTOR);
        bench.flash.cut_at_us = bench.now_us + at;
        bench.flash.cut_form = SCN_TORN_PREFIX;
        bool cut = at < ERASE_US;
        cr_assert_eq(bench_erase(&bench, AT), cut ? BENCH_CUT : 0);
        bench_cells(&bench, &after, AT, BENCH_SECTOR);
        enum scn_torn form = !cut ? SCN_TORN_AFTER : at == 0 ? SCN_TORN_BEFORE : SCN_TORN_PREFIX;
        cr_assert(torn_erase_possible(&before, &after, AT, BENCH_SECTOR, form), "at %ld", (long)at);
        cr_assert_eq(bench.flash.stats.wear_max, form != SCN_TORN_BEFORE, "a begun erase wears");
        cr_assert_eq(bench.flash.stats.erases, form != SCN_TORN_BEFORE);
        bench_free(&bench);
    }
}

Test(flash, cut_at_each_time_in_a_read_takes_the_power_and_tears_nothing)
{
    for (int64_t at = 0; at <= 9; at++) { /* 512 bytes take 8 us */
        struct bench bench;
        uint8_t out[BENCH_SECTOR];
        bench_init(&bench, 1);
        bench.flash.cut_at_us = at;
        bool cut = at < 8;
        cr_assert_eq(bench_read(&bench, AT, out, sizeof out), cut ? BENCH_CUT : 0);
        cr_assert_eq(bench.now_us, cut ? at : 8);
        cr_assert_not(bench.was_torn);
        cr_assert_eq(bench.lost, cut);
        bench_free(&bench);
    }
}

Test(flash, ordered_cut_completes_the_units_before_and_spares_those_behind)
{
    static struct cells before, after;
    uint8_t data[LEN];
    bench_pattern(data, LEN, 1);
    for (uint32_t unit = 0; unit < PAGES; unit++) {
        for (int form = SCN_TORN_BEFORE; form < SCN_TORNS; form++) {
            struct bench bench;
            bench_init(&bench, unit);
            bench_cells(&bench, &before, AT, BENCH_SECTOR);
            bench_order_cut(&bench, unit, (enum scn_torn)form);
            cr_assert_eq(bench_program(&bench, AT, data, LEN), BENCH_CUT);
            bench_cells(&bench, &after, AT, BENCH_SECTOR);
            for (uint32_t page = 0; page < PAGES; page++) {
                enum scn_torn expect = page < unit    ? SCN_TORN_AFTER
                                       : page == unit ? (enum scn_torn)form
                                                      : SCN_TORN_BEFORE;
                uint32_t off = page * BENCH_PAGE;
                cr_assert(torn_program_possible(&before, &after, AT + off, BENCH_PAGE, data + off,
                                                expect),
                          "unit %u form %d page %u", unit, form, page);
            }
            cr_assert_eq(bench.torn_addr, AT + unit * BENCH_PAGE);
            cr_assert_eq(bench.torn_form, (enum scn_torn)form);
            cr_assert_eq(bench.asked_call.units, PAGES);
            cr_assert_eq(bench.told, 0);
            cr_assert_eq(bench.flash.stats.programs, unit + (form != SCN_TORN_BEFORE));
            bench_free(&bench);
        }
    }
}

Test(flash, ordered_cut_takes_the_time_of_its_form)
{
    static const struct {
        uint32_t unit;
        enum scn_torn form;
        int64_t expect_us;
    } row[] = {
        {0, SCN_TORN_BEFORE, 0}, {0, SCN_TORN_NOTHING, 5}, {0, SCN_TORN_UNSTABLE, 5},
        {0, SCN_TORN_AFTER, 10}, {2, SCN_TORN_BEFORE, 20}, {2, SCN_TORN_RANDOM, 25},
        {2, SCN_TORN_AFTER, 30},
    };
    uint8_t data[LEN] = {0};
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        struct bench bench;
        bench_init(&bench, 1);
        bench_order_cut(&bench, row[i].unit, row[i].form);
        cr_assert_eq(bench_program(&bench, AT, data, LEN), BENCH_CUT);
        cr_assert_eq(bench.now_us, row[i].expect_us, "row %zu", i);
        bench_free(&bench);
    }
}

Test(flash, earlier_of_two_cuts_wins_and_the_other_waits)
{
    struct bench bench;
    uint8_t data[LEN] = {0};
    bench_init(&bench, 1);
    bench.flash.cut_at_us = 25;
    bench.flash.cut_form = SCN_TORN_PREFIX;
    bench_order_cut(&bench, 1, SCN_TORN_NOTHING);
    cr_assert_eq(bench_program(&bench, AT, data, LEN), BENCH_CUT);
    cr_assert_eq(bench.torn_form, SCN_TORN_NOTHING);
    cr_assert_eq(bench.now_us, 15);
    cr_assert_eq(bench.flash.cut_at_us, 25, "still to come");
    bench_order_cut(&bench, 2, SCN_TORN_AFTER);
    cr_assert_eq(bench_program(&bench, AT + LEN, data, LEN), BENCH_CUT);
    cr_assert_eq(bench.torn_form, SCN_TORN_BEFORE, "25 us is the border before its second page");
    cr_assert_eq(bench.now_us, 25);
    bench_free(&bench);
}

Test(flash, ordered_form_wins_in_the_unit_that_both_cuts_hit)
{
    struct bench bench;
    uint8_t data[LEN] = {0};
    bench_init(&bench, 1);
    bench.flash.cut_at_us = 12;
    bench.flash.cut_form = SCN_TORN_PREFIX;
    bench_order_cut(&bench, 1, SCN_TORN_SUFFIX);
    cr_assert_eq(bench_program(&bench, AT, data, LEN), BENCH_CUT);
    cr_assert_eq(bench.torn_form, SCN_TORN_SUFFIX);
    cr_assert_eq(bench.flash.cut_at_us, INT64_MAX, "the other one is past, and does not come back");
    bench_free(&bench);
}

Test(flash, cut_in_the_past_hits_before_the_next_operation)
{
    struct bench bench;
    uint8_t byte = 0;
    bench_init(&bench, 1);
    bench.now_us = 500;
    bench.flash.cut_at_us = 400;
    cr_assert_eq(bench_erase(&bench, AT), BENCH_CUT);
    cr_assert_eq(bench.torn_form, SCN_TORN_BEFORE);
    cr_assert_eq(bench.now_us, 500, "time never goes back");
    bench.flash.cut_at_us = 400;
    cr_assert_eq(bench_read(&bench, AT, &byte, 1), BENCH_CUT);
    cr_assert_eq(bench.now_us, 500);
    cr_assert_eq(bench_erase(&bench, AT), 0);
    bench_free(&bench);
}

Test(flash, any_draws_each_torn_form_and_nothing_else)
{
    uint32_t seen[SCN_TORNS] = {0};
    uint8_t data[BENCH_PAGE] = {0};
    for (int by_time = 0; by_time < 2; by_time++) {
        struct bench bench;
        bench_init(&bench, 5);
        for (int i = 0; i < 200; i++) {
            bench.flash.cut_at_us = by_time ? bench.now_us + 5 : INT64_MAX;
            bench.flash.cut_form = SCN_TORN_ANY;
            if (!by_time)
                bench_order_cut(&bench, 0, SCN_TORN_ANY);
            cr_assert_eq(bench_program(&bench, AT, data, sizeof data), BENCH_CUT);
            seen[bench.torn_form]++;
        }
        bench_free(&bench);
    }
    cr_assert_eq(seen[SCN_TORN_ANY] + seen[SCN_TORN_BEFORE] + seen[SCN_TORN_AFTER], 0);
    for (int form = SCN_TORN_NOTHING; form <= SCN_TORN_UNSTABLE; form++)
        cr_assert(seen[form] > 40 && seen[form] < 120, "form %d: %u of 400", form, seen[form]);
}
