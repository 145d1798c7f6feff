/*
 * The two crypto ports, OpenSSL's of the host and BearSSL's of the board, give one answer to every
 * signature, hostile ones above all. Scalars are computed with OpenSSL's numbers and written as DER
 * here, right or wrong.
 */
#include "../soak/soak.h"
#include "boot/der.h"
#include "boot/openssl.h"
#include "ports.h"
#include <criterion/criterion.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

static struct boot_openssl openssl;
static struct boot_crypto host, board;
static EVP_PKEY *signer;
static BIGNUM *order;
static uint8_t point[BOOT_PUBLIC_KEY_BYTES];
static uint8_t hash[BOOT_SHA256_BYTES];
static uint8_t good[BOOT_SCALARS_BYTES]; /* r and s of a right signature of hash */

static void sign(void)
{
    uint8_t sig[BOOT_SIGNATURE_MAX];
    size_t len = sizeof sig;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(signer, NULL);
    cr_assert(EVP_PKEY_sign_init(ctx) == 1 &&
              EVP_PKEY_sign(ctx, sig, &len, hash, sizeof hash) == 1);
    EVP_PKEY_CTX_free(ctx);
    cr_assert(boot_der_scalars(good, sig, len));
}

static void setup(void)
{
    size_t len;
    cr_assert(!boot_openssl_init(&openssl));
    boot_openssl_port(&openssl, &host);
    ports_board_start(&board);
    signer = EVP_EC_gen("P-256");
    cr_assert(
        EVP_PKEY_get_octet_string_param(signer, "encoded-pub-key", point, sizeof point, &len) == 1);
    cr_assert(
        BN_hex2bn(&order, "FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551"));
    for (size_t i = 0; i < sizeof hash; i++)
        hash[i] = (uint8_t)(i * 5 + 1);
    sign();
}

static void teardown(void)
{
    BN_free(order);
    EVP_PKEY_free(signer);
    boot_openssl_free(&openssl);
    ports_board_end();
}

TestSuite(boot_ports, .init = setup, .fini = teardown);

/* Both ports answer alike, and this. */
static void expect(bool valid, const uint8_t *sig, size_t len, const char *what)
{
    int by_host = host.ecdsa_verify(host.ctx, point, hash, sig, len);
    int by_board = board.ecdsa_verify(board.ctx, point, hash, sig, len);
    cr_expect_eq(by_host == 0, valid, "OpenSSL: %s", what);
    cr_expect_eq(by_board == 0, valid, "BearSSL: %s", what);
}

/* One INTEGER of these content bytes at out; its length. */
static size_t put_integer(uint8_t *out, const uint8_t *content, size_t len)
{
    out[0] = 0x02;
    out[1] = (uint8_t)len;
    memcpy(out + 2, content, len);
    return len + 2;
}

/* As it should be: without leading zeros, a zero before a high bit. */
static size_t put_scalar(uint8_t *out, const uint8_t scalar[32])
{
    uint8_t padded[33] = {0};
    size_t skip = 0;
    memcpy(padded + 1, scalar, 32);
    while (skip < 32 && !padded[skip] && !(padded[skip + 1] & 0x80))
        skip++;
    return put_integer(out, padded + skip, sizeof padded - skip);
}

static size_t put_sequence(uint8_t *out, const uint8_t r[32], const uint8_t s[32])
{
    size_t len = 2 + put_scalar(out + 2, r);
    len += put_scalar(out + len, s);
    out[0] = 0x30;
    out[1] = (uint8_t)(len - 2);
    return len;
}

static void expect_scalars(bool valid, const uint8_t r[32], const uint8_t s[32], const char *what)
{
    uint8_t sig[BOOT_SIGNATURE_MAX + 8];
    expect(valid, sig, put_sequence(sig, r, s), what);
}

/* scalar, or its negative, plus times * order, as 32 bytes. */
static void shift(uint8_t out[32], const uint8_t scalar[32], bool negative, int times)
{
    BIGNUM *number = BN_bin2bn(scalar, 32, NULL);
    BN_set_negative(number, negative);
    for (int i = 0; i < times; i++)
        BN_add(number, number, order);
    cr_assert(BN_bn2binpad(number, out, 32) == 32);
    BN_free(number);
}

