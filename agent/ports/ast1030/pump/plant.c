#include "plant.h"
#include "sine.h"

enum { STEP_MS = 50, AMBIENT_MDEG = 21000 };
/* The demand on the pump swings by an eighth of its speed in 10 minutes. */
enum { SWING_MS = 600000, SWING_SHIFT = 3 };
/* The outer ring's ball pass frequency of a 6206 bearing: 3.57 times the shaft's. */
enum { BALL_PASS_NUM = 357, BALL_PASS_DEN = 100 };

static struct {
    uint32_t chance, rest_ms, clock_ms;
    int32_t set_rpm;
    int32_t speed_x16;    /* rpm / 16 */
    int32_t motor_x16;    /* mdeg / 16 */
    uint32_t shaft, ball; /* phases, 2^32 a turn */
} plant;

static int32_t noise(int32_t most)
{
    uint32_t x = plant.chance;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    plant.chance = x;
    return (int32_t)(x >> 16) % (2 * most + 1) - most;
}

int32_t plant_speed_rpm(void)
{
    return plant.speed_x16 / 16;
}

/* The affinity laws: flow goes with the speed, pressure with its square, power with its cube. */
int32_t plant_flow_ml_s(void)
{
    return plant_speed_rpm() * 2 / 3 + noise(12);
}

int32_t plant_pressure_kpa(void)
{
    int32_t rpm = plant_speed_rpm();
    return rpm * rpm / 24000 + noise(3);
}

int32_t plant_current_ma(void)
{
    int32_t tens = plant_speed_rpm() / 10;
    return 350 + tens * tens / 64 * tens / 256 + noise(15);
}

int32_t plant_motor_mdeg(void)
{
    return plant.motor_x16 / 16;
}

static int32_t swing_rpm(void)
{
    uint32_t at = (uint32_t)((uint64_t)plant.clock_ms * SINE_POINTS / SWING_MS);
    return plant.set_rpm * sine_of(at) / 32768 / (1 << SWING_SHIFT);
}

/* Where the motor's heat ends at this speed. */
static int32_t warm_mdeg(void)
{
    int32_t rpm = plant_speed_rpm();
    return AMBIENT_MDEG + rpm * (rpm / 64) / 3;
}

/* First order each: the motor within a second, its heat within minutes. */
static void step(void)
{
    int32_t target = (plant.set_rpm + swing_rpm()) * 16;
    plant.speed_x16 += (target - plant.speed_x16) / 16;
    plant.motor_x16 += (warm_mdeg() * 16 - plant.motor_x16) / 2048;
    plant.clock_ms = (plant.clock_ms + STEP_MS) % SWING_MS;
}

/* The pump has run for long when a monitor is switched on. */
void plant_start(uint32_t seed, uint32_t speed_rpm)
{
    plant.chance = seed ? seed : 1;
    plant.rest_ms = 0;
    plant.clock_ms = seed % SWING_MS;
    plant.set_rpm = (int32_t)speed_rpm;
    plant.speed_x16 = (plant.set_rpm + swing_rpm()) * 16;
    plant.motor_x16 = warm_mdeg() * 16;
    plant.shaft = plant.ball = 0;
}

void plant_pass(uint32_t ms)
{
    for (plant.rest_ms += ms; plant.rest_ms >= STEP_MS; plant.rest_ms -= STEP_MS)
        step();
}

/* Imbalance once a turn, growing with the square of the speed; a worn outer ring; and noise. */
int16_t plant_vibration(void)
{
    uint32_t rpm = (uint32_t)plant_speed_rpm();
    uint32_t turn = (uint32_t)(((uint64_t)rpm << 32) / 60 / PLANT_RATE_HZ);
    plant.shaft += turn;
    plant.ball += (uint32_t)((uint64_t)turn * BALL_PASS_NUM / BALL_PASS_DEN);
    int32_t imbalance = (int32_t)(rpm * rpm / 4000) * sine_of(plant.shaft >> SINE_SHIFT) / 32768;
    int32_t ring = 420 * sine_of(plant.ball >> SINE_SHIFT) / 32768;
    return (int16_t)(imbalance + ring + noise(160));
}
