/* Images made by seed: a real header and a payload that looks like nothing else. */
#include "sim/firmware.h"
#include "sim/rng.h"
#include <assert.h>
#include <bearssl.h>
#include <stdlib.h>
#include <string.h>

/* The generator's key: a hash, because a version is a text of any length. */
static void payload_key(uint32_t key[2], uint64_t seed, const char *version)
{
    static const char label[] = "brickyard payload";
    uint8_t bytes[8], digest[br_sha256_SIZE];
    for (int i = 0; i < 8; i++)
        bytes[i] = (uint8_t)(seed >> (8 * i));
    br_sha256_context hash;
    br_sha256_init(&hash);
    br_sha256_update(&hash, label, sizeof label - 1);
    br_sha256_update(&hash, bytes, sizeof bytes);
    br_sha256_update(&hash, version, strlen(version));
    br_sha256_out(&hash, digest);
    key[0] = key[1] = 0;
    for (int i = 0; i < 8; i++)
        key[i / 4] |= (uint32_t)digest[i] << (8 * (i % 4));
}

/* Philox blocks numbered from 0, words little endian, so that every machine makes the same bytes.
 */
static void fill_payload(uint8_t *out, size_t len, const uint32_t key[2])
{
    uint32_t counter[4] = {0}, block[4];
    for (size_t at = 0; at < len; counter[0]++) {
        uint8_t bytes[16];
        sim_philox4x32(counter, key, block);
        for (size_t i = 0; i < sizeof bytes; i++)
            bytes[i] = (uint8_t)(block[i / 4] >> (8 * (i % 4)));
        size_t take = len - at < sizeof bytes ? len - at : sizeof bytes;
        memcpy(out + at, bytes, take);
        at += take;
    }
}

int sim_fw_make(uint8_t **out, uint64_t seed, const struct boot_image *header, uint32_t size_bytes)
{
    assert(out && header);
    *out = NULL;
    struct boot_image sized = *header;
    sized.image_bytes = size_bytes;
    uint8_t encoded[BOOT_IMAGE_HEADER_BYTES];
    if (boot_image_encode(encoded, &sized))
        return SIM_FW_ERANGE;
    uint8_t *image = malloc(size_bytes);
    if (!image)
        return SIM_FW_EMEMORY;
    uint32_t key[2];
    payload_key(key, seed, header->version);
    memcpy(image, encoded, sizeof encoded);
    fill_payload(image + sizeof encoded, size_bytes - sizeof encoded, key);
    *out = image;
    return SIM_FW_OK;
}
