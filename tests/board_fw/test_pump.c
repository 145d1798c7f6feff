/* The pump monitor's parts on the host: models, drivers, filters, configuration. */
#include "board/hal.h"
#include "bus.h"
#include "config.h"
#include "plant.h"
#include "sensors.h"
#include "sine.h"
#include "smooth.h"
#include "spectrum.h"
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

static uint32_t straps;

/* The board's strap inputs, for bus.c. */
uint32_t board_straps(void)
{
    return straps;
}

Test(pump_sine, table_is_a_turn)
{
    for (int i = 0; i < SINE_POINTS; i++)
        cr_assert_eq(sine_table[i], (int)floor(32767 * sin(2 * M_PI * i / SINE_POINTS) + 0.5), "%d",
                     i);
}

Test(pump_plant, settles_where_its_laws_say)
{
    plant_start(7, 2900);
    plant_pass(3600000);
    int32_t rpm = plant_speed_rpm();
    cr_assert(rpm > 2900 * 7 / 8 - 20 && rpm < 2900 * 9 / 8 + 20, "%d rpm", rpm);
    cr_assert(abs(plant_flow_ml_s() - rpm * 2 / 3) <= 12);
    cr_assert(abs(plant_pressure_kpa() - rpm * rpm / 24000) <= 3);
    cr_assert(plant_motor_mdeg() > 40000 && plant_motor_mdeg() < 90000, "%d", plant_motor_mdeg());
}

Test(pump_plant, same_seed_same_pump_however_time_is_cut)
{
    int32_t at_once[3], in_steps[3];
    plant_start(42, 2000);
    plant_pass(90000);
    at_once[0] = plant_flow_ml_s(), at_once[1] = plant_motor_mdeg(), at_once[2] = plant_vibration();
    plant_start(42, 2000);
    for (int i = 0; i < 90000 / 30; i++)
        plant_pass(30);
    in_steps[0] = plant_flow_ml_s(), in_steps[1] = plant_motor_mdeg();
    in_steps[2] = plant_vibration();
    cr_assert_arr_eq(at_once, in_steps, sizeof at_once);
}

Test(pump_sensors, readings_are_the_plant_s)
{
    struct pump_reading now;
    straps = 0;
    cr_assert_null(sensors_start(SENSOR_VIBRATION_CHIP));
    plant_start(9, 2900);
    plant_pass(1800000);
    cr_assert(sensors_read(&now));
    cr_assert_eq(now.speed_rpm, plant_speed_rpm());
    cr_assert(abs(now.flow_ml_s - now.speed_rpm * 2 / 3) <= 13);
    cr_assert(abs(now.motor_mdeg - plant_motor_mdeg()) <= 31);
    cr_assert(now.vibration_um_s > 500 && now.vibration_um_s < 7100, "%d", now.vibration_um_s);
}

Test(pump_sensors, shorted_bus_answers_nothing_and_another_chip_is_refused)
{
    struct pump_reading now;
    straps = 0;
    cr_assert_str_eq(sensors_start(0x33), "vibration");
    straps = BOARD_STRAP_FAULT;
    cr_assert_str_eq(sensors_start(SENSOR_VIBRATION_CHIP), "flow");
    cr_assert_not(sensors_read(&now));
    straps = BOARD_STRAP_STAY;
    cr_assert_null(sensors_start(SENSOR_VIBRATION_CHIP));
}

Test(pump_smooth, spikes_are_gone_and_steps_are_followed)
{
    struct smooth smooth = {0};
    cr_assert_eq(smooth_value(&smooth), 0);
    smooth_put(&smooth, 1000);
    cr_assert_eq(smooth_value(&smooth), 1000);
    for (int i = 0; i < 50; i++)
        smooth_put(&smooth, i % 7 ? 1000 : 30000);
    cr_assert(abs(smooth_value(&smooth) - 1000) <= 1, "%d", smooth_value(&smooth));
    for (int i = 0; i < 80; i++)
        smooth_put(&smooth, -500);
    cr_assert(abs(smooth_value(&smooth) + 500) <= 8, "%d", smooth_value(&smooth));
}

