/* See formats.h. Every offset is the one drawn in bootloader/FORMAT.md. */
#include "formats.h"
#include <string.h>

void oracle_crc_init(struct oracle_crc *crc)
{
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t value = i;
        for (int bit = 0; bit < 8; bit++)
            value = value & 1 ? (value >> 1) ^ UINT32_C(0xEDB88320) : value >> 1;
        crc->table[i] = value;
    }
}

uint32_t oracle_crc32(const struct oracle_crc *crc, const uint8_t *data, uint32_t len)
{
    uint32_t value = UINT32_MAX;
    for (uint32_t i = 0; i < len; i++)
        value = (value >> 8) ^ crc->table[(value ^ data[i]) & 0xFF];
    return ~value;
}

static uint32_t u16_at(const uint8_t *in, uint32_t at)
{
    return (uint32_t)in[at] | (uint32_t)in[at + 1] << 8;
}

static uint32_t u32_at(const uint8_t *in, uint32_t at)
{
    return u16_at(in, at) | u16_at(in, at + 2) << 16;
}

static bool all_are(const uint8_t *in, uint32_t len, uint8_t value)
{
    for (uint32_t i = 0; i < len; i++)
        if (in[i] != value)
            return false;
    return true;
}

bool oracle_is_erased(const uint8_t *in, uint32_t len)
{
    return all_are(in, len, 0xFF);
}

/* A text that ends within its field and is followed by zeros alone. */
static bool text_at(char *out, const uint8_t *in, uint32_t room)
{
    uint32_t len = 0;
    while (len < room && in[len])
        len++;
    if (len == room || !all_are(in + len, room - len, 0))
        return false;
    memcpy(out, in, room);
    return true;
}

/* Magic in front, and the CRC of all before it in the last four bytes. */
static bool is_sealed(const struct oracle_crc *crc, const uint8_t *in, uint32_t len,
                      const char magic[4])
{
    return memcmp(in, magic, 4) == 0 && oracle_crc32(crc, in, len - 4) == u32_at(in, len - 4);
}

bool oracle_decode_header(const struct oracle_crc *crc, struct oracle_header *out,
                          const uint8_t in[ORACLE_HEADER_BYTES])
{
    if (!is_sealed(crc, in, ORACLE_HEADER_BYTES, "BYI1"))
        return false;
    if (u16_at(in, 4) != ORACLE_HEADER_BYTES || u16_at(in, 6) != 1 || !all_are(in + 96, 28, 0))
        return false;
    out->image_bytes = u32_at(in, 8);
    out->security_counter = u32_at(in, 12);
    return out->image_bytes > ORACLE_HEADER_BYTES &&
           text_at(out->version, in + 16, sizeof out->version) &&
           text_at(out->device_type, in + 48, sizeof out->device_type) &&
           text_at(out->min_hw_revision, in + 80, sizeof out->min_hw_revision);
}

bool oracle_decode_body(const struct oracle_crc *crc, struct oracle_body *out,
                        const uint8_t in[ORACLE_BODY_BYTES])
{
    if (!is_sealed(crc, in, ORACLE_BODY_BYTES, "BYT1"))
        return false;
    out->image_bytes = u32_at(in, 4);
    out->signature_bytes = u16_at(in, 8);
    if (out->signature_bytes == 0 || out->signature_bytes > ORACLE_SIGNATURE_MAX ||
        u16_at(in, 10) != 0)
        return false;
    memcpy(out->signature, in + 36, ORACLE_SIGNATURE_MAX);
    return text_at(out->cert_id, in + 12, sizeof out->cert_id) &&
           all_are(in + 36 + out->signature_bytes, ORACLE_SIGNATURE_MAX - out->signature_bytes,
                   0) &&
           all_are(in + 108, 16, 0);
}

