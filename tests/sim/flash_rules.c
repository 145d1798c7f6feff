/* The discipline of the flash, its times, its wear and its defects. */
#include "flash_bench.h"

#include <criterion/criterion.h>
#include <string.h>

enum { AT = BENCH_DATA };
enum op { PROGRAM, ERASE, READ };

static int do_op(struct bench *bench, enum op op, uint32_t addr, uint32_t len)
{
    static uint8_t bytes[2 * BENCH_BYTES];
    switch (op) {
    case PROGRAM:
        memset(bytes, 0, sizeof bytes);
        return bench_program(bench, addr, bytes, len);
    case ERASE:
        return bench_erase(bench, addr);
    default:
        return bench_read(bench, addr, bytes, len);
    }
}

Test(flash, misaligned_and_outside_calls_are_refused_and_counted)
{
    static const struct {
        enum op op;
        uint32_t addr, len;
        enum sim_flash_violation expect;
    } row[] = {
        {PROGRAM, AT + 1, BENCH_PAGE, SIM_FLASH_V_ALIGN},
        {PROGRAM, AT, BENCH_PAGE - 1, SIM_FLASH_V_ALIGN},
        {PROGRAM, AT, 1, SIM_FLASH_V_ALIGN},
        {PROGRAM, AT + BENCH_PAGE / 2, BENCH_PAGE, SIM_FLASH_V_ALIGN},
        {PROGRAM, BENCH_BYTES, BENCH_PAGE, SIM_FLASH_V_BOUNDS},
        {PROGRAM, BENCH_BYTES - BENCH_PAGE, 2 * BENCH_PAGE, SIM_FLASH_V_BOUNDS},
        {PROGRAM, UINT32_MAX - BENCH_PAGE + 1, BENCH_PAGE, SIM_FLASH_V_BOUNDS},
        {ERASE, AT + BENCH_PAGE, 0, SIM_FLASH_V_ALIGN},
        {ERASE, AT + 1, 0, SIM_FLASH_V_ALIGN},
        {ERASE, BENCH_BYTES, 0, SIM_FLASH_V_BOUNDS},
        {ERASE, UINT32_MAX - BENCH_SECTOR + 1, 0, SIM_FLASH_V_BOUNDS},
        {READ, BENCH_BYTES - 1, 2, SIM_FLASH_V_BOUNDS},
        {READ, UINT32_MAX, 2, SIM_FLASH_V_BOUNDS},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        struct bench bench;
        bench_init(&bench, 1);
        cr_assert_eq(do_op(&bench, row[i].op, row[i].addr, row[i].len), -1, "row %zu", i);
        for (int kind = 0; kind < SIM_FLASH_V_KINDS; kind++)
            cr_assert_eq(bench.violations[kind], kind == (int)row[i].expect, "row %zu", i);
        cr_assert_eq(bench.violation_addr, row[i].addr);
        cr_assert_eq(bench.flash.stats.violations, 1);
        cr_assert_eq(bench.asked + bench.told, 0, "no operation took place");
        cr_assert_eq(bench.now_us, 0);
        bench_free(&bench);
    }
}

Test(flash, legal_calls_at_the_ends_are_no_violation)
{
    static const struct {
        enum op op;
        uint32_t addr, len;
    } row[] = {
        {PROGRAM, 0, BENCH_BYTES},  {PROGRAM, BENCH_BYTES - BENCH_PAGE, BENCH_PAGE},
        {PROGRAM, AT, 0},           {ERASE, BENCH_BYTES - BENCH_SECTOR, 0},
        {READ, 0, BENCH_BYTES},     {READ, BENCH_BYTES, 0},
        {READ, BENCH_BYTES - 1, 1},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        struct bench bench;
        bench_init(&bench, 1);
        cr_assert_eq(do_op(&bench, row[i].op, row[i].addr, row[i].len), 0, "row %zu", i);
        cr_assert_eq(bench.flash.stats.violations, 0);
        bench_free(&bench);
    }
}

