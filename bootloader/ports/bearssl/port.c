/*
 * BearSSL verifies the raw signature. Its own DER reader would take padded and negative integers
 * and r = 0, so it is not used: der.h comes first.
 */
#include "boot/bearssl.h"
#include "boot/der.h"
#include "mem.h"

enum { UNCOMPRESSED = 0x04 };

static void hash_begin(void *ctx)
{
    br_sha256_init(&((struct boot_bearssl *)ctx)->hash);
}

static void hash_update(void *ctx, const void *data, size_t len)
{
    br_sha256_update(&((struct boot_bearssl *)ctx)->hash, data, len);
}

static void hash_final(void *ctx, uint8_t out[BOOT_SHA256_BYTES])
{
    br_sha256_out(&((struct boot_bearssl *)ctx)->hash, out);
}

/* The multiplication refuses a point that is not on the curve. */
static int verify(void *ctx, const uint8_t public_key[BOOT_PUBLIC_KEY_BYTES],
                  const uint8_t hash[BOOT_SHA256_BYTES], const uint8_t *sig, size_t sig_len)
{
    uint8_t scalars[BOOT_SCALARS_BYTES], point[BOOT_PUBLIC_KEY_BYTES];
    (void)ctx;
    if (public_key[0] != UNCOMPRESSED || !boot_der_hash_is_usable(hash) ||
        !boot_der_scalars(scalars, sig, sig_len))
        return -1;
    memcpy(point, public_key, sizeof point);
    br_ec_public_key key = {.curve = BR_EC_secp256r1, .q = point, .qlen = sizeof point};
    uint32_t valid = br_ecdsa_i31_vrfy_raw(&br_ec_p256_m31, hash, BOOT_SHA256_BYTES, &key, scalars,
                                           sizeof scalars);
    return valid == 1 ? 0 : -1;
}

void boot_bearssl_port(struct boot_bearssl *port, struct boot_crypto *out)
{
    *out = (struct boot_crypto){.ctx = port,
                                .sha256_begin = hash_begin,
                                .sha256_update = hash_update,
                                .sha256_final = hash_final,
                                .ecdsa_verify = verify};
}