uint32_t oracle_decode_mark(const struct oracle_crc *crc, const uint8_t in[ORACLE_MARK_BYTES])
{
    if (!is_sealed(crc, in, ORACLE_MARK_BYTES, "BYM1") || u32_at(in, 8) != 1)
        return 0;
    return u32_at(in, 4);
}

bool oracle_may_read_as_mark(const uint8_t low[ORACLE_MARK_BYTES],
                             const uint8_t high[ORACLE_MARK_BYTES])
{
    static const uint8_t magic[4] = {'B', 'Y', 'M', '1'}, kind[4] = {1, 0, 0, 0};
    uint8_t wrong = 0;
    for (uint32_t i = 0; i < sizeof magic; i++) {
        wrong |= (uint8_t)((low[i] ^ magic[i]) & (high[i] ^ magic[i]));
        wrong |= (uint8_t)((low[8 + i] ^ kind[i]) & (high[8 + i] ^ kind[i]));
    }
    return !wrong;
}

static bool revoked_fields_are_sound(const uint8_t *in)
{
    enum { KEYS = 4 };
    uint32_t count = in[20];
    char id[ORACLE_ID_MAX];
    if (count > KEYS || in[21] >> count != 0 || u16_at(in, 22) != 0)
        return false;
    for (uint32_t i = 0; i < KEYS; i++) {
        const uint8_t *field = in + 24 + i * ORACLE_ID_MAX;
        if (!text_at(id, field, sizeof id) || (id[0] != '\0') != (i < count))
            return false;
    }
    return true;
}

bool oracle_decode_record(const struct oracle_crc *crc, struct oracle_record *out,
                          const uint8_t in[ORACLE_CONFIG_BYTES])
{
    enum { TRIALS_MAX = 15, RESETS = 6, CAUSES = 11 };
    if (!is_sealed(crc, in, ORACLE_CONFIG_BYTES, "BYC1"))
        return false;
    *out = (struct oracle_record){.sequence = u32_at(in, 4),
                                  .active = in[8],
                                  .next = in[9],
                                  .trial_left = in[11],
                                  .faulty_boots = in[13],
                                  .cause = in[15],
                                  .security_counter = u32_at(in, 16),
                                  .checksum = u32_at(in, 188)};
    return in[8] < 2 && in[9] < 2 && in[10] < 2 && in[11] <= in[12] && in[12] <= TRIALS_MAX &&
           in[14] < RESETS && in[15] < CAUSES && revoked_fields_are_sound(in) &&
           all_are(in + 120, 68, 0);
}

bool oracle_mark_completes(const struct oracle_crc *crc, const struct oracle_record *record,
                           const uint8_t in[ORACLE_MARK_BYTES])
{
    return is_sealed(crc, in, ORACLE_MARK_BYTES, "BYD1") && u32_at(in, 4) == record->sequence &&
           u32_at(in, 8) == record->checksum;
}

/* One INTEGER at *at: its length, no padding, not negative. Moves *at behind it. */
static bool is_strict_integer(const uint8_t *sig, uint32_t len, uint32_t *at)
{
    enum { INTEGER_TAG = 2, BYTES_MAX = 33 };
    if (len - *at < 3 || sig[*at] != INTEGER_TAG)
        return false;
    uint32_t size = sig[*at + 1];
    const uint8_t *value = sig + *at + 2;
    if (size == 0 || size > BYTES_MAX || size > len - *at - 2 || value[0] & 0x80)
        return false;
    if (size > 1 && value[0] == 0 && !(value[1] & 0x80))
        return false;
    *at += 2 + size;
    return true;
}

bool oracle_is_strict_der(const uint8_t *sig, uint32_t len)
{
    enum { SEQUENCE_TAG = 0x30 };
    uint32_t at = 2;
    return len >= 8 && len <= ORACLE_SIGNATURE_MAX && sig[0] == SEQUENCE_TAG && sig[1] == len - 2 &&
           is_strict_integer(sig, len, &at) && is_strict_integer(sig, len, &at) && at == len;
}
