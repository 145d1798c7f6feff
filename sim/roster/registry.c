#include "sim/registry.h"

#include <stdlib.h>
#include <string.h>

struct camp_device_info *sim_registry_create(const struct sim_roster *roster, uint32_t pace)
{
    struct camp_device_info *registry = calloc(roster->count, sizeof *registry);
    for (uint32_t d = 0; registry && d < roster->count; d++) {
        const struct sim_unit *unit = &roster->unit[d];
        const struct scn_group *group = &roster->scn->group[unit->group];
        registry[d] = (struct camp_device_info){
            .group = group->name,
            .site = unit->site,
            .zone_posix = unit->zone_posix,
            .criticality = unit->criticality,
            .ota_window = group->ota_window,
            .device_type = group->device_type,
            .hw_revision = unit->hw_revision,
            .version = group->firmware,
            .lab = group->lab,
            .telemetry_every_us = group->telemetry_every_us * pace,
        };
        memcpy(registry[d].id, unit->id, sizeof unit->id);
    }
    return registry;
}
