/* What of a scenario no body can be made to do, told before anything is started. */
#include "stepped_internal.h"
#include <stdarg.h>

int sim_stepped_refused(char *message, size_t len, const struct scn *scn, int line, int column,
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

const char *sim_stepped_measured(const struct scn_behaviour *behaviour)
{
    const struct {
        const char *key;
        struct scn_ratio value;
    } row[] = {
        {"crash_per_day", behaviour->crash_per_day},
        {"telemetry_gap", behaviour->telemetry_gap},
        {"energy", behaviour->energy},
        {"memory_growth", behaviour->memory_growth},
        {"cpu", behaviour->cpu},
        {"data_migration", behaviour->migration},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        if (row[i].value.num)
            return row[i].key;
    return NULL;
}

static int refuse_fault(const struct scn *scn, const struct sim_body_kind *kind,
                        const struct scn_fault *fault, char *message, size_t len)
{
    if (fault->kind == SCN_FAULT_FLASH_DAMAGE)
        return sim_stepped_refused(message, len, scn, fault->line, fault->column,
                                   "flash_damage: a flash file has no cells that wear out or "
                                   "stick; accepted with --world %s: %s",
                                   kind->name, kind->faults);
    if (fault->kind > SCN_FAULT_SERVICE_RESTART)
        return sim_stepped_refused(message, len, scn, fault->line, fault->column,
                                   "%s: the %s world does not carry it out; accepted with --world "
                                   "%s: %s",
                                   scn_fault_kind_name((int)fault->kind), kind->name, kind->name,
                                   kind->faults);
    if (fault->kind == SCN_FAULT_NETWORK_DROP && fault->how != SCN_HOW_RESET)
        return sim_stepped_refused(message, len, scn, fault->line, fault->column,
                                   "network_drop: how: %s: accepted with --world %s: reset",
                                   scn_how_name((int)fault->how), kind->name);
    if (fault->kind == SCN_FAULT_CORRUPT_DOWNLOAD && fault->how >= SCN_HOW_HTTP_416)
        return sim_stepped_refused(message, len, scn, fault->line, fault->column,
                                   "corrupt_download: how: %s: accepted with --world %s: any, "
                                   "bit_flip, truncated, wrong_file, stale_file, wrong_length, "
                                   "garbage, http_403, http_404, http_500, endless, disconnect",
                                   scn_how_name((int)fault->how), kind->name);
    return 0;
}

static int refuse_group(const struct scn *scn, const struct sim_body_kind *kind,
                        const struct scn_group *group, char *message, size_t len)
{
    if (group->active_process.num)
        return sim_stepped_refused(message, len, scn, 0, 0,
                                   "group %s: active_process: a %s runs beside no process that may "
                                   "not be interrupted; accepted with --world %s: 0%%",
                                   group->name, kind->what, kind->name);
    if (group->ota_window[0] && !scn->campaign.force && scn->campaign.time_scale > 1)
        return sim_stepped_refused(message, len, scn, 0, 0,
                                   "group %s: ota_window: the devices' clock does not go faster, "
                                   "campaign.time_scale is %u; accepted with --world %s: no "
                                   "window, campaign.force: true, or time_scale: 1",
                                   group->name, scn->campaign.time_scale, kind->name);
    return 0;
}

int sim_stepped_refuse(const struct scn *scn, const struct sim_body_kind *kind, char *message,
                       size_t len)
{
    int error = 0;
    for (uint32_t i = 0; i < scn->groups && !error; i++)
        error = refuse_group(scn, kind, &scn->group[i], message, len);
    for (uint32_t i = 0; i < scn->faults && !error; i++)
        error = refuse_fault(scn, kind, &scn->fault[i], message, len);
    return error;
}