Test(flash, overwrite_is_reported_and_the_cells_hold_the_and)
{
    struct bench bench;
    uint8_t first[BENCH_SECTOR], second[BENCH_SECTOR], got[BENCH_SECTOR];
    bench_init(&bench, 1);
    bench_pattern(first, sizeof first, 1);
    memcpy(second, first, sizeof second);
    second[70] = (uint8_t)(first[70] & 0x0F);
    cr_assert_eq(bench_program(&bench, AT, first, sizeof first), 0);
    cr_assert_eq(bench_program(&bench, AT, second, sizeof second), 0);
    cr_assert_eq(bench.violations[SIM_FLASH_V_OVERWRITE], 0, "clearing more bits is legal");
    bench_pattern(second, sizeof second, 2);
    memcpy(second, first, 70);
    second[70] = 0xFF;
    cr_assert_eq(bench_program(&bench, AT, second, sizeof second), 0);
    cr_assert_eq(bench.violations[SIM_FLASH_V_OVERWRITE], 1);
    cr_assert_eq(bench.violation_addr, AT + 70);
    cr_assert_eq(bench_read(&bench, AT, got, sizeof got), 0);
    for (uint32_t i = 0; i < BENCH_SECTOR; i++)
        cr_assert_eq(got[i], first[i] & second[i] & (i == 70 ? 0x0F : 0xFF), "byte %u", i);
    bench_free(&bench);
}

Test(flash, torn_page_reports_the_overwrite_it_was_asked_for)
{
    struct bench bench;
    uint8_t zero[BENCH_PAGE] = {0}, one[BENCH_PAGE];
    memset(one, 0xFF, sizeof one);
    bench_init(&bench, 1);
    cr_assert_eq(bench_program(&bench, AT, zero, sizeof zero), 0);
    bench_order_cut(&bench, 0, SCN_TORN_BEFORE);
    cr_assert_eq(bench_program(&bench, AT, one, sizeof one), BENCH_CUT);
    cr_assert_eq(bench.violations[SIM_FLASH_V_OVERWRITE], 0, "it never began");
    bench_order_cut(&bench, 0, SCN_TORN_NOTHING);
    cr_assert_eq(bench_program(&bench, AT, one, sizeof one), BENCH_CUT);
    cr_assert_eq(bench.violations[SIM_FLASH_V_OVERWRITE], 1);
    bench_free(&bench);
}

Test(flash, protected_ranges_are_reported_and_carried_out)
{
    static const struct {
        enum op op;
        uint32_t addr, len, expect;
    } row[] = {
        {PROGRAM, 0, BENCH_PAGE, 1},                         /* the bootloader */
        {PROGRAM, BENCH_SECTOR - BENCH_PAGE, BENCH_PAGE, 1}, /* its last page */
        {ERASE, 0, 0, 1},                                    /* */
        {PROGRAM, BENCH_SECTOR, BENCH_PAGE, 0},              /* boot config */
        {PROGRAM, BENCH_SLOT_A - BENCH_PAGE, BENCH_PAGE, 0}, /* last page in front of the image */
        {PROGRAM, BENCH_SLOT_A - BENCH_PAGE, 2 * BENCH_PAGE, 1},            /* runs into it */
        {ERASE, BENCH_SLOT_A, 0, 1},                                        /* */
        {PROGRAM, BENCH_SLOT_B - BENCH_SECTOR - BENCH_PAGE, BENCH_PAGE, 1}, /* its last page */
        {PROGRAM, BENCH_SLOT_B - BENCH_SECTOR, BENCH_PAGE, 0}, /* the trailer's marks */
        {ERASE, BENCH_SLOT_B, 0, 0},                           /* staging */
        {READ, BENCH_SLOT_A, 64, 0},                           /* */
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        struct bench bench;
        uint8_t got = 1;
        bench_init(&bench, 1);
        bench.flash.boot_protect_to = BENCH_SECTOR;
        bench.flash.protect_from = BENCH_SLOT_A;
        bench.flash.protect_to = BENCH_SLOT_B - BENCH_SECTOR;
        cr_assert_eq(do_op(&bench, row[i].op, row[i].addr, row[i].len), 0, "row %zu", i);
        cr_assert_eq(bench.violations[SIM_FLASH_V_PROTECTED], row[i].expect, "row %zu", i);
        sim_flash_peek(&bench.flash, row[i].addr, &got, 1, 1);
        cr_assert_eq(got, row[i].op == PROGRAM ? 0 : 0xFF, "silicon obeys");
        bench_free(&bench);
    }
}

Test(flash, operations_take_their_time)
{
    static const struct {
        enum op op;
        uint32_t len;
        int64_t expect_us; /* page 10, sector 40, 4 KiB read 64 */
    } row[] = {
        {PROGRAM, BENCH_PAGE, 10},
        {PROGRAM, BENCH_SECTOR, 160},
        {PROGRAM, 0, 0},
        {ERASE, 0, 40},
        {READ, 4096, 64},
        {READ, 512, 8},
        {READ, 1, 1},
        {READ, 65, 2},
        {READ, 0, 0},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        struct bench bench;
        bench_init(&bench, 1);
        cr_assert_eq(do_op(&bench, row[i].op, AT, row[i].len), 0);
        cr_assert_eq(bench.now_us, row[i].expect_us, "row %zu", i);
        bench_free(&bench);
    }
}

