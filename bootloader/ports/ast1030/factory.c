/* The factory block's bytes (factory.h). Each accepted block has exactly one encoding. */
#include "board/factory.h"
#include "boot/error.h"
#include "bytes.h"
#include "mem.h"

enum {
    AT_BLOCK_BYTES = 4,
    AT_FORMAT = 6,
    AT_DEVICE_ID = 8,
    AT_DEVICE_TYPE = 40,
    AT_HW_REVISION = 72,
    AT_TRIAL_BOOTS = 88,
    AT_FAULTY_BOOTS = 89,
    AT_APPROVAL = 90,
    AT_KEYS = 91,
    AT_WATCHDOG = 92,
    AT_MQTT_WITHIN = 96,
    AT_FAULT_FREE = 100,
    AT_RETRY_FIRST = 104,
    AT_RETRY_MAX = 108,
    AT_TELEMETRY = 112,
    AT_RESERVED = 116,
    AT_WINDOW = 128,
    AT_ZONE = 192,
    AT_KEY = 256,
    AT_REST = 640,
    AT_CRC = 1020
};
enum { FORMAT = 1, BOOTS_MAX = 15 };
enum { KEY_BYTES = 96, KEY_AT_POINT = 24, KEY_AT_ZERO = 89, UNCOMPRESSED = 0x04 };

_Static_assert(AT_KEY + BOARD_KEYS_MAX * KEY_BYTES == AT_REST, "the keys end where the rest begins");
_Static_assert((int)AT_CRC + 4 == (int)BOARD_FACTORY_BYTES, "the CRC is the last word");

static const char magic[4] = {'B', 'Y', 'F', '1'};

/* A name goes into topics, paths and console lines: one word of printable ASCII. */
static bool is_word(const char *text)
{
    for (const char *c = text; *c; c++)
        if (*c <= ' ' || *c > '~')
            return false;
    return *text != '\0';
}

static bool is_printable(const char *text)
{
    for (; *text; text++)
        if (*text < ' ' || *text > '~')
            return false;
    return true;
}

static bool keys_are_sound(const struct board_factory *factory)
{
    if (factory->keys < 1 || factory->keys > BOARD_KEYS_MAX)
        return false;
    for (uint32_t i = 0; i < factory->keys; i++) {
        const struct boot_key *key = &factory->key[i];
        if (!is_word(key->cert_id) || key->public_key[0] != UNCOMPRESSED)
            return false;
        for (uint32_t k = 0; k < i; k++)
            if (boot_text_equal(key->cert_id, factory->key[k].cert_id, BOOT_CERT_ID_MAX))
                return false;
    }
    return true;
}

/* Every text is closed. */
static bool is_sound(const struct board_factory *factory)
{
    return is_word(factory->device_id) && is_word(factory->device_type) &&
           is_word(factory->hw_revision) && factory->trial_boots >= 1 &&
           factory->trial_boots <= BOOTS_MAX && factory->faulty_boots >= 1 &&
           factory->faulty_boots <= BOOTS_MAX && factory->watchdog_s >= 1 &&
           factory->watchdog_s <= BOARD_WATCHDOG_S_MAX && is_printable(factory->ota_window) &&
           is_printable(factory->zone) && keys_are_sound(factory);
}

static int put_texts(uint8_t *out, const struct board_factory *factory)
{
    int error = boot_text_encode(out + AT_DEVICE_ID, BOARD_DEVICE_ID_MAX, factory->device_id) |
                boot_text_encode(out + AT_DEVICE_TYPE, BOOT_DEVICE_TYPE_MAX, factory->device_type) |
                boot_text_encode(out + AT_HW_REVISION, BOOT_HW_REVISION_MAX, factory->hw_revision) |
                boot_text_encode(out + AT_WINDOW, BOARD_WINDOW_MAX, factory->ota_window) |
                boot_text_encode(out + AT_ZONE, BOARD_ZONE_MAX, factory->zone);
    for (uint32_t i = 0; i < BOARD_KEYS_MAX && i < factory->keys; i++)
        error |= boot_text_encode(out + AT_KEY + i * KEY_BYTES, BOOT_CERT_ID_MAX,
                                  factory->key[i].cert_id);
    return error ? BOOT_ERANGE : BOOT_OK;
}

