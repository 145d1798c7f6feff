/* Never sends telemetry. */
#include "pump.h"

const struct pump_variant pump_variant = {
    .name = "no-telemetry",
    .vibration_chip = SENSOR_VIBRATION_CHIP,
    .config_format = 1,
    .wants_mqtt = true,
    .sends_telemetry = false,
};