/* The plain sum of the definition, in floating point. */
static double amplitude_at(const int16_t *samples, int bin)
{
    double re = 0, im = 0;
    for (int i = 0; i < SPECTRUM_POINTS; i++) {
        double x = samples[i] * (1 - cos(2 * M_PI * i / SPECTRUM_POINTS)) / 2;
        re += x * cos(2 * M_PI * i * bin / SPECTRUM_POINTS);
        im -= x * sin(2 * M_PI * i * bin / SPECTRUM_POINTS);
    }
    return sqrt(re * re + im * im) / SPECTRUM_POINTS;
}

Test(pump_spectrum, is_the_transform_of_the_definition)
{
    static struct spectrum spectrum;
    int16_t samples[SPECTRUM_POINTS];
    uint32_t x = 1;
    for (int i = 0; i < SPECTRUM_POINTS; i++) {
        x = x * 1664525 + 1013904223;
        samples[i] = (int16_t)(x >> 16); /* the whole range: nothing overflows */
    }
    spectrum_of(&spectrum, samples);
    for (int bin = 0; bin < SPECTRUM_POINTS / 2; bin++) {
        double is = sqrt((double)spectrum.re[bin] * spectrum.re[bin] +
                         (double)spectrum.im[bin] * spectrum.im[bin]) /
                    256;
        cr_assert(fabs(is - amplitude_at(samples, bin)) < 0.5, "%d: %f", bin, is);
    }
}

Test(pump_spectrum, names_a_line_s_frequency_and_amplitude)
{
    static struct spectrum spectrum;
    int16_t samples[SPECTRUM_POINTS];
    for (int i = 0; i < SPECTRUM_POINTS; i++)
        samples[i] = (int16_t)(2000 * sin(2 * M_PI * 12 * i / SPECTRUM_POINTS) +
                               300 * sin(2 * M_PI * 43 * i / SPECTRUM_POINTS));
    spectrum_of(&spectrum, samples);
    struct spectrum_line shaft = spectrum_strongest(&spectrum, 2048, 30, 70);
    struct spectrum_line ball = spectrum_strongest(&spectrum, 2048, 150, 200);
    cr_assert_eq(shaft.millihertz, 48000);
    cr_assert(abs((int)shaft.amplitude - 2000) < 20, "%u", shaft.amplitude);
    cr_assert_eq(ball.millihertz, 172000);
    cr_assert(abs((int)ball.amplitude - 300) < 10, "%u", ball.amplitude);
    cr_assert_eq(spectrum_strongest(&spectrum, 2048, 1100, 1200).amplitude, 0);
}

Test(pump_config, written_is_read_blank_is_the_default_and_damage_fails)
{
    struct pump_config config = pump_config_default, read;
    uint8_t bytes[PUMP_CONFIG_BYTES];
    config.sample_ms = 250;
    strcpy(config.station, "north-3");
    pump_config_encode(bytes, &config);
    cr_assert(pump_config_decode(&read, bytes, 1));
    cr_assert_eq(read.sample_ms, 250);
    cr_assert_str_eq(read.station, "north-3");
    cr_assert_not(pump_config_decode(&read, bytes, 2), "an older format");
    for (uint32_t i = 4; i < sizeof bytes; i++) {
        bytes[i] ^= 0x10;
        cr_assert_not(pump_config_decode(&read, bytes, 1), "byte %u", i);
        cr_assert_eq(read.sample_ms, pump_config_default.sample_ms);
        bytes[i] ^= 0x10;
    }
    memset(bytes, 0xFF, sizeof bytes);
    cr_assert(pump_config_decode(&read, bytes, 1));
    cr_assert_not(pump_config_decode(&read, bytes, 2));
    cr_assert_str_eq(read.station, pump_config_default.station);
}

Test(pump_config, values_out_of_range_fail)
{
    const struct {
        uint32_t sample_ms, speed_rpm;
        bool open; /* a station without its NUL */
    } rows[] = {{49, 2900, false},
                {10001, 2900, false},
                {500, 599, false},
                {500, 3601, false},
                {500, 2900, true}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct pump_config config = pump_config_default, read;
        uint8_t bytes[PUMP_CONFIG_BYTES];
        config.sample_ms = rows[i].sample_ms;
        config.speed_rpm = rows[i].speed_rpm;
        if (rows[i].open)
            memset(config.station, 'x', sizeof config.station);
        pump_config_encode(bytes, &config);
        cr_assert_not(pump_config_decode(&read, bytes, 1), "row %zu", i);
    }
}
