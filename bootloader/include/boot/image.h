/*
 * The firmware image: a 128-byte header and the payload, both inside the signed bytes, at the start
 * of a slot. The signature is detached (trailer.h): what `openssl dgst -sha256 -sign` gives for
 * header + payload.
 *
 *   0 magic "BYI1" | 4 header_bytes u16 = 128 | 6 format u16 = 1 | 8 image_bytes u32 (header +
 * payload) 12 security_counter u32 | 16 version[32] | 48 device_type[32] | 80 min_hw_revision[16]
 *   96 reserved[28] = 0 | 124 CRC-32 (IEEE 802.3, of bytes 0..123)
 */
#ifndef BOOT_IMAGE_H
#define BOOT_IMAGE_H

#include <stdint.h>

enum { BOOT_IMAGE_HEADER_BYTES = 128, BOOT_IMAGE_FORMAT = 1 };
enum { BOOT_VERSION_MAX = 32, BOOT_DEVICE_TYPE_MAX = 32, BOOT_HW_REVISION_MAX = 16 };

struct boot_image {
    uint32_t image_bytes; /* header and payload; more than BOOT_IMAGE_HEADER_BYTES */
    uint32_t security_counter;
    char version[BOOT_VERSION_MAX]; /* NUL-terminated and NUL-padded, as are the next two */
    char device_type[BOOT_DEVICE_TYPE_MAX];
    char min_hw_revision[BOOT_HW_REVISION_MAX];
};

/* Writes the header. BOOT_ERANGE when a string does not fit or image_bytes is too small. */
int boot_image_encode(uint8_t out[BOOT_IMAGE_HEADER_BYTES], const struct boot_image *image);

/* Reads any 128 bytes. BOOT_EFORMAT unless magic, sizes, format, padding and CRC are right. */
int boot_image_decode(struct boot_image *out, const uint8_t in[BOOT_IMAGE_HEADER_BYTES]);

/*
 * Order of hardware revisions ("Rev-B" < "Rev-C" < "Rev-C2" < "Rev-C10"): byte order, except that
 * runs of digits compare as numbers. Negative, 0 or positive.
 */
int boot_hw_revision_compare(const char *a, const char *b);

/* CRC-32 (IEEE 802.3, reflected, init and final FFFFFFFF); crc = 0 to start, or the last value to
 * go on. */
uint32_t boot_crc32(uint32_t crc, const void *data, uint32_t len);

#endif
