/* What a device's content costs and with whom it is shared. */
#include "flash_bench.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum { IMAGE = 2 * BENCH_SECTOR + 70, IMAGE_ROUND = 3 * BENCH_SECTOR };

/* The image as an agent writes it: the last page filled with FF. */
static uint32_t stage(struct bench *bench, uint32_t addr, const uint8_t *image, uint32_t len,
                      uint32_t step)
{
    uint8_t chunk[BENCH_SECTOR];
    for (uint32_t at = 0; at < len; at += step) {
        uint32_t part = len - at < step ? len - at : step;
        uint32_t padded = (part + BENCH_PAGE - 1) / BENCH_PAGE * BENCH_PAGE;
        memset(chunk, 0xFF, sizeof chunk);
        memcpy(chunk, image + at, part);
        cr_assert_eq(bench_program(bench, addr + at, chunk, padded), 0);
    }
    return len;
}

static uint64_t leaf_bytes(uint64_t leaves)
{
    struct bench bench;
    bench_init(&bench, 1);
    uint64_t table = sim_flash_memory_bytes(&bench.flash);
    cr_assert_eq(bench_erase(&bench, 0), 0);
    uint64_t leaf = sim_flash_memory_bytes(&bench.flash) - table;
    bench_free(&bench);
    return table + leaves * leaf;
}

Test(flash, known_image_costs_no_sector_however_it_is_programmed)
{
    static const uint32_t step[] = {BENCH_SECTOR, 4 * BENCH_PAGE, BENCH_PAGE};
    uint8_t image[IMAGE];
    bench_pattern(image, sizeof image, 1);
    for (int slot = 0; slot < BOOT_SLOTS; slot++) {
        for (size_t i = 0; i < sizeof step / sizeof *step; i++) {
            struct bench bench;
            bench_prepare(&bench);
            cr_assert_eq(sim_flash_known_add(&bench.known, image, IMAGE), 0);
            bench_start(&bench, 1);
            uint32_t addr = slot ? BENCH_SLOT_B : BENCH_SLOT_A;
            stage(&bench, addr, image, IMAGE - 1, step[i]);
            cr_assert_eq(sim_flash_known_at(&bench.flash, addr, IMAGE_ROUND), -1, "a byte lacks");
            cr_assert_eq(sim_flash_memory_bytes(&bench.flash), leaf_bytes(1) + BENCH_SECTOR);
            stage(&bench, addr + IMAGE / BENCH_PAGE * BENCH_PAGE,
                  image + IMAGE / BENCH_PAGE * BENCH_PAGE, IMAGE % BENCH_PAGE, BENCH_PAGE);
            cr_assert_eq(sim_flash_known_at(&bench.flash, addr, IMAGE_ROUND), 0, "step %u",
                         step[i]);
            cr_assert_eq(sim_flash_memory_bytes(&bench.flash), leaf_bytes(1));
            bench_free(&bench);
        }
    }
}

Test(flash, pages_in_falling_order_are_shared_too)
{
    struct bench bench;
    uint8_t image[BENCH_SECTOR];
    bench_pattern(image, sizeof image, 1);
    bench_prepare(&bench);
    cr_assert_eq(sim_flash_known_add(&bench.known, image, sizeof image), 0);
    bench_start(&bench, 1);
    for (uint32_t at = BENCH_SECTOR; at > 0; at -= BENCH_PAGE) {
        cr_assert_eq(sim_flash_known_at(&bench.flash, BENCH_SLOT_B, BENCH_SECTOR), -1);
        cr_assert_eq(bench_program(&bench, BENCH_SLOT_B + at - BENCH_PAGE, image + at - BENCH_PAGE,
                                   BENCH_PAGE),
                     0);
    }
    cr_assert_eq(sim_flash_known_at(&bench.flash, BENCH_SLOT_B, BENCH_SECTOR), 0);
    bench_free(&bench);
}

