/* Clones share what nobody writes to, each goes its own way, and each may live on its own thread.
 */
#include "flash_bench.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <string.h>

enum { AT = BENCH_DATA, SECTOR = BENCH_DATA / BENCH_SECTOR, FAR = 1, THREADS = 4, ROUNDS = 200 };

/* Sector SECTOR is programmed, the next one has unstable bits, FAR (another leaf than the last
 * sectors) is programmed. */
static void fill(struct bench *bench)
{
    uint8_t data[BENCH_SECTOR];
    bench_pattern(data, sizeof data, 1);
    bench_init(bench, 1);
    cr_assert_eq(bench_program(bench, AT, data, sizeof data), 0);
    cr_assert_eq(bench_program(bench, FAR * BENCH_SECTOR, data, sizeof data), 0);
    bench_order_cut(bench, 0, SCN_TORN_UNSTABLE);
    cr_assert_eq(bench_program(bench, AT + BENCH_SECTOR, data, BENCH_PAGE), BENCH_CUT);
}

static void clone_of(struct bench *out, const struct bench *from)
{
    *out = *from;
    cr_assert_eq(sim_flash_clone(&out->flash, &from->flash), 0);
    out->flash.hooks.ctx = out;
    out->flash.now_us = &out->now_us;
}

static const uint8_t *bytes(const struct bench *bench, uint32_t sector)
{
    return sim_flash_sector_bytes(&bench->flash, sector);
}

Test(flash_clone, shares_every_sector_until_one_of_the_two_writes_there)
{
    struct bench one, two;
    uint8_t zero[BENCH_PAGE] = {0};
    fill(&one);
    clone_of(&two, &one);
    for (uint32_t i = 0; i < BENCH_BYTES / BENCH_SECTOR; i++) {
        cr_assert_eq(bytes(&one, i), bytes(&two, i));
        cr_assert_eq(sim_flash_sector_mask(&one.flash, i), sim_flash_sector_mask(&two.flash, i));
    }
    const uint8_t *shared = bytes(&one, SECTOR),
                  *mask = sim_flash_sector_mask(&one.flash, SECTOR + 1);
    cr_assert_eq(bench_program(&two, AT, zero, sizeof zero), 0);
    cr_assert_eq(bytes(&one, SECTOR), shared, "who does not write keeps its bytes");
    cr_assert_neq(bytes(&two, SECTOR), shared);
    cr_assert_eq(bytes(&two, FAR), bytes(&one, FAR), "the rest of the leaf is still shared");
    cr_assert_eq(sim_flash_sector_mask(&two.flash, SECTOR + 1), mask);
    cr_assert_eq(bench_program(&one, AT, zero, sizeof zero), 0);
    cr_assert_eq(bytes(&one, SECTOR), shared, "alone again, so no copy");
    sim_flash_free(&two.flash);
    cr_assert_eq(bench_program(&one, FAR * BENCH_SECTOR, zero, sizeof zero), 0);
    bench_free(&one);
}

enum change { PROGRAM, WEAKEN, TEAR, SETTLE, ERASE, ERASE_WEAK, HALF_ERASE, FLIP, DEFECT, CHANGES };

static void make(struct bench *bench, enum change change)
{
    uint8_t zero[BENCH_PAGE] = {0};
    uint32_t weak = AT + BENCH_SECTOR;
    if (change == PROGRAM)
        cr_assert_eq(bench_program(bench, AT, zero, sizeof zero), 0);
    if (change == WEAKEN || change == TEAR) {
        bench_order_cut(bench, 0, change == TEAR ? SCN_TORN_PREFIX : SCN_TORN_UNSTABLE);
        cr_assert_eq(bench_program(bench, weak, zero, sizeof zero), BENCH_CUT);
    }
    if (change == SETTLE)
        cr_assert_eq(bench_program(bench, weak, zero, sizeof zero), 0);
    if (change == ERASE || change == ERASE_WEAK)
        cr_assert_eq(bench_erase(bench, change == ERASE ? AT : weak), 0);
    if (change == HALF_ERASE) {
        bench_order_cut(bench, 0, SCN_TORN_UNSTABLE);
        cr_assert_eq(bench_erase(bench, AT), BENCH_CUT);
    }
    if (change == FLIP)
        sim_flash_flip(&bench->flash, AT + 3, 3);
    if (change == DEFECT)
        sim_flash_set_defect(&bench->flash, AT, SIM_FLASH_STUCK);
}

Test(flash_clone, no_change_of_one_is_seen_by_the_other)
{
    static struct cells before, after;
    for (int change = 0; change < CHANGES; change++) {
        for (int original_writes = 0; original_writes < 2; original_writes++) {
            struct bench one, two;
            fill(&one);
            bench_cells(&one, &before, 0, BENCH_BYTES);
            clone_of(&two, &one);
            struct bench *writer = original_writes ? &one : &two;
            struct bench *other = original_writes ? &two : &one;
            make(writer, (enum change)change);
            bench_cells(other, &after, 0, BENCH_BYTES);
            cr_assert_eq(memcmp(&before, &after, sizeof before), 0, "change %d", change);
            cr_assert_eq(sim_flash_defect_at(&other->flash, AT), SIM_FLASH_SOUND);
            cr_assert_eq(other->flash.stats.wear_max, 0);
            bench_cells(writer, &after, 0, BENCH_BYTES);
            cr_assert_eq(memcmp(&before, &after, sizeof before) == 0, change == DEFECT);
            cr_assert_eq(sim_flash_defect_at(&writer->flash, AT + 7),
                         change == DEFECT ? SIM_FLASH_STUCK : SIM_FLASH_SOUND);
            sim_flash_free(&writer->flash);
            bench_cells(other, &after, 0, BENCH_BYTES);
            cr_assert_eq(memcmp(&before, &after, sizeof before), 0, "and it outlives the writer");
            sim_flash_free(&other->flash);
            sim_flash_known_free(&one.known);
            sim_flash_base_free(&one.base);
        }
    }
}

