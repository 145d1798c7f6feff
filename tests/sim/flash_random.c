/*
 * The flash against a plain model: two byte arrays and no sharing. 50,000 random operations, a
 * third of them cut; what a torn unit holds is judged by rules, then taken over into the model.
 */
#include "flash_bench.h"

#include <criterion/criterion.h>
#include <string.h>

enum { SECTORS = BENCH_BYTES / BENCH_SECTOR, OPS = 50000, IMAGES = 3 };

struct model {
    struct bench bench;
    struct cells cells, now;
    enum sim_flash_defect defect[SECTORS];
    uint32_t wear[SECTORS], wear_max, protect_from, protect_to;
    uint64_t programs, erases, cuts, overwrites, protecteds;
    struct sim_rng rng;
    uint8_t image[IMAGES][BENCH_SLOT_BYTES];
};

static void model_init(struct model *model, uint64_t seed)
{
    memset(model, 0, sizeof *model);
    memset(model->cells.bits, 0xFF, BENCH_BYTES);
    sim_rng_init(&model->rng, seed, 0, SIM_RNG_ROSTER, 0);
    bench_prepare(&model->bench);
    for (uint32_t i = 0; i < IMAGES; i++) {
        bench_pattern(model->image[i], BENCH_SLOT_BYTES,
                      i / 2); /* the first two have a common part */
        model->image[i][2 * BENCH_SECTOR + 9] = (uint8_t)i;
        memset(model->image[i] + BENCH_SECTOR, 0xFF, i == 2 ? BENCH_SECTOR : 0);
        sim_flash_known_add(&model->bench.known, model->image[i], 3 * BENCH_SECTOR + 40);
    }
    sim_flash_base_put(&model->bench.base, BENCH_SLOT_A, model->image[0], BENCH_SLOT_BYTES);
    memcpy(model->cells.bits + BENCH_SLOT_A, model->image[0], BENCH_SLOT_BYTES);
    bench_start(&model->bench, seed);
    model->bench.flash.boot_protect_to = BENCH_SECTOR;
    model->bench.flash.protect_from = BENCH_SLOT_A;
    model->bench.flash.protect_to = BENCH_SLOT_B;
}

static bool hit(struct model *model, uint32_t one_in)
{
    return sim_rng_below(&model->rng, one_in) == 0;
}

/* A cut for the next operation: none, on order, or by time (maybe behind its end). */
static void arm_cut(struct model *model, uint32_t units, uint32_t unit_us)
{
    struct bench *bench = &model->bench;
    uint32_t choice = sim_rng_below(&model->rng, 6);
    bench->flash.cut_at_us = INT64_MAX;
    bench->flash.cut_form = (enum scn_torn)sim_rng_below(&model->rng, SCN_TORNS);
    if (choice == 0)
        bench_order_cut(bench, sim_rng_below(&model->rng, units), bench->flash.cut_form);
    if (choice == 1)
        bench->flash.cut_at_us = bench->now_us + sim_rng_below(&model->rng, units * unit_us + 20);
}

static void expect_protected(struct model *model, uint32_t addr, uint32_t len)
{
    bool running = addr < BENCH_SLOT_B && addr + len > BENCH_SLOT_A;
    model->protecteds += running || addr < BENCH_SECTOR;
}

/* The model programs one page fully; true if that asks a 0 to become 1. */
static bool model_page(struct model *model, uint32_t addr, const uint8_t *data)
{
    bool asked = false;
    for (uint32_t i = 0; i < BENCH_PAGE; i++) {
        asked = asked || (data[i] & ~model->cells.bits[addr + i]);
        if (model->defect[addr / BENCH_SECTOR] == SIM_FLASH_SOUND) {
            model->cells.bits[addr + i] &= data[i];
            model->cells.unstable[addr + i] &= data[i];
        }
    }
    return asked;
}

