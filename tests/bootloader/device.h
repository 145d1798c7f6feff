/*
 * A tiny device for the bootloader's tests: sectors of 512 bytes, pages of 16, slots of 3 sectors,
 * its flash a struct nor, and firmware made on the spot. Its crypto is a checksum behind the crypto
 * port, so that a sweep can boot millions of times; device_use_openssl puts the real one there.
 */
#ifndef TEST_DEVICE_H
#define TEST_DEVICE_H

#include "boot/boot.h"
#include "boot/openssl.h"
#include "nor.h"

enum { DEVICE_KEYS = 3, FIRMWARE_MAX = 1024, DEVICE_SLOT_BYTES = 1536 };

struct firmware {
    uint8_t bytes[FIRMWARE_MAX];
    uint32_t len;
    struct boot_image image;
    struct boot_trailer trailer;
};

struct device {
    struct nor nor;
    struct boot_flash flash;
    struct boot_layout layout;
    struct boot_crypto crypto;
    struct boot_key key[DEVICE_KEYS]; /* cert ids "key-0" .. */
    struct boot_keys keys;
    struct boot_env env;
    uint32_t checksum; /* of the checksum crypto */
    uint32_t verifies, hashes;
    struct boot_openssl openssl;
    struct evp_pkey_st *signer[DEVICE_KEYS]; /* NULL: checksum crypto */
};

/* Empty flash, checksum crypto. The struct holds pointers into itself: do not copy, but nor may be
 * copied. */
void device_init(struct device *device, uint64_t seed);

/* Makes real keys and puts OpenSSL behind the crypto port; device_free undoes both. */
void device_use_openssl(struct device *device);
void device_free(struct device *device);

/* Makes firmware of len bytes, signed by key number `key`. */
void firmware_make(struct firmware *out, const struct device *device, const char *version,
                   uint32_t security_counter, uint32_t len, int key);
/* Encodes out->image again into the bytes, and signs. For images with other fields than
 * firmware_make's. */
void firmware_sign(struct firmware *out, const struct device *device, int key);

/* From outside, as in the factory: image, trailer, and a confirmed mark unless number is 0. */
void device_install(struct device *device, int slot, const struct firmware *firmware,
                    uint32_t number);
/* Writes a config: slot active, nothing pending. */
void device_config(struct device *device, int slot, uint32_t security_counter);
struct boot_config device_read_config(const struct device *device);

/* As an agent: programs the image into the slot, sector by sector. */
int device_program(struct device *device, int slot, const struct firmware *firmware);
/* boot_stage_begin, device_program, boot_stage_finish. */
int device_stage(struct device *device, int running, const struct firmware *firmware);

/* True when the slot's cells hold exactly this firmware. */
bool device_holds(const struct device *device, int slot, const struct firmware *firmware);

#endif
