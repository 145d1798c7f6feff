/*
 * Verification of one image. The header is decoded from the first piece that is hashed and never
 * read again, so no other bytes can pass for it (RAUC CVE-2020-25860). The cheap checks come before
 * the hash.
 */
#include "boot/verify.h"
#include "boot/error.h"
#include "bytes.h"
#include "mem.h"

enum { PIECE_BYTES = 4096 };

const char *boot_verdict_name(int verdict)
{
    static const char *const name[BOOT_VERDICT_KINDS] = {
        "valid",
        "empty",
        "broken header",
        "wrong device type",
        "hardware revision too old",
        "below the security counter",
        "unknown key",
        "revoked key",
        "wrong hash or signature",
    };
    return verdict >= 0 && verdict < BOOT_VERDICT_KINDS ? name[verdict] : "unknown verdict";
}

static uint32_t piece_bytes(uint32_t left)
{
    return left < PIECE_BYTES ? left : PIECE_BYTES;
}

static bool read_piece(const struct boot_env *env, int slot, uint32_t at, uint8_t *out,
                       uint32_t len)
{
    const struct boot_flash *flash = env->flash;
    return flash->read(flash->ctx, env->layout->slot_addr[slot] + at, out, len) >= 0;
}

static enum boot_verdict check_header(const struct boot_env *env, const uint8_t *first,
                                      const struct boot_trailer *trailer,
                                      const struct boot_limits *limits, struct boot_image *image)
{
    if (memcmp(first, "BYI1", 4) != 0)
        return BOOT_VERDICT_EMPTY;
    if (boot_image_decode(image, first) != BOOT_OK || image->image_bytes != trailer->image_bytes)
        return BOOT_VERDICT_HEADER;
    if (!boot_text_equal(image->device_type, env->device_type, BOOT_DEVICE_TYPE_MAX))
        return BOOT_VERDICT_DEVICE_TYPE;
    if (boot_hw_revision_compare(image->min_hw_revision, env->hw_revision) > 0)
        return BOOT_VERDICT_HW_REVISION;
    if (image->security_counter < limits->security_counter)
        return BOOT_VERDICT_COUNTER;
    return BOOT_VERDICT_VALID;
}

static enum boot_verdict check_key(const struct boot_env *env, const char *cert_id,
                                   const struct boot_limits *limits, const struct boot_key **key)
{
    *key = boot_keys_find(env->keys, cert_id);
    if (!*key)
        return BOOT_VERDICT_KEY;
    if (limits->config && boot_config_is_revoked(limits->config, cert_id, limits->at_boot))
        return BOOT_VERDICT_REVOKED;
    return BOOT_VERDICT_VALID;
}

/* Hashes the image whose first piece is in buffer already, reading the rest into the same buffer.
 */
static bool hash_image(const struct boot_env *env, int slot, uint32_t image_bytes,
                       uint8_t buffer[PIECE_BYTES], uint8_t hash[BOOT_SHA256_BYTES])
{
    const struct boot_crypto *crypto = env->crypto;
    uint32_t len = piece_bytes(image_bytes);
    crypto->sha256_begin(crypto->ctx);
    crypto->sha256_update(crypto->ctx, buffer, len);
    for (uint32_t at = len; at < image_bytes; at += len) {
        len = piece_bytes(image_bytes - at);
        if (!read_piece(env, slot, at, buffer, len))
            return false;
        crypto->sha256_update(crypto->ctx, buffer, len);
    }
    crypto->sha256_final(crypto->ctx, hash);
    return true;
}

enum boot_verdict boot_verify(const struct boot_env *env, int slot,
                              const struct boot_trailer *trailer, const struct boot_limits *limits,
                              struct boot_image *out_image, uint8_t out_hash[BOOT_SHA256_BYTES])
{
    uint8_t buffer[PIECE_BYTES];
    uint8_t hash[BOOT_SHA256_BYTES];
    struct boot_image image = {0};
    const struct boot_key *key;
    if (trailer->signature_bytes == 0 || trailer->signature_bytes > BOOT_SIGNATURE_MAX)
        return BOOT_VERDICT_EMPTY;
    if (trailer->image_bytes <= BOOT_IMAGE_HEADER_BYTES ||
        trailer->image_bytes > boot_layout_image_max(env->layout))
        return BOOT_VERDICT_HEADER;
    if (!read_piece(env, slot, 0, buffer, piece_bytes(trailer->image_bytes)))
        return BOOT_VERDICT_EMPTY;
    enum boot_verdict verdict = check_header(env, buffer, trailer, limits, &image);
    if (out_image)
        *out_image = image;
    if (verdict == BOOT_VERDICT_VALID)
        verdict = check_key(env, trailer->cert_id, limits, &key);
    if (verdict != BOOT_VERDICT_VALID)
        return verdict;
    if (!hash_image(env, slot, image.image_bytes, buffer, hash))
        return BOOT_VERDICT_SIGNATURE;
    if (out_hash)
        memcpy(out_hash, hash, sizeof hash);
    int wrong = env->crypto->ecdsa_verify(env->crypto->ctx, key->public_key, hash,
                                          trailer->signature, trailer->signature_bytes);
    return wrong ? BOOT_VERDICT_SIGNATURE : BOOT_VERDICT_VALID;
}
