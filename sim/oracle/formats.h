/*
 * The oracle's own decoding of what the bootloader and the agent write to flash
 * (bootloader/FORMAT.md). A second implementation on purpose: it shares no code with the one that
 * it judges. Pure functions over bytes; thread-safe once oracle_crc_init has run.
 */
#ifndef SIM_ORACLE_FORMATS_H
#define SIM_ORACLE_FORMATS_H

#include <stdbool.h>
#include <stdint.h>

enum {
    ORACLE_HEADER_BYTES = 128,
    ORACLE_BODY_BYTES = 128,
    ORACLE_MARK_BYTES = 16,
    ORACLE_CONFIG_BYTES = 192,
    ORACLE_SIGNATURE_MAX = 72,
    ORACLE_ID_MAX = 24
};

struct oracle_crc {
    uint32_t table[256];
};
void oracle_crc_init(struct oracle_crc *crc);
/* CRC-32 of IEEE 802.3: reflected, first and last value inverted. */
uint32_t oracle_crc32(const struct oracle_crc *crc, const uint8_t *data, uint32_t len);

/* The header of an image. */
struct oracle_header {
    uint32_t image_bytes, security_counter;
    char version[32], device_type[32], min_hw_revision[16];
};
bool oracle_decode_header(const struct oracle_crc *crc, struct oracle_header *out,
                          const uint8_t in[ORACLE_HEADER_BYTES]);

/* The body of a slot's trailer. */
struct oracle_body {
    uint32_t image_bytes, signature_bytes;
    char cert_id[ORACLE_ID_MAX];
    uint8_t signature[ORACLE_SIGNATURE_MAX];
};
bool oracle_decode_body(const struct oracle_crc *crc, struct oracle_body *out,
                        const uint8_t in[ORACLE_BODY_BYTES]);

/* The confirmed number in a mark, 0 when it is no confirmed mark. */
uint32_t oracle_decode_mark(const struct oracle_crc *crc, const uint8_t in[ORACLE_MARK_BYTES]);
/* True when a page may read as a confirmed mark by luck: no bit that is the same as 0 and as 1 (low
 * and high) speaks against its magic and its kind. */
bool oracle_may_read_as_mark(const uint8_t low[ORACLE_MARK_BYTES],
                             const uint8_t high[ORACLE_MARK_BYTES]);

/* A record of the boot config; the members that the oracle reports. */
struct oracle_record {
    uint32_t sequence, security_counter, checksum;
    uint8_t active, next, trial_left, faulty_boots, cause;
};
bool oracle_decode_record(const struct oracle_crc *crc, struct oracle_record *out,
                          const uint8_t in[ORACLE_CONFIG_BYTES]);

/* True for a completion mark of exactly this record. */
bool oracle_mark_completes(const struct oracle_crc *crc, const struct oracle_record *record,
                           const uint8_t in[ORACLE_MARK_BYTES]);

bool oracle_is_erased(const uint8_t *in, uint32_t len);

/* True for a DER SEQUENCE of two positive INTEGERs in their shortest form and nothing behind. */
bool oracle_is_strict_der(const uint8_t *sig, uint32_t len);

#endif
