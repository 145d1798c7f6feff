/* Keys and signatures: known answers, and the second opinion of OpenSSL. */
#include "sim/firmware.h"
#include <criterion/criterion.h>
#include <openssl/ec.h>
#include <openssl/obj_mac.h>
#include <openssl/sha.h>
#include <string.h>

static void from_hex(uint8_t *out, const char *hex)
{
    for (size_t i = 0; hex[2 * i]; i++) {
        unsigned byte;
        cr_assert_eq(sscanf(hex + 2 * i, "%2x", &byte), 1);
        out[i] = (uint8_t)byte;
    }
}

/* RFC 6979, A.2.5: the key, and its signatures with SHA-256. */
static const char rfc_private[] =
    "C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721";
static const struct {
    char message[8], r[65], s[65];
} rfc_rows[] = {
    {"sample", "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716",
     "F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8"},
    {"test", "F1ABB023518351CD71D881567B1EA663ED3EFCF6C5132B354F28D3B0B7D38367",
     "019F4113742A2B14BD25926B49C649155F267E60D3814B4C0CC84250E46F0083"},
};

/* The DER of two 32-byte numbers, put together by hand. */
static size_t der_of(uint8_t *out, const char *r_hex, const char *s_hex)
{
    size_t at = 2;
    for (int i = 0; i < 2; i++) {
        uint8_t number[33] = {0};
        from_hex(number + 1, i ? s_hex : r_hex);
        size_t skip = number[1] & 0x80 ? 0 : 1;
        out[at++] = 2;
        out[at++] = (uint8_t)(33 - skip);
        memcpy(out + at, number + skip, 33 - skip);
        at += 33 - skip;
    }
    out[0] = 0x30;
    out[1] = (uint8_t)(at - 2);
    return at;
}

Test(supply_key, signatures_are_those_of_rfc_6979)
{
    struct sim_fw_key key = {0};
    from_hex(key.private_key, rfc_private);
    for (size_t i = 0; i < sizeof rfc_rows / sizeof *rfc_rows; i++) {
        uint8_t sig[BOOT_SIGNATURE_MAX], expect[80];
        size_t len, expect_len = der_of(expect, rfc_rows[i].r, rfc_rows[i].s);
        cr_assert_eq(sim_fw_sign(&key, rfc_rows[i].message, strlen(rfc_rows[i].message), sig, &len),
                     SIM_FW_OK);
        cr_assert_eq(len, expect_len, "row %zu", i);
        cr_assert_arr_eq(sig, expect, len, "row %zu", i);
    }
}

/* A second opinion, by a library that takes no part in making keys or signatures. */
static bool openssl_accepts(const uint8_t public_key[65], const void *data, size_t len,
                            const uint8_t *sig, size_t sig_len)
{
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
    uint8_t digest[32];
    EC_KEY *key = EC_KEY_new_by_curve_name(NID_X9_62_prime256v1);
    bool ok = key && EC_KEY_oct2key(key, public_key, 65, NULL) == 1;
    SHA256(data, len, digest);
    ok = ok && ECDSA_verify(0, digest, 32, sig, (int)sig_len, key) == 1;
    EC_KEY_free(key);
#pragma GCC diagnostic pop
    return ok;
}

Test(supply_key, openssl_accepts_every_derived_key_and_signature)
{
    for (uint32_t i = 0; i < 20; i++) {
        struct sim_fw_key key;
        uint8_t sig[BOOT_SIGNATURE_MAX];
        size_t len;
        char text[] = "firmware 0";
        text[9] = (char)('0' + i % 10);
        cr_assert_eq(sim_fw_key_derive(&key, 7, i, "release-2026"), SIM_FW_OK);
        cr_assert_eq(sim_fw_sign(&key, text, 10, sig, &len), SIM_FW_OK);
        cr_assert(openssl_accepts(key.public_key, text, 10, sig, len), "index %u", i);
        text[0] ^= 1;
        cr_assert_not(openssl_accepts(key.public_key, text, 10, sig, len), "index %u", i);
    }
}

Test(supply_key, a_key_depends_on_seed_and_index_alone)
{
    struct sim_fw_key first, again, other;
    cr_assert_eq(sim_fw_key_derive(&first, 1, 0, "a"), SIM_FW_OK);
    cr_assert_eq(sim_fw_key_derive(&again, 1, 0, "a"), SIM_FW_OK);
    cr_assert_eq(memcmp(&first, &again, sizeof first), 0);
    static const struct {
        uint64_t seed;
        uint32_t index;
    } rows[] = {{1, 1}, {2, 0}, {UINT64_C(1) << 63, 0}, {1, UINT32_C(1) << 31}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        cr_assert_eq(sim_fw_key_derive(&other, rows[i].seed, rows[i].index, "a"), SIM_FW_OK);
        cr_assert_neq(memcmp(first.private_key, other.private_key, 32), 0, "row %zu", i);
        cr_assert_neq(memcmp(first.public_key, other.public_key, 65), 0, "row %zu", i);
    }
}

/* Written down once: a change here changes every digest of every run. */
Test(supply_key, the_key_of_seed_1_stays_the_same)
{
    static const char expect[] = "BFAC84C5997D0E409E17AFB987251C12917EC807EC7BC6C8451EDB463613AEC1";
    uint8_t bytes[32];
    struct sim_fw_key key;
    cr_assert_eq(sim_fw_key_derive(&key, 1, 0, "a"), SIM_FW_OK);
    from_hex(bytes, expect);
    cr_assert_arr_eq(key.private_key, bytes, 32);
}

Test(supply_key, ids_and_keys_out_of_range_are_refused)
{
    struct sim_fw_key key;
    uint8_t sig[BOOT_SIGNATURE_MAX];
    size_t len;
    cr_assert_eq(sim_fw_key_derive(&key, 1, 0, ""), SIM_FW_ERANGE);
    cr_assert_eq(sim_fw_key_derive(&key, 1, 0, "123456789012345678901234"), SIM_FW_ERANGE);
    cr_assert_eq(sim_fw_key_derive(&key, 1, 0, "12345678901234567890123"), SIM_FW_OK);
    memset(key.private_key, 0, 32);
    cr_assert_eq(sim_fw_sign(&key, "x", 1, sig, &len), SIM_FW_ECRYPTO);
    memset(key.private_key, 0xFF, 32);
    cr_assert_eq(sim_fw_sign(&key, "x", 1, sig, &len), SIM_FW_ECRYPTO);
    cr_assert_eq(len, 0);
}

Test(supply_key, every_error_has_a_name_of_its_own)
{
    for (int i = SIM_FW_EEXISTS; i <= SIM_FW_OK; i++)
        for (int j = SIM_FW_EEXISTS; j < i; j++)
            cr_assert_str_neq(sim_fw_error_name(i), sim_fw_error_name(j));
    cr_assert_str_eq(sim_fw_error_name(SIM_FW_EEXISTS), "SIM_FW_EEXISTS");
    cr_assert_str_eq(sim_fw_error_name(1), "SIM_FW_?");
    cr_assert_str_eq(sim_fw_error_name(SIM_FW_EEXISTS - 1), "SIM_FW_?");
}
