/* What torn operations leave: every form, on every kind of content, judged by rules and not by
 * draws. */
#include "flash_bench.h"

#include <criterion/criterion.h>
#include <string.h>

enum { AT = BENCH_DATA, SEEDS = 300 };

/* What the sector held before: erased, programmed, programmed and half erased, weakly programmed.
 */
enum content { ERASED, PROGRAMMED, HALF_ERASED, WEAK, CONTENTS };

static void fill(struct bench *bench, enum content content)
{
    uint8_t bytes[BENCH_SECTOR];
    bench_pattern(bytes, sizeof bytes, 1);
    if (content == ERASED)
        return;
    if (content == WEAK) {
        for (uint32_t page = 0; page < BENCH_SECTOR; page += BENCH_PAGE) {
            bench_order_cut(bench, 0, SCN_TORN_UNSTABLE);
            bench_program(bench, AT + page, bytes + page, BENCH_PAGE);
        }
        return;
    }
    cr_assert_eq(bench_program(bench, AT, bytes, sizeof bytes), 0);
    if (content == HALF_ERASED) {
        bench_order_cut(bench, 0, SCN_TORN_UNSTABLE);
        bench_erase(bench, AT);
    }
}

Test(flash, torn_program_leaves_what_its_form_says_on_any_content)
{
    static struct cells before, after;
    uint8_t data[BENCH_PAGE];
    bench_pattern(data, sizeof data, 2);
    for (int content = 0; content < CONTENTS; content++) {
        for (int form = SCN_TORN_BEFORE; form < SCN_TORNS; form++) {
            for (uint64_t seed = 0; seed < 20; seed++) {
                struct bench bench;
                bench_init(&bench, seed);
                fill(&bench, (enum content)content);
                bench_cells(&bench, &before, AT, BENCH_SECTOR);
                bench_order_cut(&bench, 0, (enum scn_torn)form);
                cr_assert_eq(bench_program(&bench, AT + BENCH_PAGE, data, BENCH_PAGE), BENCH_CUT);
                bench_cells(&bench, &after, AT, BENCH_SECTOR);
                cr_assert(torn_program_possible(&before, &after, AT + BENCH_PAGE, BENCH_PAGE, data,
                                                (enum scn_torn)form),
                          "content %d form %d seed %lu", content, form, (unsigned long)seed);
                cr_assert_eq(memcmp(before.bits + AT, after.bits + AT, BENCH_PAGE), 0);
                cr_assert_eq(memcmp(before.bits + AT + 2 * BENCH_PAGE,
                                    after.bits + AT + 2 * BENCH_PAGE,
                                    BENCH_SECTOR - 2 * BENCH_PAGE),
                             0, "other pages are untouched");
                bench_free(&bench);
            }
        }
    }
}

Test(flash, torn_erase_leaves_what_its_form_says_on_any_content)
{
    static struct cells before, after;
    for (int content = 0; content < CONTENTS; content++) {
        for (int form = SCN_TORN_BEFORE; form < SCN_TORNS; form++) {
            for (uint64_t seed = 0; seed < 20; seed++) {
                struct bench bench;
                bench_init(&bench, seed);
                fill(&bench, (enum content)content);
                bench_cells(&bench, &before, AT, BENCH_SECTOR);
                bench_order_cut(&bench, 0, (enum scn_torn)form);
                cr_assert_eq(bench_erase(&bench, AT), BENCH_CUT);
                bench_cells(&bench, &after, AT, BENCH_SECTOR);
                cr_assert(
                    torn_erase_possible(&before, &after, AT, BENCH_SECTOR, (enum scn_torn)form),
                    "content %d form %d seed %lu", content, form, (unsigned long)seed);
                bench_free(&bench);
            }
        }
    }
}

/* How many bytes from the front hold the data, for data that has a 0 bit in every byte. */
static uint32_t programmed_prefix(const struct bench *bench, const uint8_t *data)
{
    static struct cells cells;
    uint32_t n = 0;
    bench_cells(bench, &cells, AT, BENCH_PAGE);
    while (n < BENCH_PAGE && cells.bits[AT + n] == data[n])
        n++;
    return n;
}

/* All tear points 1 .. page - 1 occur, and nothing else. 31 points, 300 draws: one stays out in 600
 * runs of other seeds; these seeds are fixed. */
