/* See world.h. */
#include "world.h"
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static const char device_type[] = "pump_monitor_v2", hw_revision[] = "Rev-C";

static struct boot_layout layout_of(uint32_t sector, uint32_t page)
{
    return (struct boot_layout){.sector_bytes = sector,
                                .page_bytes = page,
                                .bootloader_bytes = sector,
                                .config_addr = sector,
                                .slot_addr = {3 * sector, 6 * sector},
                                .slot_bytes = 3 * sector,
                                .data_addr = 9 * sector,
                                .data_bytes = 4 * sector,
                                .journal_bytes = 4 * sector};
}

static void make_image(struct world *world)
{
    const struct boot_image header = {.version = "2.3.1",
                                      .device_type = "pump_monitor_v2",
                                      .min_hw_revision = "Rev-B",
                                      .security_counter = 3};
    size_t len;
    cr_assert_eq(sim_fw_key_derive(&world->key, 1, 0, "release-2026"), SIM_FW_OK);
    cr_assert_eq(sim_fw_key_derive(&world->stranger, 1, 1, "release-2026"), SIM_FW_OK);
    cr_assert_eq(sim_fw_make(&world->image, 1, &header, WORLD_IMAGE), SIM_FW_OK);
    world->trailer = (struct boot_trailer){
        .signed_image = true, .image_bytes = WORLD_IMAGE, .cert_id = "release-2026"};
    cr_assert_eq(
        sim_fw_sign(&world->key, world->image, WORLD_IMAGE, world->trailer.signature, &len),
        SIM_FW_OK);
    world->trailer.signature_bytes = (uint16_t)len;
}

/* Slot A by the boot core's own functions, then taken over as the content of every flash. */
static void make_base(struct world *world)
{
    struct sim_flash flash;
    uint8_t body[BOOT_TRAILER_BODY_BYTES];
    uint32_t a = world->layout.slot_addr[0], bytes = world->layout.slot_bytes;
    uint8_t *slot = malloc(bytes);
    cr_assert_not_null(slot);
    cr_assert_eq(boot_trailer_encode(body, &world->trailer), 0);
    world_flash(world, &flash);
    world_program(world, &flash, a, world->image, WORLD_IMAGE);
    cr_assert_eq(boot_trailer_write(&flash.port, &world->layout, 0, &world->trailer), 0);
    cr_assert_eq(boot_trailer_mark(&flash.port, &world->layout, 0, WORLD_NUMBER), 0);
    sim_flash_peek(&flash, a, slot, bytes, 0);
    cr_assert_eq(sim_flash_base_put(&world->base, a, slot, bytes), 0);
    sim_flash_free(&flash);
    free(slot);
}

void world_open(struct world *world, int geometry)
{
    memset(world, 0, sizeof *world);
    world->layout = geometry ? layout_of(4096, 256) : layout_of(512, 16);
    cr_assert_eq(boot_layout_check(&world->layout), 0);
    world->timing = (struct sim_flash_timing){700, 45000, 330};
    cr_assert_eq(sim_flash_base_init(&world->base, 13 * world->layout.sector_bytes,
                                     world->layout.sector_bytes, world->layout.page_bytes),
                 0);
    make_image(world);
    sim_flash_known_init(&world->known, &world->layout);
    cr_assert_eq(sim_flash_known_add(&world->known, world->image, WORLD_IMAGE), 0);
    make_base(world);
    strcpy(world->boot_key.cert_id, "release-2026");
    memcpy(world->boot_key.public_key, world->key.public_key, BOOT_PUBLIC_KEY_BYTES);
    world->boot_keys = (struct boot_keys){&world->boot_key, 1};
    cr_assert_eq(boot_openssl_init(&world->openssl), 0);
    boot_openssl_port(&world->openssl, &world->crypto);
    world->trust.keys = 1;
    strcpy(world->trust.key[0].cert_id, "release-2026");
    memcpy(world->trust.key[0].public_key, world->key.public_key, BOOT_PUBLIC_KEY_BYTES);
    cr_assert_eq(sim_oracle_create(&world->oracle, &world->layout, &world->trust), 0);
}

void world_close(struct world *world)
{
    sim_oracle_free(world->oracle);
    boot_openssl_free(&world->openssl);
    sim_flash_known_free(&world->known);
    sim_flash_base_free(&world->base);
    free(world->image);
}

void world_flash(struct world *world, struct sim_flash *flash)
{
    cr_assert_eq(
        sim_flash_init(flash, &world->base, &world->known, &world->timing, &world->now_us, 1, 0),
        0);
}

void world_program(struct world *world, struct sim_flash *flash, uint32_t addr, const void *data,
                   uint32_t len)
{
    uint32_t page = world->layout.page_bytes, padded = (len + page - 1) / page * page;
    uint8_t *bytes = malloc(padded);
    cr_assert_not_null(bytes);
    memset(bytes, 0xFF, padded);
    memcpy(bytes, data, len);
    cr_assert_eq(flash->port.program(flash->port.ctx, addr, bytes, padded), 0);
    free(bytes);
}

void world_write_slot(struct world *world, struct sim_flash *flash, const uint8_t *image,
                      uint32_t len, const uint8_t body[BOOT_TRAILER_BODY_BYTES])
{
    world_program(world, flash, world->layout.slot_addr[1], image, len);
    world_program(world, flash, boot_layout_trailer(&world->layout, 1), body,
                  BOOT_TRAILER_BODY_BYTES);
}

bool world_boot_accepts(struct world *world, struct sim_flash *flash, int slot, uint32_t *confirmed)
{
    struct boot_trailer trailer;
    const struct boot_limits limits = {.security_counter = 0, .at_boot = true};
    const struct boot_env env = {.flash = &flash->port,
                                 .layout = &world->layout,
                                 .crypto = &world->crypto,
                                 .keys = &world->boot_keys,
                                 .device_type = device_type,
                                 .hw_revision = hw_revision,
                                 .trial_boots = 3,
                                 .faulty_boots = 5,
                                 .watchdog_s = 120};
    cr_assert_eq(boot_trailer_read(&flash->port, &world->layout, slot, &trailer), 0);
    *confirmed = trailer.confirmed;
    return trailer.signed_image &&
           boot_verify(&env, slot, &trailer, &limits, NULL, NULL) == BOOT_VERDICT_VALID;
}

bool world_oracle_accepts(struct world *world, const struct sim_flash *flash, int slot,
                          struct sim_oracle_slot *out)
{
    sim_oracle_slot(world->oracle, flash, slot, out);
    return sim_oracle_may_run(out, device_type, hw_revision, 0) == NULL;
}

void world_seal(uint8_t *bytes, uint32_t len)
{
    uint32_t crc = boot_crc32(0, bytes, len - 4);
    for (int i = 0; i < 4; i++)
        bytes[len - 4 + (uint32_t)i] = (uint8_t)(crc >> (8 * i));
}