/* Takes over the torn range from the flash, after the judgement. */
static void adopt(struct model *model, uint32_t addr, uint32_t len)
{
    memcpy(model->cells.bits + addr, model->now.bits + addr, len);
    memcpy(model->cells.unstable + addr, model->now.unstable + addr, len);
}

static void judge_torn_page(struct model *model, uint32_t addr, const uint8_t *data)
{
    struct bench *bench = &model->bench;
    bool sound = model->defect[addr / BENCH_SECTOR] == SIM_FLASH_SOUND;
    cr_assert_eq(bench->torn_kind, SIM_FLASH_PROGRAM);
    bench_cells(bench, &model->now, addr, BENCH_PAGE);
    cr_assert(torn_program_possible(&model->cells, &model->now, addr, BENCH_PAGE, data,
                                    sound ? bench->torn_form : SCN_TORN_NOTHING));
    adopt(model, addr, BENCH_PAGE);
}

/* Pages up to the end, the torn one, or the first page of a worn sector. Overwrites count once a
 * sector. */
static void model_program(struct model *model, uint32_t addr, const uint8_t *data, uint32_t len,
                          int result)
{
    struct bench *bench = &model->bench;
    bool asked = false;
    uint32_t at = addr;
    for (; at < addr + len; at += BENCH_PAGE) {
        bool torn = result == BENCH_CUT && at == bench->torn_addr;
        if (at % BENCH_SECTOR == 0 || torn)
            asked = false;
        if (torn) {
            bool begun = bench->torn_form != SCN_TORN_BEFORE;
            struct cells *cells = &model->cells;
            for (uint32_t i = 0; begun && i < BENCH_PAGE; i++)
                asked = asked || (data[at - addr + i] & ~cells->bits[at + i]);
            model->overwrites += asked;
            model->programs += begun;
            judge_torn_page(model, at, data + (at - addr));
            break;
        }
        if (model->defect[at / BENCH_SECTOR] == SIM_FLASH_WORN)
            break;
        bool page_asked = model_page(model, at, data + (at - addr));
        model->overwrites += page_asked && !asked;
        asked = asked || page_asked;
        model->programs++;
    }
    if (result == 0)
        cr_assert_eq(at, addr + len);
    if (result == -1)
        cr_assert_eq(model->defect[at / BENCH_SECTOR], SIM_FLASH_WORN);
}

static uint32_t step_program(struct model *model)
{
    uint8_t data[2 * BENCH_SECTOR];
    struct sim_rng *rng = &model->rng;
    uint32_t pages = 1 + sim_rng_below(rng, hit(model, 3) ? 32 : 4);
    uint32_t addr = sim_rng_below(rng, BENCH_BYTES / BENCH_PAGE - pages) * BENCH_PAGE;
    if (hit(model, 3)) { /* a whole sector of a known image, at a slot's place */
        pages = BENCH_SECTOR / BENCH_PAGE;
        addr = sim_rng_below(rng, 2) ? BENCH_SLOT_B : BENCH_SLOT_A;
        addr += sim_rng_below(rng, BENCH_SLOT_BYTES / BENCH_SECTOR) * BENCH_SECTOR;
        uint32_t place = (addr - BENCH_SLOT_A) % BENCH_SLOT_BYTES;
        memcpy(data, model->image[sim_rng_below(rng, IMAGES)] + place, BENCH_SECTOR);
    } else {
        bool legal = !hit(model, 4);
        bench_pattern(data, sizeof data, sim_rng_u32(rng));
        for (uint32_t i = 0; legal && i < pages * BENCH_PAGE; i++)
            data[i] &= model->cells.bits[addr + i];
    }
    arm_cut(model, pages, 10);
    expect_protected(model, addr, pages * BENCH_PAGE);
    int64_t before_us = model->bench.now_us;
    int result = bench_program(&model->bench, addr, data, pages * BENCH_PAGE);
    if (result == 0)
        cr_assert_eq(model->bench.now_us, before_us + pages * 10);
    model->cuts += result == BENCH_CUT;
    model_program(model, addr, data, pages * BENCH_PAGE, result);
    return addr / BENCH_SECTOR;
}

