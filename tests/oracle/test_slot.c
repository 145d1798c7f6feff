/* What the oracle sees in a slot: good ones, broken ones, unstable ones, and what it remembers. */
#include "world.h"
#include <criterion/criterion.h>
#include <setjmp.h>
#include <string.h>

Test(oracle_slot, reads_what_the_boot_core_wrote)
{
    for (int geometry = 0; geometry < 2; geometry++) {
        struct world world;
        struct sim_flash flash;
        struct sim_oracle_slot slot;
        world_open(&world, geometry);
        world_flash(&world, &flash);
        sim_oracle_slot(world.oracle, &flash, 0, &slot);
        cr_assert(slot.valid, "%s", slot.why);
        cr_assert(slot.confirmed);
        cr_assert_not(slot.revoked);
        cr_assert_eq(slot.confirmed_number, WORLD_NUMBER);
        cr_assert_str_eq(slot.version, "2.3.1");
        cr_assert_str_eq(slot.device_type, "pump_monitor_v2");
        cr_assert_str_eq(slot.min_hw_revision, "Rev-B");
        cr_assert_str_eq(slot.cert_id, "release-2026");
        cr_assert_eq(slot.security_counter, 3);
        cr_assert_eq(slot.image_bytes, WORLD_IMAGE);
        sim_oracle_slot(world.oracle, &flash, 1, &slot);
        cr_assert_not(slot.valid);
        cr_assert_not(slot.confirmed);
        cr_assert_str_eq(slot.why, "no trailer");
        sim_flash_free(&flash);
        world_close(&world);
    }
}

/* Every single bit of image and trailer body, on the small geometry. */
Test(oracle_slot, no_single_flipped_bit_passes)
{
    struct world world;
    struct sim_oracle_slot slot;
    world_open(&world, 0);
    uint32_t trailer = boot_layout_trailer(&world.layout, 0);
    for (uint32_t at = 0; at < WORLD_IMAGE + BOOT_TRAILER_BODY_BYTES; at++) {
        uint32_t addr =
            at < WORLD_IMAGE ? world.layout.slot_addr[0] + at : trailer + at - WORLD_IMAGE;
        struct sim_flash flash;
        world_flash(&world, &flash);
        sim_flash_flip(&flash, addr, at % 8);
        sim_oracle_slot(world.oracle, &flash, 0, &slot);
        cr_assert_not(slot.valid, "byte %u", at);
        cr_assert_neq(slot.why[0], '\0');
        cr_assert_eq(slot.confirmed_number, WORLD_NUMBER);
        sim_flash_free(&flash);
    }
    world_close(&world);
}

static void sign_body(struct world *world, const struct sim_fw_key *key, const char *cert_id,
                      uint8_t body[BOOT_TRAILER_BODY_BYTES])
{
    struct boot_trailer trailer = {.image_bytes = WORLD_IMAGE};
    size_t len;
    strcpy(trailer.cert_id, cert_id);
    cr_assert_eq(sim_fw_sign(key, world->image, WORLD_IMAGE, trailer.signature, &len), 0);
    trailer.signature_bytes = (uint16_t)len;
    cr_assert_eq(boot_trailer_encode(body, &trailer), 0);
}

Test(oracle_slot, known_content_is_verified_once_and_other_content_each_time)
{
    struct world world;
    struct sim_flash flash;
    struct sim_oracle_slot slot;
    uint8_t good[BOOT_TRAILER_BODY_BYTES], foreign[BOOT_TRAILER_BODY_BYTES];
    world_open(&world, 0);
    sign_body(&world, &world.key, "release-2026", good);
    sign_body(&world, &world.stranger, "release-2026", foreign);
    for (int i = 0; i < 20; i++) {
        world_flash(&world, &flash);
        world_write_slot(&world, &flash, world.image, WORLD_IMAGE, good);
        sim_oracle_slot(world.oracle, &flash, 1, &slot);
        cr_assert(slot.valid, "%s", slot.why);
        sim_flash_free(&flash);
    }
    cr_assert_eq(sim_oracle_verifications(world.oracle), 1);
    /* The same known image under another signature is another question. */
    for (int i = 0; i < 2; i++) {
        world_flash(&world, &flash);
        world_write_slot(&world, &flash, world.image, WORLD_IMAGE, foreign);
        sim_oracle_slot(world.oracle, &flash, 1, &slot);
        cr_assert_not(slot.valid);
        cr_assert_str_eq(slot.why, "signature");
        sim_flash_free(&flash);
    }
    cr_assert_eq(sim_oracle_verifications(world.oracle), 2);
    /* One flipped bit, and the content is no longer known. */
    world_flash(&world, &flash);
    world_write_slot(&world, &flash, world.image, WORLD_IMAGE, good);
    sim_flash_flip(&flash, world.layout.slot_addr[1] + 600, 3);
    for (uint64_t i = 0; i < 3; i++) {
        sim_oracle_slot(world.oracle, &flash, 1, &slot);
        cr_assert_str_eq(slot.why, "signature");
        cr_assert_eq(sim_oracle_verifications(world.oracle), 3 + i);
    }
    sim_flash_free(&flash);
    world_close(&world);
}