Test(flash, prefix_tears_at_every_byte_inside_the_page)
{
    uint8_t data[BENCH_PAGE];
    uint32_t seen[BENCH_PAGE + 1] = {0};
    memset(data, 0x5A, sizeof data);
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct bench bench;
        bench_init(&bench, seed);
        bench_order_cut(&bench, 0, SCN_TORN_PREFIX);
        bench_program(&bench, AT, data, sizeof data);
        seen[programmed_prefix(&bench, data)]++;
        bench_free(&bench);
    }
    cr_assert_eq(seen[0] + seen[BENCH_PAGE], 0);
    for (int i = 1; i < BENCH_PAGE; i++)
        cr_assert(seen[i] > 0, "no tear at byte %d", i);
}

Test(flash, random_tear_clears_about_half_of_the_bits)
{
    static struct cells cells;
    struct bench bench;
    uint8_t zero[BENCH_SECTOR] = {0};
    uint32_t cleared = 0, set = 0;
    bench_init(&bench, 3);
    for (uint32_t page = 0; page < BENCH_SECTOR; page += BENCH_PAGE) {
        bench_order_cut(&bench, 0, SCN_TORN_RANDOM);
        bench_program(&bench, AT + page, zero, BENCH_PAGE);
    }
    bench_cells(&bench, &cells, AT, BENCH_SECTOR);
    for (uint32_t i = AT; i < AT + BENCH_SECTOR; i++)
        cleared += 8 - (uint32_t)__builtin_popcount(cells.bits[i]);
    cr_assert_eq(bench_program(&bench, AT, zero, BENCH_SECTOR), 0);
    bench_order_cut(&bench, 0, SCN_TORN_RANDOM);
    bench_erase(&bench, AT);
    bench_cells(&bench, &cells, AT, BENCH_SECTOR);
    for (uint32_t i = AT; i < AT + BENCH_SECTOR; i++)
        set += (uint32_t)__builtin_popcount(cells.bits[i]);
    cr_assert(cleared > 1888 && cleared < 2208, "%u of 4096 cleared", cleared); /* sigma 32 */
    cr_assert(set > 1888 && set < 2208, "%u of 4096 set", set);
    bench_free(&bench);
}

/* Reads the page 40 times; which bits were seen as 0 and as 1 at least once. */
static void read_often(struct bench *bench, uint8_t *ever_zero, uint8_t *ever_one)
{
    uint8_t page[BENCH_PAGE];
    memset(ever_zero, 0, BENCH_PAGE);
    memset(ever_one, 0, BENCH_PAGE);
    for (int i = 0; i < 40; i++) {
        cr_assert_eq(bench_read(bench, AT, page, sizeof page), 0);
        for (int k = 0; k < BENCH_PAGE; k++) {
            ever_zero[k] |= (uint8_t)~page[k];
            ever_one[k] |= page[k];
        }
    }
}

Test(flash, unstable_bits_read_both_ways_until_programmed)
{
    struct bench bench;
    uint8_t data[BENCH_PAGE], ones[BENCH_PAGE], zero[BENCH_PAGE], one[BENCH_PAGE];
    bench_pattern(data, sizeof data, 9);
    memset(ones, 0xFF, sizeof ones);
    bench_init(&bench, 1);
    bench_order_cut(&bench, 0, SCN_TORN_UNSTABLE);
    bench_program(&bench, AT, data, sizeof data);
    for (int round = 0; round < 2; round++) {
        read_often(&bench, zero, one);
        for (int k = 0; k < BENCH_PAGE; k++) {
            cr_assert_eq(zero[k], (uint8_t)~data[k], "exactly the bits to be cleared read as 0");
            cr_assert_eq(one[k], 0xFF, "all bits read as 1 at times");
        }
        /* Programming ones settles nothing, and is no overwrite: those cells hold no 0 for sure. */
        cr_assert_eq(bench_program(&bench, AT, ones, sizeof ones), 0);
    }
    cr_assert_eq(bench.violations[SIM_FLASH_V_OVERWRITE], 0);
    cr_assert_eq(bench_program(&bench, AT, data, sizeof data), 0);
    read_often(&bench, zero, one);
    cr_assert_arr_eq(one, data, sizeof data);
    cr_assert_not(sim_flash_has_unstable(&bench.flash, AT, BENCH_SECTOR));
    bench_free(&bench);
}