static uint32_t step_erase(struct model *model)
{
    struct bench *bench = &model->bench;
    uint32_t sector = sim_rng_below(&model->rng, SECTORS), addr = sector * BENCH_SECTOR;
    enum sim_flash_defect defect = model->defect[sector];
    arm_cut(model, 1, 40);
    expect_protected(model, addr, BENCH_SECTOR);
    int result = bench_erase(bench, addr);
    bool cut = result == BENCH_CUT;
    bool begun = !cut ? defect != SIM_FLASH_WORN : bench->torn_form != SCN_TORN_BEFORE;
    enum scn_torn form = cut ? bench->torn_form : SCN_TORN_AFTER;
    cr_assert(cut || result == (defect == SIM_FLASH_WORN ? -1 : 0));
    bench_cells(bench, &model->now, addr, BENCH_SECTOR);
    cr_assert(torn_erase_possible(&model->cells, &model->now, addr, BENCH_SECTOR,
                                  defect == SIM_FLASH_SOUND ? form : SCN_TORN_NOTHING));
    adopt(model, addr, BENCH_SECTOR);
    model->cuts += cut;
    model->erases += begun;
    model->wear[sector] += begun && defect == SIM_FLASH_SOUND;
    if (model->wear[sector] > model->wear_max)
        model->wear_max = model->wear[sector];
    return sector;
}

static uint32_t step_read(struct model *model)
{
    uint8_t got[3000];
    uint32_t len = sim_rng_below(&model->rng, sizeof got);
    uint32_t addr = sim_rng_below(&model->rng, BENCH_BYTES - len);
    model->bench.flash.cut_at_us = INT64_MAX;
    cr_assert_eq(bench_read(&model->bench, addr, got, len), 0);
    for (uint32_t i = 0; i < len; i++)
        cr_assert_eq((got[i] ^ model->cells.bits[addr + i]) & ~model->cells.unstable[addr + i], 0);
    return addr / BENCH_SECTOR;
}

static uint32_t step_fault(struct model *model)
{
    struct sim_rng *rng = &model->rng;
    uint32_t addr = sim_rng_below(rng, BENCH_BYTES), bit = sim_rng_below(rng, 8);
    if (hit(model, 4)) {
        enum sim_flash_defect defect = (enum sim_flash_defect)sim_rng_below(rng, 3);
        uint32_t last = sim_rng_below(rng, SECTORS); /* most sectors stay sound */
        for (uint32_t sector = 0; sector < SECTORS; sector++) {
            model->defect[sector] = sector == last ? defect : SIM_FLASH_SOUND;
            sim_flash_set_defect(&model->bench.flash, sector * BENCH_SECTOR, model->defect[sector]);
        }
    } else {
        sim_flash_flip(&model->bench.flash, addr, bit);
        model->cells.bits[addr] ^= (uint8_t)(1u << bit);
        model->cells.unstable[addr] &= (uint8_t) ~(1u << bit);
    }
    return addr / BENCH_SECTOR;
}

/* The run goes on with a clone, and the original is thrown away. */
static uint32_t step_clone(struct model *model)
{
    struct sim_flash original = model->bench.flash;
    cr_assert_eq(sim_flash_clone(&model->bench.flash, &original), 0);
    sim_flash_free(&original);
    return 0;
}