Test(boot_ports, scalars_at_the_borders)
{
    static const uint8_t zero[32], one[32] = {[31] = 1};
    uint8_t n[32], below[32], above[32], all[32], twin[32];
    const uint8_t *r = good, *s = good + 32;
    shift(n, zero, false, 1);
    memcpy(below, n, 32);
    below[31]--;
    memcpy(above, n, 32);
    above[31]++;
    memset(all, 0xFF, 32);
    shift(twin, s, true, 1); /* n - s */
    expect_scalars(true, r, s, "the signature");
    expect_scalars(true, r, twin, "its twin, n - s, which is valid too");
    expect_scalars(false, zero, s, "r = 0");
    expect_scalars(false, r, zero, "s = 0");
    expect_scalars(false, zero, zero, "both 0");
    expect_scalars(false, n, s, "r = n");
    expect_scalars(false, r, n, "s = n");
    expect_scalars(false, above, s, "r = n + 1");
    expect_scalars(false, r, above, "s = n + 1");
    expect_scalars(false, below, s, "r = n - 1");
    expect_scalars(false, r, below, "s = n - 1");
    expect_scalars(false, all, s, "r = 2^256 - 1");
    expect_scalars(false, r, all, "s = 2^256 - 1");
    expect_scalars(false, one, one, "both 1");
    expect_scalars(false, s, r, "exchanged");
    shift(twin, r, true, 1);
    expect_scalars(false, twin, s, "n - r");
}

/* A hash of 0 mod n: with r = 0 the equation holds for any s in code that does not look at r. */
Test(boot_ports, a_hash_of_0_opens_nothing)
{
    static const uint8_t zero[32], one[32] = {[31] = 1};
    uint8_t n[32];
    shift(n, zero, false, 1);
    const uint8_t *const value[] = {zero, n};
    for (int i = 0; i < 2; i++) {
        memcpy(hash, value[i], sizeof hash);
        expect_scalars(false, zero, one, "r = 0, s = 1 of a hash of 0");
        expect_scalars(false, n, one, "r = n, s = 1 of a hash of 0");
        expect_scalars(false, one, zero, "s = 0 of a hash of 0");
        sign();
        expect_scalars(false, good, good + 32, "a right signature of a hash of 0");
        hash[31] ^= 1;
        sign();
        expect_scalars(true, good, good + 32, "one bit beside it");
    }
}

/* One change of the right encoding: `at` of it becomes value; or it is cut, or made longer. */
Test(boot_ports, wrong_encodings_of_a_right_signature)
{
    uint8_t sig[BOOT_SIGNATURE_MAX + 8], bad[BOOT_SIGNATURE_MAX + 8];
    size_t len = put_sequence(sig, good, good + 32);
    size_t at_s = 4 + (size_t)sig[3];
    const struct {
        size_t at;
        uint8_t value;
        const char *what;
    } row[] = {
        {0, 0x31, "a SET"},
        {0, 0x10, "a primitive SEQUENCE"},
        {1, (uint8_t)(sig[1] + 1), "the sequence too long by one"},
        {1, (uint8_t)(sig[1] - 1), "the sequence too short by one"},
        {1, 0x80, "indefinite length"},
        {2, 0x03, "r a BIT STRING"},
        {3, (uint8_t)(sig[3] + 1), "r too long by one"},
        {3, (uint8_t)(sig[3] - 1), "r too short by one"},
        {3, 0, "r empty"},
        {3, 0xFF, "r in an endless long form"},
        {at_s, 0x0A, "s an ENUMERATED"},
        {at_s + 1, (uint8_t)(sig[at_s + 1] + 1), "s too long by one"},
        {at_s + 1, (uint8_t)(sig[at_s + 1] - 1), "s too short by one"},
        {len - 1, (uint8_t)(sig[len - 1] ^ 1), "the last bit of s"},
        {4 + 8, (uint8_t)(sig[4 + 8] ^ 0x20), "a bit of r"},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        memcpy(bad, sig, len);
        bad[row[i].at] = row[i].value;
        expect(false, bad, len, row[i].what);
    }
    for (size_t cut = 0; cut < len; cut++)
        expect(false, sig, cut, "cut");
    memcpy(bad, sig, len);
    bad[len] = 0;
    expect(false, bad, len + 1, "a byte behind");
    bad[1]++;
    expect(false, bad, len + 1, "a byte behind, inside the sequence");
    expect(true, sig, len, "as it was");
}

/* A sequence of two INTEGERs with these contents. */
static void expect_contents(bool valid, const uint8_t *r, size_t r_len, const uint8_t *s,
                            size_t s_len, const char *what)
{
    uint8_t sig[BOOT_SIGNATURE_MAX + 8];
    size_t len = 2 + put_integer(sig + 2, r, r_len);
    len += put_integer(sig + len, s, s_len);
    sig[0] = 0x30;
    sig[1] = (uint8_t)(len - 2);
    expect(valid, sig, len, what);
}

/* Signs until the top bits of r and s are these. */
static void sign_with(bool r_high, bool s_high)
{
    do
        sign();
    while ((good[0] & 0x80) / 0x80 != r_high || (good[32] & 0x80) / 0x80 != s_high || !good[0] ||
           !good[32]);
}