Test(flash, image_counts_as_known_only_whole_and_at_a_slot)
{
    struct bench bench;
    uint8_t image[2 * BENCH_SECTOR];
    bench_pattern(image, sizeof image, 1);
    bench_prepare(&bench);
    cr_assert_eq(sim_flash_known_add(&bench.known, image, sizeof image), 0);
    bench_start(&bench, 1);
    stage(&bench, BENCH_SLOT_B, image, sizeof image, BENCH_SECTOR);
    stage(&bench, BENCH_DATA, image, sizeof image, BENCH_SECTOR);
    stage(&bench, BENCH_SLOT_A + BENCH_SECTOR, image, sizeof image, BENCH_SECTOR);
    cr_assert_eq(sim_flash_known_at(&bench.flash, BENCH_SLOT_B, sizeof image), 0);
    cr_assert_eq(sim_flash_known_at(&bench.flash, BENCH_SLOT_B, BENCH_SECTOR), -1);
    cr_assert_eq(sim_flash_known_at(&bench.flash, BENCH_SLOT_B, 3 * BENCH_SECTOR), -1);
    cr_assert_eq(sim_flash_known_at(&bench.flash, BENCH_SLOT_B + 1, sizeof image), -1);
    cr_assert_eq(sim_flash_known_at(&bench.flash, BENCH_SLOT_B, 0), -1);
    cr_assert_eq(sim_flash_known_at(&bench.flash, BENCH_BYTES, 512), -1);
    cr_assert_eq(sim_flash_known_at(&bench.flash, BENCH_DATA, sizeof image), -1);
    cr_assert_eq(sim_flash_known_at(&bench.flash, BENCH_SLOT_A + BENCH_SECTOR, sizeof image), -1);
    bench_free(&bench);
}

Test(flash, any_change_ends_the_sharing)
{
    enum change { FLIP, CLEAR, WEAKEN, HALF_ERASE, ERASE, NONE, CHANGES };
    uint8_t image[2 * BENCH_SECTOR], zero[BENCH_PAGE] = {0};
    bench_pattern(image, sizeof image, 1);
    for (int change = FLIP; change < CHANGES; change++) {
        struct bench bench;
        bench_prepare(&bench);
        cr_assert_eq(sim_flash_known_add(&bench.known, image, sizeof image), 0);
        bench_start(&bench, 1);
        stage(&bench, BENCH_SLOT_B, image, sizeof image, BENCH_SECTOR);
        uint32_t at = BENCH_SLOT_B + BENCH_SECTOR;
        if (change == FLIP)
            sim_flash_flip(&bench.flash, at + 7, 3);
        if (change == CLEAR)
            cr_assert_eq(bench_program(&bench, at, zero, sizeof zero), 0);
        if (change == WEAKEN) {
            bench_order_cut(&bench, 0, SCN_TORN_UNSTABLE);
            cr_assert_eq(bench_program(&bench, at, zero, sizeof zero), BENCH_CUT);
        }
        if (change == HALF_ERASE) {
            bench_order_cut(&bench, 0, SCN_TORN_RANDOM);
            cr_assert_eq(bench_erase(&bench, at), BENCH_CUT);
        }
        if (change == ERASE)
            cr_assert_eq(bench_erase(&bench, at), 0);
        cr_assert_eq(sim_flash_known_at(&bench.flash, BENCH_SLOT_B, sizeof image),
                     change == NONE ? 0 : -1, "change %d", change);
        cr_assert_eq(memcmp(bench.known.image[0].bytes, image, sizeof image), 0,
                     "the shared bytes are never written");
        bench_erase(&bench, at);
        stage(&bench, at, image + BENCH_SECTOR, BENCH_SECTOR, BENCH_SECTOR);
        cr_assert_eq(sim_flash_known_at(&bench.flash, BENCH_SLOT_B, sizeof image), 0, "restored");
        cr_assert_eq(sim_flash_memory_bytes(&bench.flash), leaf_bytes(1));
        bench_free(&bench);
    }
}

