#include "flash_bench.h"

#include <criterion/criterion.h>
#include <string.h>

static bool on_before(void *ctx, const struct sim_flash_call *call, struct sim_flash_cut *cut)
{
    struct bench *bench = ctx;
    bool ordered = bench->order_cut;
    bench->asked++;
    bench->asked_call = *call;
    bench->order_cut = false;
    if (ordered)
        *cut = bench->cut;
    return ordered;
}

static void on_after(void *ctx, const struct sim_flash_call *call)
{
    struct bench *bench = ctx;
    bench->told++;
    bench->told_call = *call;
}

static void on_violation(void *ctx, enum sim_flash_violation kind, uint32_t addr)
{
    struct bench *bench = ctx;
    bench->violations[kind]++;
    bench->violation_addr = addr;
}

static void on_torn(void *ctx, enum sim_flash_op_kind kind, uint32_t addr, enum scn_torn form)
{
    struct bench *bench = ctx;
    bench->was_torn = true;
    bench->torn_kind = kind;
    bench->torn_addr = addr;
    bench->torn_form = form;
}

static void on_power_lost(void *ctx)
{
    struct bench *bench = ctx;
    bench->lost++;
    longjmp(bench->off, 1);
}

void bench_prepare(struct bench *bench)
{
    static const struct boot_layout layout = {.sector_bytes = BENCH_SECTOR,
                                              .page_bytes = BENCH_PAGE,
                                              .bootloader_bytes = BENCH_SECTOR,
                                              .config_addr = BENCH_SECTOR,
                                              .slot_addr = {BENCH_SLOT_A, BENCH_SLOT_B},
                                              .slot_bytes = BENCH_SLOT_BYTES,
                                              .data_addr = BENCH_DATA,
                                              .data_bytes = BENCH_BYTES - BENCH_DATA};
    memset(bench, 0, sizeof *bench);
    bench->timing = (struct sim_flash_timing){10, 40, 64};
    cr_assert_eq(sim_flash_base_init(&bench->base, BENCH_BYTES, BENCH_SECTOR, BENCH_PAGE), 0);
    sim_flash_known_init(&bench->known, &layout);
}

void bench_start(struct bench *bench, uint64_t seed)
{
    cr_assert_eq(sim_flash_init(&bench->flash, &bench->base, &bench->known, &bench->timing,
                                &bench->now_us, seed, 1),
                 0);
    bench->flash.hooks = (struct sim_flash_hooks){.ctx = bench,
                                                  .before = on_before,
                                                  .after = on_after,
                                                  .violation = on_violation,
                                                  .torn = on_torn,
                                                  .power_lost = on_power_lost};
}

void bench_init(struct bench *bench, uint64_t seed)
{
    bench_prepare(bench);
    bench_start(bench, seed);
}

void bench_free(struct bench *bench)
{
    sim_flash_free(&bench->flash);
    sim_flash_known_free(&bench->known);
    sim_flash_base_free(&bench->base);
}

int bench_program(struct bench *bench, uint32_t addr, const void *data, uint32_t len)
{
    bench->was_torn = false;
    if (setjmp(bench->off))
        return BENCH_CUT;
    return bench->flash.port.program(bench->flash.port.ctx, addr, data, len);
}

int bench_erase(struct bench *bench, uint32_t addr)
{
    bench->was_torn = false;
    if (setjmp(bench->off))
        return BENCH_CUT;
    return bench->flash.port.erase(bench->flash.port.ctx, addr);
}

int bench_read(struct bench *bench, uint32_t addr, void *out, uint32_t len)
{
    bench->was_torn = false;
    if (setjmp(bench->off))
        return BENCH_CUT;
    return bench->flash.port.read(bench->flash.port.ctx, addr, out, len);
}

void bench_order_cut(struct bench *bench, uint32_t unit, enum scn_torn form)
{
    bench->order_cut = true;
    bench->cut = (struct sim_flash_cut){.unit = unit, .form = form};
}

void bench_pattern(uint8_t *out, uint32_t len, uint32_t tag)
{
    struct sim_rng rng;
    sim_rng_init(&rng, 4242, tag, SIM_RNG_IMAGE, 0);
    for (uint32_t i = 0; i < len; i++)
        out[i] = (uint8_t)sim_rng_u32(&rng);
}

