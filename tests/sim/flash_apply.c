/* What a cut leaves is the same whether it was worked out on a clone or really happened; cuts that
 * take no power; and who decides how unstable bits read. */
#include "flash_bench.h"

#include <criterion/criterion.h>
#include <string.h>

/* The program crosses a border of sectors: two pages on either side. */
enum {
    AT = BENCH_DATA,
    PAGES = 4,
    LEN = PAGES * BENCH_PAGE,
    FROM = AT + BENCH_SECTOR - 2 * BENCH_PAGE
};

enum content { ERASED, PROGRAMMED, WEAK, HALF_ERASED, CONTENTS };

static void fill(struct bench *bench, enum content content)
{
    uint8_t data[2 * BENCH_SECTOR];
    bench_pattern(data, sizeof data, 1);
    bench_init(bench, 7);
    if (content == PROGRAMMED || content == HALF_ERASED)
        cr_assert_eq(bench_program(bench, AT, data, sizeof data), 0);
    for (uint32_t at = 0; content == WEAK && at < sizeof data; at += BENCH_PAGE) {
        bench_order_cut(bench, 0, SCN_TORN_UNSTABLE);
        cr_assert_eq(bench_program(bench, AT + at, data + at, BENCH_PAGE), BENCH_CUT);
    }
    for (uint32_t at = 0; content == HALF_ERASED && at < sizeof data; at += BENCH_SECTOR) {
        bench_order_cut(bench, 0, SCN_TORN_UNSTABLE);
        cr_assert_eq(bench_erase(bench, AT + at), BENCH_CUT);
    }
}

static void assert_same(const struct sim_flash *a, const struct sim_flash *b)
{
    for (uint32_t i = 0; i < BENCH_BYTES / BENCH_SECTOR; i++) {
        const uint8_t *one = sim_flash_sector_bytes(a, i), *two = sim_flash_sector_bytes(b, i);
        cr_assert(one == two || (one && two && memcmp(one, two, BENCH_SECTOR) == 0), "sector %u",
                  i);
        one = sim_flash_sector_mask(a, i), two = sim_flash_sector_mask(b, i);
        cr_assert(one == two || (one && two && memcmp(one, two, BENCH_SECTOR) == 0), "mask %u", i);
    }
    cr_assert_eq(a->stats.programs, b->stats.programs);
    cr_assert_eq(a->stats.erases, b->stats.erases);
    cr_assert_eq(a->stats.wear_max, b->stats.wear_max);
    cr_assert_eq(a->stats.cuts, b->stats.cuts);
    cr_assert_eq(memcmp(&a->torn_rng, &b->torn_rng, sizeof a->torn_rng), 0);
}

/* The call on the bench, cut so (NULL: not), and the same applied to a clone: both leave the same.
 * Returns what the call did. */
static int both(struct bench *bench, const struct sim_flash_call *call,
                const struct sim_flash_cut *cut)
{
    struct sim_flash clone;
    uint64_t violations = bench->flash.stats.violations;
    cr_assert_eq(sim_flash_clone(&clone, &bench->flash), 0);
    clone.now_us = NULL; /* neither clock nor hooks are touched */
    clone.hooks = (struct sim_flash_hooks){0};
    sim_flash_apply(&clone, call, cut);
    bench->order_cut = cut;
    if (cut)
        bench->cut = *cut;
    int result = call->kind == SIM_FLASH_ERASE
                     ? bench_erase(bench, call->addr)
                     : bench_program(bench, call->addr, call->data, call->len);
    assert_same(&clone, &bench->flash);
    cr_assert_eq(clone.stats.violations, violations, "none is counted");
    sim_flash_free(&clone);
    return result;
}

static const int result_of[] = {
    [SIM_FLASH_POWER_GOES] = BENCH_CUT, [SIM_FLASH_CALL_FAILS] = -1, [SIM_FLASH_CALL_LIES] = 0};

