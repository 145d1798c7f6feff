/* 2.4.0: flow without its spikes, and what the vibration is made of. */
#include "plant.h"
#include "pump.h"
#include "smooth.h"
#include "spectrum.h"

/* Bands, of the shaft's turns a minute, in percent: imbalance, and a 6206 bearing's outer ring. */
enum { SHAFT_FROM = 70, SHAFT_TO = 130, BALL_FROM = 330, BALL_TO = 390 };
enum { SPECTRUM_EVERY = 4 /* readings */ };

static struct smooth flow;
static struct spectrum spectrum;
static struct spectrum_line shaft, ball;

static struct spectrum_line strongest(uint32_t rpm, uint32_t from, uint32_t to)
{
    return spectrum_strongest(&spectrum, PLANT_RATE_HZ, rpm * from / 6000, rpm * to / 6000);
}

static void sampled(const struct pump *pump)
{
    uint32_t rpm = (uint32_t)pump->now.speed_rpm;
    smooth_put(&flow, pump->now.flow_ml_s);
    if (pump->samples % SPECTRUM_EVERY)
        return;
    spectrum_of(&spectrum, sensors_block());
    shaft = strongest(rpm, SHAFT_FROM, SHAFT_TO);
    ball = strongest(rpm, BALL_FROM, BALL_TO);
}

static void measure(struct agent_text *json)
{
    pump_put_member(json, "flow_smooth_ml_s", smooth_value(&flow));
    pump_put_member(json, "shaft_mhz", (int32_t)shaft.millihertz);
    pump_put_member(json, "shaft_um_s", (int32_t)shaft.amplitude);
    pump_put_member(json, "bearing_mhz", (int32_t)ball.millihertz);
    pump_put_member(json, "bearing_um_s", (int32_t)ball.amplitude);
}

const struct pump_release pump_release = {
    .built_ms = 1773309600000, /* 2026-03-12T10:00:00Z */
    .title = "pump monitor with vibration analysis",
    .sampled = sampled,
    .measure = measure,
};
