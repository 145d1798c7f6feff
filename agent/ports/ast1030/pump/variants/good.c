/* As it was meant. */
#include "pump.h"

const struct pump_variant pump_variant = {
    .name = "good",
    .vibration_chip = SENSOR_VIBRATION_CHIP,
    .config_format = 1,
    .wants_mqtt = true,
    .sends_telemetry = true,
};
