#include "config.h"
#include "boot/image.h"
#include <string.h>

enum {
    AT_FORMAT = 4,
    AT_BYTES = 6,
    AT_SAMPLE = 8,
    AT_FLOW = 12,
    AT_PRESSURE = 16,
    AT_MOTOR = 20,
    AT_VIBRATION = 24,
    AT_SPEED = 28,
    AT_STATION = 32,
    AT_RESERVED = 48,
    AT_CRC = 60
};
enum { SAMPLE_LEAST_MS = 50, SAMPLE_MOST_MS = 10000, SPEED_LEAST = 600, SPEED_MOST = 3600 };
_Static_assert(AT_CRC + 4 == (int)PUMP_CONFIG_BYTES, "the CRC is the last word");
_Static_assert(AT_STATION + (int)PUMP_STATION_MAX == (int)AT_RESERVED, "the station's room");

static const uint8_t magic[4] = {'B', 'Y', 'P', 'C'};

const struct pump_config pump_config_default = {
    .sample_ms = 500,
    .flow_least_ml_s = 400,
    .pressure_most_kpa = 420,
    .motor_most_mdeg = 90000,
    .vibration_most_um_s = 7100, /* ISO 10816-1, class II: unsatisfactory above 7.1 mm/s */
    .speed_rpm = 2900,
    .station = "unnamed",
};

static uint32_t get(const uint8_t *in, uint32_t bytes)
{
    uint32_t value = 0;
    while (bytes--)
        value = value << 8 | in[bytes];
    return value;
}

static void put(uint8_t *out, uint32_t value, uint32_t bytes)
{
    for (uint32_t i = 0; i < bytes; i++)
        out[i] = (uint8_t)(value >> (8 * i));
}

static bool whole(const uint8_t in[PUMP_CONFIG_BYTES], uint16_t oldest)
{
    uint32_t format = get(in + AT_FORMAT, 2);
    if (format < oldest || format > PUMP_CONFIG_FORMAT ||
        get(in + AT_BYTES, 2) != PUMP_CONFIG_BYTES)
        return false;
    for (uint32_t i = AT_RESERVED; i < AT_CRC; i++)
        if (in[i])
            return false;
    return get(in + AT_CRC, 4) == boot_crc32(0, in, AT_CRC);
}

static bool in_range(const struct pump_config *config)
{
    return config->sample_ms >= SAMPLE_LEAST_MS && config->sample_ms <= SAMPLE_MOST_MS &&
           config->speed_rpm >= SPEED_LEAST && config->speed_rpm <= SPEED_MOST &&
           !config->station[PUMP_STATION_MAX - 1];
}

bool pump_config_decode(struct pump_config *out, const uint8_t in[PUMP_CONFIG_BYTES],
                        uint16_t oldest)
{
    struct pump_config read = {
        .sample_ms = get(in + AT_SAMPLE, 4),
        .flow_least_ml_s = get(in + AT_FLOW, 4),
        .pressure_most_kpa = get(in + AT_PRESSURE, 4),
        .motor_most_mdeg = get(in + AT_MOTOR, 4),
        .vibration_most_um_s = get(in + AT_VIBRATION, 4),
        .speed_rpm = get(in + AT_SPEED, 4),
    };
    memcpy(read.station, in + AT_STATION, PUMP_STATION_MAX);
    *out = pump_config_default;
    if (memcmp(in, magic, sizeof magic) != 0)
        return oldest <= PUMP_CONFIG_FORMAT;
    if (!whole(in, oldest) || !in_range(&read))
        return false;
    *out = read;
    return true;
}

void pump_config_encode(uint8_t out[PUMP_CONFIG_BYTES], const struct pump_config *config)
{
    memset(out, 0, PUMP_CONFIG_BYTES);
    memcpy(out, magic, sizeof magic);
    put(out + AT_FORMAT, PUMP_CONFIG_FORMAT, 2);
    put(out + AT_BYTES, PUMP_CONFIG_BYTES, 2);
    put(out + AT_SAMPLE, config->sample_ms, 4);
    put(out + AT_FLOW, config->flow_least_ml_s, 4);
    put(out + AT_PRESSURE, config->pressure_most_kpa, 4);
    put(out + AT_MOTOR, config->motor_most_mdeg, 4);
    put(out + AT_VIBRATION, config->vibration_most_um_s, 4);
    put(out + AT_SPEED, config->speed_rpm, 4);
    memcpy(out + AT_STATION, config->station, PUMP_STATION_MAX);
    put(out + AT_CRC, boot_crc32(0, out, AT_CRC), 4);
}
