/* What the fleet asks of a device: of its own one, or of the ground that carries it. */
#include "fleet_internal.h"

/* The whole data partition is compared on one device of so many. */
enum { WHOLE_DATA_EVERY = 250 };

static const struct sim_ground *carrier(const struct sim_fleet *fleet)
{
    const struct sim_ground *ground = fleet->options->ground;
    return ground && ground->devices ? ground : NULL;
}

void sim_fleet_truth(const struct sim_fleet *fleet, uint32_t device, struct sim_truth *out)
{
    const struct sim_ground *ground = carrier(fleet);
    if (ground)
        ground->devices->truth(ground->ctx, device, out);
    else
        sim_device_truth(fleet->device[device], out);
}

uint32_t sim_fleet_changes(const struct sim_fleet *fleet, uint32_t device)
{
    const struct sim_ground *ground = carrier(fleet);
    return ground ? ground->devices->changes(ground->ctx, device)
                  : sim_device_changes(fleet->device[device]);
}

void sim_fleet_inspect(struct sim_fleet *fleet, uint32_t device)
{
    const struct sim_ground *ground = carrier(fleet);
    bool whole_data = device % WHOLE_DATA_EVERY == 0;
    if (ground)
        ground->devices->inspect(ground->ctx, device, whole_data);
    else
        sim_device_inspect(fleet->device[device], &fleet->part[device % fleet->parts].shard,
                           whole_data);
}