struct life {
    const struct sim_flash *from; /* NULL: flash is a clone already */
    struct sim_flash flash;
    int64_t now_us;
    uint8_t tag;
    bool right;
};

/* Programs pages with the tag's bits, sees its own bits only, and is freed here. */
static void *live(void *ctx)
{
    struct life *life = ctx;
    uint8_t page[BENCH_PAGE], got[BENCH_PAGE];
    if (life->from && sim_flash_clone(&life->flash, life->from) != 0)
        return NULL;
    life->flash.hooks = (struct sim_flash_hooks){0};
    life->flash.now_us = &life->now_us;
    const struct boot_flash *port = &life->flash.port;
    bool right = port->erase(port->ctx, AT + BENCH_SECTOR) == 0;
    memset(page, life->tag, sizeof page);
    right = right && port->program(port->ctx, AT + BENCH_SECTOR, page, sizeof page) == 0;
    right = right && port->erase(port->ctx, AT) == 0;
    right = right && port->program(port->ctx, AT, page, sizeof page) == 0;
    for (uint32_t at = AT; right && at <= AT + BENCH_SECTOR; at += BENCH_SECTOR) {
        right = port->read(port->ctx, at, got, sizeof got) == 0;
        right = right && memcmp(got, page, sizeof got) == 0;
    }
    sim_flash_free(&life->flash);
    life->right = right;
    return NULL;
}

/* by_threads: each thread makes its own clone of one flash that rests; else one thread makes all of
 * them, and goes on writing to the original. */
static void live_on_threads(struct bench *one, bool by_threads)
{
    struct life life[THREADS] = {0};
    pthread_t thread[THREADS];
    uint8_t page[BENCH_PAGE];
    for (uint8_t i = 0; i < THREADS; i++) {
        life[i].tag = (uint8_t)(i + 1);
        life[i].from = by_threads ? &one->flash : NULL;
        cr_assert(by_threads || sim_flash_clone(&life[i].flash, &one->flash) == 0);
        cr_assert_eq(pthread_create(&thread[i], NULL, live, &life[i]), 0);
        memset(page, 0xFF << i, sizeof page);
        cr_assert(by_threads || bench_program(one, AT, page, sizeof page) == 0);
    }
    for (int i = 0; i < THREADS; i++) {
        cr_assert_eq(pthread_join(thread[i], NULL), 0);
        cr_assert(life[i].right);
    }
}

Test(flash_clone, may_be_written_and_freed_by_another_thread)
{
    static struct cells before, after;
    struct bench one;
    fill(&one);
    bench_cells(&one, &before, 0, BENCH_BYTES);
    for (int round = 0; round < ROUNDS; round++)
        live_on_threads(&one, false);
    for (uint32_t i = 0; i < BENCH_PAGE; i++)
        before.bits[AT + i] &= (uint8_t)(0xFF << (THREADS - 1));
    bench_cells(&one, &after, 0, BENCH_BYTES);
    cr_assert_eq(memcmp(&before, &after, sizeof before), 0);
    bench_free(&one);
}

Test(flash_clone, may_be_made_by_several_threads_of_one_that_rests)
{
    static struct cells before, after;
    struct bench one;
    fill(&one);
    bench_cells(&one, &before, 0, BENCH_BYTES);
    for (int round = 0; round < ROUNDS; round++)
        live_on_threads(&one, true);
    bench_cells(&one, &after, 0, BENCH_BYTES);
    cr_assert_eq(memcmp(&before, &after, sizeof before), 0);
    bench_free(&one);
}

Test(flash_clone, reseed_restarts_both_streams)
{
    struct bench one, two;
    fill(&one);
    clone_of(&two, &one);
    sim_flash_reseed(&one.flash, 9, 1, 5);
    cr_assert_neq(memcmp(&one.flash.torn_rng, &two.flash.torn_rng, sizeof one.flash.torn_rng), 0);
    sim_rng_u32(&two.flash.torn_rng);
    sim_rng_u32(&two.flash.read_rng);
    sim_flash_reseed(&two.flash, 9, 1, 5);
    for (int i = 0; i < 20; i++) {
        uint32_t torn = sim_rng_u32(&one.flash.torn_rng), read = sim_rng_u32(&one.flash.read_rng);
        cr_assert_neq(torn, read);
        cr_assert_eq(sim_rng_u32(&two.flash.torn_rng), torn);
        cr_assert_eq(sim_rng_u32(&two.flash.read_rng), read);
    }
    sim_flash_free(&two.flash);
    bench_free(&one);
}
