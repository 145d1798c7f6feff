/*
 * The times that a board can be given: milliseconds and seconds in 32 bits (board/factory.h), and
 * what its gateway counts in seconds. A time that is shortened on its way to the board, to 0 in the
 * end, would be another one than the report names.
 */
#include "board/factory.h"
#include "rig/factory.h"
#include "sim/stepped.h"
#include <stdio.h>

static const int64_t SECOND_US = 1000000, MS_US = 1000, HOUR_US = 3600000000, DAY_US = 86400000000;

enum { BOOTS_MAX = 15 };

struct range {
    const char *key, *accepts;
    int64_t value_us, min_us, max_us, step_us;
};

static bool fits(const struct range *range)
{
    return range->value_us >= range->min_us && range->value_us <= range->max_us &&
           range->value_us % range->step_us == 0;
}

static int refuse(const struct scn *scn, const char *group, const struct range *range,
                  char *message, size_t len)
{
    return sim_stepped_refused(message, len, scn, 0, 0,
                               "%s%s%s: %lld us is out of the board's range; accepted with --world "
                               "board: %s",
                               group, *group ? ": " : "", range->key, (long long)range->value_us,
                               range->accepts);
}

static int refuse_device(const struct scn *scn, char *message, size_t len)
{
    const struct scn_device *d = &scn->device;
    const struct range row[] = {
        {"device.mqtt_within", "1s to 24h", d->mqtt_within_us, SECOND_US, DAY_US, MS_US},
        {"device.fault_free", "100ms to 24h", d->fault_free_us, SECOND_US / 10, DAY_US, MS_US},
        {"device.watchdog", "1s to 4294s, whole seconds", d->watchdog_us, SECOND_US,
         BOARD_WATCHDOG_S_MAX * SECOND_US, SECOND_US},
        {"device.retry_first", "100ms to 24h", d->retry_first_us, SECOND_US / 10, DAY_US, MS_US},
        {"device.retry_max", "1s to 7d", d->retry_max_us, SECOND_US, 7 * DAY_US, MS_US},
        {"device.stall", "1s to 1h, whole seconds", d->stall_us, SECOND_US, HOUR_US, SECOND_US},
        {"device.keepalive", "5s to 1h, whole seconds", d->keepalive_us, 5 * SECOND_US, HOUR_US,
         SECOND_US},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        if (!fits(&row[i]))
            return refuse(scn, "", &row[i], message, len);
    return 0;
}

int rig_factory_refuse_times(const struct scn *scn, char *message, size_t len)
{
    if (refuse_device(scn, message, len))
        return -1;
    for (uint32_t g = 0; g < scn->groups; g++) {
        const struct range every = {"telemetry_every", "1s to 7d", scn->group[g].telemetry_every_us,
                                    SECOND_US,         7 * DAY_US, MS_US};
        if (!fits(&every)) {
            char group[96];
            snprintf(group, sizeof group, "group %.80s", scn->group[g].name);
            return refuse(scn, group, &every, message, len);
        }
    }
    if (scn->device.trial_boots >= 1 && scn->device.trial_boots <= BOOTS_MAX)
        return 0;
    return sim_stepped_refused(message, len, scn, 0, 0,
                               "device.trial_boots: %u is out of the board's range; accepted with "
                               "--world board: 1 to %d",
                               scn->device.trial_boots, BOOTS_MAX);
}