Test(flash_apply, leaves_what_a_program_cut_so_leaves)
{
    static const uint32_t tear[] = {0, 1, 13, BENCH_PAGE - 1};
    uint8_t data[LEN];
    bench_pattern(data, sizeof data, 2);
    struct sim_flash_call call = {SIM_FLASH_PROGRAM, FROM, LEN, PAGES, data};
    for (int content = 0; content < CONTENTS; content++) {
        for (int form = SCN_TORN_BEFORE; form < SCN_TORNS; form++) {
            for (uint32_t i = 0; i < PAGES * 3 * 4; i++) {
                struct bench bench;
                struct sim_flash_cut cut = {i % PAGES, (enum scn_torn)form, tear[i / PAGES / 3],
                                            (enum sim_flash_then)(i / PAGES % 3)};
                fill(&bench, (enum content)content);
                cr_assert_eq(both(&bench, &call, &cut), result_of[cut.then]);
                bench_free(&bench);
            }
        }
    }
}

Test(flash_apply, leaves_what_an_erase_cut_so_leaves)
{
    static const uint32_t tear[] = {0, 1, 100, BENCH_SECTOR - 1};
    struct sim_flash_call call = {SIM_FLASH_ERASE, AT, BENCH_SECTOR, 1, NULL};
    for (int content = 0; content < CONTENTS; content++) {
        for (int form = SCN_TORN_BEFORE; form < SCN_TORNS; form++) {
            for (uint32_t i = 0; i < 3 * 4; i++) {
                struct bench bench;
                struct sim_flash_cut cut = {0, (enum scn_torn)form, tear[i / 3],
                                            (enum sim_flash_then)(i % 3)};
                fill(&bench, (enum content)content);
                cr_assert_eq(both(&bench, &call, &cut), result_of[cut.then]);
                bench_free(&bench);
            }
        }
    }
}

Test(flash_apply, leaves_what_a_whole_call_leaves)
{
    uint8_t data[LEN];
    bench_pattern(data, sizeof data, 2);
    struct sim_flash_call program = {SIM_FLASH_PROGRAM, FROM, LEN, PAGES, data};
    struct sim_flash_call erase = {SIM_FLASH_ERASE, AT, BENCH_SECTOR, 1, NULL};
    for (int content = 0; content < CONTENTS; content++) {
        struct bench bench;
        fill(&bench, (enum content)content);
        cr_assert_eq(both(&bench, &program, NULL), 0);
        cr_assert_eq(both(&bench, &erase, NULL), 0);
        bench_free(&bench);
    }
}

/* The second sector of the program has the defect: the cut is before it, at it, and in it. */
Test(flash_apply, leaves_what_a_defect_leaves)
{
    uint8_t data[LEN];
    bench_pattern(data, sizeof data, 2);
    struct sim_flash_call program = {SIM_FLASH_PROGRAM, FROM, LEN, PAGES, data};
    struct sim_flash_call erase = {SIM_FLASH_ERASE, AT + BENCH_SECTOR, BENCH_SECTOR, 1, NULL};
    for (int defect = SIM_FLASH_STUCK; defect <= SIM_FLASH_WORN; defect++) {
        for (uint32_t i = 0; i < PAGES * 3; i++) {
            struct sim_flash_cut cut = {i % PAGES, SCN_TORN_AFTER, 0, (enum sim_flash_then)(i / 4)};
            struct bench bench;
            fill(&bench, PROGRAMMED);
            sim_flash_set_defect(&bench.flash, AT + BENCH_SECTOR, (enum sim_flash_defect)defect);
            int got = both(&bench, &program, &cut);
            bool refused = defect == SIM_FLASH_WORN && (cut.unit > 2 || cut.then);
            cr_assert_eq(got, refused ? -1 : result_of[cut.then], "unit %u then %d", cut.unit,
                         cut.then);
            cr_assert_eq(both(&bench, &program, NULL), defect == SIM_FLASH_WORN ? -1 : 0);
            cr_assert_eq(both(&bench, &erase, NULL), defect == SIM_FLASH_WORN ? -1 : 0);
            cut.unit = 0;
            cr_assert_eq(both(&bench, &erase, &cut),
                         cut.then && defect == SIM_FLASH_WORN ? -1 : result_of[cut.then]);
            bench_free(&bench);
        }
    }
}

