/*
 * The oracle against the boot core: two implementations of one format, on slots and configs that
 * were changed at random. Seeds are fixed and printed with a failure.
 */
#include "boot/config.h"
#include "sim/rng.h"
#include "world.h"
#include <criterion/criterion.h>
#include <string.h>

struct tally {
    unsigned accepted, refused;
};

static void compare_slot(struct world *world, struct sim_flash *flash, int slot,
                         struct tally *tally, const char *what, uint32_t round)
{
    struct sim_oracle_slot seen;
    uint32_t confirmed;
    bool boot = world_boot_accepts(world, flash, slot, &confirmed);
    bool oracle = world_oracle_accepts(world, flash, slot, &seen);
    cr_assert_eq(boot, oracle, "%s, round %u: boot core %d, oracle %d (%s)", what, round, boot,
                 oracle, seen.why);
    cr_assert_eq(confirmed, seen.confirmed_number, "%s, round %u", what, round);
    tally->accepted += boot;
    tally->refused += !boot;
}

/* Flips some bits of slot A: in the image, the trailer's body, or the marks. */
static void flip_some(struct world *world, struct sim_flash *flash, struct sim_rng *rng)
{
    uint32_t trailer = boot_layout_trailer(&world->layout, 0);
    uint32_t flips = 1 + sim_rng_below(rng, 4);
    for (uint32_t i = 0; i < flips; i++) {
        uint32_t addr = trailer + sim_rng_below(rng, world->layout.sector_bytes);
        if (sim_rng_below(rng, 4) == 0)
            addr = world->layout.slot_addr[0] + sim_rng_below(rng, 2 * world->layout.sector_bytes);
        sim_flash_flip(flash, addr, sim_rng_below(rng, 8));
    }
}

Test(oracle_agreement, on_slots_with_flipped_bits)
{
    struct tally tally = {0};
    for (int geometry = 0; geometry < 2; geometry++) {
        struct world world;
        struct sim_rng rng;
        world_open(&world, geometry);
        sim_rng_init(&rng, 2026, (uint32_t)geometry, SIM_RNG_CORRUPT, 0);
        for (uint32_t round = 0; round < 2000; round++) {
            struct sim_flash flash;
            world_flash(&world, &flash);
            flip_some(&world, &flash, &rng);
            compare_slot(&world, &flash, 0, &tally, "flipped bits", round);
            sim_flash_free(&flash);
        }
        world_close(&world);
    }
    cr_assert_gt(tally.accepted, 100);
    cr_assert_gt(tally.refused, 100);
}

/* A byte of the header is changed, then sealed and signed again: only its meaning can refuse it. */
static void change_header(struct world *world, struct sim_rng *rng, uint8_t *image, uint8_t *body)
{
    struct boot_trailer trailer = world->trailer;
    size_t len;
    uint32_t at = sim_rng_below(rng, BOOT_IMAGE_HEADER_BYTES - 4);
    image[at] = sim_rng_below(rng, 3) ? (uint8_t)sim_rng_u32(rng) : 0;
    world_seal(image, BOOT_IMAGE_HEADER_BYTES);
    cr_assert_eq(sim_fw_sign(&world->key, image, WORLD_IMAGE, trailer.signature, &len), 0);
    trailer.signature_bytes = (uint16_t)len;
    cr_assert_eq(boot_trailer_encode(body, &trailer), 0);
}

/* A byte of the trailer's body is changed, often in the signature's DER, and sealed again. */
static void change_body(struct sim_rng *rng, uint8_t *body)
{
    static const uint32_t frame[] = {36, 37, 38, 39, 40, 71, 72, 73, 74, 8, 4};
    uint32_t at = sim_rng_below(rng, BOOT_TRAILER_BODY_BYTES - 4);
    if (sim_rng_below(rng, 2))
        at = frame[sim_rng_below(rng, sizeof frame / sizeof *frame)];
    body[at] = sim_rng_below(rng, 2) ? (uint8_t)sim_rng_u32(rng)
                                     : (uint8_t)(body[at] + sim_rng_below(rng, 3) - 1);
    world_seal(body, BOOT_TRAILER_BODY_BYTES);
}

