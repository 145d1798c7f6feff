/* Verification with real keys: nothing but the right image, rightly signed, is ever valid. */
#include "device.h"
#include <criterion/criterion.h>
#include <openssl/evp.h>
#include <string.h>

enum { IMAGE_BYTES = 400 };

static struct device device;
static struct firmware firmware;

static void setup(void)
{
    device_init(&device, 1);
    device_use_openssl(&device);
    firmware_make(&firmware, &device, "2.4.0", 5, IMAGE_BYTES, 0);
}

static void teardown(void)
{
    device_free(&device);
}

TestSuite(boot_verify, .init = setup, .fini = teardown);

/* Verifies slot B with its own trailer. */
static enum boot_verdict verify(const struct boot_limits *limits)
{
    static const struct boot_limits none;
    struct boot_trailer trailer;
    cr_assert_eq(boot_trailer_read(&device.flash, &device.layout, BOOT_SLOT_B, &trailer), BOOT_OK);
    return boot_verify(&device.env, BOOT_SLOT_B, &trailer, limits ? limits : &none, NULL, NULL);
}

static enum boot_verdict verdict_of_firmware(void)
{
    nor_init(&device.nor, 512, 16, 1);
    device_install(&device, BOOT_SLOT_B, &firmware, 0);
    return verify(NULL);
}

Test(boot_verify, a_rightly_signed_image_is_valid)
{
    struct boot_image image;
    uint8_t hash[BOOT_SHA256_BYTES], expected[BOOT_SHA256_BYTES];
    struct boot_limits limits = {.security_counter = 5};
    cr_assert_eq(verdict_of_firmware(), BOOT_VERDICT_VALID);
    cr_assert_eq(boot_verify(&device.env, BOOT_SLOT_B, &firmware.trailer, &limits, &image, hash),
                 BOOT_VERDICT_VALID);
    cr_expect_str_eq(image.version, "2.4.0");
    cr_assert_eq(EVP_Q_digest(NULL, "SHA256", NULL, firmware.bytes, firmware.len, expected, NULL),
                 1);
    cr_expect_eq(memcmp(hash, expected, sizeof hash), 0);
}

Test(boot_verify, each_call_does_the_whole_work_and_reads_the_image_once)
{
    verdict_of_firmware();
    struct boot_openssl before = device.openssl;
    struct boot_limits limits = {0};
    for (uint64_t i = 1; i <= 3; i++) {
        uint64_t read = device.nor.reads_bytes;
        boot_verify(&device.env, BOOT_SLOT_B, &firmware.trailer, &limits, NULL, NULL);
        cr_expect_eq(device.nor.reads_bytes - read, IMAGE_BYTES);
        cr_expect_eq(device.openssl.sha256_bytes - before.sha256_bytes, i * IMAGE_BYTES);
        cr_expect_eq(device.openssl.sha256_finals - before.sha256_finals, i);
        cr_expect_eq(device.openssl.ecdsa_verifies - before.ecdsa_verifies, i);
    }
}