Test(flash, flip_changes_one_bit_and_back)
{
    struct bench bench;
    uint8_t got;
    bench_init(&bench, 1);
    sim_flash_flip(&bench.flash, BENCH_SLOT_A + 5, 6);
    sim_flash_peek(&bench.flash, BENCH_SLOT_A + 5, &got, 1, 0);
    cr_assert_eq(got, 0xBF);
    sim_flash_flip(&bench.flash, BENCH_SLOT_A + 5, 6);
    cr_assert_eq(sim_flash_memory_bytes(&bench.flash), leaf_bytes(1), "erased again");
    cr_assert_eq(bench.now_us + bench.asked, 0, "rot takes no time and asks nobody");
    bench_free(&bench);
}

Test(flash, flip_of_an_unstable_bit_leaves_a_0_that_stays)
{
    struct bench bench;
    uint8_t data[BENCH_PAGE], got;
    memset(data, 0xFF, sizeof data);
    data[5] = 0xFE;
    bench_init(&bench, 1);
    bench_order_cut(&bench, 0, SCN_TORN_UNSTABLE);
    cr_assert_eq(bench_program(&bench, BENCH_DATA, data, sizeof data), BENCH_CUT);
    cr_assert(sim_flash_has_unstable(&bench.flash, BENCH_DATA + 5, 1));
    sim_flash_flip(&bench.flash, BENCH_DATA + 5, 0);
    cr_assert_not(sim_flash_has_unstable(&bench.flash, 0, BENCH_BYTES));
    sim_flash_peek(&bench.flash, BENCH_DATA + 5, &got, 1, 1);
    cr_assert_eq(got, 0xFE);
    bench_free(&bench);
}

Test(flash, images_with_erased_sectors_are_known_without_programming_those)
{
    struct bench bench;
    uint8_t image[4 * BENCH_SECTOR];
    bench_pattern(image, sizeof image, 1);
    memset(image + BENCH_SECTOR, 0xFF, BENCH_SECTOR);
    memset(image + 3 * BENCH_SECTOR, 0xFF, BENCH_SECTOR);
    for (int skip = 0; skip < 2; skip++) {
        bench_prepare(&bench);
        cr_assert_eq(sim_flash_known_add(&bench.known, image, sizeof image), 0);
        bench_start(&bench, 1);
        for (uint32_t i = 0; i < 4; i++)
            if (!skip || i % 2 == 0)
                stage(&bench, BENCH_SLOT_B + i * BENCH_SECTOR, image + i * BENCH_SECTOR,
                      BENCH_SECTOR, i ? BENCH_PAGE : BENCH_SECTOR);
        cr_assert_eq(sim_flash_known_at(&bench.flash, BENCH_SLOT_B, sizeof image), 0);
        cr_assert_eq(sim_flash_memory_bytes(&bench.flash), leaf_bytes(1));
        bench_free(&bench);
    }
}

Test(flash, images_with_a_common_part_are_told_apart)
{
    struct bench bench;
    uint8_t image[3][3 * BENCH_SECTOR];
    bench_prepare(&bench);
    for (uint32_t i = 0; i < 3; i++) {
        bench_pattern(image[i], sizeof image[i], 1);
        image[i][2 * BENCH_SECTOR] = (uint8_t)i;
        cr_assert_eq(sim_flash_known_add(&bench.known, image[i], sizeof image[i]), (int)i);
    }
    bench_start(&bench, 1);
    for (uint32_t i = 3; i-- > 0;) {
        for (uint32_t s = 0; s < 3; s++)
            cr_assert_eq(bench_erase(&bench, BENCH_SLOT_B + s * BENCH_SECTOR), 0);
        stage(&bench, BENCH_SLOT_B, image[i], sizeof image[i], BENCH_SECTOR);
        cr_assert_eq(sim_flash_known_at(&bench.flash, BENCH_SLOT_B, sizeof image[i]), (int)i);
    }
    bench_free(&bench);
}