Test(flash, hooks_see_each_call_once)
{
    struct bench bench;
    uint8_t data[3 * BENCH_SECTOR] = {0};
    bench_init(&bench, 1);
    cr_assert_eq(bench_program(&bench, AT + BENCH_PAGE, data, 2 * BENCH_SECTOR), 0);
    cr_assert_eq(bench.asked, 1);
    cr_assert_eq(bench.told, 1);
    cr_assert_eq(bench.told_call.kind, SIM_FLASH_PROGRAM);
    cr_assert_eq(bench.told_call.addr, AT + BENCH_PAGE);
    cr_assert_eq(bench.told_call.len, 2 * BENCH_SECTOR);
    cr_assert_eq(bench.told_call.units, 32);
    cr_assert_eq(bench_erase(&bench, AT), 0);
    cr_assert_eq(bench.asked_call.kind, SIM_FLASH_ERASE);
    cr_assert_eq(bench.told_call.len, BENCH_SECTOR);
    cr_assert_eq(bench.told_call.units, 1);
    cr_assert_eq(bench_read(&bench, AT, data, 10), 0);
    cr_assert_eq(bench.asked, 2, "reads are not asked about");
    cr_assert_eq(bench.flash.stats.programs, 32);
    cr_assert_eq(bench.flash.stats.erases, 1);
    bench_free(&bench);
}

Test(flash, wear_max_is_the_most_erased_sector)
{
    struct bench bench;
    bench_init(&bench, 1);
    for (int i = 0; i < 5; i++)
        cr_assert_eq(bench_erase(&bench, AT), 0);
    for (int i = 0; i < 3; i++)
        cr_assert_eq(bench_erase(&bench, BENCH_BYTES - BENCH_SECTOR), 0);
    cr_assert_eq(bench.flash.stats.wear_max, 5);
    cr_assert_eq(bench.flash.stats.erases, 8);
    for (int i = 0; i < 3; i++)
        cr_assert_eq(bench_erase(&bench, BENCH_BYTES - BENCH_SECTOR), 0);
    cr_assert_eq(bench.flash.stats.wear_max, 6);
    bench_free(&bench);
}

Test(flash, defective_sectors_keep_their_content)
{
    static const struct {
        enum sim_flash_defect defect;
        int expect;
        uint32_t told; /* a stuck sector's driver believes in success */
    } row[] = {{SIM_FLASH_STUCK, 0, 2}, {SIM_FLASH_WORN, -1, 0}};
    for (size_t i = 0; i < 2; i++) {
        struct bench bench;
        uint8_t data[BENCH_PAGE], got[BENCH_PAGE];
        bench_init(&bench, 1);
        bench_pattern(data, sizeof data, 1);
        cr_assert_eq(bench_program(&bench, AT, data, sizeof data), 0);
        bench.told = 0;
        sim_flash_set_defect(&bench.flash, AT + 99, row[i].defect);
        cr_assert_eq(bench_erase(&bench, AT), row[i].expect);
        cr_assert_eq(do_op(&bench, PROGRAM, AT, BENCH_PAGE), row[i].expect);
        cr_assert_eq(bench.told, row[i].told);
        cr_assert_eq(bench.now_us, 60, "trying takes its time");
        sim_flash_peek(&bench.flash, AT, got, sizeof got, 1);
        cr_assert_arr_eq(got, data, sizeof data);
        cr_assert_eq(bench_erase(&bench, AT + BENCH_SECTOR), 0, "the neighbour is sound");
        sim_flash_set_defect(&bench.flash, AT, SIM_FLASH_SOUND);
        cr_assert_eq(bench_erase(&bench, AT), 0);
        sim_flash_peek(&bench.flash, AT, got, 1, 1);
        cr_assert_eq(got[0], 0xFF);
        bench_free(&bench);
    }
}

Test(flash, program_into_a_worn_sector_stops_there)
{
    struct bench bench;
    uint8_t zero[3 * BENCH_SECTOR] = {0}, got[3 * BENCH_SECTOR];
    bench_init(&bench, 1);
    sim_flash_set_defect(&bench.flash, AT + BENCH_SECTOR, SIM_FLASH_WORN);
    cr_assert_eq(bench_program(&bench, AT, zero, sizeof zero), -1);
    sim_flash_peek(&bench.flash, AT, got, sizeof got, 1);
    for (uint32_t i = 0; i < sizeof got; i++)
        cr_assert_eq(got[i], i < BENCH_SECTOR ? 0 : 0xFF, "byte %u", i);
    cr_assert_eq(bench.now_us, 170, "sixteen pages and the one that failed");
    bench_free(&bench);
}
