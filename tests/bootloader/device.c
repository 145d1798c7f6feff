#include "device.h"
#include <criterion/criterion.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <string.h>

/* FNV-1a: as good as a CRC for what a sweep does, and out of the way of its time. */
static uint32_t checksum(uint32_t sum, const uint8_t *data, size_t len)
{
    for (size_t i = 0; i < len; i++)
        sum = (sum ^ data[i]) * 16777619;
    return sum;
}

static void checksum_begin(void *ctx)
{
    ((struct device *)ctx)->checksum = 0;
}

static void checksum_update(void *ctx, const void *data, size_t len)
{
    struct device *device = ctx;
    device->checksum = checksum(device->checksum, data, len);
}

static void checksum_final(void *ctx, uint8_t out[BOOT_SHA256_BYTES])
{
    struct device *device = ctx;
    memset(out, 0, BOOT_SHA256_BYTES);
    memcpy(out, &device->checksum, sizeof device->checksum);
    device->hashes++;
}

/* A "signature" is the checksum and the key's second byte. */
static int checksum_verify(void *ctx, const uint8_t public_key[BOOT_PUBLIC_KEY_BYTES],
                           const uint8_t hash[BOOT_SHA256_BYTES], const uint8_t *sig, size_t len)
{
    ((struct device *)ctx)->verifies++;
    return len == 5 && memcmp(sig, hash, 4) == 0 && sig[4] == public_key[1] ? 0 : -1;
}

static const struct boot_layout tiny = {.sector_bytes = 512,
                                        .page_bytes = 16,
                                        .bootloader_bytes = 512,
                                        .config_addr = 512,
                                        .slot_addr = {1536, 3072},
                                        .slot_bytes = DEVICE_SLOT_BYTES,
                                        .data_addr = 4608,
                                        .data_bytes = 3584,
                                        .journal_bytes = 2048};

void device_init(struct device *device, uint64_t seed)
{
    memset(device, 0, sizeof *device);
    device->layout = tiny;
    nor_init(&device->nor, tiny.sector_bytes, tiny.page_bytes, seed);
    device->flash = nor_port(&device->nor);
    device->crypto = (struct boot_crypto){.ctx = device,
                                          .sha256_begin = checksum_begin,
                                          .sha256_update = checksum_update,
                                          .sha256_final = checksum_final,
                                          .ecdsa_verify = checksum_verify};
    for (int i = 0; i < DEVICE_KEYS; i++) {
        memcpy(device->key[i].cert_id, "key-0", 6);
        device->key[i].cert_id[4] = (char)('0' + i);
        device->key[i].public_key[0] = 0x04;
        device->key[i].public_key[1] = (uint8_t)(i + 1);
    }
    device->keys = (struct boot_keys){.key = device->key, .count = DEVICE_KEYS};
    device->env = (struct boot_env){.flash = &device->flash,
                                    .layout = &device->layout,
                                    .crypto = &device->crypto,
                                    .keys = &device->keys,
                                    .device_type = "pump",
                                    .hw_revision = "Rev-B",
                                    .trial_boots = 3,
                                    .faulty_boots = 5,
                                    .watchdog_s = 120};
}

void device_use_openssl(struct device *device)
{
    cr_assert_eq(boot_openssl_init(&device->openssl), 0);
    boot_openssl_port(&device->openssl, &device->crypto);
    for (int i = 0; i < DEVICE_KEYS; i++) {
        size_t len = 0;
        device->signer[i] = EVP_EC_gen("P-256");
        cr_assert_not_null(device->signer[i]);
        cr_assert_eq(EVP_PKEY_get_octet_string_param(device->signer[i], "encoded-pub-key",
                                                     device->key[i].public_key,
                                                     BOOT_PUBLIC_KEY_BYTES, &len),
                     1);
        cr_assert_eq(len, BOOT_PUBLIC_KEY_BYTES);
    }
}

void device_free(struct device *device)
{
    for (int i = 0; i < DEVICE_KEYS; i++)
        EVP_PKEY_free(device->signer[i]);
    boot_openssl_free(&device->openssl);
}

static void sign_really(struct firmware *out, EVP_PKEY *key)
{
    size_t len = sizeof out->trailer.signature;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    cr_assert_eq(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key), 1);
    cr_assert_eq(EVP_DigestSign(ctx, out->trailer.signature, &len, out->bytes, out->len), 1);
    EVP_MD_CTX_free(ctx);
    out->trailer.signature_bytes = (uint16_t)len;
}

