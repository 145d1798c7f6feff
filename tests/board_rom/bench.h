/*
 * A board for the tests of its bootloader: a NOR image in memory that is both this process's and
 * QEMU's, filled as a factory and an agent would by the bootloader's core on the host; and QEMU
 * with console, OTA line and QMP on socket pairs. No file, no port. bench_free ends QEMU; if the
 * test dies, PR_SET_PDEATHSIG does.
 */
#ifndef BOARD_ROM_BENCH_H
#define BOARD_ROM_BENCH_H

#include "board/factory.h"
#include "board/map.h"
#include "boot/bearssl.h"
#include "boot/boot.h"
#include "sim/firmware.h"
#include <stdbool.h>
#include <sys/types.h>

enum { BENCH_KEYS = 2, BENCH_WAIT_MS = 120000, BENCH_SAID_MAX = 1 << 16 };

struct bench {
    uint8_t *nor; /* BOARD_NOR_BYTES, shared with QEMU */
    int nor_fd;
    struct board_factory factory;
    struct sim_fw_key key[BENCH_KEYS]; /* "factory" is trusted, "stranger" is not */
    struct boot_bearssl bearssl;
    struct boot_crypto crypto;
    struct boot_keys keys;
    struct boot_flash flash;
    struct boot_env env;
    pid_t pid;
    int console, line, qmp;
    int64_t started_us;
    char said[BENCH_SAID_MAX];
    size_t len, seen; /* bytes said; behind the last text that was waited for */
};

struct bench_image {
    uint8_t *bytes;
    uint32_t len;
    struct boot_image header;
};

/* Empty flash but for the factory block: type "pump", revision "Rev-C", watchdog 30 s. */
void bench_init(struct bench *bench);
void bench_free(struct bench *bench);
void bench_factory(struct bench *bench); /* writes bench->factory again */

/* An image of a payload of this build ("idle": test_payload_idle.bin), filled up to bytes (0: as it
 * is). The header may be changed, then bench_seal. */
void bench_image(struct bench_image *out, const char *payload, uint32_t bytes);
void bench_seal(struct bench_image *image);
void bench_image_free(struct bench_image *image);

/* As a factory or a thief with a programmer: image, trailer signed by key, a mark unless 0. */
void bench_install(struct bench *bench, int slot, const struct bench_image *image, int key,
                   uint32_t number);
/* Writes the boot config by one boot on the host, slot A active. */
void bench_config(struct bench *bench);
/* The next boot is a trial of slot B. */
void bench_trial(struct bench *bench);

void bench_on(struct bench *bench);
/* QMP stop, SIGKILL, wait: the NOR image is then what the board saw. */
void bench_off(struct bench *bench);
/* Until the console has said text behind what was waited for last. False after BENCH_WAIT_MS, with
 * what was said as a warning. */
bool bench_wait(struct bench *bench, const char *text);
/* True when the console says text within ms. */
bool bench_says(struct bench *bench, const char *text, int ms);
/* The number behind key in the line where text was found last ("verify_us="). */
uint32_t bench_number(struct bench *bench, const char *key);
void bench_command(struct bench *bench, const char *command, const char *arguments);
void bench_strap(struct bench *bench, int bit, bool high);
int64_t bench_now_us(void);
/* CPU time that QEMU has used, us. */
int64_t bench_cpu_us(const struct bench *bench);

#endif