Test(oracle_slot, unknown_and_revoked_keys_are_told_apart)
{
    struct world world;
    struct sim_flash flash;
    struct sim_oracle_slot slot;
    struct sim_oracle *revoking;
    uint8_t body[BOOT_TRAILER_BODY_BYTES];
    world_open(&world, 0);
    world_flash(&world, &flash);
    sign_body(&world, &world.stranger, "stranger", body);
    world_write_slot(&world, &flash, world.image, WORLD_IMAGE, body);
    sim_oracle_slot(world.oracle, &flash, 1, &slot);
    cr_assert_not(slot.valid);
    cr_assert_str_eq(slot.why, "unknown key");
    world.trust.key[0].revoked = true;
    cr_assert_eq(sim_oracle_create(&revoking, &world.layout, &world.trust), 0);
    sim_oracle_slot(revoking, &flash, 0, &slot);
    cr_assert(slot.valid);
    cr_assert(slot.revoked);
    sim_oracle_free(revoking);
    /* A key that is no point of the curve makes no oracle. */
    world.trust.key[0].public_key[40] ^= 1;
    cr_assert_eq(sim_oracle_create(&revoking, &world.layout, &world.trust), -1);
    cr_assert_null(revoking);
    sim_flash_free(&flash);
    world_close(&world);
}

/* Header and trailer agree on it, so only the slot's own size stands against reading on. */
Test(oracle_slot, a_size_beyond_the_slot_is_never_read)
{
    struct world world;
    world_open(&world, 0);
    uint32_t room = boot_layout_image_max(&world.layout);
    const uint32_t sizes[] = {room + 1, world.base.bytes, UINT32_MAX};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct sim_flash flash;
        struct sim_oracle_slot slot;
        struct boot_image header = {.image_bytes = sizes[i], .version = "1.0.0"};
        struct boot_trailer trailer = world.trailer;
        uint8_t image[BOOT_IMAGE_HEADER_BYTES], body[BOOT_TRAILER_BODY_BYTES];
        trailer.image_bytes = sizes[i];
        cr_assert_eq(boot_image_encode(image, &header), 0);
        cr_assert_eq(boot_trailer_encode(body, &trailer), 0);
        world_flash(&world, &flash);
        world_write_slot(&world, &flash, image, sizeof image, body);
        sim_oracle_slot(world.oracle, &flash, 1, &slot);
        cr_assert_str_eq(slot.why, "sizes disagree");
        cr_assert_eq(slot.image_bytes, sizes[i]);
        sim_flash_free(&flash);
    }
    cr_assert_eq(sim_oracle_verifications(world.oracle), 0);
    world_close(&world);
}

/* One known image under one signature, but named as two keys': the memory must not mix them up. */
Test(oracle_slot, a_remembered_verdict_belongs_to_its_key)
{
    struct world world;
    struct sim_oracle *oracle;
    uint8_t body[BOOT_TRAILER_BODY_BYTES];
    world_open(&world, 0);
    world.trust.keys = 2;
    strcpy(world.trust.key[1].cert_id, "second");
    memcpy(world.trust.key[1].public_key, world.stranger.public_key, BOOT_PUBLIC_KEY_BYTES);
    cr_assert_eq(sim_oracle_create(&oracle, &world.layout, &world.trust), 0);
    for (int i = 0; i < 4; i++) {
        struct sim_flash flash;
        struct sim_oracle_slot slot;
        struct boot_trailer trailer = world.trailer;
        strcpy(trailer.cert_id, i % 2 ? "second" : "release-2026");
        cr_assert_eq(boot_trailer_encode(body, &trailer), 0);
        world_flash(&world, &flash);
        world_write_slot(&world, &flash, world.image, WORLD_IMAGE, body);
        sim_oracle_slot(oracle, &flash, 1, &slot);
        cr_assert_eq(slot.valid, i % 2 == 0, "%s", trailer.cert_id);
        sim_flash_free(&flash);
    }
    cr_assert_eq(sim_oracle_verifications(oracle), 2);
    sim_oracle_free(oracle);
    world_close(&world);
}

static jmp_buf cut_here;

