/* The sensor bus: 16-bit registers of four chips. A short circuit (the strap FAULT) and an address
 * that nobody has give no answer. */
#ifndef PUMP_BUS_H
#define PUMP_BUS_H

#include <stdbool.h>
#include <stdint.h>

enum bus_chip { BUS_FLOW = 0x28, BUS_PRESSURE = 0x5C, BUS_MOTOR = 0x48, BUS_VIBRATION = 0x1D };
enum bus_register {
    BUS_IDENTITY = 0x00,
    BUS_CONTROL = 0x01, /* bit 0: measure */
    BUS_VALUE = 0x10,
    BUS_SECOND = 0x11, /* the motor chip's second channel: current; the flow chip's: speed */
    BUS_FIFO = 0x20    /* a sample of the vibration chip's, in order */
};

bool bus_read(enum bus_chip chip, enum bus_register reg, uint16_t *out);
bool bus_write(enum bus_chip chip, enum bus_register reg, uint16_t value);

#endif
