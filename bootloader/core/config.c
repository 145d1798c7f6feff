/* The boot config's body and its marks as bytes. Where records lie and how they age:
 * config_store.c. */
#include "boot/config.h"
#include "boot/error.h"
#include "boot/image.h"
#include "bytes.h"
#include "mem.h"

enum {
    AT_SEQUENCE = 4,
    AT_ACTIVE = 8,
    AT_NEXT = 9,
    AT_ROLLBACK = 10,
    AT_TRIAL_LEFT = 11,
    AT_TRIAL_TOTAL = 12,
    AT_FAULTY = 13,
    AT_LAST_RESET = 14,
    AT_CAUSE = 15,
    AT_COUNTER = 16,
    AT_REVOKED_COUNT = 20,
    AT_REVOKED_AT_BOOT = 21,
    AT_ZERO = 22,
    AT_REVOKED = 24,
    AT_RESERVED = 120,
    AT_CRC = 188,
    TRIALS_MAX = 15
};

static const char magic[4] = {'B', 'Y', 'C', '1'};

const char *boot_cause_name(int cause)
{
    static const char *const name[BOOT_CAUSE_KINDS] = {
        "none",
        "trial boots used up",
        "watchdog reset in a trial",
        "hard fault in a trial",
        "trial slot not valid",
        "requested",
        "active slot not valid",
        "active image faulty",
        "boot config lost",
        "confirmed",
        "trial cancelled",
    };
    return cause >= 0 && cause < BOOT_CAUSE_KINDS ? name[cause] : "unknown cause";
}

const char *boot_reset_name(int reset)
{
    static const char *const name[BOOT_RESET_KINDS] = {"power on", "reset pin",  "software reset",
                                                       "watchdog", "hard fault", "brown-out"};
    return reset >= 0 && reset < BOOT_RESET_KINDS ? name[reset] : "unknown reset";
}

static bool fields_are_in_range(const struct boot_config *config)
{
    return config->active < BOOT_SLOTS && config->next < BOOT_SLOTS &&
           config->rollback_on_fail <= 1 && config->trial_left <= config->trial_total &&
           config->trial_total <= TRIALS_MAX && config->last_reset < BOOT_RESET_KINDS &&
           config->cause < BOOT_CAUSE_KINDS && config->revoked_count <= BOOT_REVOKED_MAX &&
           config->revoked_at_boot >> config->revoked_count == 0;
}

static bool revoked_ids_are_in_range(const struct boot_config *config)
{
    for (uint32_t i = 0; i < BOOT_REVOKED_MAX; i++) {
        size_t len = boot_text_length(config->revoked[i], BOOT_CERT_ID_MAX);
        if (len == BOOT_CERT_ID_MAX || (len > 0) != (i < config->revoked_count))
            return false;
    }
    return true;
}

int boot_config_encode(uint8_t out[BOOT_CONFIG_BODY_BYTES], const struct boot_config *config)
{
    if (!fields_are_in_range(config) || !revoked_ids_are_in_range(config))
        return BOOT_ERANGE;
    memset(out, 0, BOOT_CONFIG_BODY_BYTES);
    memcpy(out, magic, sizeof magic);
    boot_put32(out + AT_SEQUENCE, config->sequence);
    out[AT_ACTIVE] = config->active;
    out[AT_NEXT] = config->next;
    out[AT_ROLLBACK] = config->rollback_on_fail;
    out[AT_TRIAL_LEFT] = config->trial_left;
    out[AT_TRIAL_TOTAL] = config->trial_total;
    out[AT_FAULTY] = config->faulty_boots;
    out[AT_LAST_RESET] = config->last_reset;
    out[AT_CAUSE] = config->cause;
    boot_put32(out + AT_COUNTER, config->security_counter);
    out[AT_REVOKED_COUNT] = config->revoked_count;
    out[AT_REVOKED_AT_BOOT] = config->revoked_at_boot;
    for (uint32_t i = 0; i < BOOT_REVOKED_MAX; i++)
        if (boot_text_encode(out + AT_REVOKED + i * BOOT_CERT_ID_MAX, BOOT_CERT_ID_MAX,
                             config->revoked[i]))
            return BOOT_ERANGE;
    boot_put32(out + AT_CRC, boot_crc32(0, out, AT_CRC));
    return BOOT_OK;
}

static bool frame_is_sound(const uint8_t *in)
{
    return memcmp(in, magic, sizeof magic) == 0 &&
           boot_get32(in + AT_CRC) == boot_crc32(0, in, AT_CRC) && boot_get16(in + AT_ZERO) == 0 &&
           boot_bytes_are(in + AT_RESERVED, AT_CRC - AT_RESERVED, 0);
}

int boot_config_decode(struct boot_config *out, const uint8_t in[BOOT_CONFIG_BODY_BYTES])
{
    memset(out, 0, sizeof *out);
    if (!frame_is_sound(in))
        return BOOT_EFORMAT;
    struct boot_config config = {.sequence = boot_get32(in + AT_SEQUENCE),
                                 .active = in[AT_ACTIVE],
                                 .next = in[AT_NEXT],
                                 .rollback_on_fail = in[AT_ROLLBACK],
                                 .trial_left = in[AT_TRIAL_LEFT],
                                 .trial_total = in[AT_TRIAL_TOTAL],
                                 .faulty_boots = in[AT_FAULTY],
                                 .last_reset = in[AT_LAST_RESET],
                                 .cause = in[AT_CAUSE],
                                 .security_counter = boot_get32(in + AT_COUNTER),
                                 .revoked_count = in[AT_REVOKED_COUNT],
                                 .revoked_at_boot = in[AT_REVOKED_AT_BOOT]};
    for (uint32_t i = 0; i < BOOT_REVOKED_MAX; i++)
        if (boot_text_decode(config.revoked[i], BOOT_CERT_ID_MAX,
                             in + AT_REVOKED + i * BOOT_CERT_ID_MAX))
            return BOOT_EFORMAT;
    if (!fields_are_in_range(&config) || !revoked_ids_are_in_range(&config))
        return BOOT_EFORMAT;
    *out = config;
    return BOOT_OK;
}

bool boot_config_is_revoked(const struct boot_config *config, const char *cert_id, bool at_boot)
{
    for (uint32_t i = 0; i < config->revoked_count && i < BOOT_REVOKED_MAX; i++)
        if (boot_text_equal(config->revoked[i], cert_id, BOOT_CERT_ID_MAX))
            return !at_boot || (config->revoked_at_boot >> i & 1);
    return false;
}