Test(boot_verify, any_flipped_bit_of_the_image_is_found)
{
    verdict_of_firmware();
    uint32_t addr = device.layout.slot_addr[BOOT_SLOT_B];
    for (uint32_t bit = 0; bit < 8 * IMAGE_BYTES; bit++) {
        device.nor.cell[addr + bit / 8] ^= (uint8_t)(1 << bit % 8);
        cr_expect_neq(verify(NULL), BOOT_VERDICT_VALID, "bit %u", bit);
        device.nor.cell[addr + bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    cr_expect_eq(verify(NULL), BOOT_VERDICT_VALID);
}

Test(boot_verify, any_flipped_bit_of_the_signature_is_found)
{
    verdict_of_firmware();
    for (uint32_t bit = 0; bit < 8u * firmware.trailer.signature_bytes; bit++) {
        struct boot_trailer trailer = firmware.trailer;
        struct boot_limits limits = {0};
        trailer.signature[bit / 8] ^= (uint8_t)(1 << bit % 8);
        cr_expect_eq(boot_verify(&device.env, BOOT_SLOT_B, &trailer, &limits, NULL, NULL),
                     BOOT_VERDICT_SIGNATURE, "bit %u", bit);
    }
}

Test(boot_verify, an_empty_slot_and_an_unsigned_image_are_empty)
{
    cr_expect_eq(verify(NULL), BOOT_VERDICT_EMPTY);
    nor_put(&device.nor, device.layout.slot_addr[1], firmware.bytes, firmware.len);
    cr_expect_eq(verify(NULL), BOOT_VERDICT_EMPTY);
}

Test(boot_verify, a_trailer_without_an_image_is_empty)
{
    cr_assert_eq(boot_trailer_write(&device.flash, &device.layout, 1, &firmware.trailer), 0);
    cr_expect_eq(verify(NULL), BOOT_VERDICT_EMPTY);
}

Test(boot_verify, an_image_signed_by_another_trusted_key_than_it_says_is_refused)
{
    firmware_sign(&firmware, &device, 1);
    memcpy(firmware.trailer.cert_id, "key-0", 6);
    cr_expect_eq(verdict_of_firmware(), BOOT_VERDICT_SIGNATURE);
}

Test(boot_verify, an_unknown_key_is_refused)
{
    memcpy(firmware.trailer.cert_id, "key-9", 6);
    cr_expect_eq(verdict_of_firmware(), BOOT_VERDICT_KEY);
}

Test(boot_verify, a_truncated_image_is_refused)
{
    uint8_t blank[16];
    memset(blank, 0xFF, sizeof blank);
    verdict_of_firmware();
    nor_put(&device.nor, device.layout.slot_addr[1] + IMAGE_BYTES - 16, blank, sizeof blank);
    cr_expect_eq(verify(NULL), BOOT_VERDICT_SIGNATURE);
    firmware.trailer.image_bytes = IMAGE_BYTES - 16;
    cr_expect_eq(verdict_of_firmware(), BOOT_VERDICT_HEADER);
    firmware.trailer.image_bytes = IMAGE_BYTES + 16;
    cr_expect_eq(verdict_of_firmware(), BOOT_VERDICT_HEADER);
}

Test(boot_verify, sizes_out_of_the_slot_are_refused_before_any_read)
{
    static const uint32_t row[] = {0, 1, 128, 1025, 0x80000000, 0xFFFFFFFF};
    verdict_of_firmware();
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        struct boot_trailer trailer = firmware.trailer;
        struct boot_limits limits = {0};
        uint64_t read = device.nor.reads_bytes;
        trailer.image_bytes = row[i];
        cr_expect_eq(boot_verify(&device.env, 1, &trailer, &limits, NULL, NULL),
                     BOOT_VERDICT_HEADER);
        cr_expect_eq(device.nor.reads_bytes, read);
    }
}

Test(boot_verify, another_device_type_is_refused_without_hashing)
{
    strcpy(firmware.image.device_type, "pumpkin");
    firmware_sign(&firmware, &device, 0);
    cr_expect_eq(verdict_of_firmware(), BOOT_VERDICT_DEVICE_TYPE);
    cr_expect_eq(device.openssl.sha256_bytes, 0);
}

Test(boot_verify, newer_hardware_than_this_is_refused)
{
    strcpy(firmware.image.min_hw_revision, "Rev-C");
    firmware_sign(&firmware, &device, 0);
    cr_expect_eq(verdict_of_firmware(), BOOT_VERDICT_HW_REVISION);
}

Test(boot_verify, an_image_below_the_counter_is_refused)
{
    struct boot_limits limits = {.security_counter = 6};
    verdict_of_firmware();
    cr_expect_eq(verify(&limits), BOOT_VERDICT_COUNTER);
}

Test(boot_verify, a_revoked_key_is_refused_for_new_images_and_at_boot_when_it_says_so)
{
    struct boot_config config = {.revoked_count = 1, .revoked = {"key-0"}};
    struct boot_limits staging = {.config = &config};
    struct boot_limits at_boot = {.config = &config, .at_boot = true};
    verdict_of_firmware();
    cr_expect_eq(verify(&staging), BOOT_VERDICT_REVOKED);
    cr_expect_eq(verify(&at_boot), BOOT_VERDICT_VALID);
    config.revoked_at_boot = 1;
    cr_expect_eq(verify(&at_boot), BOOT_VERDICT_REVOKED);
}

Test(boot_verify, a_read_that_fails_is_never_valid)
{
    struct boot_limits limits = {0};
    verdict_of_firmware();
    device.nor.fail_read = true;
    cr_expect_eq(boot_verify(&device.env, 1, &firmware.trailer, &limits, NULL, NULL),
                 BOOT_VERDICT_EMPTY);
}

/* An image of several pieces: reads through a second flash, whose every byte is checked once. */
struct counted {
    const uint8_t *image;
    uint8_t reads[20000];
};

static int counted_read(void *ctx, uint32_t addr, void *out, uint32_t len)
{
    struct counted *counted = ctx;
    cr_assert_leq(len, 4096);
    for (uint32_t i = 0; i < len; i++)
        counted->reads[addr + i]++;
    memcpy(out, counted->image + addr, len);
    return 0;
}

Test(boot_verify, a_large_image_is_read_in_pieces_and_no_byte_twice)
{
    static struct counted counted;
    static uint8_t image[20000];
    static const uint32_t sizes[] = {129, 4095, 4096, 4097, 8192, 19999};
    struct boot_flash flash = {.ctx = &counted, .read = counted_read};
    struct boot_layout layout = device.layout;
    struct boot_limits limits = {0};
    counted.image = image;
    layout.slot_addr[0] = 0;
    layout.slot_bytes = 1 << 20;
    device.env.flash = &flash;
    device.env.layout = &layout;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        size_t sig = BOOT_SIGNATURE_MAX;
        firmware.image.image_bytes = firmware.trailer.image_bytes = sizes[i];
        boot_image_encode(image, &firmware.image);
        EVP_MD_CTX *ctx = EVP_MD_CTX_new();
        EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, device.signer[0]);
        cr_assert_eq(EVP_DigestSign(ctx, firmware.trailer.signature, &sig, image, sizes[i]), 1);
        EVP_MD_CTX_free(ctx);
        firmware.trailer.signature_bytes = (uint16_t)sig;
        memset(counted.reads, 0, sizeof counted.reads);
        cr_expect_eq(boot_verify(&device.env, 0, &firmware.trailer, &limits, NULL, NULL), 0);
        for (uint32_t at = 0; at < sizeof counted.reads; at++)
            cr_assert_eq(counted.reads[at], at < sizes[i], "byte %u of %u", at, sizes[i]);
    }
}
