/*
 * The pump's configuration, at the start of the application's part of the data partition. Written
 * in the factory or by service, never by the firmware. Little endian:
 *
 *   0 magic "BYPC" | 4 format u16 | 6 bytes u16 = 64 | 8 sample_ms u32 (50..10000)
 *   12 flow_least_ml_s u32 | 16 pressure_most_kpa u32 | 20 motor_most_mdeg u32
 *   24 vibration_most_um_s u32 | 28 speed_rpm u32 (600..3600) | 32 station[16], NUL-padded
 *   48 reserved[12] = 0 | 60 CRC-32 of bytes 0..59
 */
#ifndef PUMP_CONFIG_H
#define PUMP_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

enum { PUMP_CONFIG_BYTES = 64, PUMP_CONFIG_FORMAT = 1, PUMP_STATION_MAX = 16 };

struct pump_config {
    uint32_t sample_ms;
    uint32_t flow_least_ml_s, pressure_most_kpa, motor_most_mdeg, vibration_most_um_s;
    uint32_t speed_rpm;
    char station[PUMP_STATION_MAX];
};

extern const struct pump_config pump_config_default;

/*
 * True: out is what the bytes say, or the default where nobody has written a configuration (no
 * magic). False: one was written and is damaged, out of range, or of a format below `oldest` or
 * above PUMP_CONFIG_FORMAT; out is then the default.
 */
bool pump_config_decode(struct pump_config *out, const uint8_t in[PUMP_CONFIG_BYTES],
                        uint16_t oldest);
void pump_config_encode(uint8_t out[PUMP_CONFIG_BYTES], const struct pump_config *config);

#endif