/* Erased, and without unstable bits, has one form only: no pointer. */
static void assert_one_form(const struct model *model, uint32_t addr, uint32_t len)
{
    for (uint32_t at = addr; at < addr + len; at += BENCH_SECTOR) {
        const struct sim_flash *flash = &model->bench.flash;
        const uint8_t *bytes = sim_flash_sector_bytes(flash, at / BENCH_SECTOR);
        const uint8_t *mask = sim_flash_sector_mask(flash, at / BENCH_SECTOR);
        bool erased = true, weak = false;
        for (uint32_t i = 0; i < BENCH_SECTOR; i++) {
            erased = erased && model->now.bits[at + i] == 0xFF;
            weak = weak || model->now.unstable[at + i];
        }
        cr_assert_eq(bytes == NULL, erased);
        cr_assert_eq(mask != NULL, weak);
    }
}

static void assert_equal(struct model *model, uint32_t addr, uint32_t len)
{
    bench_cells(&model->bench, &model->now, addr, len);
    cr_assert_eq(memcmp(model->now.bits + addr, model->cells.bits + addr, len), 0);
    cr_assert_eq(memcmp(model->now.unstable + addr, model->cells.unstable + addr, len), 0);
    assert_one_form(model, addr, len);
}

static void assert_counts(const struct model *model)
{
    const struct sim_flash_stats *stats = &model->bench.flash.stats;
    const uint32_t *violations = model->bench.violations;
    cr_assert_eq(stats->programs, model->programs);
    cr_assert_eq(stats->erases, model->erases);
    cr_assert_eq(stats->cuts, model->cuts);
    cr_assert_eq(stats->wear_max, model->wear_max);
    cr_assert_eq(violations[SIM_FLASH_V_OVERWRITE], model->overwrites);
    cr_assert_eq(violations[SIM_FLASH_V_PROTECTED], model->protecteds);
    cr_assert_eq(stats->violations, model->overwrites + model->protecteds);
}

static void model_run(struct model *model, int ops)
{
    for (int op = 0; op < ops; op++) {
        uint32_t choice = sim_rng_below(&model->rng, 100);
        uint32_t sector = choice < 45   ? step_program(model)
                          : choice < 75 ? step_erase(model)
                          : choice < 95 ? step_read(model)
                          : choice < 98 ? step_fault(model)
                                        : step_clone(model);
        assert_equal(model, sector * BENCH_SECTOR, BENCH_SECTOR);
        if (op % 50 == 0) {
            assert_equal(model, 0, BENCH_BYTES);
            assert_counts(model);
        }
    }
    assert_equal(model, 0, BENCH_BYTES);
    assert_counts(model);
}

Test(flash, random_operations_agree_with_a_plain_model)
{
    static struct model model;
    model_init(&model, 2026);
    model_run(&model, OPS);
    cr_assert(model.cuts > OPS / 10 && model.overwrites > 100 && model.wear_max > 100,
              "the run is worth something: %lu cuts, %lu overwrites, wear %u",
              (unsigned long)model.cuts, (unsigned long)model.overwrites, model.wear_max);
    bench_free(&model.bench);
}

Test(flash, same_seed_gives_the_same_flash_and_the_same_reads)
{
    static struct model one, two, other;
    static uint8_t reads[3][BENCH_BYTES];
    struct model *model[] = {&one, &two, &other};
    for (uint64_t i = 0; i < 3; i++) {
        model_init(model[i], i == 2 ? 8 : 7);
        model_run(model[i], 3000);
        model[i]->bench.flash.cut_at_us = INT64_MAX;
        cr_assert_eq(bench_read(&model[i]->bench, 0, reads[i], BENCH_BYTES), 0);
    }
    cr_assert_eq(memcmp(&one.cells, &two.cells, sizeof one.cells), 0);
    cr_assert_eq(memcmp(reads[0], reads[1], BENCH_BYTES), 0);
    cr_assert_eq(
        memcmp(&one.bench.flash.stats, &two.bench.flash.stats, sizeof one.bench.flash.stats), 0);
    cr_assert_neq(memcmp(&one.cells, &other.cells, sizeof one.cells), 0);
    for (int i = 0; i < 3; i++)
        bench_free(&model[i]->bench);
}
