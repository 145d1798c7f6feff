/* The manifest of DESIGN section 4. What it says about the image is read from the image itself. */
#include "agent/manifest.h"
#include "sim/firmware.h"
#include <assert.h>
#include <bearssl.h>
#include <jansson.h>
#include <string.h>

static void to_hex(char *out, const uint8_t *bytes, size_t len)
{
    static const char digit[] = "0123456789abcdef";
    for (size_t i = 0; i < len; i++) {
        out[2 * i] = digit[bytes[i] >> 4];
        out[2 * i + 1] = digit[bytes[i] & 15];
    }
    out[2 * len] = '\0';
}

static void checksum_hex(char out[2 * br_sha256_SIZE + 1], const struct sim_fw_manifest *manifest)
{
    uint8_t digest[br_sha256_SIZE];
    br_sha256_context hash;
    br_sha256_init(&hash);
    br_sha256_update(&hash, manifest->image, manifest->image_bytes);
    br_sha256_out(&hash, digest);
    to_hex(out, digest, sizeof digest);
}

static bool fits(const char *text, size_t min, size_t max_with_nul)
{
    size_t len = strlen(text);
    return len >= min && len < max_with_nul;
}

/* The limits are the agent's: a manifest that every device refuses is an error here already. */
static bool members_fit(const struct sim_fw_manifest *manifest)
{
    return fits(manifest->firmware_id, 1, AGENT_ID_MAX) &&
           fits(manifest->binary_url, 1, AGENT_URL_MAX) &&
           fits(manifest->signing_cert_id, 1, BOOT_CERT_ID_MAX) &&
           fits(manifest->rollback_version, 0, BOOT_VERSION_MAX) &&
           fits(manifest->release_notes_url, 0, AGENT_URL_MAX) && manifest->sig_len > 0 &&
           manifest->sig_len <= BOOT_SIGNATURE_MAX;
}

/* Jansson keeps the order in which keys are set: that of the DESIGN. */
static json_t *build_object(const struct sim_fw_manifest *manifest, const struct boot_image *image)
{
    char checksum[2 * br_sha256_SIZE + 1], signature[2 * BOOT_SIGNATURE_MAX + 1];
    checksum_hex(checksum, manifest);
    to_hex(signature, manifest->sig, manifest->sig_len);
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:s, s:s, s:s, s:s, s:s, s:s}", //
                     "firmware_id", manifest->firmware_id,                           //
                     "version", image->version,                                      //
                     "device_type", image->device_type,                              //
                     "min_hw_revision", image->min_hw_revision,                      //
                     "binary_url", manifest->binary_url,                             //
                     "binary_size_bytes", (json_int_t)manifest->image_bytes,         //
                     "checksum_sha256", checksum,                                    //
                     "signature_ecdsa", signature,                                   //
                     "signing_cert_id", manifest->signing_cert_id,                   //
                     "release_notes_url", manifest->release_notes_url,               //
                     "rollback_version", manifest->rollback_version,                 //
                     "published_at", manifest->published_at);
}

int sim_fw_manifest(char **out, const struct sim_fw_manifest *manifest)
{
    assert(out && manifest);
    *out = NULL;
    struct boot_image image;
    if (manifest->image_bytes <= BOOT_IMAGE_HEADER_BYTES ||
        boot_image_decode(&image, manifest->image) || image.image_bytes != manifest->image_bytes)
        return SIM_FW_EFORMAT;
    if (!members_fit(manifest))
        return SIM_FW_ERANGE;
    /* Fails for text that is no UTF-8, which JSON can't carry. */
    json_t *object = build_object(manifest, &image);
    if (!object)
        return SIM_FW_EFORMAT;
    *out = json_dumps(object, JSON_COMPACT);
    json_decref(object);
    return *out ? SIM_FW_OK : SIM_FW_EMEMORY;
}
