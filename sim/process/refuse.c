/* What of a scenario no process can be made to do, told before anything is started. */
#include "process_internal.h"
#include <inttypes.h>
#include <stdarg.h>

static int refuse(char *message, size_t len, const struct scn *scn, int line, int column,
                  const char *format, ...) __attribute__((format(printf, 6, 7)));
static int refuse(char *message, size_t len, const struct scn *scn, int line, int column,
                  const char *format, ...)
{
    va_list list;
    int at = line ? snprintf(message, len, "%s:%d:%d: ", scn->path, line, column)
                  : snprintf(message, len, "%s: ", scn->path);
    if (at < 0 || (size_t)at >= len)
        return -1;
    va_start(list, format);
    vsnprintf(message + at, len - (size_t)at, format, list);
    va_end(list);
    return -1;
}

static bool can_fail(enum scn_how how)
{
    return how == SCN_HOW_HANG || how == SCN_HOW_HARD_FAULT ||
           (how >= SCN_HOW_HEALTH_MQTT && how <= SCN_HOW_HEALTH_HARD_FAULT);
}

static int refuse_fault(const struct scn *scn, const struct scn_fault *fault, char *message,
                        size_t len)
{
    if (fault->kind == SCN_FAULT_FLASH_DAMAGE)
        return refuse(message, len, scn, fault->line, fault->column,
                      "flash_damage: a flash file has no cells that wear out or stick; accepted "
                      "with --world process: power_loss, corrupt_download, network_drop, "
                      "broker_down, cdn_down, boot_failure, service_restart");
    if (fault->kind == SCN_FAULT_BOOT_FAILURE && !can_fail(fault->how))
        return refuse(message, len, scn, fault->line, fault->column,
                      "boot_failure: how: %s: the daemon can't be made to; accepted with --world "
                      "process: hang, hard_fault, health_mqtt, health_drivers, health_config, "
                      "health_telemetry, health_hard_fault",
                      scn_how_name((int)fault->how));
    return 0;
}

static int refuse_firmware(const struct scn *scn, const struct scn_firmware *firmware,
                           char *message, size_t len)
{
    const struct scn_behaviour *b = &firmware->behaviour;
    const struct {
        const char *key;
        struct scn_ratio value;
    } row[] = {
        {"crash_per_day", b->crash_per_day},
        {"telemetry_gap", b->telemetry_gap},
        {"energy", b->energy},
        {"memory_growth", b->memory_growth},
        {"cpu", b->cpu},
        {"data_migration", b->migration},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        if (row[i].value.num)
            return refuse(message, len, scn, firmware->line, firmware->column,
                          "firmware %s: behaviour: %s: a daemon measures itself and can't be made "
                          "to; accepted with --world process: boot_fails, hangs, health",
                          firmware->version, row[i].key);
    return 0;
}

static int refuse_group(const struct scn *scn, const struct scn_group *group, char *message,
                        size_t len)
{
    if (group->active_process.num)
        return refuse(message, len, scn, 0, 0,
                      "group %s: active_process: the daemon runs beside no process that may not be "
                      "interrupted; accepted with --world process: 0%%",
                      group->name);
    if (group->ota_window[0] && !scn->campaign.force && scn->campaign.time_scale > 1)
        return refuse(message, len, scn, 0, 0,
                      "group %s: ota_window: the daemons' clock does not go faster, campaign."
                      "time_scale is %u; accepted with --world process: no window, campaign.force: "
                      "true, or time_scale: 1",
                      group->name, scn->campaign.time_scale);
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
            return refuse(message, len, scn, 0, 0,
                          "%s: out of the daemon's range; accepted with --world process: %s",
                          row[i].key, row[i].accepts);
    for (uint32_t g = 0; g < scn->groups; g++)
        if (scn->group[g].telemetry_every_us < SECOND)
            return refuse(message, len, scn, 0, 0,
                          "group %s: telemetry_every: out of the daemon's range; accepted with "
                          "--world process: 1s to 7d",
                          scn->group[g].name);
    return 0;
}

int sim_processes_refuse(const struct scn *scn, char *message, size_t len)
{
    int error = refuse_times(scn, message, len);
    for (uint32_t i = 0; i < scn->groups && !error; i++)
        error = refuse_group(scn, &scn->group[i], message, len);
    for (uint32_t i = 0; i < scn->firmwares && !error; i++)
        error = refuse_firmware(scn, &scn->firmware[i], message, len);
    for (uint32_t i = 0; i < scn->faults && !error; i++)
        error = refuse_fault(scn, &scn->fault[i], message, len);
    return error;
}
