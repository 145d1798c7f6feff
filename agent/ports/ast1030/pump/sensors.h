/*
 * The drivers of the four sensors. Each is found on the bus by its chip's identity before it is
 * trusted, and is set up; a reading is all of them or none.
 */
#ifndef PUMP_SENSORS_H
#define PUMP_SENSORS_H

#include <stdbool.h>
#include <stdint.h>

struct pump_reading {
    int32_t flow_ml_s, pressure_kpa, motor_mdeg, current_ma;
    int32_t vibration_um_s; /* root mean square of the last block */
    int32_t speed_rpm;
};

enum { SENSOR_BLOCK = 512, SENSOR_VIBRATION_CHIP = 0xE5 };

/* NULL: all were found and set up; else the name of the first that was not. */
const char *sensors_start(uint8_t vibration_chip);
bool sensors_read(struct pump_reading *out);
/* The block of the last reading, um/s, PLANT_RATE_HZ a second. */
const int16_t *sensors_block(void);

#endif
