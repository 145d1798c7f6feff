/*
 * The registry: what a fleet owner knows of each device of a roster, as the campaign service reads
 * it (camp/campaign.h). Texts are borrowed from the roster and its scenario.
 */
#ifndef SIM_REGISTRY_H
#define SIM_REGISTRY_H

#include "camp/campaign.h"
#include "sim/roster.h"

/* One row for each unit, in its order; NULL: no memory. Freed by free(). pace: microseconds of the
 * campaign's clock in one of the devices', which keep their own time for telemetry. */
struct camp_device_info *sim_registry_create(const struct sim_roster *roster, uint32_t pace);

#endif
