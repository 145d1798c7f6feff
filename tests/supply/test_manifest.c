/* The manifest: the DESIGN's keys in the DESIGN's order, and what the agent reads from it. */
#include "agent/manifest.h"
#include "sim/firmware.h"
#include <criterion/criterion.h>
#include <jansson.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

enum { SIZE = 5000 };

static uint8_t *image;
static uint8_t sig[BOOT_SIGNATURE_MAX];
static size_t sig_len;
static struct sim_fw_manifest manifest;

static void setup(void)
{
    struct sim_fw_key key;
    const struct boot_image header = {.version = "2.4.0",
                                      .device_type = "pump_monitor_v2",
                                      .min_hw_revision = "Rev-B",
                                      .security_counter = 1};
    cr_assert_eq(sim_fw_key_derive(&key, 1, 0, "release-2026"), SIM_FW_OK);
    cr_assert_eq(sim_fw_make(&image, 1, &header, SIZE), SIM_FW_OK);
    cr_assert_eq(sim_fw_sign(&key, image, SIZE, sig, &sig_len), SIM_FW_OK);
    manifest = (struct sim_fw_manifest){.firmware_id = "pump-2.4.0",
                                        .binary_url = "https://cdn.example/pump-2.4.0.bin",
                                        .signing_cert_id = "release-2026",
                                        .release_notes_url = "https://example/notes \"q\"",
                                        .rollback_version = "2.3.1",
                                        .published_at = "2026-03-19T10:00:00Z",
                                        .image = image,
                                        .image_bytes = SIZE,
                                        .sig = sig,
                                        .sig_len = sig_len};
}

static void teardown(void)
{
    free(image);
}

TestSuite(supply_manifest, .init = setup, .fini = teardown);

Test(supply_manifest, keys_are_the_designs_in_its_order)
{
    static const char *const keys[] = {"firmware_id",       "version",          "device_type",
                                       "min_hw_revision",   "binary_url",       "binary_size_bytes",
                                       "checksum_sha256",   "signature_ecdsa",  "signing_cert_id",
                                       "release_notes_url", "rollback_version", "published_at"};
    char *json;
    cr_assert_eq(sim_fw_manifest(&json, &manifest), SIM_FW_OK);
    const char *at = json;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        char quoted[40];
        snprintf(quoted, sizeof quoted, "\"%s\":", keys[i]);
        at = strstr(at, quoted);
        cr_assert_not_null(at, "%s in its place", keys[i]);
    }
    json_t *parsed = json_loads(json, JSON_REJECT_DUPLICATES, NULL);
    cr_assert_not_null(parsed);
    cr_assert_eq(json_object_size(parsed), sizeof keys / sizeof *keys);
    cr_assert_null(strchr(json, '\n'));
    json_decref(parsed);
    free(json);
}

Test(supply_manifest, the_agent_reads_from_it_what_the_image_is)
{
    char *json, text[4096];
    uint8_t digest[SHA256_DIGEST_LENGTH];
    struct agent_notification read;
    cr_assert_eq(sim_fw_manifest(&json, &manifest), SIM_FW_OK);
    int len = snprintf(text, sizeof text,
                       "{\"campaign_id\":\"c1\",\"force\":false,\"manifest\":%s}", json);
    free(json);
    cr_assert_eq(agent_notification_parse(&read, text, (uint32_t)len), 0);
    SHA256(image, SIZE, digest);
    cr_assert_str_eq(read.manifest.firmware_id, "pump-2.4.0");
    cr_assert_str_eq(read.manifest.version, "2.4.0");
    cr_assert_str_eq(read.manifest.device_type, "pump_monitor_v2");
    cr_assert_str_eq(read.manifest.min_hw_revision, "Rev-B");
    cr_assert_str_eq(read.manifest.binary_url, "https://cdn.example/pump-2.4.0.bin");
    cr_assert_str_eq(read.manifest.signing_cert_id, "release-2026");
    cr_assert_str_eq(read.manifest.rollback_version, "2.3.1");
    cr_assert_eq(read.manifest.binary_size_bytes, SIZE);
    cr_assert_arr_eq(read.manifest.checksum_sha256, digest, sizeof digest);
    cr_assert_eq(read.manifest.signature_bytes, sig_len);
    cr_assert_arr_eq(read.manifest.signature, sig, sig_len);
}

Test(supply_manifest, one_without_a_rollback_version_is_read_too)
{
    char *json, text[4096];
    struct agent_notification read;
    manifest.rollback_version = "";
    manifest.release_notes_url = "";
    cr_assert_eq(sim_fw_manifest(&json, &manifest), SIM_FW_OK);
    int len = snprintf(text, sizeof text,
                       "{\"campaign_id\":\"c1\",\"force\":false,\"manifest\":%s}", json);
    free(json);
    cr_assert_eq(agent_notification_parse(&read, text, (uint32_t)len), 0);
    cr_assert_str_eq(read.manifest.rollback_version, "");
}

Test(supply_manifest, an_image_that_is_none_is_refused)
{
    char *json = (char *)1;
    image[5] ^= 1;
    cr_assert_eq(sim_fw_manifest(&json, &manifest), SIM_FW_EFORMAT);
    cr_assert_null(json);
    image[5] ^= 1;
    manifest.image_bytes--;
    cr_assert_eq(sim_fw_manifest(&json, &manifest), SIM_FW_EFORMAT);
    manifest.image_bytes = BOOT_IMAGE_HEADER_BYTES;
    cr_assert_eq(sim_fw_manifest(&json, &manifest), SIM_FW_EFORMAT);
}

Test(supply_manifest, what_no_agent_would_read_is_refused)
{
    char *json, longer[AGENT_URL_MAX + 1];
    memset(longer, 'x', AGENT_URL_MAX);
    longer[AGENT_URL_MAX] = '\0';
    const char **const members[] = {&manifest.firmware_id, &manifest.binary_url,
                                    &manifest.signing_cert_id, &manifest.rollback_version,
                                    &manifest.release_notes_url};
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        const char *sound = *members[i];
        *members[i] = longer;
        cr_assert_eq(sim_fw_manifest(&json, &manifest), SIM_FW_ERANGE, "member %zu", i);
        *members[i] = sound;
    }
    manifest.binary_url = "";
    cr_assert_eq(sim_fw_manifest(&json, &manifest), SIM_FW_ERANGE);
    manifest.binary_url = "https://\xff";
    cr_assert_eq(sim_fw_manifest(&json, &manifest), SIM_FW_EFORMAT);
}
