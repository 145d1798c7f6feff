/* Expects another vibration sensor than the boards have. */
#include "pump.h"

const struct pump_variant pump_variant = {
    .name = "no-drivers",
    .vibration_chip = 0x33,
    .config_format = 1,
    .wants_mqtt = true,
    .sends_telemetry = true,
};
