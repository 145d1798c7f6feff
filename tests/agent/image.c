#include "world.h"
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static EVP_PKEY *pkeys[WORLD_KEYS];
static struct boot_key keys[WORLD_KEYS];

struct boot_keys world_keys(void)
{
    for (int i = 0; i < WORLD_KEYS && !pkeys[i]; i++) {
        size_t len;
        pkeys[i] = EVP_EC_gen("P-256");
        snprintf(keys[i].cert_id, sizeof keys[i].cert_id, "key-%d", i + 1);
        if (!EVP_PKEY_get_octet_string_param(pkeys[i], OSSL_PKEY_PARAM_PUB_KEY, keys[i].public_key,
                                             sizeof keys[i].public_key, &len))
            abort();
    }
    return (struct boot_keys){keys, WORLD_KEYS};
}

void world_sign(int key, const void *bytes, size_t len, uint8_t out[BOOT_SIGNATURE_MAX],
                uint16_t *out_len)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    size_t n = BOOT_SIGNATURE_MAX;
    world_keys();
    if (EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, pkeys[key]) != 1 ||
        EVP_DigestSign(ctx, out, &n, bytes, len) != 1)
        abort();
    *out_len = (uint16_t)n;
    EVP_MD_CTX_free(ctx);
}

void world_image_seal(struct world_image *image)
{
    uint8_t header[BOOT_IMAGE_HEADER_BYTES];
    if (boot_image_encode(header, &image->header))
        abort();
    memcpy(image->bytes, header, sizeof header);
    SHA256(image->bytes, image->header.image_bytes, image->hash);
    world_sign(image->key, image->bytes, image->header.image_bytes, image->signature,
               &image->signature_bytes);
}

void world_image(struct world_image *out, const char *version, uint32_t bytes, int key)
{
    uint64_t chance = bytes + 7;
    memset(out, 0, sizeof *out);
    out->header.image_bytes = bytes;
    out->header.security_counter = 1;
    snprintf(out->header.version, sizeof out->header.version, "%s", version);
    strcpy(out->header.device_type, "pump_monitor_v2");
    strcpy(out->header.min_hw_revision, "Rev-B");
    for (uint32_t i = 0; i < bytes; i++) {
        chance = chance * 6364136223846793005u + 1442695040888963407u;
        out->bytes[i] = (uint8_t)(chance >> 56);
    }
    out->key = key;
    world_image_seal(out);
}

void world_hex(char *out, const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        sprintf(out + 2 * i, "%02x", bytes[i]);
    out[2 * len] = '\0';
}

void world_notice(struct world_notice *out, struct world_image *image)
{
    memset(out, 0, sizeof *out);
    out->image = image;
    out->size = image->header.image_bytes;
    strcpy(out->campaign_id, "campaign-1");
    snprintf(out->firmware_id, sizeof out->firmware_id, "fw-%s", image->header.version);
    strcpy(out->version, image->header.version);
    strcpy(out->device_type, image->header.device_type);
    strcpy(out->min_hw_revision, image->header.min_hw_revision);
    snprintf(out->url, sizeof out->url, "https://cdn.example/%s.bin", image->header.version);
    snprintf(out->cert_id, sizeof out->cert_id, "key-%d", image->key + 1);
    strcpy(out->rollback_version, "2.3.1");
    strcpy(out->deadline, "2026-12-31T00:00:00Z");
}

uint32_t world_notice_json(char *out, size_t max, const struct world_notice *notice)
{
    char hash[2 * BOOT_SHA256_BYTES + 1], signature[2 * BOOT_SIGNATURE_MAX + 1];
    world_hex(hash, notice->image->hash, BOOT_SHA256_BYTES);
    world_hex(signature, notice->image->signature, notice->image->signature_bytes);
    int n = snprintf(
        out, max,
        "{\"campaign_id\":\"%s\",\"force\":%s,\"deadline\":\"%s\",\"manifest\":{"
        "\"firmware_id\":\"%s\",\"version\":\"%s\",\"device_type\":\"%s\","
        "\"min_hw_revision\":\"%s\",\"binary_url\":\"%s\",\"binary_size_bytes\":%u,"
        "\"checksum_sha256\":\"%s\",\"signature_ecdsa\":\"%s\",\"signing_cert_id\":\"%s\","
        "\"release_notes_url\":\"https://example/notes\",\"rollback_version\":\"%s\","
        "\"published_at\":\"2026-03-01T00:00:00Z\"}}",
        notice->campaign_id, notice->force ? "true" : "false", notice->deadline,
        notice->firmware_id, notice->version, notice->device_type, notice->min_hw_revision,
        notice->url, notice->size, hash, signature, notice->cert_id, notice->rollback_version);
    if (n < 0 || (size_t)n >= max)
        abort();
    return (uint32_t)n;
}