void firmware_sign(struct firmware *out, const struct device *device, int key)
{
    cr_assert_eq(boot_image_encode(out->bytes, &out->image), BOOT_OK);
    memset(&out->trailer, 0, sizeof out->trailer);
    out->trailer.image_bytes = out->len;
    memcpy(out->trailer.cert_id, device->key[key].cert_id, BOOT_CERT_ID_MAX);
    if (device->signer[key]) {
        sign_really(out, device->signer[key]);
        return;
    }
    uint32_t sum = checksum(0, out->bytes, out->len);
    memcpy(out->trailer.signature, &sum, sizeof sum);
    out->trailer.signature[4] = device->key[key].public_key[1];
    out->trailer.signature_bytes = 5;
}

void firmware_make(struct firmware *out, const struct device *device, const char *version,
                   uint32_t security_counter, uint32_t len, int key)
{
    memset(out, 0, sizeof *out);
    out->len = len;
    out->image.image_bytes = len;
    out->image.security_counter = security_counter;
    strncpy(out->image.version, version, BOOT_VERSION_MAX - 1);
    strncpy(out->image.device_type, "pump", BOOT_DEVICE_TYPE_MAX - 1);
    strncpy(out->image.min_hw_revision, "Rev-A", BOOT_HW_REVISION_MAX - 1);
    for (uint32_t i = BOOT_IMAGE_HEADER_BYTES; i < len; i++)
        out->bytes[i] = (uint8_t)(boot_crc32(i, version, (uint32_t)strlen(version)) >> 5);
    firmware_sign(out, device, key);
}

void device_install(struct device *device, int slot, const struct firmware *firmware,
                    uint32_t number)
{
    uint8_t blank[DEVICE_SLOT_BYTES];
    memset(blank, 0xFF, sizeof blank);
    nor_put(&device->nor, device->layout.slot_addr[slot], blank, sizeof blank);
    nor_put(&device->nor, device->layout.slot_addr[slot], firmware->bytes, firmware->len);
    cr_assert_eq(boot_trailer_write(&device->flash, &device->layout, slot, &firmware->trailer), 0);
    if (number)
        cr_assert_eq(boot_trailer_mark(&device->flash, &device->layout, slot, number), 0);
}

void device_config(struct device *device, int slot, uint32_t security_counter)
{
    struct boot_config config = {.active = (uint8_t)slot,
                                 .next = (uint8_t)slot,
                                 .rollback_on_fail = 1,
                                 .security_counter = security_counter};
    cr_assert_eq(boot_config_write(&device->flash, &device->layout, &config), BOOT_OK);
}

struct boot_config device_read_config(const struct device *device)
{
    struct boot_config config;
    int sector;
    cr_assert_eq(boot_config_read(&device->flash, &device->layout, &config, &sector), BOOT_OK);
    return config;
}

int device_program(struct device *device, int slot, const struct firmware *firmware)
{
    const struct boot_flash *flash = &device->flash;
    uint32_t addr = device->layout.slot_addr[slot];
    uint32_t sector = device->layout.sector_bytes;
    uint8_t page[16];
    for (uint32_t at = 0; at < firmware->len; at += sizeof page) {
        uint32_t left = firmware->len - at;
        if (at % sector == 0 && flash->erase(flash->ctx, addr + at) < 0)
            return BOOT_EFLASH;
        memset(page, 0xFF, sizeof page);
        memcpy(page, firmware->bytes + at, left < sizeof page ? left : sizeof page);
        if (flash->program(flash->ctx, addr + at, page, sizeof page) < 0)
            return BOOT_EFLASH;
    }
    return BOOT_OK;
}

int device_stage(struct device *device, int running, const struct firmware *firmware)
{
    int error = boot_stage_begin(&device->env, running);
    if (!error)
        error = device_program(device, !running, firmware);
    return error ? error : boot_stage_finish(&device->env, running, &firmware->trailer);
}

bool device_holds(const struct device *device, int slot, const struct firmware *firmware)
{
    uint32_t addr = device->layout.slot_addr[slot];
    for (uint32_t i = 0; i < firmware->len; i++)
        if (device->nor.unstable[addr + i])
            return false;
    return memcmp(device->nor.cell + addr, firmware->bytes, firmware->len) == 0;
}
