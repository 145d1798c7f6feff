/* Times that would be others on the board. */
#include "rig/factory.h"
#include <criterion/criterion.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

Test(rig_factory_times, times_that_a_board_can_not_keep_are_refused_with_their_key)
{
    static const int64_t S = 1000000;
    static const struct scn_device fits = {.mqtt_within_us = 30 * S,
                                           .fault_free_us = 60 * S,
                                           .watchdog_us = 120 * S,
                                           .retry_first_us = 60 * S,
                                           .retry_max_us = 3600 * S,
                                           .keepalive_us = 60 * S,
                                           .stall_us = 30 * S,
                                           .trial_boots = 3};
    static const struct {
        size_t at;
        const char *key, *accepts;
        int64_t also; /* beside 0 */
    } row[] = {
        {offsetof(struct scn_device, mqtt_within_us), "device.mqtt_within", "1s to 24h", 999000},
        {offsetof(struct scn_device, fault_free_us), "device.fault_free", "100ms to 24h", 999},
        {offsetof(struct scn_device, watchdog_us), "device.watchdog", "whole seconds", 1500000},
        {offsetof(struct scn_device, retry_first_us), "device.retry_first", "100ms", 100500},
        {offsetof(struct scn_device, retry_max_us), "device.retry_max", "1s to 7d", 999},
        {offsetof(struct scn_device, keepalive_us), "device.keepalive", "whole seconds", 5500000},
        {offsetof(struct scn_device, stall_us), "device.stall", "whole seconds", 1500000},
    };
    struct scn *scn = calloc(1, sizeof *scn);
    char message[400];
    snprintf(scn->path, sizeof scn->path, "bench.yaml");
    scn->groups = 1;
    snprintf(scn->group[0].name, sizeof scn->group[0].name, "pumps");
    scn->group[0].telemetry_every_us = S;
    scn->device = fits;
    cr_assert_eq(rig_factory_refuse_times(scn, message, sizeof message), 0);
    for (size_t i = 0; i < 2 * sizeof row / sizeof *row; i++) {
        const int64_t value = i % 2 ? row[i / 2].also : 0;
        scn->device = fits;
        memcpy((char *)&scn->device + row[i / 2].at, &value, sizeof value);
        cr_assert_eq(rig_factory_refuse_times(scn, message, sizeof message), -1, "%s",
                     row[i / 2].key);
        cr_assert(strstr(message, "bench.yaml: ") && strstr(message, row[i / 2].key) &&
                      strstr(message, row[i / 2].accepts),
                  "%s", message);
    }
    scn->device = fits;
    scn->group[0].telemetry_every_us = 0;
    cr_assert_eq(rig_factory_refuse_times(scn, message, sizeof message), -1);
    cr_assert(strstr(message, "group pumps: telemetry_every"), "%s", message);
    free(scn);
}