Test(flash, unstable_erase_reads_both_ways_until_erased)
{
    struct bench bench;
    uint8_t data[BENCH_SECTOR], zero[BENCH_PAGE], one[BENCH_PAGE];
    bench_pattern(data, sizeof data, 9);
    bench_init(&bench, 1);
    cr_assert_eq(bench_program(&bench, AT, data, sizeof data), 0);
    bench_order_cut(&bench, 0, SCN_TORN_UNSTABLE);
    bench_erase(&bench, AT);
    read_often(&bench, zero, one);
    for (int k = 0; k < BENCH_PAGE; k++) {
        cr_assert_eq(zero[k], (uint8_t)~data[k]);
        cr_assert_eq(one[k], 0xFF);
    }
    cr_assert_eq(bench_erase(&bench, AT), 0);
    read_often(&bench, zero, one);
    for (int k = 0; k < BENCH_PAGE; k++)
        cr_assert_eq(zero[k], 0);
    cr_assert_not(sim_flash_has_unstable(&bench.flash, 0, BENCH_BYTES));
    bench_free(&bench);
}

Test(flash, random_erase_ends_about_half_of_the_unstable_bits)
{
    static struct cells cells;
    struct bench bench;
    uint8_t zero[BENCH_SECTOR] = {0};
    uint32_t unstable = 0;
    bench_init(&bench, 2);
    cr_assert_eq(bench_program(&bench, AT, zero, sizeof zero), 0);
    bench_order_cut(&bench, 0, SCN_TORN_UNSTABLE);
    cr_assert_eq(bench_erase(&bench, AT), BENCH_CUT);
    bench_order_cut(&bench, 0, SCN_TORN_RANDOM);
    cr_assert_eq(bench_erase(&bench, AT), BENCH_CUT);
    bench_cells(&bench, &cells, AT, BENCH_SECTOR);
    for (uint32_t i = AT; i < AT + BENCH_SECTOR; i++)
        unstable += (uint32_t)__builtin_popcount(cells.unstable[i]);
    cr_assert(unstable > 1888 && unstable < 2208, "%u of 4096 left", unstable); /* sigma 32 */
    bench_free(&bench);
}

Test(flash, mask_that_has_become_empty_costs_nothing)
{
    struct bench bench;
    uint8_t zero[BENCH_PAGE] = {0};
    bench_init(&bench, 1);
    bench_order_cut(&bench, 0, SCN_TORN_UNSTABLE);
    cr_assert_eq(bench_program(&bench, AT, zero, sizeof zero), BENCH_CUT);
    uint64_t erased_and_weak = sim_flash_memory_bytes(&bench.flash);
    cr_assert_eq(bench_program(&bench, AT, zero, sizeof zero), 0);
    cr_assert_eq(sim_flash_memory_bytes(&bench.flash), erased_and_weak, "bytes instead of a mask");
    cr_assert_eq(bench_erase(&bench, AT), 0);
    cr_assert_eq(sim_flash_memory_bytes(&bench.flash), erased_and_weak - BENCH_SECTOR);
    bench_free(&bench);
}

Test(flash, has_unstable_looks_at_its_range_only)
{
    struct bench bench;
    uint8_t data[BENCH_PAGE];
    memset(data, 0, sizeof data);
    bench_init(&bench, 1);
    bench_order_cut(&bench, 0, SCN_TORN_UNSTABLE);
    bench_program(&bench, AT + BENCH_PAGE, data, sizeof data);
    cr_assert(sim_flash_has_unstable(&bench.flash, 0, BENCH_BYTES));
    cr_assert(sim_flash_has_unstable(&bench.flash, AT + 2 * BENCH_PAGE - 1, 1));
    cr_assert_not(sim_flash_has_unstable(&bench.flash, AT, BENCH_PAGE));
    cr_assert_not(sim_flash_has_unstable(&bench.flash, AT + 2 * BENCH_PAGE, 400));
    bench_free(&bench);
}

Test(flash, worn_and_stuck_sectors_do_not_tear)
{
    static struct cells before, after;
    uint8_t data[BENCH_PAGE] = {0};
    for (int defect = SIM_FLASH_STUCK; defect <= SIM_FLASH_WORN; defect++) {
        for (int form = SCN_TORN_BEFORE; form < SCN_TORNS; form++) {
            struct bench bench;
            bench_init(&bench, 1);
            fill(&bench, PROGRAMMED);
            sim_flash_set_defect(&bench.flash, AT + 5, (enum sim_flash_defect)defect);
            bench_cells(&bench, &before, AT, BENCH_SECTOR);
            bench_order_cut(&bench, 0, (enum scn_torn)form);
            cr_assert_eq(bench_program(&bench, AT, data, BENCH_PAGE), BENCH_CUT);
            bench_order_cut(&bench, 0, (enum scn_torn)form);
            cr_assert_eq(bench_erase(&bench, AT), BENCH_CUT);
            bench_cells(&bench, &after, AT, BENCH_SECTOR);
            cr_assert_eq(memcmp(&before, &after, sizeof before), 0);
            bench_free(&bench);
        }
    }
}