Test(flash_apply, tear_is_the_first_byte_of_the_other_part)
{
    uint8_t zero[BENCH_PAGE] = {0}, got[BENCH_SECTOR];
    for (uint32_t tear = 1; tear < BENCH_SECTOR; tear++) {
        for (int form = SCN_TORN_PREFIX; form <= SCN_TORN_SUFFIX; form++) {
            struct bench bench;
            bench_init(&bench, tear);
            if (tear < BENCH_PAGE) {
                bench_order_cut(&bench, 0, (enum scn_torn)form);
                bench.cut.tear = tear;
                cr_assert_eq(bench_program(&bench, AT, zero, sizeof zero), BENCH_CUT);
                sim_flash_peek(&bench.flash, AT, got, BENCH_PAGE, 1);
                for (uint32_t i = 0; i < BENCH_PAGE; i++)
                    cr_assert_eq(got[i], (i < tear) == (form == SCN_TORN_PREFIX) ? 0 : 0xFF);
            }
            for (uint32_t at = 0; at < BENCH_SECTOR; at += BENCH_PAGE)
                cr_assert_eq(bench_program(&bench, AT + at, zero, sizeof zero), 0);
            bench_order_cut(&bench, 0, (enum scn_torn)form);
            bench.cut.tear = tear;
            cr_assert_eq(bench_erase(&bench, AT), BENCH_CUT);
            sim_flash_peek(&bench.flash, AT, got, BENCH_SECTOR, 1);
            for (uint32_t i = 0; i < BENCH_SECTOR; i++)
                cr_assert_eq(got[i], (i < tear) == (form == SCN_TORN_PREFIX) ? 0xFF : 0);
            bench_free(&bench);
        }
    }
}

/* Which pages hold the zeros that were programmed. */
static uint32_t pages_done(const struct bench *bench)
{
    uint8_t got[LEN];
    uint32_t done = 0;
    sim_flash_peek(&bench->flash, FROM, got, LEN, 1);
    for (uint32_t page = 0; page < PAGES; page++)
        done |= (uint32_t)(got[page * BENCH_PAGE] == 0) << page;
    return done;
}

Test(flash_cut, brown_out_ends_the_call_or_goes_on_and_takes_no_power)
{
    uint8_t zero[LEN] = {0};
    for (uint32_t unit = 0; unit < PAGES; unit++) {
        for (int lies = 0; lies < 2; lies++) {
            struct bench bench;
            bench_init(&bench, 1);
            bench_order_cut(&bench, unit, SCN_TORN_NOTHING);
            bench.cut.then = lies ? SIM_FLASH_CALL_LIES : SIM_FLASH_CALL_FAILS;
            cr_assert_eq(bench_program(&bench, FROM, zero, LEN), lies ? 0 : -1);
            uint32_t before = (1u << unit) - 1, all = (1u << PAGES) - 1;
            cr_assert_eq(pages_done(&bench), lies ? all & ~(1u << unit) : before);
            cr_assert_eq(bench.now_us, 10 * (int64_t)(lies ? PAGES : unit + 1));
            cr_assert_eq(bench.flash.stats.programs, lies ? PAGES : unit + 1);
            cr_assert_eq(bench.told, (uint32_t)lies, "a lie is told as done");
            cr_assert_eq(bench.lost + bench.was_torn + bench.flash.stats.cuts, 0);
            cr_assert_eq(bench_program(&bench, FROM, zero, LEN), 0, "once only");
            bench_free(&bench);
        }
    }
}