Test(flash, image_in_the_base_is_known_while_it_is_untouched)
{
    struct bench bench;
    uint8_t image[IMAGE], zero[BENCH_PAGE] = {0};
    bench_pattern(image, sizeof image, 1);
    bench_prepare(&bench);
    cr_assert_eq(sim_flash_base_put(&bench.base, BENCH_SLOT_A, image, IMAGE), 0);
    cr_assert_eq(sim_flash_known_add(&bench.known, image, IMAGE), 0);
    bench_start(&bench, 1);
    cr_assert_eq(sim_flash_known_at(&bench.flash, BENCH_SLOT_A, IMAGE_ROUND), 0);
    cr_assert_eq(bench_erase(&bench, BENCH_SLOT_A - BENCH_SECTOR), 0);
    cr_assert_eq(sim_flash_known_at(&bench.flash, BENCH_SLOT_A, IMAGE_ROUND), 0, "in a leaf now");
    cr_assert_eq(bench_program(&bench, BENCH_SLOT_A + 2 * BENCH_SECTOR, zero, BENCH_PAGE), 0);
    cr_assert_eq(sim_flash_known_at(&bench.flash, BENCH_SLOT_A, IMAGE_ROUND), -1);
    bench_free(&bench);
}

Test(flash, device_with_one_known_image_stays_under_8_kb)
{
    enum { KIB = 1024, SECTOR = 4096, BYTES = 512 * KIB, SLOT_B = (64 + 8 + 4096) * KIB };
    static const struct boot_layout layout = {
        .sector_bytes = SECTOR, .slot_addr = {(64 + 8) * KIB, SLOT_B}, .slot_bytes = 4096 * KIB};
    struct bench bench = {.timing = {700, 45000, 330}};
    uint8_t *image = malloc(BYTES), *got = malloc(BYTES);
    bench_pattern(image, BYTES, 1);
    cr_assert_eq(sim_flash_base_init(&bench.base, (64 + 8 + 16384) * KIB, SECTOR, 256), 0);
    sim_flash_known_init(&bench.known, &layout);
    cr_assert_eq(sim_flash_known_add(&bench.known, image, BYTES), 0);
    bench_start(&bench, 1);
    for (uint32_t at = 0; at < BYTES; at += SECTOR) {
        cr_assert_eq(bench_erase(&bench, SLOT_B + at), 0);
        cr_assert_eq(bench_program(&bench, SLOT_B + at, image + at, SECTOR), 0);
    }
    cr_assert_eq(bench_read(&bench, SLOT_B, got, BYTES), 0);
    cr_assert_eq(memcmp(got, image, BYTES), 0);
    cr_assert(sim_flash_memory_bytes(&bench.flash) < 8 * KIB, "%lu bytes",
              (unsigned long)sim_flash_memory_bytes(&bench.flash));
    cr_assert_eq(bench.now_us, 128 * (45000 + 16 * 700 + 330), "seven seconds on the device");
    bench_free(&bench);
    free(image);
    free(got);
}

