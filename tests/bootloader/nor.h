/*
 * A strict NOR flash in memory, for the bootloader's tests. Stricter than hardware: a program that
 * is misaligned, out of bounds, in the protected range, or asks a bit to rise, is a violation and
 * fails the test. Power is cut at a chosen operation (one page programmed or one sector erased) in
 * a chosen torn form; the cut does not return, it jumps to `power_lost`.
 */
#ifndef TEST_NOR_H
#define TEST_NOR_H

#include "boot/flash.h"
#include <setjmp.h>
#include <stdbool.h>

enum { NOR_BYTES = 8192 };

enum nor_form {
    NOR_NOTHING,  /* power went before the first bit moved (and, for the last op, see NOR_AFTER) */
    NOR_PREFIX,   /* the first part of the page or sector is done */
    NOR_SUFFIX,   /* the last part is done */
    NOR_RANDOM,   /* a random subset of the bits is done */
    NOR_UNSTABLE, /* affected bits read differently at each read until they are written again */
    NOR_AFTER,    /* the operation completed, its caller never learnt of it */
    NOR_FORMS
};

/* Copyable: a snapshot is a struct copy. */
struct nor {
    uint8_t cell[NOR_BYTES];     /* what was there before, for unstable bits */
    uint8_t unstable[NOR_BYTES]; /* bits that read differently at each read */
    bool shaky;                  /* some bit is unstable */
    uint32_t sector_bytes, page_bytes;
    uint32_t protect_from, protect_to; /* nothing may be written here */
    uint64_t ops, cut_at;              /* operations so far; the one that is cut, UINT64_MAX none */
    enum nor_form form;
    uint64_t random; /* state of the generator: same seed, same tears and same unstable reads */
    uint64_t reads_bytes;
    int fail_from;         /* ops from this one on fail with -1 and do nothing, -1: none */
    bool fail_read;        /* reads fail */
    uint32_t fail_addr;    /* only erase of the sector at this address fails, UINT32_MAX: none */
    const char *violation; /* the first one, NULL while there is none */
    jmp_buf *power_lost;
};

void nor_init(struct nor *nor, uint32_t sector_bytes, uint32_t page_bytes, uint64_t seed);
struct boot_flash nor_port(struct nor *nor);

/* From outside: no operation is counted, nothing is checked. */
void nor_put(struct nor *nor, uint32_t addr, const void *data, uint32_t len);
uint64_t nor_random(struct nor *nor);

#endif
