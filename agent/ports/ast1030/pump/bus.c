#include "bus.h"
#include "board/hal.h"
#include "plant.h"
#include <stddef.h>

/* What the simulated transducers give, in each chip's own unit. */
enum { FLOW_PER_L = 4, MOTOR_MDEG_PER_BIT = 31 };

static struct chip {
    uint8_t address, identity;
    uint16_t control;
} chips[] = {
    {BUS_FLOW, 0xF1, 0},
    {BUS_PRESSURE, 0xB3, 0},
    {BUS_MOTOR, 0x75, 0},
    {BUS_VIBRATION, 0xE5, 0},
};

static struct chip *chip_at(enum bus_chip address)
{
    if (board_straps() & BOARD_STRAP_FAULT)
        return NULL;
    for (size_t i = 0; i < sizeof chips / sizeof chips[0]; i++)
        if (chips[i].address == address)
            return &chips[i];
    return NULL;
}

static uint16_t value_of(enum bus_chip chip, enum bus_register reg)
{
    switch (chip) {
    case BUS_FLOW:
        return (uint16_t)(reg == BUS_SECOND ? plant_speed_rpm() : plant_flow_ml_s() * FLOW_PER_L);
    case BUS_PRESSURE:
        return (uint16_t)(plant_pressure_kpa() * 10);
    case BUS_MOTOR:
        return (uint16_t)(reg == BUS_SECOND ? plant_current_ma()
                                            : plant_motor_mdeg() / MOTOR_MDEG_PER_BIT);
    case BUS_VIBRATION:
        return (uint16_t)plant_vibration();
    }
    return 0;
}

bool bus_read(enum bus_chip address, enum bus_register reg, uint16_t *out)
{
    const struct chip *chip = chip_at(address);
    if (!chip)
        return false;
    if (reg == BUS_IDENTITY)
        *out = chip->identity;
    else if (reg == BUS_CONTROL)
        *out = chip->control;
    else /* a chip that was not told to measure answers with nothing */
        *out = chip->control & 1 ? value_of(address, reg) : 0;
    return true;
}

bool bus_write(enum bus_chip address, enum bus_register reg, uint16_t value)
{
    struct chip *chip = chip_at(address);
    if (!chip || reg != BUS_CONTROL)
        return false;
    chip->control = value;
    return true;
}
