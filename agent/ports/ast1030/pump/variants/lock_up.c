/* Locks its processor up within the fault-free time of each start: its fault handler faults. None
 * runs then any more, so that only the watchdog ends it. */
#include "pump.h"

enum { HARD_FAULT = 3, SYSTEM_VECTORS = 16 };

static void faults(void)
{
    __asm__ volatile("udf #0");
}

static const uintptr_t vectors[SYSTEM_VECTORS] __attribute__((aligned(512))) = {
    [HARD_FAULT] = (uintptr_t)faults,
};

static void during(const struct fw_life *life)
{
    if (life->up_ms < life->fault_free_ms / 2)
        return;
    __asm__ volatile("cpsid i");
    /* VTOR */
    *(volatile uint32_t *)0xE000ED08 = (uint32_t)(uintptr_t)vectors;
    faults();
}

const struct pump_variant pump_variant = {
    .name = "lock-up",
    .during = during,
    .vibration_chip = SENSOR_VIBRATION_CHIP,
    .config_format = 1,
    .wants_mqtt = true,
    .sends_telemetry = true,
};
