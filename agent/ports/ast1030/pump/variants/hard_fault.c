/* Executes what is no instruction within the fault-free time of each start. */
#include "pump.h"

static void during(const struct fw_life *life)
{
    if (life->up_ms >= life->fault_free_ms / 2)
        __asm__ volatile("udf #0");
}

const struct pump_variant pump_variant = {
    .name = "hard-fault",
    .during = during,
    .vibration_chip = SENSOR_VIBRATION_CHIP,
    .config_format = 1,
    .wants_mqtt = true,
    .sends_telemetry = true,
};
