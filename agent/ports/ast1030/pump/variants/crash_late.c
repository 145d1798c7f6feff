/* Is healthy in its trial; then calls through a broken pointer after each start. */
#include "pump.h"

/* The lowest bit of a function's address says Thumb, the only state that this core has. */
static void during(const struct fw_life *life)
{
    void (*volatile broken)(void) = (void (*)(void))0x00020100;
    if (!life->trial && life->settled_ms >= life->fault_free_ms / 2)
        broken();
}

const struct pump_variant pump_variant = {
    .name = "crash-late",
    .during = during,
    .vibration_chip = SENSOR_VIBRATION_CHIP,
    .config_format = 1,
    .wants_mqtt = true,
    .sends_telemetry = true,
};
