/* The flash's side: factory block, images, trailers, config. */
#include "bench.h"
#include "board/layout.h"
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int nor_read(void *ctx, uint32_t addr, void *out, uint32_t len)
{
    memcpy(out, ((struct bench *)ctx)->nor + addr, len);
    return 0;
}

static int nor_program(void *ctx, uint32_t addr, const void *data, uint32_t len)
{
    for (uint32_t i = 0; i < len; i++)
        ((struct bench *)ctx)->nor[addr + i] &= ((const uint8_t *)data)[i];
    return 0;
}

static int nor_erase(void *ctx, uint32_t addr)
{
    memset(((struct bench *)ctx)->nor + addr, 0xFF, BOARD_NOR_SECTOR);
    return 0;
}

static void make_flash(struct bench *bench)
{
    bench->nor_fd = memfd_create("nor", 0);
    cr_assert(bench->nor_fd >= 0 && !ftruncate(bench->nor_fd, BOARD_NOR_BYTES));
    bench->nor = mmap(NULL, BOARD_NOR_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, bench->nor_fd, 0);
    cr_assert(bench->nor != MAP_FAILED);
    memset(bench->nor, 0xFF, BOARD_NOR_BYTES);
}

void bench_factory(struct bench *bench)
{
    cr_assert(!board_factory_encode(bench->nor + BOARD_FACTORY_ADDR, &bench->factory));
}

void bench_init(struct bench *bench)
{
    memset(bench, 0, sizeof *bench);
    make_flash(bench);
    cr_assert(!sim_fw_key_derive(&bench->key[0], 1, 0, "factory"));
    cr_assert(!sim_fw_key_derive(&bench->key[1], 1, 1, "stranger"));
    bench->factory = (struct board_factory){.device_id = "pump-7",
                                            .device_type = "pump",
                                            .hw_revision = "Rev-C",
                                            .trial_boots = 3,
                                            .faulty_boots = 5,
                                            .watchdog_s = 30,
                                            .mqtt_within_ms = 30000,
                                            .fault_free_ms = 60000,
                                            .keys = 1};
    memcpy(bench->factory.key[0].cert_id, "factory", sizeof "factory");
    memcpy(bench->factory.key[0].public_key, bench->key[0].public_key, BOOT_PUBLIC_KEY_BYTES);
    bench_factory(bench);
    boot_bearssl_port(&bench->bearssl, &bench->crypto);
    bench->keys = (struct boot_keys){bench->factory.key, 1};
    bench->flash = (struct boot_flash){bench, nor_read, nor_program, nor_erase};
    bench->env = (struct boot_env){.flash = &bench->flash,
                                   .layout = &board_layout,
                                   .crypto = &bench->crypto,
                                   .keys = &bench->keys,
                                   .device_type = "pump",
                                   .hw_revision = "Rev-C",
                                   .trial_boots = 3,
                                   .faulty_boots = 5,
                                   .watchdog_s = 30};
}

void bench_free(struct bench *bench)
{
    bench_off(bench);
    munmap(bench->nor, BOARD_NOR_BYTES);
    close(bench->nor_fd);
}

static uint32_t read_payload(const char *name, uint8_t *out)
{
    char path[512];
    snprintf(path, sizeof path, "%s/test_payload_%s.bin", BOARD_DIR, name);
    FILE *file = fopen(path, "rb");
    cr_assert(file, "%s", path);
    size_t len = fread(out, 1, BOARD_SLOT_BYTES, file);
    fclose(file);
    return (uint32_t)len;
}

void bench_seal(struct bench_image *image)
{
    cr_assert(!boot_image_encode(image->bytes, &image->header));
}

void bench_image(struct bench_image *out, const char *payload, uint32_t bytes)
{
    memset(out, 0, sizeof *out);
    out->bytes = calloc(1, BOARD_SLOT_BYTES + BOOT_IMAGE_HEADER_BYTES);
    cr_assert(out->bytes);
    uint32_t len = BOOT_IMAGE_HEADER_BYTES;
    len += read_payload(payload, out->bytes + BOOT_IMAGE_HEADER_BYTES);
    out->len = bytes > len ? bytes : len;
    out->header = (struct boot_image){.image_bytes = out->len,
                                      .security_counter = 1,
                                      .version = "2.3.1",
                                      .device_type = "pump",
                                      .min_hw_revision = "Rev-B"};
    bench_seal(out);
}

void bench_image_free(struct bench_image *image)
{
    free(image->bytes);
}

void bench_install(struct bench *bench, int slot, const struct bench_image *image, int key,
                   uint32_t number)
{
    uint8_t *at = bench->nor + board_layout.slot_addr[slot];
    struct boot_trailer trailer = {.image_bytes = image->len};
    size_t sig_len;
    memset(at, 0xFF, BOARD_SLOT_BYTES);
    memcpy(at, image->bytes, image->len < BOARD_SLOT_BYTES ? image->len : BOARD_SLOT_BYTES);
    memset(bench->nor + boot_layout_trailer(&board_layout, slot), 0xFF, BOARD_NOR_SECTOR);
    cr_assert(
        !sim_fw_sign(&bench->key[key], image->bytes, image->len, trailer.signature, &sig_len));
    trailer.signature_bytes = (uint16_t)sig_len;
    memcpy(trailer.cert_id, bench->factory.key[0].cert_id, BOOT_CERT_ID_MAX);
    cr_assert(!boot_trailer_write(&bench->flash, &board_layout, slot, &trailer));
    if (number)
        cr_assert(!boot_trailer_mark(&bench->flash, &board_layout, slot, number));
}

void bench_config(struct bench *bench)
{
    struct boot_outcome outcome;
    cr_assert(!boot_run(&bench->env, BOOT_RESET_POWER_ON, &outcome));
    cr_assert_eq(outcome.slot, BOOT_SLOT_A);
}

void bench_trial(struct bench *bench)
{
    cr_assert(!boot_request_trial(&bench->env, BOOT_SLOT_A));
}
