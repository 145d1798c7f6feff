/* Keys by seed and deterministic signatures: BearSSL, because OpenSSL 3.0 has no RFC 6979. */
#include "sim/firmware.h"
#include <assert.h>
#include <bearssl.h>
#include <stdbool.h>
#include <string.h>

const char *sim_fw_error_name(int error)
{
    static const char *const name[] = {"SIM_FW_OK",     "SIM_FW_EIO",     "SIM_FW_EFORMAT",
                                       "SIM_FW_ERANGE", "SIM_FW_ECRYPTO", "SIM_FW_EMEMORY",
                                       "SIM_FW_EEXISTS"};
    if (error > 0 || error < SIM_FW_EEXISTS)
        return "SIM_FW_?";
    return name[-error];
}

/* Order of the group P-256 (FIPS 186-4, D.1.2.3), big endian. */
static const uint8_t order[32] = {0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0xFF,
                                  0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xBC, 0xE6, 0xFA, 0xAD, 0xA7, 0x17,
                                  0x9E, 0x84, 0xF3, 0xB9, 0xCA, 0xC2, 0xFC, 0x63, 0x25, 0x51};

static bool scalar_is_usable(const uint8_t scalar[32])
{
    static const uint8_t zero[32];
    return memcmp(scalar, zero, sizeof zero) != 0 && memcmp(scalar, order, sizeof order) < 0;
}

/* SHA-256 over label, seed, index and attempt, the numbers little endian. */
static void draw_scalar(uint8_t out[32], uint64_t seed, uint32_t index, uint32_t attempt)
{
    static const char label[] = "brickyard signing key";
    uint8_t number[16];
    for (int i = 0; i < 8; i++)
        number[i] = (uint8_t)(seed >> (8 * i));
    for (int i = 0; i < 4; i++) {
        number[8 + i] = (uint8_t)(index >> (8 * i));
        number[12 + i] = (uint8_t)(attempt >> (8 * i));
    }
    br_sha256_context hash;
    br_sha256_init(&hash);
    br_sha256_update(&hash, label, sizeof label - 1);
    br_sha256_update(&hash, number, sizeof number);
    br_sha256_out(&hash, out);
}

static br_ec_private_key bearssl_key(const struct sim_fw_key *key, uint8_t copy[32])
{
    memcpy(copy, key->private_key, 32);
    return (br_ec_private_key){.curve = BR_EC_secp256r1, .x = copy, .xlen = 32};
}

static int compute_public(struct sim_fw_key *key)
{
    uint8_t scalar[32], point[BR_EC_KBUF_PUB_MAX_SIZE];
    br_ec_private_key private_key = bearssl_key(key, scalar);
    br_ec_public_key public_key;
    size_t len = br_ec_compute_pub(br_ec_get_default(), &public_key, point, &private_key);
    if (len != BOOT_PUBLIC_KEY_BYTES)
        return SIM_FW_ECRYPTO;
    memcpy(key->public_key, point, BOOT_PUBLIC_KEY_BYTES);
    return SIM_FW_OK;
}

int sim_fw_key_derive(struct sim_fw_key *out, uint64_t seed, uint32_t index, const char *cert_id)
{
    assert(out && cert_id);
    memset(out, 0, sizeof *out);
    size_t id_len = strlen(cert_id);
    if (id_len == 0 || id_len >= BOOT_CERT_ID_MAX)
        return SIM_FW_ERANGE;
    /* A hash is no usable scalar once in 2^32; then the next attempt is. */
    uint32_t attempt = 0;
    do
        draw_scalar(out->private_key, seed, index, attempt++);
    while (!scalar_is_usable(out->private_key));
    memcpy(out->cert_id, cert_id, id_len);
    return compute_public(out);
}

int sim_fw_sign(const struct sim_fw_key *key, const void *data, size_t len,
                uint8_t sig[BOOT_SIGNATURE_MAX], size_t *sig_len)
{
    assert(key && (data || len == 0) && sig && sig_len);
    *sig_len = 0;
    if (!scalar_is_usable(key->private_key))
        return SIM_FW_ECRYPTO;
    uint8_t scalar[32], digest[br_sha256_SIZE];
    br_ec_private_key private_key = bearssl_key(key, scalar);
    br_sha256_context hash;
    br_sha256_init(&hash);
    br_sha256_update(&hash, data, len);
    br_sha256_out(&hash, digest);
    /* BearSSL asks for room for its largest curve; P-256 needs 72 bytes at most. */
    uint8_t der[160];
    size_t der_len = br_ecdsa_sign_asn1_get_default()(br_ec_get_default(), &br_sha256_vtable,
                                                      digest, &private_key, der);
    if (der_len == 0 || der_len > BOOT_SIGNATURE_MAX)
        return SIM_FW_ECRYPTO;
    memcpy(sig, der, der_len);
    *sig_len = der_len;
    return SIM_FW_OK;
}
