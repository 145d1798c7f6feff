#include "board/hal.h"
#include "rom.h"

static void begin(void *ctx)
{
    struct rom_crypto *crypto = ctx;
    crypto->begun_us = board_us();
    crypto->inner.sha256_begin(crypto->inner.ctx);
}

static void update(void *ctx, const void *data, size_t len)
{
    struct rom_crypto *crypto = ctx;
    crypto->inner.sha256_update(crypto->inner.ctx, data, len);
}

static void final(void *ctx, uint8_t out[BOOT_SHA256_BYTES])
{
    struct rom_crypto *crypto = ctx;
    crypto->inner.sha256_final(crypto->inner.ctx, out);
}

static int verify(void *ctx, const uint8_t public_key[BOOT_PUBLIC_KEY_BYTES],
                  const uint8_t hash[BOOT_SHA256_BYTES], const uint8_t *sig, size_t sig_len)
{
    struct rom_crypto *crypto = ctx;
    int result = crypto->inner.ecdsa_verify(crypto->inner.ctx, public_key, hash, sig, sig_len);
    crypto->last_us = (uint32_t)(board_us() - crypto->begun_us);
    return result;
}

void rom_crypto_start(struct rom_crypto *crypto, struct boot_crypto *out)
{
    boot_bearssl_port(&crypto->bearssl, &crypto->inner);
    *out = (struct boot_crypto){.ctx = crypto,
                                .sha256_begin = begin,
                                .sha256_update = update,
                                .sha256_final = final,
                                .ecdsa_verify = verify};
}
