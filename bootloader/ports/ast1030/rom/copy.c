#include "copy.h"
#include "boot/error.h"
#include <string.h>

static bool has_hash(const struct boot_crypto *crypto, const uint8_t *header, const void *payload,
                     uint32_t payload_bytes, const uint8_t sha256[BOOT_SHA256_BYTES])
{
    uint8_t hash[BOOT_SHA256_BYTES];
    crypto->sha256_begin(crypto->ctx);
    crypto->sha256_update(crypto->ctx, header, BOOT_IMAGE_HEADER_BYTES);
    crypto->sha256_update(crypto->ctx, payload, payload_bytes);
    crypto->sha256_final(crypto->ctx, hash);
    return memcmp(hash, sha256, sizeof hash) == 0;
}

enum rom_copied rom_copy(const struct boot_env *env, int slot,
                         const uint8_t sha256[BOOT_SHA256_BYTES], void *to, uint32_t max,
                         uint32_t *payload_bytes)
{
    const struct boot_flash *flash = env->flash;
    uint32_t addr = env->layout->slot_addr[slot];
    uint8_t header[BOOT_IMAGE_HEADER_BYTES];
    struct boot_image image;
    *payload_bytes = 0;
    if (flash->read(flash->ctx, addr, header, sizeof header) < 0 ||
        boot_image_decode(&image, header) != BOOT_OK)
        return ROM_COPY_UNREADABLE;
    uint32_t bytes = image.image_bytes - BOOT_IMAGE_HEADER_BYTES;
    if (image.image_bytes > boot_layout_image_max(env->layout) || bytes > max)
        return ROM_COPY_TOO_LARGE;
    if (flash->read(flash->ctx, addr + BOOT_IMAGE_HEADER_BYTES, to, bytes) < 0)
        return ROM_COPY_UNREADABLE;
    if (!has_hash(env->crypto, header, to, bytes, sha256))
        return ROM_COPY_DIFFERS;
    *payload_bytes = bytes;
    return ROM_COPIED;
}

static uint32_t word(const uint8_t *at)
{
    return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

bool rom_vectors_are_sound(const uint8_t *payload, uint32_t bytes, uint32_t addr,
                           uint32_t stack_begin, uint32_t stack_end)
{
    if (bytes < 8)
        return false;
    uint32_t stack = word(payload);
    uint32_t entry = word(payload + 4);
    return stack > stack_begin && stack <= stack_end && stack % 8 == 0 && (entry & 1) &&
           entry >= addr + 8 && entry - addr < bytes;
}
