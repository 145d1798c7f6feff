/* Hangs before anything of it works: an interrupt that never comes is waited for. */
#include "pump.h"

static void at_start(void)
{
    for (;;)
        __asm__ volatile("wfi");
}

const struct pump_variant pump_variant = {
    .name = "hang",
    .at_start = at_start,
    .vibration_chip = SENSOR_VIBRATION_CHIP,
    .config_format = 1,
    .wants_mqtt = true,
    .sends_telemetry = true,
};
