/*
 * A tiny device for the oracle's tests: 4 regions of a few sectors, one signed image that is valid
 * in slot A and confirmed there as number 5, slot B erased. The boot core takes part as the second
 * implementation.
 */
#ifndef TESTS_ORACLE_WORLD_H
#define TESTS_ORACLE_WORLD_H

#include "boot/openssl.h"
#include "boot/verify.h"
#include "sim/firmware.h"
#include "sim/oracle.h"

enum { WORLD_IMAGE = 901, WORLD_NUMBER = 5 };

struct world {
    struct boot_layout layout;
    struct sim_flash_base base;
    struct sim_flash_known known; /* image 0 is ours */
    struct sim_flash_timing timing;
    int64_t now_us;
    uint8_t *image;
    struct sim_fw_key key, stranger; /* the trusted key, and one that is not */
    struct boot_trailer trailer;     /* of our image */
    struct boot_key boot_key;
    struct boot_keys boot_keys;
    struct boot_openssl openssl;
    struct boot_crypto crypto;
    struct sim_oracle_trust trust;
    struct sim_oracle *oracle;
};

/* Geometry 0: sectors of 512, pages of 16; 1: sectors of 4096, pages of 256. */
void world_open(struct world *world, int geometry);
void world_close(struct world *world);

/* A flash with the base's content; freed by the caller. */
void world_flash(struct world *world, struct sim_flash *flash);
/* Programs bytes, the last page filled up with FF. */
void world_program(struct world *world, struct sim_flash *flash, uint32_t addr, const void *data,
                   uint32_t len);
/* Programs the image and the trailer's body into slot B. */
void world_write_slot(struct world *world, struct sim_flash *flash, const uint8_t *image,
                      uint32_t len, const uint8_t body[BOOT_TRAILER_BODY_BYTES]);

/* What the boot core thinks of a slot on this device type and hardware; fills *confirmed. */
bool world_boot_accepts(struct world *world, struct sim_flash *flash, int slot,
                        uint32_t *confirmed);
/* The same question to the oracle. */
bool world_oracle_accepts(struct world *world, const struct sim_flash *flash, int slot,
                          struct sim_oracle_slot *out);

/* Puts the CRC of the bytes before it into the last four of len. */
void world_seal(uint8_t *bytes, uint32_t len);

#endif
