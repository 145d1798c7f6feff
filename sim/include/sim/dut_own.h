/* Brickyard's own bootloader and agent as a device under test (sim/dut.h). */
#ifndef SIM_DUT_OWN_H
#define SIM_DUT_OWN_H

#include "sim/dut.h"

/* Never NULL; the same at each call; constant. */
const struct dut *dut_own_device(void);

#endif
