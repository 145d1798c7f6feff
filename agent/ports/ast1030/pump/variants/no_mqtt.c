/* Never asks for a connection. */
#include "pump.h"

const struct pump_variant pump_variant = {
    .name = "no-mqtt",
    .vibration_chip = SENSOR_VIBRATION_CHIP,
    .config_format = 1,
    .wants_mqtt = false,
    .sends_telemetry = true,
};