static bool cut_unstable(void *ctx, const struct sim_flash_call *call, struct sim_flash_cut *cut)
{
    (void)ctx;
    *cut = (struct sim_flash_cut){.unit = call->units - 1, .form = SCN_TORN_UNSTABLE};
    return true;
}

static void lose_power(void *ctx)
{
    (void)ctx;
    longjmp(cut_here, 1);
}

/* Programs one page, whose last power session ends in the middle of it. */
static void program_unstably(struct sim_flash *flash, uint32_t addr, const uint8_t *page,
                             uint32_t len)
{
    flash->hooks.before = cut_unstable;
    flash->hooks.power_lost = lose_power;
    if (!setjmp(cut_here))
        flash->port.program(flash->port.ctx, addr, page, len);
    flash->hooks = (struct sim_flash_hooks){0};
    cr_assert(sim_flash_has_unstable(flash, addr, len));
}

Test(oracle_slot, an_image_with_unstable_bits_is_not_valid)
{
    struct world world;
    struct sim_oracle_slot slot;
    struct boot_trailer *trailer;
    world_open(&world, 0);
    trailer = &world.trailer;
    /* Header, payload, and the last page, in turn. */
    static const uint32_t torn[] = {0, 16, 512, 896};
    for (size_t i = 0; i < sizeof torn / sizeof *torn; i++) {
        struct sim_flash flash;
        uint8_t page[16];
        uint32_t slot_b = world.layout.slot_addr[1];
        world_flash(&world, &flash);
        for (uint32_t at = 0; at < WORLD_IMAGE; at += sizeof page) {
            uint32_t len = WORLD_IMAGE - at < 16 ? WORLD_IMAGE - at : 16;
            memset(page, 0xFF, sizeof page);
            memcpy(page, world.image + at, len);
            if (at == torn[i])
                program_unstably(&flash, slot_b + at, page, sizeof page);
            else
                world_program(&world, &flash, slot_b + at, page, sizeof page);
        }
        cr_assert_eq(boot_trailer_write(&flash.port, &world.layout, 1, trailer), 0);
        sim_oracle_slot(world.oracle, &flash, 1, &slot);
        cr_assert_not(slot.valid, "page at %u", torn[i]);
        cr_assert_str_eq(slot.why, torn[i] < 128 ? "unstable header" : "signature");
        /* Programmed again with the same bytes, the page is sound. */
        memset(page, 0xFF, sizeof page);
        memcpy(page, world.image + torn[i], torn[i] == 896 ? 5 : 16);
        world_program(&world, &flash, slot_b + torn[i], page, sizeof page);
        sim_oracle_slot(world.oracle, &flash, 1, &slot);
        cr_assert(slot.valid, "page at %u: %s", torn[i], slot.why);
        sim_flash_free(&flash);
    }
    world_close(&world);
}

Test(oracle_slot, a_mark_with_unstable_bits_does_not_count)
{
    struct world world;
    struct sim_flash flash;
    struct sim_oracle_slot slot;
    uint8_t mark[BOOT_MARK_BYTES] = {'B', 'Y', 'M', '1', 9, 0, 0, 0, BOOT_MARK_CONFIRMED};
    world_open(&world, 0);
    world_flash(&world, &flash);
    world_seal(mark, sizeof mark);
    uint32_t trailer = boot_layout_trailer(&world.layout, 1);
    program_unstably(&flash, trailer + BOOT_TRAILER_BODY_BYTES, mark, sizeof mark);
    sim_oracle_slot(world.oracle, &flash, 1, &slot);
    cr_assert_not(slot.confirmed);
    cr_assert_eq(slot.confirmed_number, 0);
    /* Nor does one of another kind. */
    mark[8] = BOOT_MARK_CONFIRMED + 1;
    world_seal(mark, sizeof mark);
    world_program(&world, &flash, trailer + BOOT_TRAILER_BODY_BYTES + 16, mark, sizeof mark);
    sim_oracle_slot(world.oracle, &flash, 1, &slot);
    cr_assert_not(slot.confirmed);
    /* Whole ones do, and the highest number wins. */
    mark[8] = BOOT_MARK_CONFIRMED;
    for (uint32_t i = 0; i < 3; i++) {
        mark[4] = (uint8_t[]){6, 7, 5}[i];
        world_seal(mark, sizeof mark);
        world_program(&world, &flash, trailer + BOOT_TRAILER_BODY_BYTES + 32 + 16 * i, mark,
                      sizeof mark);
    }
    sim_oracle_slot(world.oracle, &flash, 1, &slot);
    cr_assert(slot.confirmed);
    cr_assert_eq(slot.confirmed_number, 7);
    sim_flash_free(&flash);
    world_close(&world);
}