Test(boot_ports, padding_and_signs)
{
    uint8_t r[34] = {0}, s[34] = {0};
    sign_with(true, true);
    memcpy(r + 2, good, 32);
    memcpy(s + 2, good + 32, 32);
    expect_contents(true, r + 1, 33, s + 1, 33, "both with the zero that they need");
    expect_contents(false, r + 2, 32, s + 1, 33, "r negative");
    expect_contents(false, r + 1, 33, s + 2, 32, "s negative");
    sign_with(false, false);
    memcpy(r + 2, good, 32);
    memcpy(s + 2, good + 32, 32);
    expect_contents(true, r + 2, 32, s + 2, 32, "both without");
    expect_contents(false, r + 1, 33, s + 2, 32, "r padded");
    expect_contents(false, r + 2, 32, s + 1, 33, "s padded");
    expect_contents(false, r, 34, s + 2, 32, "r padded twice");
    expect_contents(false, r + 1, 33, s + 1, 33, "both padded");
}

Test(boot_ports, long_forms_of_the_length)
{
    uint8_t sig[BOOT_SIGNATURE_MAX + 8], bad[BOOT_SIGNATURE_MAX + 8];
    sign_with(false, false); /* 70 bytes, so that two more still fit a trailer */
    size_t len = put_sequence(sig, good, good + 32);
    bad[0] = 0x30;
    bad[1] = 0x81;
    memcpy(bad + 2, sig + 1, len - 1);
    expect(false, bad, len + 1, "of the sequence");
    memcpy(bad, "\x30\x82\0", 3);
    memcpy(bad + 3, sig + 1, len - 1);
    expect(false, bad, len + 2, "of the sequence, two bytes");
    memcpy(bad, sig, 3);
    bad[1]++;
    bad[3] = 0x81;
    memcpy(bad + 4, sig + 3, len - 3);
    expect(false, bad, len + 1, "of r");
    size_t at_s = 4 + (size_t)sig[3];
    memcpy(bad, sig, at_s + 1);
    bad[1]++;
    bad[at_s + 1] = 0x81;
    memcpy(bad + at_s + 2, sig + at_s + 1, len - at_s - 1);
    expect(false, bad, len + 1, "of s");
}

Test(boot_ports, keys_that_are_none)
{
    static const uint8_t zero[BOOT_PUBLIC_KEY_BYTES];
    uint8_t kept[BOOT_PUBLIC_KEY_BYTES];
    memcpy(kept, point, sizeof kept);
    point[64] ^= 1;
    expect_scalars(false, good, good + 32, "off the curve in y");
    memcpy(point, kept, sizeof kept);
    point[1] ^= 1;
    expect_scalars(false, good, good + 32, "off the curve in x");
    memset(point + 1, 0, 64);
    expect_scalars(false, good, good + 32, "x and y 0");
    memset(point + 1, 0xFF, 64);
    expect_scalars(false, good, good + 32, "x and y above the field");
    for (int form = 0; form < 256; form++) {
        memcpy(point, kept, sizeof kept);
        point[0] = (uint8_t)form;
        expect_scalars(form == 4, good, good + 32, "another form of the point");
    }
    memcpy(point, zero, sizeof zero);
    expect_scalars(false, good, good + 32, "all zero");
    memcpy(point, kept, sizeof kept);
    expect_scalars(true, good, good + 32, "the right key again");
}

/* Any bytes: hardly one is a signature, and none crashes a port. */
Test(boot_ports, random_changes_of_right_signatures)
{
    uint32_t random = 1;
    int changes = (int)soak(PORTS_CHANGES / 4, PORTS_CHANGES);
    for (int i = 0; i < changes; i++) {
        uint8_t sig[BOOT_SIGNATURE_MAX + 8];
        if (i % 100 == 0)
            sign();
        size_t len = put_sequence(sig, good, good + 32);
        for (int change = 0; change < 1 + i % 3; change++) {
            random = random * 1664525 + 1013904223;
            sig[(random >> 8) % (i % 2 ? 8 : len)] ^= (uint8_t)(1 + (random >> 24) % 255);
        }
        int by_host = host.ecdsa_verify(host.ctx, point, hash, sig, len);
        int by_board = board.ecdsa_verify(board.ctx, point, hash, sig, len);
        cr_expect_eq(by_host == 0, by_board == 0, "change %d", i);
    }
}

Test(boot_ports, hashes_of_all_lengths_are_one)
{
    static uint8_t data[300];
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 13);
    for (size_t len = 0; len <= sizeof data; len++) {
        uint8_t by_host[BOOT_SHA256_BYTES], by_board[BOOT_SHA256_BYTES];
        host.sha256_begin(host.ctx);
        board.sha256_begin(board.ctx);
        for (size_t at = 0, piece; at < len; at += piece) {
            piece = len - at < 77 ? len - at : 77;
            host.sha256_update(host.ctx, data + at, piece);
            board.sha256_update(board.ctx, data + at, piece);
        }
        host.sha256_final(host.ctx, by_host);
        board.sha256_final(board.ctx, by_board);
        cr_expect(!memcmp(by_host, by_board, sizeof by_host), "%zu bytes", len);
    }
}
