/* What of a scenario no process can be made to do, told before anything is started. */
#include "process_internal.h"
#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

static bool can_fail(enum scn_how how)
{
    return how == SCN_HOW_HANG || how == SCN_HOW_HARD_FAULT ||
           (how >= SCN_HOW_HEALTH_MQTT && how <= SCN_HOW_HEALTH_HARD_FAULT);
}

static int refuse_fault(const struct scn *scn, const struct scn_fault *fault, char *message,
                        size_t len)
{
    if (fault->kind == SCN_FAULT_BOOT_FAILURE && !can_fail(fault->how))
        return sim_stepped_refused(
            message, len, scn, fault->line, fault->column,
            "boot_failure: how: %s: the daemon can't be made to; accepted with --world "
            "process: hang, hard_fault, health_mqtt, health_drivers, health_config, "
            "health_telemetry, health_hard_fault",
            scn_how_name((int)fault->how));
    return 0;
}

static int refuse_firmware(const struct scn *scn, const struct scn_firmware *firmware,
                           char *message, size_t len)
{
    const char *measured = sim_stepped_measured(&firmware->behaviour);
    if (measured)
        return sim_stepped_refused(message, len, scn, firmware->line, firmware->column,
                                   "firmware %s: behaviour: %s: a daemon measures itself and can't "
                                   "be made to; accepted with --world process: boot_fails, hangs, "
                                   "health",
                                   firmware->version, measured);
    return 0;
}

/* The daemon's own limits (agent/daemon/settings_keys.c). */
static int refuse_times(const struct scn *scn, char *message, size_t len)
{
    static const int64_t SECOND = 1000000, HOUR = 3600000000, DAY = 86400000000;
    const struct scn_device *device = &scn->device;
    const struct {
        const char *key, *accepts;
        int64_t value, min, max;
    } row[] = {
        {"device.mqtt_within", "1s to 1h", device->mqtt_within_us, SECOND, HOUR},
        {"device.fault_free", "100ms to 1h", device->fault_free_us, SECOND / 10, HOUR},
        {"device.watchdog", "1s to 24h", device->watchdog_us, SECOND, DAY},
        {"device.retry_first", "100ms to 24h", device->retry_first_us, SECOND / 10, DAY},
        {"device.retry_max", "1s to 7d", device->retry_max_us, SECOND, 7 * DAY},
        {"device.trial_boots", "1 to 15", device->trial_boots, 1, 15},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        if (row[i].value < row[i].min || row[i].value > row[i].max)
            return sim_stepped_refused(
                message, len, scn, 0, 0,
                "%s: out of the daemon's range; accepted with --world process: %s", row[i].key,
                row[i].accepts);
    for (uint32_t g = 0; g < scn->groups; g++)
        if (scn->group[g].telemetry_every_us < SECOND)
            return sim_stepped_refused(
                message, len, scn, 0, 0,
                "group %s: telemetry_every: out of the daemon's range; accepted with "
                "--world process: 1s to 7d",
                scn->group[g].name);
    return 0;
}

/* The daemon takes a clock_offset of so many days (agent/daemon/settings_keys.c). */
static int refuse_start(const struct scn *scn, char *message, size_t len)
{
    enum { DAYS_MAX = 3650 };
    int64_t offset_s = scn->start_us / 1000000 - (int64_t)time(NULL);
    if (llabs(offset_s) < DAYS_MAX * INT64_C(86400))
        return 0;
    return sim_stepped_refused(message, len, scn, 0, 0,
                               "start: a daemon's clock can be set by at most %d days; accepted "
                               "with --world process: a start less than that from today",
                               DAYS_MAX);
}

int sim_processes_refuse(const struct scn *scn, char *message, size_t len)
{
    int error = sim_stepped_refuse(scn, &sim_processes_body, message, len);
    if (!error)
        error = refuse_start(scn, message, len);
    if (!error)
        error = refuse_times(scn, message, len);
    for (uint32_t i = 0; i < scn->firmwares && !error; i++)
        error = refuse_firmware(scn, &scn->firmware[i], message, len);
    for (uint32_t i = 0; i < scn->faults && !error; i++)
        error = refuse_fault(scn, &scn->fault[i], message, len);
    return error;
}
