/* The OpenSSL port: strict DER, real keys, honest counters. */
#include "boot/der.h"
#include "device.h"
#include <criterion/criterion.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <string.h>

static struct device device;

static void setup(void)
{
    device_init(&device, 1);
    device_use_openssl(&device);
}

static void teardown(void)
{
    device_free(&device);
}

TestSuite(boot_openssl, .init = setup, .fini = teardown);

static const uint8_t order[32] = {0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0xFF,
                                  0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xBC, 0xE6, 0xFA, 0xAD, 0xA7, 0x17,
                                  0x9E, 0x84, 0xF3, 0xB9, 0xCA, 0xC2, 0xFC, 0x63, 0x25, 0x51};

static bool is_strict(const uint8_t *sig, size_t len)
{
    uint8_t scalars[BOOT_SCALARS_BYTES];
    return boot_der_scalars(scalars, sig, len);
}

Test(boot_openssl, der_of_small_numbers_is_judged_byte_by_byte)
{
    static const struct {
        bool strict;
        uint8_t len;
        uint8_t sig[16];
    } row[] = {
        {true, 8, {0x30, 6, 2, 1, 1, 2, 1, 1}},
        {true, 9, {0x30, 7, 2, 2, 0, 0x80, 2, 1, 1}},
        {false, 8, {0x30, 6, 2, 1, 0, 2, 1, 1}},           /* r = 0 */
        {false, 8, {0x30, 6, 2, 1, 1, 2, 1, 0}},           /* s = 0 */
        {false, 8, {0x30, 6, 2, 1, 0x81, 2, 1, 1}},        /* r negative */
        {false, 8, {0x30, 6, 2, 1, 1, 2, 1, 0xFF}},        /* s negative */
        {false, 9, {0x30, 7, 2, 2, 0, 1, 2, 1, 1}},        /* r padded */
        {false, 9, {0x30, 7, 2, 2, 0, 0, 2, 1, 1}},        /* zero, padded */
        {false, 9, {0x30, 0x81, 6, 2, 1, 1, 2, 1, 1}},     /* long form of the sequence */
        {false, 9, {0x30, 7, 2, 0x81, 1, 1, 2, 1, 1}},     /* long form of an integer */
        {false, 10, {0x30, 0x80, 2, 1, 1, 2, 1, 1, 0, 0}}, /* indefinite form */
        {false, 7, {0x30, 5, 2, 0, 2, 1, 1}},              /* empty integer */
        {false, 9, {0x30, 6, 2, 1, 1, 2, 1, 1, 0}},        /* a byte behind the sequence */
        {false, 9, {0x30, 7, 2, 1, 1, 2, 1, 1, 0}},        /* a byte behind s, inside */
        {false, 11, {0x30, 9, 2, 1, 1, 2, 1, 1, 2, 1, 1}}, /* three integers */
        {false, 5, {0x30, 3, 2, 1, 1}},                    /* one integer */
        {false, 8, {0x31, 6, 2, 1, 1, 2, 1, 1}},           /* a SET */
        {false, 8, {0x30, 6, 3, 1, 1, 2, 1, 1}},           /* a BIT STRING */
        {false, 8, {0x30, 6, 2, 5, 1, 2, 1, 1}},           /* r runs over the end */
        {false, 2, {0x30, 0}},
        {false, 1, {0x30}},
        {false, 0, {0}},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        cr_expect_eq(is_strict(row[i].sig, row[i].len), row[i].strict, "row %zu", i);
}

/* r = order + delta in the last byte, s = 1. */
static bool takes_r(int delta)
{
    uint8_t sig[40] = {0x30, 38, 2, 33, 0};
    memcpy(sig + 5, order, sizeof order);
    sig[36] = (uint8_t)(sig[36] + delta);
    memcpy(sig + 37, "\2\1\1", 3);
    return is_strict(sig, sizeof sig);
}

Test(boot_openssl, scalars_end_below_the_order)
{
    cr_expect(takes_r(-1));
    cr_expect_not(takes_r(0));
    cr_expect_not(takes_r(1));
}

static size_t sign(uint8_t sig[BOOT_SIGNATURE_MAX], const uint8_t hash[BOOT_SHA256_BYTES], int key)
{
    size_t len = BOOT_SIGNATURE_MAX;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(device.signer[key], NULL);
    cr_assert_eq(EVP_PKEY_sign_init(ctx), 1);
    cr_assert_eq(EVP_PKEY_sign(ctx, sig, &len, hash, BOOT_SHA256_BYTES), 1);
    EVP_PKEY_CTX_free(ctx);
    return len;
}

Test(boot_openssl, only_the_signers_key_fits_and_a_refusal_spoils_nothing)
{
    uint8_t hash[BOOT_SHA256_BYTES] = {1, 2, 3};
    uint8_t sig[BOOT_SIGNATURE_MAX];
    for (int round = 0; round < 4; round++)
        for (int signer = 0; signer < DEVICE_KEYS; signer++) {
            size_t len = sign(sig, hash, signer);
            for (int key = 0; key < DEVICE_KEYS; key++) {
                int result = device.crypto.ecdsa_verify(device.crypto.ctx,
                                                        device.key[key].public_key, hash, sig, len);
                cr_expect_eq(result == 0, key == signer);
            }
        }
    cr_expect_eq(device.openssl.ecdsa_verifies, 4 * DEVICE_KEYS * DEVICE_KEYS);
}

Test(boot_openssl, a_point_off_the_curve_verifies_nothing)
{
    uint8_t hash[BOOT_SHA256_BYTES] = {7};
    uint8_t sig[BOOT_SIGNATURE_MAX];
    uint8_t key[BOOT_PUBLIC_KEY_BYTES];
    size_t len = sign(sig, hash, 0);
    memcpy(key, device.key[0].public_key, sizeof key);
    key[64] ^= 1;
    cr_expect_neq(device.crypto.ecdsa_verify(device.crypto.ctx, key, hash, sig, len), 0);
    key[64] ^= 1;
    key[0] = 0x02;
    cr_expect_neq(device.crypto.ecdsa_verify(device.crypto.ctx, key, hash, sig, len), 0);
    cr_expect_eq(device.openssl.ecdsa_verifies, 0);
    key[0] = 0x04;
    cr_expect_eq(device.crypto.ecdsa_verify(device.crypto.ctx, key, hash, sig, len), 0);
}

Test(boot_openssl, more_keys_than_are_kept_still_verify)
{
    uint8_t hash[BOOT_SHA256_BYTES] = {9};
    for (int i = 0; i < 3 * BOOT_OPENSSL_KEYS; i++) {
        uint8_t sig[BOOT_SIGNATURE_MAX], point[BOOT_PUBLIC_KEY_BYTES];
        size_t len;
        EVP_PKEY_free(device.signer[0]);
        device.signer[0] = EVP_EC_gen("P-256");
        EVP_PKEY_get_octet_string_param(device.signer[0], "encoded-pub-key", point, sizeof point,
                                        &len);
        len = sign(sig, hash, 0);
        cr_expect_eq(device.crypto.ecdsa_verify(device.crypto.ctx, point, hash, sig, len), 0);
    }
}

Test(boot_openssl, a_hash_given_up_half_way_does_not_leak_into_the_next)
{
    uint8_t hash[BOOT_SHA256_BYTES], expected[BOOT_SHA256_BYTES];
    const struct boot_crypto *crypto = &device.crypto;
    crypto->sha256_begin(crypto->ctx);
    crypto->sha256_update(crypto->ctx, "rubbish", 7);
    crypto->sha256_begin(crypto->ctx);
    crypto->sha256_update(crypto->ctx, "ab", 2);
    crypto->sha256_update(crypto->ctx, "c", 1);
    crypto->sha256_final(crypto->ctx, hash);
    cr_assert_eq(EVP_Q_digest(NULL, "SHA256", NULL, "abc", 3, expected, NULL), 1);
    cr_expect_eq(memcmp(hash, expected, sizeof hash), 0);
    cr_expect_eq(device.openssl.sha256_bytes, 10);
    cr_expect_eq(device.openssl.sha256_finals, 1);
}