/* The time is in the call, behind the brown-out or in its unit: it hits what comes next. */
Test(flash_cut, brown_out_lets_a_later_time_hit_the_next_operation)
{
    uint8_t zero[LEN] = {0};
    for (int lies = 0; lies < 2; lies++) {
        for (int64_t at = 0; at < 10 * PAGES; at++) {
            struct bench bench;
            bench_init(&bench, 1);
            bench.flash.cut_at_us = at;
            bench_order_cut(&bench, 1, SCN_TORN_NOTHING);
            bench.cut.then = lies ? SIM_FLASH_CALL_LIES : SIM_FLASH_CALL_FAILS;
            int first = at < 10 ? BENCH_CUT : lies ? 0 : -1;
            cr_assert_eq(bench_program(&bench, FROM, zero, LEN), first, "at %ld", (long)at);
            bench.flash.cut_form = SCN_TORN_NOTHING;
            int second = at < 10 ? 0 : at < bench.now_us + 40 ? BENCH_CUT : 0;
            cr_assert_eq(bench_erase(&bench, AT), second);
            cr_assert_eq(bench.flash.cut_at_us, INT64_MAX);
            bench_free(&bench);
        }
    }
}

Test(flash_cut, call_shows_its_data_to_the_hooks)
{
    struct bench bench;
    uint8_t data[LEN] = {0};
    bench_init(&bench, 1);
    cr_assert_eq(bench_program(&bench, FROM, data, LEN), 0);
    cr_assert_eq(bench.asked_call.data, data);
    cr_assert_eq(bench.told_call.data, data);
    cr_assert_eq(bench_erase(&bench, AT), 0);
    cr_assert_null(bench.asked_call.data);
    bench_free(&bench);
}

struct decider {
    struct sim_flash *flash;
    uint32_t asked, addr[4], len[4];
    uint8_t take; /* mask bits that read 0 */
};

static void decide(void *ctx, uint32_t addr, const uint8_t *mask, uint8_t *out, uint32_t len)
{
    struct decider *decider = ctx;
    uint8_t content[BENCH_SECTOR];
    bool any = false;
    cr_assert_lt(decider->asked, 4);
    decider->addr[decider->asked] = addr;
    decider->len[decider->asked++] = len;
    sim_flash_peek(decider->flash, addr, content, len, 1);
    cr_assert_eq(memcmp(content, out, len), 0);
    for (uint32_t i = 0; i < len; i++) {
        any = any || mask[i];
        out[i] &= (uint8_t) ~(mask[i] & decider->take);
    }
    cr_assert(any);
}

Test(flash_unstable, hook_decides_once_for_each_sector_that_has_some)
{
    static struct cells cells;
    struct bench bench;
    struct decider decider = {.flash = &bench.flash};
    uint8_t data[LEN], got[BENCH_BYTES];
    bench_init(&bench, 3);
    bench_pattern(data, sizeof data, 1);
    for (uint32_t page = 0; page < PAGES; page++) {
        bench_order_cut(&bench, 0, SCN_TORN_UNSTABLE);
        bench_program(&bench, FROM + page * BENCH_PAGE, data + page * BENCH_PAGE, BENCH_PAGE);
    }
    bench_cells(&bench, &cells, 0, BENCH_BYTES);
    struct sim_rng before = bench.flash.read_rng;
    bench.flash.hooks.ctx = &decider;
    bench.flash.hooks.before = NULL;
    bench.flash.hooks.unstable = decide;
    for (int take = 0; take < 256; take += 51) {
        decider.asked = 0;
        decider.take = (uint8_t)take;
        cr_assert_eq(bench_read(&bench, AT + 8, got, BENCH_BYTES - AT - 8), 0);
        for (uint32_t i = AT + 8; i < BENCH_BYTES; i++)
            cr_assert_eq(got[i - AT - 8], cells.bits[i] & ~(cells.unstable[i] & take));
        cr_assert_eq(decider.asked, 2);
        cr_assert_eq(decider.addr[0], AT + 8);
        cr_assert_eq(decider.len[0], BENCH_SECTOR - 8);
        cr_assert_eq(decider.addr[1], AT + BENCH_SECTOR);
        cr_assert_eq(decider.len[1], BENCH_SECTOR);
    }
    decider.asked = 0;
    cr_assert_eq(bench_read(&bench, AT, got, BENCH_SECTOR - 2 * BENCH_PAGE), 0);
    cr_assert_eq(decider.asked, 0, "a mask, but no unstable bit in what is read");
    cr_assert_eq(memcmp(&before, &bench.flash.read_rng, sizeof before), 0, "nothing is drawn");
    bench_free(&bench);
}
