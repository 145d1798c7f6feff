/*
 * Philox4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3", SC'11).
 *
 *   key     0 seed, low half   1 seed, high half
 *   counter 0 device           1 purpose          2 index   3 block number within the stream
 *
 * Each (device, purpose, index) thus owns 2^32 blocks of four words, and no two of them overlap.
 */
#include "sim/rng.h"

#include <assert.h>
#include <string.h>

enum { PHILOX_ROUNDS = 10, BLOCK_WORDS = 4 };

/* Multipliers and Weyl increments of the paper, table 2 and section 4.2. */
#define PHILOX_M0 UINT32_C(0xD2511F53)
#define PHILOX_M1 UINT32_C(0xCD9E8D57)
#define PHILOX_W0 UINT32_C(0x9E3779B9)
#define PHILOX_W1 UINT32_C(0xBB67AE85)

void sim_philox4x32(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4])
{
    uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
    uint32_t k0 = key[0], k1 = key[1];
    for (int round = 0; round < PHILOX_ROUNDS; round++) {
        uint64_t p0 = (uint64_t)PHILOX_M0 * c0, p1 = (uint64_t)PHILOX_M1 * c2;
        c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
        c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c1 = (uint32_t)p1;
        c3 = (uint32_t)p0;
        k0 += PHILOX_W0;
        k1 += PHILOX_W1;
    }
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
}

void sim_rng_init(struct sim_rng *rng, uint64_t seed, uint32_t device, enum sim_purpose purpose,
                  uint32_t index)
{
    *rng = (struct sim_rng){
        .key = {(uint32_t)seed, (uint32_t)(seed >> 32)},
        .counter = {device, (uint32_t)purpose, index, 0},
        /* The first block is made by the first draw: many streams are opened and never used. */
        .used = BLOCK_WORDS,
    };
}

uint32_t sim_rng_u32(struct sim_rng *rng)
{
    if (rng->used == BLOCK_WORDS) {
        sim_philox4x32(rng->counter, rng->key, rng->block);
        rng->counter[3]++;
        rng->used = 0;
    }
    return rng->block[rng->used++];
}

uint64_t sim_rng_u64(struct sim_rng *rng)
{
    uint64_t low = sim_rng_u32(rng);
    return low | (uint64_t)sim_rng_u32(rng) << 32;
}

/* Lemire, "Fast random integer generation in an interval", 2019: the high half of draw * n, without
 * the draws that would make the first (2^32 mod n) low halves more likely. */
uint32_t sim_rng_below(struct sim_rng *rng, uint32_t n)
{
    assert(n > 0);
    uint64_t product = (uint64_t)sim_rng_u32(rng) * n;
    if ((uint32_t)product < n) {
        uint32_t surplus = (0u - n) % n;
        while ((uint32_t)product < surplus)
            product = (uint64_t)sim_rng_u32(rng) * n;
    }
    return (uint32_t)(product >> 32);
}

/* Uniform in [0, n) for 64 bits: draws at or above the highest multiple of n are thrown away. */
static uint64_t below_u64(struct sim_rng *rng, uint64_t n)
{
    uint64_t surplus = (0u - n) % n; /* 2^64 mod n */
    uint64_t draw;
    do {
        draw = sim_rng_u64(rng);
    } while (draw > UINT64_MAX - surplus);
    return draw % n;
}

bool sim_rng_chance(struct sim_rng *rng, int64_t num, int64_t den)
{
    if (num <= 0)
        return false;
    if (num >= den)
        return true;
    if (den <= (int64_t)UINT32_MAX)
        return sim_rng_below(rng, (uint32_t)den) < num;
    return below_u64(rng, (uint64_t)den) < (uint64_t)num;
}

uint32_t sim_rng_at(uint64_t seed, uint32_t device, enum sim_purpose purpose, uint32_t index)
{
    struct sim_rng rng;
    sim_rng_init(&rng, seed, device, purpose, index);
    return sim_rng_u32(&rng);
}