Test(flash, clone_and_original_go_their_own_ways)
{
    static struct cells a, b;
    struct bench one, two;
    uint8_t data[BENCH_SECTOR], zero[BENCH_PAGE] = {0};
    bench_pattern(data, sizeof data, 1);
    bench_init(&one, 1);
    cr_assert_eq(bench_program(&one, BENCH_DATA, data, sizeof data), 0);
    bench_order_cut(&one, 0, SCN_TORN_UNSTABLE);
    bench_program(&one, BENCH_DATA + BENCH_SECTOR, zero, sizeof zero);
    sim_flash_set_defect(&one.flash, 0, SIM_FLASH_WORN);
    two = one;
    cr_assert_eq(sim_flash_clone(&two.flash, &one.flash), 0);
    two.flash.hooks.ctx = &two;
    two.flash.now_us = &two.now_us;
    bench_cells(&one, &a, 0, BENCH_BYTES);
    bench_cells(&two, &b, 0, BENCH_BYTES);
    cr_assert_eq(memcmp(&a, &b, sizeof a), 0);
    cr_assert_eq(sim_flash_memory_bytes(&one.flash), sim_flash_memory_bytes(&two.flash));
    cr_assert_eq(bench_erase(&two, 0), -1, "the defect came along");
    cr_assert_eq(bench_program(&two, BENCH_DATA, zero, sizeof zero), 0);
    cr_assert_eq(bench_erase(&two, BENCH_DATA + BENCH_SECTOR), 0);
    bench_cells(&one, &b, 0, BENCH_BYTES);
    cr_assert_eq(memcmp(&a, &b, sizeof a), 0, "the original stays as it was");
    sim_flash_free(&one.flash);
    bench_cells(&two, &b, BENCH_DATA, BENCH_SECTOR);
    cr_assert_eq(memcmp(b.bits + BENCH_DATA + BENCH_PAGE, data + BENCH_PAGE, 100), 0);
    bench_free(&two);
}

Test(flash, base_takes_bytes_anywhere_inside_and_shares_them)
{
    struct bench bench;
    uint8_t data[3 * BENCH_SECTOR], got[BENCH_BYTES], ff[BENCH_SECTOR];
    bench_pattern(data, sizeof data, 1);
    memset(ff, 0xFF, sizeof ff);
    bench_prepare(&bench);
    cr_assert_eq(sim_flash_base_put(&bench.base, 700, data, sizeof data), 0);
    cr_assert_eq(sim_flash_base_put(&bench.base, BENCH_DATA, ff, sizeof ff), 0);
    cr_assert_null(bench.base.sector[BENCH_DATA / BENCH_SECTOR], "FF is erased");
    cr_assert_eq(sim_flash_base_put(&bench.base, BENCH_BYTES - 1, data, 1), 0);
    cr_assert_eq(sim_flash_base_put(&bench.base, BENCH_BYTES - 1, data, 2), -1);
    cr_assert_eq(sim_flash_base_put(&bench.base, UINT32_MAX, data, 2), -1);
    bench_start(&bench, 1);
    cr_assert_eq(bench_read(&bench, 0, got, sizeof got), 0);
    for (uint32_t i = 0; i < BENCH_BYTES; i++) {
        uint8_t expect = i >= 700 && i < 700 + sizeof data ? data[i - 700] : 0xFF;
        cr_assert_eq(got[i], i == BENCH_BYTES - 1 ? data[0] : expect, "byte %u", i);
    }
    cr_assert_eq(sim_flash_memory_bytes(&bench.flash), leaf_bytes(0));
    bench_free(&bench);
}

Test(flash, impossible_geometries_and_images_are_refused)
{
    static const struct {
        uint32_t bytes, sector, page;
    } row[] = {{0, 512, 32},   {1000, 512, 32}, {4096, 500, 32},  {4096, 512, 0},
               {4096, 512, 1}, {4096, 512, 48}, {4096, 512, 1024}};
    struct bench bench;
    uint8_t image[BENCH_SLOT_BYTES + 1] = {0};
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        struct sim_flash_base base;
        cr_assert_eq(sim_flash_base_init(&base, row[i].bytes, row[i].sector, row[i].page), -1,
                     "row %zu", i);
    }
    bench_prepare(&bench);
    cr_assert_eq(sim_flash_known_add(&bench.known, image, 0), -1);
    cr_assert_eq(sim_flash_known_add(&bench.known, image, sizeof image), -1);
    for (int i = 0; i < SIM_FLASH_KNOWN_MAX; i++)
        cr_assert_eq(sim_flash_known_add(&bench.known, image, 10), i);
    cr_assert_eq(sim_flash_known_add(&bench.known, image, 10), -1);
    bench_free(&bench);
}