void bench_cells(const struct bench *bench, struct cells *out, uint32_t addr, uint32_t len)
{
    uint8_t any = 0;
    sim_flash_peek(&bench->flash, addr, out->bits + addr, len, 1);
    sim_flash_peek(&bench->flash, addr, out->unstable + addr, len, 0);
    for (uint32_t i = addr; i < addr + len; i++) {
        cr_assert_eq(out->unstable[i] & ~out->bits[i], 0, "an unstable bit peeks as asked");
        out->unstable[i] = out->bits[i] & (uint8_t)~out->unstable[i];
        any |= out->unstable[i];
    }
    cr_assert_eq(sim_flash_has_unstable(&bench->flash, addr, len), any != 0);
}

static bool byte_is(const struct cells *cells, uint32_t at, int bits, int unstable)
{
    return cells->bits[at] == bits && cells->unstable[at] == unstable;
}

/* done[i] and kept[i]: byte i looks finished, looks untouched. Is there a tear point inside? */
static bool split_possible(const bool *done, const bool *kept, uint32_t len, bool suffix)
{
    const bool *first = suffix ? kept : done, *last = suffix ? done : kept;
    for (uint32_t at = 1; at < len; at++) {
        bool all = true;
        for (uint32_t i = 0; i < len; i++)
            all = all && (i < at ? first[i] : last[i]);
        if (all)
            return true;
    }
    return false;
}

static bool all_true(const bool *row, uint32_t len)
{
    for (uint32_t i = 0; i < len; i++)
        if (!row[i])
            return false;
    return true;
}

static bool form_possible(const bool *done, const bool *kept, const bool *random,
                          const bool *unstable, uint32_t len, enum scn_torn form)
{
    switch (form) {
    case SCN_TORN_BEFORE:
    case SCN_TORN_NOTHING:
        return all_true(kept, len);
    case SCN_TORN_PREFIX:
    case SCN_TORN_SUFFIX:
        return split_possible(done, kept, len, form == SCN_TORN_SUFFIX);
    case SCN_TORN_RANDOM:
        return all_true(random, len);
    case SCN_TORN_UNSTABLE:
        return all_true(unstable, len);
    default:
        return form == SCN_TORN_AFTER && all_true(done, len);
    }
}

bool torn_program_possible(const struct cells *before, const struct cells *after, uint32_t addr,
                           uint32_t len, const uint8_t *data, enum scn_torn form)
{
    bool done[BENCH_SECTOR], kept[BENCH_SECTOR], random[BENCH_SECTOR], unstable[BENCH_SECTOR];
    for (uint32_t i = 0; i < len; i++) {
        uint8_t bits = before->bits[addr + i], weak = before->unstable[addr + i];
        uint8_t now = after->bits[addr + i];
        done[i] = byte_is(after, addr + i, bits & data[i], weak & data[i]);
        kept[i] = byte_is(after, addr + i, bits, weak);
        random[i] = (now & ~bits) == 0 && (bits & ~now & data[i]) == 0 &&
                    after->unstable[addr + i] == (weak & now);
        unstable[i] = byte_is(after, addr + i, bits, weak | (bits & ~data[i]));
    }
    return form_possible(done, kept, random, unstable, len, form);
}

bool torn_erase_possible(const struct cells *before, const struct cells *after, uint32_t addr,
                         uint32_t len, enum scn_torn form)
{
    bool done[BENCH_SECTOR], kept[BENCH_SECTOR], random[BENCH_SECTOR], unstable[BENCH_SECTOR];
    for (uint32_t i = 0; i < len; i++) {
        uint8_t bits = before->bits[addr + i], weak = before->unstable[addr + i];
        done[i] = byte_is(after, addr + i, 0xFF, 0);
        kept[i] = byte_is(after, addr + i, bits, weak);
        random[i] =
            (bits & ~after->bits[addr + i]) == 0 && (after->unstable[addr + i] & ~weak) == 0;
        unstable[i] = byte_is(after, addr + i, 0xFF, weak | (uint8_t)~bits);
    }
    return form_possible(done, kept, random, unstable, len, form);
}
