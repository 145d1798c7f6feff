/* One flash on a bench, with its power supply: each operation returns also when the power went in
 * its middle. */
#ifndef TESTS_SIM_FLASH_BENCH_H
#define TESTS_SIM_FLASH_BENCH_H

#include "sim/flash.h"

#include <setjmp.h>

/* bootloader | config | slot A | slot B | data, in sectors of 512 bytes with 16 pages of 32. */
enum {
    BENCH_SECTOR = 512,
    BENCH_PAGE = 32,
    BENCH_SLOT_A = 3 * BENCH_SECTOR,
    BENCH_SLOT_B = 7 * BENCH_SECTOR,
    BENCH_SLOT_BYTES = 4 * BENCH_SECTOR,
    BENCH_DATA = 11 * BENCH_SECTOR,
    BENCH_BYTES = 19 * BENCH_SECTOR, /* a leaf and a bit */
    BENCH_CUT = 1,                   /* an operation's result: the power went */
    BENCH_FORMS = SCN_TORN_UNSTABLE - SCN_TORN_NOTHING + 1,
};

struct bench {
    struct sim_flash_base base;
    struct sim_flash_known known;
    struct sim_flash_timing timing;
    int64_t now_us;
    struct sim_flash flash;
    jmp_buf off;
    bool order_cut; /* the next call is cut so */
    struct sim_flash_cut cut;
    uint32_t violations[SIM_FLASH_V_KINDS], violation_addr;
    uint32_t asked, told, lost; /* hooks: before, after, power_lost */
    struct sim_flash_call asked_call, told_call;
    bool was_torn;
    enum sim_flash_op_kind torn_kind;
    uint32_t torn_addr;
    enum scn_torn torn_form;
};

/* Base and known images may be filled between the two. Times: page 10 us, sector 40 us, 4 KiB read
 * 64 us. */
void bench_prepare(struct bench *bench);
void bench_start(struct bench *bench, uint64_t seed);
/* Both at once, with everything erased. */
void bench_init(struct bench *bench, uint64_t seed);
void bench_free(struct bench *bench);

/* 0, -1, or BENCH_CUT. */
int bench_program(struct bench *bench, uint32_t addr, const void *data, uint32_t len);
int bench_erase(struct bench *bench, uint32_t addr);
int bench_read(struct bench *bench, uint32_t addr, void *out, uint32_t len);
/* The next program or erase is cut in this unit with this form. */
void bench_order_cut(struct bench *bench, uint32_t unit, enum scn_torn form);

/* Some bytes that differ for each tag, with about as many 0 as 1 bits. */
void bench_pattern(uint8_t *out, uint32_t len, uint32_t tag);

/* Cells as they are: the bits (unstable ones as 1) and which of them are unstable. */
struct cells {
    uint8_t bits[BENCH_BYTES], unstable[BENCH_BYTES];
};
void bench_cells(const struct bench *bench, struct cells *out, uint32_t addr, uint32_t len);

/* Whether `after` is a possible result of this form, given what the cells held; by the rules of
 * README.md, without knowing the draws. Indices are those of the whole flash. */
bool torn_program_possible(const struct cells *before, const struct cells *after, uint32_t addr,
                           uint32_t len, const uint8_t *data, enum scn_torn form);
bool torn_erase_possible(const struct cells *before, const struct cells *after, uint32_t addr,
                         uint32_t len, enum scn_torn form);

#endif
