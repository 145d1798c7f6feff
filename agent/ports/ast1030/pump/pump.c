/* The application: samples, compares with its limits, tells. */
#include "pump.h"
#include "board/hal.h"
#include "boot/image.h"
#include "plant.h"
#include <string.h>

static struct {
    const struct fw_site *site;
    struct pump pump;
    uint32_t last_ms, told_alarms;
    bool driven; /* the sensors were found */
} monitor;

void pump_put_member(struct agent_text *json, const char *key, int32_t number)
{
    agent_text_put(json, ",\"");
    agent_text_put(json, key);
    agent_text_put(json, number < 0 ? "\":-" : "\":");
    agent_text_number(json, number < 0 ? 0u - (uint32_t)number : (uint32_t)number, 1);
}

static void start(const struct fw_site *site)
{
    monitor.site = site;
    monitor.pump.config = pump_config_default;
    if (pump_release.start)
        pump_release.start();
    if (pump_variant.at_start)
        pump_variant.at_start();
}

static void say(const char *text, const char *what)
{
    char out[96];
    struct agent_text line = {out, 0, sizeof out - 2};
    agent_text_put(&line, text);
    agent_text_put(&line, what);
    out[line.len] = '\n';
    out[line.len + 1] = '\0';
    board_console_put(out);
}

static bool drivers(void)
{
    const char *missing = sensors_start(pump_variant.vibration_chip);
    monitor.driven = !missing;
    say(missing ? "sensor bus: no answer, or another chip: " : "sensor bus: ",
        missing ? missing : "4 sensors");
    return !missing;
}

static uint32_t alarms_of(const struct pump *pump)
{
    const struct pump_reading *now = &pump->now;
    const struct pump_config *limit = &pump->config;
    uint32_t alarms = 0;
    if (now->flow_ml_s < (int32_t)limit->flow_least_ml_s)
        alarms |= PUMP_ALARM_FLOW;
    if (now->pressure_kpa > (int32_t)limit->pressure_most_kpa)
        alarms |= PUMP_ALARM_PRESSURE;
    if (now->motor_mdeg > (int32_t)limit->motor_most_mdeg)
        alarms |= PUMP_ALARM_MOTOR;
    if (now->vibration_um_s > (int32_t)limit->vibration_most_um_s)
        alarms |= PUMP_ALARM_VIBRATION;
    return alarms;
}

static void tell_alarms(uint32_t alarms)
{
    static const struct {
        uint32_t bit;
        const char *raised;
    } words[] = {
        {PUMP_ALARM_FLOW, "flow too low"},
        {PUMP_ALARM_PRESSURE, "pressure too high"},
        {PUMP_ALARM_MOTOR, "motor too hot"},
        {PUMP_ALARM_VIBRATION, "vibration too strong"},
    };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if ((alarms ^ monitor.told_alarms) & words[i].bit)
            say(alarms & words[i].bit ? "alarm: " : "alarm over: ", words[i].raised);
    monitor.told_alarms = alarms;
}

static void sample(uint32_t passed_ms)
{
    struct pump *pump = &monitor.pump;
    plant_pass(passed_ms);
    if (!monitor.driven || !sensors_read(&pump->now)) {
        pump->missed++;
        return;
    }
    pump->samples++;
    pump->alarms = alarms_of(pump);
    tell_alarms(pump->alarms);
    if (pump_release.sampled)
        pump_release.sampled(pump);
}

static bool configure(void)
{
    const struct fw_site *site = monitor.site;
    uint8_t bytes[PUMP_CONFIG_BYTES];
    bool read = site->data_bytes >= sizeof bytes &&
                !site->flash->read(site->flash->ctx, site->data_addr, bytes, sizeof bytes) &&
                pump_config_decode(&monitor.pump.config, bytes, pump_variant.config_format);
    plant_start(boot_crc32(0, site->device_id, (uint32_t)strlen(site->device_id)),
                monitor.pump.config.speed_rpm);
    say(read ? "configuration: station " : "configuration: not readable; defaults, station ",
        monitor.pump.config.station);
    sample(0);
    return read;
}

/* The first reading is taken when the sensors were found: telemetry begins with it. */
static uint32_t run(const struct fw_life *life)
{
    uint32_t every_ms = monitor.pump.config.sample_ms;
    if (pump_variant.during)
        pump_variant.during(life);
    uint32_t passed_ms = life->up_ms - monitor.last_ms;
    if (passed_ms < every_ms)
        return every_ms - passed_ms;
    monitor.last_ms = life->up_ms;
    sample(passed_ms);
    return every_ms;
}

static void measure(struct agent_text *json)
{
    const struct pump *pump = &monitor.pump;
    pump_put_member(json, "flow_ml_s", pump->now.flow_ml_s);
    pump_put_member(json, "pressure_kpa", pump->now.pressure_kpa);
    pump_put_member(json, "motor_mdeg", pump->now.motor_mdeg);
    pump_put_member(json, "current_ma", pump->now.current_ma);
    pump_put_member(json, "speed_rpm", pump->now.speed_rpm);
    pump_put_member(json, "vibration_um_s", pump->now.vibration_um_s);
    pump_put_member(json, "samples", (int32_t)pump->samples);
    pump_put_member(json, "missed", (int32_t)pump->missed);
    pump_put_member(json, "alarms", (int32_t)pump->alarms);
    if (pump_release.measure)
        pump_release.measure(json);
}

/* The controller's own power, from a model as the sensors are: 48 mW asleep, 210 mW awake, 35 mW
 * for each sensor chip. */
static uint32_t energy_mw(uint32_t cpu_permille)
{
    return 48 + (210 - 48) * cpu_permille / 1000 + (monitor.driven ? 4 * 35 : 0);
}

static void put_unit(struct agent_text *line, const char *name, int32_t number, const char *unit)
{
    agent_text_put(line, name);
    agent_text_number(line, number < 0 ? 0 : (uint32_t)number, 1);
    agent_text_put(line, unit);
}

static void tell(struct agent_text *line)
{
    const struct pump_reading *now = &monitor.pump.now;
    agent_text_put(line, pump_release.title);
    agent_text_put(line, " ");
    agent_text_put(line, monitor.site->version);
    agent_text_put(line, " on ");
    agent_text_put(line, monitor.site->device_id);
    put_unit(line, ": ", now->flow_ml_s, " ml/s");
    put_unit(line, ", ", now->pressure_kpa, " kPa");
    put_unit(line, ", ", now->motor_mdeg / 1000, " degrees");
    put_unit(line, ", ", now->vibration_um_s, " um/s");
}

int main(void)
{
    static struct fw_app app;
    app = (struct fw_app){
        .built_ms = pump_release.built_ms,
        .start = start,
        .drivers = drivers,
        .configure = configure,
        .run = run,
        .measure = measure,
        .energy_mw = energy_mw,
        .tell = tell,
        .wants_mqtt = pump_variant.wants_mqtt,
        .sends_telemetry = pump_variant.sends_telemetry,
    };
    fw_run(&app);
}
