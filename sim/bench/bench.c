/*
 * brickyard-bench: what an emulated device update costs, beside what its cryptography and flash
 * alone cost, measured in the same run; then (stack.h) the real protocol stack beside its
 * libraries. Prints ratios; it asserts nothing, because machines are noisy.
 */
#include "boot/openssl.h"
#include "sim/firmware.h"
#include "sim/fleet.h"
#include "stack.h"
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { IMAGE_BYTES = 512 * 1024, SECTOR_BYTES = 4096, PURE_ROUNDS = 400, SEEDS_MAX = 20 };

static double cpu_s(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)usage.ru_utime.tv_sec + (double)usage.ru_stime.tv_sec +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

struct pure {
    struct boot_openssl openssl;
    struct boot_crypto crypto;
    struct sim_fw_key key;
    uint8_t *image, *flash;
    uint8_t signature[BOOT_SIGNATURE_MAX];
    size_t signature_bytes;
};

static int pure_prepare(struct pure *pure)
{
    const struct boot_image header = {.image_bytes = IMAGE_BYTES,
                                      .security_counter = 1,
                                      .version = "2.4.0",
                                      .device_type = "bench",
                                      .min_hw_revision = "Rev-A"};
    pure->flash = malloc(IMAGE_BYTES);
    if (!pure->flash || boot_openssl_init(&pure->openssl))
        return -1;
    boot_openssl_port(&pure->openssl, &pure->crypto);
    return sim_fw_key_derive(&pure->key, 1, 0, "bench") ||
           sim_fw_make(&pure->image, 1, &header, IMAGE_BYTES) ||
           sim_fw_sign(&pure->key, pure->image, IMAGE_BYTES, pure->signature,
                       &pure->signature_bytes);
}

/* Erase and program by NOR rules: FF, then AND. */
static void pure_program(struct pure *pure)
{
    for (uint32_t at = 0; at < IMAGE_BYTES; at += SECTOR_BYTES) {
        memset(pure->flash + at, 0xFF, SECTOR_BYTES);
        for (uint32_t i = 0; i < SECTOR_BYTES; i += 8) {
            uint64_t cells, wanted; /* words: the compiler makes vectors of them */
            memcpy(&cells, pure->flash + at + i, 8);
            memcpy(&wanted, pure->image + at + i, 8);
            cells &= wanted;
            memcpy(pure->flash + at + i, &cells, 8);
        }
    }
}

static int pure_verify(struct pure *pure)
{
    uint8_t hash[BOOT_SHA256_BYTES];
    const struct boot_crypto *crypto = &pure->crypto;
    crypto->sha256_begin(crypto->ctx);
    for (uint32_t at = 0; at < IMAGE_BYTES; at += SECTOR_BYTES)
        crypto->sha256_update(crypto->ctx, pure->flash + at, SECTOR_BYTES);
    crypto->sha256_final(crypto->ctx, hash);
    return crypto->ecdsa_verify(crypto->ctx, pure->key.public_key, hash, pure->signature,
                                pure->signature_bytes);
}

/* CPU seconds of one device update's unavoidable work, in the mean. */
static double pure_cost_s(struct pure *pure)
{
    double begin = cpu_s();
    for (int i = 0; i < PURE_ROUNDS; i++) {
        pure_program(pure);
        if (pure_verify(pure) || pure_verify(pure)) {
            fprintf(stderr, "brickyard-bench: the signature does not verify\n");
            exit(1);
        }
    }
    return (cpu_s() - begin) / PURE_ROUNDS;
}

struct measured {
    uint32_t devices, confirmed;
    double cpu_s, wall_s;
    int exit_code;
    uint64_t memory;
    uint64_t seed;
};

static int measure_fleet(struct measured *out, const char *path, uint32_t devices, uint64_t seed)
{
    const struct scn_overrides overrides = {.has_seed = true, .seed = seed, .devices = devices};
    const struct sim_fleet_options options = {.jobs = 1};
    struct scn_messages messages = {0};
    struct rep_result result;
    struct scn *scn = NULL;
    char message[1024] = "";
    if (scn_load(&scn, path, &overrides, &messages)) {
        fprintf(stderr, "brickyard-bench: %s\n", messages.message[messages.count - 1].text);
        return -1;
    }
    double begin = cpu_s();
    int error = sim_fleet_run(&result, scn, &options, message, sizeof message);
    out->cpu_s = cpu_s() - begin;
    out->devices = devices;
    out->confirmed = result.updates[REP_OUT_CONFIRMED];
    out->wall_s = result.wall_s;
    out->exit_code = result.exit_code;
    out->memory = result.memory_peak_bytes;
    out->seed = seed;
    rep_result_free(&result);
    scn_free(scn);
    if (error)
        fprintf(stderr, "brickyard-bench: %s\n", message);
    return error;
}

/* A small canary is stopped by one device's bad luck, and a stopped campaign measures little: the
 * first seed whose campaign runs to its end counts. */
static int measure_whole(struct measured *out, const char *path, uint32_t devices)
{
    for (uint64_t seed = 1; seed <= SEEDS_MAX; seed++) {
        if (measure_fleet(out, path, devices, seed))
            return -1;
        if (!out->exit_code)
            return 0;
    }
    fprintf(stderr, "brickyard-bench: %u devices: a gate stopped each of %d seeds\n", devices,
            SEEDS_MAX);
    return -1;
}

static int print_fleets(const char *path)
{
    static const uint32_t fleets[] = {1000, 5000, 20000};
    struct pure pure = {0};
    if (pure_prepare(&pure)) {
        fprintf(stderr, "brickyard-bench: the image could not be prepared\n");
        return 1;
    }
    printf("%s, one thread\n", path);
    printf("pure: erase and program 512 KiB, SHA-256 twice, ECDSA P-256 verify twice, same "
           "library\n\n");
    printf("%8s %5s %10s %12s %12s %14s %10s %7s %10s\n", "devices", "seed", "confirmed", "CPU s",
           "ms/device", "updates/s/core", "pure ms", "ratio", "MiB peak");
    pure_cost_s(&pure); /* warm caches and clocks */
    for (size_t i = 0; i < sizeof fleets / sizeof *fleets; i++) {
        struct measured fleet;
        double before = pure_cost_s(&pure);
        if (measure_whole(&fleet, path, fleets[i]))
            return 1;
        /* The machine's speed drifts: the pure cost is the mean of before and after. */
        double alone = (before + pure_cost_s(&pure)) / 2, each = fleet.cpu_s / fleet.confirmed;
        printf("%8u %5llu %10u %12.2f %12.3f %14.0f %10.3f %7.2f %10.0f\n", fleet.devices,
               (unsigned long long)fleet.seed, fleet.confirmed, fleet.cpu_s, each * 1e3, 1 / each,
               alone * 1e3, alone / each, (double)fleet.memory / 1048576);
        fflush(stdout);
    }
    printf("\nratio = pure / whole, of the same core time: 1.00 would be a simulator that costs "
           "nothing.\n");
    boot_openssl_free(&pure.openssl);
    free(pure.image);
    free(pure.flash);
    return 0;
}

/* brickyard-bench [SCENARIO | --stack]: the second half alone */
int main(int argc, char **argv)
{
    const char *path = argc > 1 ? argv[1] : "scenarios/campaign-5000.yaml";
    int error = strcmp(path, "--stack") ? print_fleets(path) : 0;
    return error || bench_stack_print() ? 1 : 0;
}
