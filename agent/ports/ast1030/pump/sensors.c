#include "sensors.h"
#include "bus.h"
#include <stddef.h>

enum { FLOW_PER_L = 4, MOTOR_MDEG_PER_BIT = 31, MEASURE = 1 };

static int16_t block[SENSOR_BLOCK];

static bool find(enum bus_chip chip, uint8_t identity)
{
    uint16_t is, control;
    return bus_read(chip, BUS_IDENTITY, &is) && is == identity &&
           bus_write(chip, BUS_CONTROL, MEASURE) && bus_read(chip, BUS_CONTROL, &control) &&
           control == MEASURE;
}

const char *sensors_start(uint8_t vibration_chip)
{
    const struct {
        const char *name;
        enum bus_chip chip;
        uint8_t identity;
    } wanted[] = {
        {"flow", BUS_FLOW, 0xF1},
        {"pressure", BUS_PRESSURE, 0xB3},
        {"motor", BUS_MOTOR, 0x75},
        {"vibration", BUS_VIBRATION, vibration_chip},
    };
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
        if (!find(wanted[i].chip, wanted[i].identity))
            return wanted[i].name;
    return NULL;
}

/* Newton's method; the result is rounded down. */
static uint32_t root_of(uint32_t square)
{
    uint32_t root = square, next = (square >> 1) + (square & 1);
    while (next < root) {
        root = next;
        next = (root + square / root) / 2;
    }
    return root;
}

static bool read_block(int32_t *rms)
{
    uint64_t squares = 0;
    uint16_t sample;
    for (int i = 0; i < SENSOR_BLOCK; i++) {
        if (!bus_read(BUS_VIBRATION, BUS_FIFO, &sample))
            return false;
        block[i] = (int16_t)sample;
        squares += (uint64_t)((int64_t)block[i] * block[i]);
    }
    *rms = (int32_t)root_of((uint32_t)(squares / SENSOR_BLOCK));
    return true;
}

bool sensors_read(struct pump_reading *out)
{
    uint16_t flow, speed, pressure, motor, current;
    if (!bus_read(BUS_FLOW, BUS_VALUE, &flow) || !bus_read(BUS_FLOW, BUS_SECOND, &speed) ||
        !bus_read(BUS_PRESSURE, BUS_VALUE, &pressure) || !bus_read(BUS_MOTOR, BUS_VALUE, &motor) ||
        !bus_read(BUS_MOTOR, BUS_SECOND, &current) || !read_block(&out->vibration_um_s))
        return false;
    out->flow_ml_s = (int16_t)flow / FLOW_PER_L;
    out->speed_rpm = speed;
    out->pressure_kpa = (int16_t)pressure / 10;
    out->motor_mdeg = motor * MOTOR_MDEG_PER_BIT;
    out->current_ma = current;
    return true;
}

const int16_t *sensors_block(void)
{
    return block;
}