static void compare_rewritten(int geometry, bool header, struct tally *tally)
{
    struct world world;
    struct sim_rng rng;
    world_open(&world, geometry);
    sim_rng_init(&rng, 2027, (uint32_t)geometry, SIM_RNG_CORRUPT, header);
    for (uint32_t round = 0; round < 1500; round++) {
        struct sim_flash flash;
        uint8_t image[WORLD_IMAGE], body[BOOT_TRAILER_BODY_BYTES];
        memcpy(image, world.image, sizeof image);
        cr_assert_eq(boot_trailer_encode(body, &world.trailer), 0);
        if (header)
            change_header(&world, &rng, image, body);
        else
            change_body(&rng, body);
        world_flash(&world, &flash);
        world_write_slot(&world, &flash, image, sizeof image, body);
        compare_slot(&world, &flash, 1, tally, header ? "header" : "trailer", round);
        sim_flash_free(&flash);
    }
    world_close(&world);
}

Test(oracle_agreement, on_headers_changed_and_signed_again)
{
    struct tally tally = {0};
    compare_rewritten(0, true, &tally);
    compare_rewritten(1, true, &tally);
    cr_assert_gt(tally.accepted, 100);
    cr_assert_gt(tally.refused, 100);
}

Test(oracle_agreement, on_trailers_changed_and_sealed_again)
{
    struct tally tally = {0};
    compare_rewritten(0, false, &tally);
    compare_rewritten(1, false, &tally);
    cr_assert_gt(tally.accepted, 100);
    cr_assert_gt(tally.refused, 100);
}

static void compare_config(struct world *world, struct sim_flash *flash, uint32_t round,
                           struct tally *tally)
{
    struct boot_config boot;
    struct sim_oracle_config oracle;
    int sector;
    bool valid = boot_config_read(&flash->port, &world->layout, &boot, &sector) == 0;
    sim_oracle_config(world->oracle, flash, &oracle);
    cr_assert_eq(valid, oracle.valid, "round %u: boot core %d, oracle %d", round, valid,
                 oracle.valid);
    cr_assert_eq(boot.sequence, oracle.sequence, "round %u", round);
    cr_assert_eq(boot.security_counter, oracle.security_counter);
    cr_assert_eq(boot.active, oracle.active);
    cr_assert_eq(boot.next, oracle.next);
    cr_assert_eq(boot.trial_left, oracle.trial_left);
    cr_assert_eq(boot.faulty_boots, oracle.faulty_boots);
    cr_assert_eq(boot.cause, oracle.cause);
    tally->accepted += valid;
    tally->refused += !valid;
}

static struct boot_config random_config(struct sim_rng *rng)
{
    struct boot_config config = {.active = (uint8_t)sim_rng_below(rng, 2),
                                 .next = (uint8_t)sim_rng_below(rng, 2),
                                 .rollback_on_fail = 1,
                                 .trial_total = 3,
                                 .trial_left = (uint8_t)sim_rng_below(rng, 4),
                                 .faulty_boots = (uint8_t)sim_rng_below(rng, 5),
                                 .last_reset = (uint8_t)sim_rng_below(rng, BOOT_RESET_KINDS),
                                 .cause = (uint8_t)sim_rng_below(rng, BOOT_CAUSE_KINDS),
                                 .security_counter = sim_rng_u32(rng)};
    if (sim_rng_below(rng, 3) == 0) {
        config.revoked_count = 1;
        config.revoked_at_boot = (uint8_t)sim_rng_below(rng, 2);
        strcpy(config.revoked[0], "old-key");
    }
    return config;
}

/* A few records written, then some bits flipped in both sectors. */
static void config_round(struct world *world, uint32_t round, struct tally *tally)
{
    struct sim_flash flash;
    struct sim_rng rng;
    sim_rng_init(&rng, 2028, round, SIM_RNG_CORRUPT, 0);
    world_flash(world, &flash);
    for (uint32_t writes = sim_rng_below(&rng, 4); writes > 0; writes--) {
        struct boot_config config = random_config(&rng);
        cr_assert_eq(boot_config_write(&flash.port, &world->layout, &config), 0);
        compare_config(world, &flash, round, tally);
    }
    for (uint32_t flips = sim_rng_below(&rng, 6); flips > 0; flips--) {
        uint32_t at = sim_rng_below(&rng, 2) * world->layout.sector_bytes;
        at += sim_rng_below(&rng, 512);
        sim_flash_flip(&flash, world->layout.config_addr + at, sim_rng_below(&rng, 8));
    }
    compare_config(world, &flash, round, tally);
    sim_flash_free(&flash);
}

