#include "flash.h"
#include "board/factory.h"
#include "board/layout.h"
#include "boot/bearssl.h"
#include "boot/boot.h"
#include "sim/firmware.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { VERIFY_ROUNDS = 50 };

static int nor_read(void *ctx, uint32_t addr, void *out, uint32_t len)
{
    memcpy(out, ((struct bench_flash *)ctx)->nor + addr, len);
    return 0;
}

static int nor_program(void *ctx, uint32_t addr, const void *data, uint32_t len)
{
    for (uint32_t i = 0; i < len; i++)
        ((struct bench_flash *)ctx)->nor[addr + i] &= ((const uint8_t *)data)[i];
    return 0;
}

static int nor_erase(void *ctx, uint32_t addr)
{
    memset(((struct bench_flash *)ctx)->nor + addr, 0xFF, BOARD_NOR_SECTOR);
    return 0;
}

static int put_factory(struct bench_flash *flash, struct board_factory *factory,
                       const struct sim_fw_key *key)
{
    *factory = (struct board_factory){.device_id = "bench-1",
                                      .device_type = "pump_monitor_v2",
                                      .hw_revision = "Rev-B",
                                      .trial_boots = 3,
                                      .faulty_boots = 5,
                                      .watchdog_s = 120,
                                      .mqtt_within_ms = 30000,
                                      .fault_free_ms = 60000,
                                      .retry_first_ms = 60000,
                                      .retry_max_ms = 21600000,
                                      .telemetry_every_ms = 300000,
                                      .keys = 1};
    memcpy(factory->key[0].cert_id, key->cert_id, sizeof factory->key[0].cert_id);
    memcpy(factory->key[0].public_key, key->public_key, BOOT_PUBLIC_KEY_BYTES);
    return board_factory_encode(flash->nor + BOARD_FACTORY_ADDR, factory);
}

/* The image at the start of slot A, its header made to say how long it is now. */
static int put_image(struct bench_flash *flash, const char *path, uint32_t bytes)
{
    uint8_t *slot = flash->nor + BOARD_SLOT_A_ADDR;
    uint32_t most = boot_layout_image_max(&board_layout);
    struct boot_image header;
    FILE *file = fopen(path, "rb");
    if (!file)
        return -1;
    size_t got = fread(slot, 1, most, file);
    fclose(file);
    if (got <= BOOT_IMAGE_HEADER_BYTES || bytes > most || boot_image_decode(&header, slot)) {
        errno = EINVAL;
        return -1;
    }
    flash->image_bytes = bytes > got ? bytes : (uint32_t)got;
    memset(slot + got, 0, flash->image_bytes - got);
    header.image_bytes = flash->image_bytes;
    return boot_image_encode(slot, &header);
}

static int put_proof(struct bench_flash *flash, const struct boot_flash *port,
                     const struct sim_fw_key *key)
{
    struct boot_trailer trailer = {.image_bytes = flash->image_bytes};
    size_t len;
    if (sim_fw_sign(key, flash->nor + BOARD_SLOT_A_ADDR, flash->image_bytes, trailer.signature,
                    &len))
        return -1;
    trailer.signature_bytes = (uint16_t)len;
    memcpy(trailer.cert_id, key->cert_id, sizeof trailer.cert_id);
    return boot_trailer_write(port, &board_layout, BOOT_SLOT_A, &trailer) ||
           boot_trailer_mark(port, &board_layout, BOOT_SLOT_A, 1);
}

static double cpu_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Boots on the host: the first writes the config, the others only verify. */
static int boot_here(struct bench_flash *flash, const struct boot_env *env)
{
    struct boot_outcome outcome;
    if (boot_run(env, BOOT_RESET_POWER_ON, &outcome) || outcome.slot != BOOT_SLOT_A)
        return -1;
    double begin = cpu_s();
    for (int i = 0; i < VERIFY_ROUNDS; i++)
        if (boot_run(env, BOOT_RESET_POWER_ON, &outcome) || outcome.slot != BOOT_SLOT_A)
            return -1;
    flash->host_verify_s = (cpu_s() - begin) / VERIFY_ROUNDS;
    return 0;
}

int bench_flash_make(struct bench_flash *out, const char *path, uint32_t bytes, char *message,
                     size_t len)
{
    struct board_factory factory;
    struct sim_fw_key key;
    struct boot_bearssl bearssl;
    struct boot_crypto crypto;
    const struct boot_flash port = {out, nor_read, nor_program, nor_erase};
    memset(out, 0, sizeof *out);
    memset(out->nor, 0xFF, sizeof out->nor);
    errno = 0;
    int error = sim_fw_key_derive(&key, 1, 0, "bench") || put_factory(out, &factory, &key) ||
                put_image(out, path, bytes) || put_proof(out, &port, &key);
    const struct boot_keys keys = {factory.key, 1};
    const struct boot_env env = {.flash = &port,
                                 .layout = &board_layout,
                                 .crypto = &crypto,
                                 .keys = &keys,
                                 .device_type = factory.device_type,
                                 .hw_revision = factory.hw_revision,
                                 .trial_boots = 3,
                                 .faulty_boots = 5,
                                 .watchdog_s = 120};
    boot_bearssl_port(&bearssl, &crypto);
    if (!error && !boot_here(out, &env))
        return 0;
    snprintf(message, len, "%s: %s", path, errno ? strerror(errno) : "it does not boot");
    return -1;
}
