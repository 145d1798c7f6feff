/* The random streams: Philox against its published answers, and what is built on it by exact
 * counting. */
#include "sim/rng.h"

#include <criterion/criterion.h>
#include <string.h>

/* Random123, tests/kat_vectors, philox 4x32 10. */
static const struct {
    uint32_t counter[4], key[2], expect[4];
} known_answer[] = {
    {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
    {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
     {0xffffffff, 0xffffffff},
     {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
    {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
     {0xa4093822, 0x299f31d0},
     {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
};

Test(rng, philox_gives_the_published_answers)
{
    for (size_t i = 0; i < sizeof known_answer / sizeof *known_answer; i++) {
        uint32_t out[4];
        sim_philox4x32(known_answer[i].counter, known_answer[i].key, out);
        cr_assert_arr_eq(out, known_answer[i].expect, sizeof out, "vector %zu", i);
    }
}

Test(rng, stream_is_the_blocks_of_its_key_and_counter_in_order)
{
    struct sim_rng rng;
    sim_rng_init(&rng, UINT64_C(0x1122334455667788), 9, SIM_RNG_LINK, 4);
    for (uint32_t block = 0; block < 3; block++) {
        uint32_t expect[4];
        sim_philox4x32((uint32_t[]){9, SIM_RNG_LINK, 4, block},
                       (uint32_t[]){0x55667788, 0x11223344}, expect);
        for (int word = 0; word < 4; word++)
            cr_assert_eq(sim_rng_u32(&rng), expect[word], "block %u word %d", block, word);
    }
}

Test(rng, u64_is_two_words_low_first)
{
    struct sim_rng words, pairs;
    sim_rng_init(&words, 1, 2, SIM_RNG_KEY, 3);
    pairs = words;
    for (int i = 0; i < 9; i++) {
        uint64_t low = sim_rng_u32(&words), high = sim_rng_u32(&words);
        cr_assert_eq(sim_rng_u64(&pairs), low | high << 32);
    }
}

Test(rng, every_part_of_the_name_makes_another_stream)
{
    static const struct {
        uint64_t seed;
        uint32_t device;
        enum sim_purpose purpose;
        uint32_t index;
    } row[] = {
        {1, 1, SIM_RNG_TORN, 1}, {2, 1, SIM_RNG_TORN, 1}, {UINT64_C(1) << 32, 1, SIM_RNG_TORN, 1},
        {1, 2, SIM_RNG_TORN, 1}, {1, 1, SIM_RNG_LINK, 1}, {1, 1, SIM_RNG_TORN, 2},
    };
    enum { ROWS = sizeof row / sizeof *row };
    uint64_t first[ROWS];
    for (int i = 0; i < ROWS; i++) {
        struct sim_rng rng;
        sim_rng_init(&rng, row[i].seed, row[i].device, row[i].purpose, row[i].index);
        first[i] = sim_rng_u64(&rng);
        for (int j = 0; j < i; j++)
            cr_assert_neq(first[i], first[j], "streams %d and %d", i, j);
    }
}

Test(rng, single_draw_is_the_first_of_its_stream)
{
    for (uint32_t index = 0; index < 20; index++) {
        struct sim_rng rng;
        sim_rng_init(&rng, 77, 5, SIM_RNG_ROSTER, index);
        cr_assert_eq(sim_rng_at(77, 5, SIM_RNG_ROSTER, index), sim_rng_u32(&rng));
    }
}

Test(rng, below_stays_below_and_fills_every_cell_alike)
{
    enum { CELLS = 7, DRAWS = 70000 };
    struct sim_rng rng;
    uint32_t count[CELLS] = {0};
    sim_rng_init(&rng, 3, 0, SIM_RNG_BEHAVIOUR, 0);
    for (int i = 0; i < DRAWS; i++)
        count[sim_rng_below(&rng, CELLS)]++;
    for (int i = 0; i < CELLS; i++) /* 10,000 expected, sigma 93: five sigma to each side */
        cr_assert(count[i] > 9535 && count[i] < 10465, "cell %d has %u", i, count[i]);
    cr_assert_eq(sim_rng_below(&rng, 1), 0);
}

/* n = 3 * 2^30: without rejection the draws would hit two of three cells 3:3:2. */
Test(rng, below_is_unbiased_where_a_plain_scale_would_not_be)
{
    enum { DRAWS = 90000 };
    struct sim_rng rng;
    uint32_t count[3] = {0};
    sim_rng_init(&rng, 4, 0, SIM_RNG_BEHAVIOUR, 0);
    for (int i = 0; i < DRAWS; i++)
        count[sim_rng_below(&rng, UINT32_C(3) << 30) % 3]++;
    for (int i = 0; i < 3; i++) /* 30,000 expected, sigma 141 */
        cr_assert(count[i] > 29295 && count[i] < 30705, "remainder %d has %u", i, count[i]);
}

Test(rng, chance_is_exact_at_its_ends)
{
    static const struct {
        int64_t num, den;
        bool expect;
    } row[] = {
        {0, 1, false}, {-1, 100, false}, {0, INT64_C(1) << 61, false},
        {1, 1, true},  {100, 100, true}, {INT64_C(1) << 61, INT64_C(1) << 61, true},
    };
    struct sim_rng rng;
    sim_rng_init(&rng, 5, 0, SIM_RNG_CRASH, 0);
    for (int i = 0; i < 60; i++)
        cr_assert_eq(sim_rng_chance(&rng, row[i % 6].num, row[i % 6].den), row[i % 6].expect,
                     "row %d", i % 6);
}

Test(rng, chance_hits_its_ratio)
{
    static const struct {
        int64_t num, den;
        uint32_t low, high; /* five sigma around 100,000 * num / den */
    } row[] = {
        {1, 2, 49209, 50791},
        {2, 100, 1778, 2222},
        {1, 5000, 0, 43},
        {4999, 5000, 99957, 100000},
        {INT64_C(1) << 60, INT64_C(3) << 60, 32588, 34079}, /* 64-bit draws, with rejection */
        {(INT64_C(1) << 61) - 1, INT64_C(1) << 61, 99999,
         100000}, /* one part in 2^61 is not seen */
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        struct sim_rng rng;
        uint32_t hits = 0;
        sim_rng_init(&rng, 6, 0, SIM_RNG_CRASH, (uint32_t)i);
        for (int draw = 0; draw < 100000; draw++)
            hits += sim_rng_chance(&rng, row[i].num, row[i].den);
        cr_assert(hits >= row[i].low && hits <= row[i].high, "row %zu: %u hits", i, hits);
    }
}

/* num/den = k/3 and (3 - k)/3 must partition the same draws: exactness seen from the draws
 * themselves. */
Test(rng, chance_compares_the_draw_below_den)
{
    struct sim_rng draws, chances;
    sim_rng_init(&draws, 8, 0, SIM_RNG_LINK, 0);
    chances = draws;
    for (int i = 0; i < 5000; i++)
        cr_assert_eq(sim_rng_chance(&chances, 333, 1000), sim_rng_below(&draws, 1000) < 333);
}