Test(oracle_agreement, on_boot_configs_with_flipped_bits)
{
    struct tally tally = {0};
    for (int geometry = 0; geometry < 2; geometry++) {
        struct world world;
        world_open(&world, geometry);
        for (uint32_t round = 0; round < 1000; round++)
            config_round(&world, round, &tally);
        world_close(&world);
    }
    cr_assert_gt(tally.accepted, 100);
    cr_assert_gt(tally.refused, 100);
}

/* A complete record by hand: the body is sealed, and its mark programmed behind it. */
static void put_body(struct world *world, struct sim_flash *flash,
                     uint8_t body[BOOT_CONFIG_BODY_BYTES])
{
    uint8_t mark[BOOT_CONFIG_MARK_BYTES] = {'B', 'Y', 'D', '1'};
    uint32_t page = world->layout.page_bytes;
    world_seal(body, BOOT_CONFIG_BODY_BYTES);
    memcpy(mark + 4, body + 4, 4);
    memcpy(mark + 8, body + BOOT_CONFIG_BODY_BYTES - 4, 4);
    world_seal(mark, sizeof mark);
    world_program(world, flash, world->layout.config_addr, body, BOOT_CONFIG_BODY_BYTES);
    world_program(world, flash,
                  world->layout.config_addr + (BOOT_CONFIG_BODY_BYTES + page - 1) / page * page,
                  mark, sizeof mark);
}

/* Only the meaning of a field can refuse these. */
Test(oracle_agreement, on_boot_configs_changed_and_sealed_again)
{
    struct tally tally = {0};
    struct world world;
    struct sim_rng rng;
    world_open(&world, 1);
    sim_rng_init(&rng, 2030, 0, SIM_RNG_CORRUPT, 0);
    for (uint32_t round = 0; round < 6000; round++) {
        struct sim_flash flash;
        struct boot_config config = random_config(&rng);
        uint8_t body[BOOT_CONFIG_BODY_BYTES];
        cr_assert_eq(boot_config_encode(body, &config), 0);
        uint32_t at = sim_rng_below(&rng, round % 2 ? 52 : BOOT_CONFIG_BODY_BYTES - 4);
        body[at] = (uint8_t)sim_rng_below(&rng, round % 4 < 2 ? 18 : 256);
        world_flash(&world, &flash);
        put_body(&world, &flash, body);
        compare_config(&world, &flash, round, &tally);
        sim_flash_free(&flash);
    }
    world_close(&world);
    cr_assert_gt(tally.accepted, 100);
    cr_assert_gt(tally.refused, 100);
}

/* Because no writer lets its sequence be chosen. */
static void put_record(struct world *world, struct sim_flash *flash, uint32_t sequence)
{
    struct boot_config config = {.sequence = sequence, .rollback_on_fail = 1};
    uint8_t body[BOOT_CONFIG_BODY_BYTES];
    cr_assert_eq(boot_config_encode(body, &config), 0);
    put_body(world, flash, body);
}

Test(oracle_agreement, on_sequences_that_wrap)
{
    static const uint32_t starts[] = {UINT32_MAX - 2, INT32_MAX - 2, 0};
    struct tally tally = {0};
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
        struct world world;
        struct sim_flash flash;
        world_open(&world, 1);
        world_flash(&world, &flash);
        put_record(&world, &flash, starts[i]);
        compare_config(&world, &flash, 0, &tally);
        for (uint32_t step = 1; step <= 6; step++) {
            struct boot_config config = {.rollback_on_fail = 1, .security_counter = step};
            struct sim_oracle_config seen;
            cr_assert_eq(boot_config_write(&flash.port, &world.layout, &config), 0);
            compare_config(&world, &flash, step, &tally);
            sim_oracle_config(world.oracle, &flash, &seen);
            cr_assert_eq(seen.sequence, starts[i] + step);
            cr_assert_eq(seen.security_counter, step);
        }
        sim_flash_free(&flash);
        world_close(&world);
    }
    cr_assert_eq(tally.refused, 0);
}
