/* Reads only a configuration that no board has yet. */
#include "pump.h"

const struct pump_variant pump_variant = {
    .name = "no-config",
    .vibration_chip = SENSOR_VIBRATION_CHIP,
    .config_format = 2,
    .wants_mqtt = true,
    .sends_telemetry = true,
};
