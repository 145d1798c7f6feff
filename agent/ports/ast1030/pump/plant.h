/*
 * The pump that the board watches, simulated: a motor that follows its set point, the water, the
 * heat, the shaft. Deterministic for a seed; integers only. It stands where the real sensors'
 * registers are: bus.c reads them.
 */
#ifndef PUMP_PLANT_H
#define PUMP_PLANT_H

#include <stdint.h>

void plant_start(uint32_t seed, uint32_t speed_rpm);
void plant_pass(uint32_t ms); /* time goes by */

/* What the transducers see. */
int32_t plant_flow_ml_s(void);
int32_t plant_pressure_kpa(void);
int32_t plant_motor_mdeg(void);
int32_t plant_current_ma(void);
int32_t plant_speed_rpm(void);
/* The next sample of the casing's velocity, um/s, PLANT_RATE_HZ a second. */
enum { PLANT_RATE_HZ = 2048 };
int16_t plant_vibration(void);

#endif
