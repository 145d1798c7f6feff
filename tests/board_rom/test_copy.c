/* The copy is what was verified, whatever the flash reads the second time. */
#include "boot/bearssl.h"
#include "boot/error.h"
#include "copy.h"
#include <criterion/criterion.h>
#include <string.h>

enum { PAYLOAD = 600, IMAGE = BOOT_IMAGE_HEADER_BYTES + PAYLOAD, SLOT = 4096 };

static struct {
    uint8_t cell[SLOT];
    uint32_t lies_at; /* this byte reads otherwise; UINT32_MAX: none does */
    bool fails;
} flash;
static struct boot_bearssl bearssl;
static struct boot_crypto crypto;
static const struct boot_layout layout = {
    .sector_bytes = 512, .page_bytes = 16, .slot_bytes = SLOT};
static uint8_t sha256[BOOT_SHA256_BYTES], memory[SLOT];
static uint32_t bytes;

static int flash_read(void *ctx, uint32_t addr, void *out, uint32_t len)
{
    (void)ctx;
    cr_assert(addr <= SLOT && len <= SLOT - addr);
    memcpy(out, flash.cell + addr, len);
    if (flash.lies_at >= addr && flash.lies_at < addr + len)
        ((uint8_t *)out)[flash.lies_at - addr] ^= 0x04;
    return flash.fails ? -1 : 0;
}

static const struct boot_flash port = {.read = flash_read};
static const struct boot_env env = {.flash = &port, .layout = &layout, .crypto = &crypto};

static void seal(uint32_t image_bytes)
{
    struct boot_image image = {.image_bytes = image_bytes, .version = "1", .device_type = "pump"};
    cr_assert(!boot_image_encode(flash.cell, &image));
}

static void setup(void)
{
    boot_bearssl_port(&bearssl, &crypto);
    flash.lies_at = UINT32_MAX;
    flash.fails = false;
    for (int i = 0; i < SLOT; i++)
        flash.cell[i] = (uint8_t)(i * 31);
    seal(IMAGE);
    crypto.sha256_begin(crypto.ctx);
    crypto.sha256_update(crypto.ctx, flash.cell, IMAGE);
    crypto.sha256_final(crypto.ctx, sha256);
}

TestSuite(board_copy, .init = setup);

static enum rom_copied copy(uint32_t max)
{
    return rom_copy(&env, 0, sha256, memory, max, &bytes);
}

Test(board_copy, the_payload_arrives)
{
    cr_expect_eq(copy(SLOT), ROM_COPIED);
    cr_expect_eq(bytes, PAYLOAD);
    cr_expect(!memcmp(memory, flash.cell + BOOT_IMAGE_HEADER_BYTES, PAYLOAD));
    cr_expect_eq(copy(PAYLOAD), ROM_COPIED);
}

Test(board_copy, a_byte_that_reads_otherwise_is_noticed_wherever_it_is)
{
    for (flash.lies_at = 0; flash.lies_at < IMAGE; flash.lies_at++) {
        enum rom_copied copied = copy(SLOT);
        cr_expect_eq(bytes, 0);
        cr_expect(flash.lies_at < BOOT_IMAGE_HEADER_BYTES ? copied == ROM_COPY_UNREADABLE
                                                          : copied == ROM_COPY_DIFFERS,
                  "byte %u", (unsigned)flash.lies_at);
    }
    flash.lies_at = IMAGE; /* behind the image: nobody reads it */
    cr_expect_eq(copy(SLOT), ROM_COPIED);
}

/* A second header that is sound by itself, with another size: the hash is of other bytes. */
Test(board_copy, another_sound_header_is_noticed)
{
    seal(IMAGE - 1);
    cr_expect_eq(copy(SLOT), ROM_COPY_DIFFERS);
    seal(IMAGE + 1);
    cr_expect_eq(copy(SLOT), ROM_COPY_DIFFERS);
    cr_expect_eq(bytes, 0);
}

Test(board_copy, nothing_is_copied_beyond_the_memory)
{
    memset(memory, 0xEE, sizeof memory);
    cr_expect_eq(copy(PAYLOAD - 1), ROM_COPY_TOO_LARGE);
    seal(SLOT);
    cr_expect_eq(copy(SLOT), ROM_COPY_TOO_LARGE, "into the trailer");
    seal(UINT32_MAX);
    cr_expect_eq(copy(UINT32_MAX), ROM_COPY_TOO_LARGE);
    for (size_t i = 0; i < sizeof memory; i++)
        cr_assert_eq(memory[i], 0xEE);
}

Test(board_copy, a_failed_read_is_no_copy)
{
    flash.fails = true;
    cr_expect_eq(copy(SLOT), ROM_COPY_UNREADABLE);
}

static bool vectors(uint32_t stack, uint32_t entry, uint32_t len)
{
    uint8_t payload[8];
    for (int i = 0; i < 4; i++) {
        payload[i] = (uint8_t)(stack >> (8 * i));
        payload[4 + i] = (uint8_t)(entry >> (8 * i));
    }
    return rom_vectors_are_sound(payload, len, 0x20000, 0x20000, 0xC0000);
}

Test(board_copy, vectors_lead_into_the_payload_with_a_stack_in_memory)
{
    cr_expect(vectors(0xC0000, 0x20009, 100));
    cr_expect(vectors(0xA0000, 0x20063, 100));
    cr_expect_not(vectors(0xC0000, 0x20065, 100), "entry behind the end");
    cr_expect_not(vectors(0xC0000, 0x20008, 100), "not Thumb");
    cr_expect_not(vectors(0xC0000, 0x20005, 100), "entry in the table");
    cr_expect_not(vectors(0xC0000, 0x101, 100), "entry in the bootloader");
    cr_expect_not(vectors(0xC0008, 0x20009, 100), "stack outside");
    cr_expect_not(vectors(0x20000, 0x20009, 100), "no stack");
    cr_expect_not(vectors(0, 0x20009, 100));
    cr_expect_not(vectors(0xBFFFC, 0x20009, 100), "stack not aligned");
    cr_expect_not(vectors(0xC0000, 0x20009, 7), "no table");
}
