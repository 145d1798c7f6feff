/* The same device as a plugin: its only symbol (sim/dut.h). */
#include "sim/dut_own.h"

const struct dut *dut_device(void)
{
    return dut_own_device();
}
