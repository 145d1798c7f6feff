/* Promise 2 at a jump, and the hash of a region. */
#include "sim/rng.h"
#include "world.h"
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

static struct sim_oracle_slot sound_slot(void)
{
    return (struct sim_oracle_slot){.valid = true,
                                    .version = "2.4.0",
                                    .device_type = "pump",
                                    .min_hw_revision = "Rev-B",
                                    .security_counter = 3};
}

Test(oracle_judge, each_reason_refuses_alone)
{
    struct sim_oracle_slot slot = sound_slot();
    cr_assert_null(sim_oracle_may_run(&slot, "pump", "Rev-B", 3));
    cr_assert_null(sim_oracle_may_run(&slot, "pump", "Rev-C", 0));
    cr_assert_not_null(strstr(sim_oracle_may_run(&slot, "valve", "Rev-B", 3), "device type"));
    cr_assert_not_null(strstr(sim_oracle_may_run(&slot, "pump", "Rev-A", 3), "hardware"));
    cr_assert_not_null(strstr(sim_oracle_may_run(&slot, "pump", "Rev-B", 4), "counter"));
    slot.revoked = true;
    cr_assert_not_null(strstr(sim_oracle_may_run(&slot, "pump", "Rev-B", 3), "revoked"));
    slot = sound_slot();
    slot.valid = false;
    cr_assert_not_null(strstr(sim_oracle_may_run(&slot, "pump", "Rev-B", 3), "verify"));
}

Test(oracle_judge, hardware_revisions_are_in_natural_order)
{
    static const char rising[][16] = {"",        "Rev-2",  "Rev-02b", "Rev-10",
                                      "Rev-10a", "Rev-A9", "Rev-A10", "Rev-B",
                                      "Rev-C",   "Rev-C2", "Rev-C10", "Rev-C1000000000"};
    enum { ROWS = sizeof rising / sizeof *rising };
    for (int needed = 0; needed < ROWS; needed++)
        for (int there = 0; there < ROWS; there++) {
            struct sim_oracle_slot slot = sound_slot();
            memcpy(slot.min_hw_revision, rising[needed], 16);
            bool runs = sim_oracle_may_run(&slot, "pump", rising[there], 0) == NULL;
            cr_assert_eq(runs, there >= needed, "%s on %s", rising[needed], rising[there]);
        }
}

Test(oracle_judge, the_boot_core_orders_revisions_the_same_way)
{
    static const char alphabet[] = "0012389AB-";
    struct sim_rng rng;
    unsigned runs = 0;
    sim_rng_init(&rng, 2029, 0, SIM_RNG_CORRUPT, 0);
    for (int round = 0; round < 20000; round++) {
        struct sim_oracle_slot slot = sound_slot();
        char there[16] = {0};
        memset(slot.min_hw_revision, 0, sizeof slot.min_hw_revision);
        for (uint32_t i = sim_rng_below(&rng, 7); i > 0; i--)
            slot.min_hw_revision[i - 1] = alphabet[sim_rng_below(&rng, 10)];
        for (uint32_t i = sim_rng_below(&rng, 7); i > 0; i--)
            there[i - 1] = alphabet[sim_rng_below(&rng, 10)];
        bool oracle = sim_oracle_may_run(&slot, "pump", there, 0) == NULL;
        bool boot = boot_hw_revision_compare(slot.min_hw_revision, there) <= 0;
        cr_assert_eq(oracle, boot, "%s on %s", slot.min_hw_revision, there);
        runs += oracle;
    }
    cr_assert_gt(runs, 1000);
    cr_assert_lt(runs, 19000);
}

Test(oracle_judge, region_hash_is_xxh3_of_the_bytes_and_sees_every_bit)
{
    struct world world;
    struct sim_flash flash;
    world_open(&world, 1);
    world_flash(&world, &flash);
    uint32_t len = world.base.bytes;
    uint8_t *bytes = malloc(len);
    cr_assert_not_null(bytes);
    sim_flash_peek(&flash, 0, bytes, len, 0);
    cr_assert_eq(sim_oracle_region_hash(&flash, 0, len), XXH3_64bits(bytes, len));
    cr_assert_eq(sim_oracle_region_hash(&flash, 5, len - 9), XXH3_64bits(bytes + 5, len - 9));
    cr_assert_eq(sim_oracle_region_hash(&flash, 5, 0), XXH3_64bits(bytes, 0));
    uint64_t before = sim_oracle_region_hash(&flash, 0, len);
    for (uint32_t at = 0; at < len; at += 997) {
        sim_flash_flip(&flash, at, at % 8);
        cr_assert_neq(sim_oracle_region_hash(&flash, 0, len), before, "byte %u", at);
        sim_flash_flip(&flash, at, at % 8);
    }
    cr_assert_eq(sim_oracle_region_hash(&flash, 0, len), before);
    free(bytes);
    sim_flash_free(&flash);
    world_close(&world);
}