int board_factory_encode(uint8_t out[BOARD_FACTORY_BYTES], const struct board_factory *factory)
{
    memset(out, 0, BOARD_FACTORY_BYTES);
    /* The texts first: only then is it known that they are closed. */
    if (put_texts(out, factory) || !is_sound(factory))
        return BOOT_ERANGE;
    memcpy(out, magic, sizeof magic);
    boot_put16(out + AT_BLOCK_BYTES, BOARD_FACTORY_BYTES);
    boot_put16(out + AT_FORMAT, FORMAT);
    out[AT_TRIAL_BOOTS] = factory->trial_boots;
    out[AT_FAULTY_BOOTS] = factory->faulty_boots;
    out[AT_APPROVAL] = factory->approval;
    out[AT_KEYS] = (uint8_t)factory->keys;
    boot_put32(out + AT_WATCHDOG, factory->watchdog_s);
    boot_put32(out + AT_MQTT_WITHIN, factory->mqtt_within_ms);
    boot_put32(out + AT_FAULT_FREE, factory->fault_free_ms);
    boot_put32(out + AT_RETRY_FIRST, factory->retry_first_ms);
    boot_put32(out + AT_RETRY_MAX, factory->retry_max_ms);
    boot_put32(out + AT_TELEMETRY, factory->telemetry_every_ms);
    for (uint32_t i = 0; i < factory->keys; i++)
        memcpy(out + AT_KEY + i * KEY_BYTES + KEY_AT_POINT, factory->key[i].public_key,
               BOOT_PUBLIC_KEY_BYTES);
    boot_put32(out + AT_CRC, boot_crc32(0, out, AT_CRC));
    return BOOT_OK;
}

static bool frame_is_sound(const uint8_t *in)
{
    return memcmp(in, magic, sizeof magic) == 0 &&
           boot_get32(in + AT_CRC) == boot_crc32(0, in, AT_CRC) &&
           boot_get16(in + AT_BLOCK_BYTES) == BOARD_FACTORY_BYTES &&
           boot_get16(in + AT_FORMAT) == FORMAT && in[AT_APPROVAL] <= 1 &&
           in[AT_KEYS] <= BOARD_KEYS_MAX &&
           boot_bytes_are(in + AT_RESERVED, AT_WINDOW - AT_RESERVED, 0) &&
           boot_bytes_are(in + AT_REST, AT_CRC - AT_REST, 0);
}

static int take_texts(struct board_factory *out, const uint8_t *in)
{
    return boot_text_decode(out->device_id, BOARD_DEVICE_ID_MAX, in + AT_DEVICE_ID) |
           boot_text_decode(out->device_type, BOOT_DEVICE_TYPE_MAX, in + AT_DEVICE_TYPE) |
           boot_text_decode(out->hw_revision, BOOT_HW_REVISION_MAX, in + AT_HW_REVISION) |
           boot_text_decode(out->ota_window, BOARD_WINDOW_MAX, in + AT_WINDOW) |
           boot_text_decode(out->zone, BOARD_ZONE_MAX, in + AT_ZONE);
}

static int take_keys(struct board_factory *out, const uint8_t *in)
{
    for (uint32_t i = 0; i < BOARD_KEYS_MAX; i++) {
        const uint8_t *from = in + AT_KEY + i * KEY_BYTES;
        struct boot_key *key = &out->key[i];
        if (i >= out->keys) {
            if (!boot_bytes_are(from, KEY_BYTES, 0))
                return BOOT_EFORMAT;
            continue;
        }
        if (boot_text_decode(key->cert_id, BOOT_CERT_ID_MAX, from) ||
            !boot_bytes_are(from + KEY_AT_ZERO, KEY_BYTES - KEY_AT_ZERO, 0))
            return BOOT_EFORMAT;
        memcpy(key->public_key, from + KEY_AT_POINT, BOOT_PUBLIC_KEY_BYTES);
    }
    return BOOT_OK;
}

static void take_numbers(struct board_factory *out, const uint8_t *in)
{
    out->trial_boots = in[AT_TRIAL_BOOTS];
    out->faulty_boots = in[AT_FAULTY_BOOTS];
    out->approval = in[AT_APPROVAL] == 1;
    out->keys = in[AT_KEYS];
    out->watchdog_s = boot_get32(in + AT_WATCHDOG);
    out->mqtt_within_ms = boot_get32(in + AT_MQTT_WITHIN);
    out->fault_free_ms = boot_get32(in + AT_FAULT_FREE);
    out->retry_first_ms = boot_get32(in + AT_RETRY_FIRST);
    out->retry_max_ms = boot_get32(in + AT_RETRY_MAX);
    out->telemetry_every_ms = boot_get32(in + AT_TELEMETRY);
}

int board_factory_decode(struct board_factory *out, const uint8_t in[BOARD_FACTORY_BYTES])
{
    memset(out, 0, sizeof *out);
    if (!frame_is_sound(in))
        return BOOT_EFORMAT;
    take_numbers(out, in);
    if (take_texts(out, in) || take_keys(out, in) || !is_sound(out)) {
        memset(out, 0, sizeof *out);
        return BOOT_EFORMAT;
    }
    return BOOT_OK;
}
