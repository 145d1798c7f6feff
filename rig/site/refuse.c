/* What of a scenario no board behind a relay can be made to do. */
#include "rig/world.h"
#include "site_internal.h"

static int refuse_fault(const struct scn *scn, const struct scn_fault *fault, char *message,
                        size_t len)
{
    if (fault->kind != SCN_FAULT_POWER_LOSS || fault->has_at)
        return 0;
    if (fault->during != SCN_DURING_FLASH_WRITE && fault->during != SCN_DURING_FLASH_ERASE)
        return 0;
    return sim_stepped_refused(message, len, scn, fault->line, fault->column,
                               "power_loss: during: %s: a relay can't aim at a flash operation; "
                               "accepted on a bench: a state (downloading, applying, boot, ...), "
                               "any, or at: TIME",
                               scn_during_name((int)fault->during));
}

int rig_site_refuse(const struct scn *scn, char *message, size_t len)
{
    int error = rig_world_refuse(scn, message, len);
    for (uint32_t i = 0; i < scn->faults && !error; i++)
        error = refuse_fault(scn, &scn->fault[i], message, len);
    return error;
}

int rig_site_refuse_bench(const struct rig_bench *bench, const struct sim_world *world,
                          char *message, size_t len)
{
    return rig_world_refuse_built(world, message, len) || rs_places_fit(bench, world, message, len)
               ? -1
               : 0;
}
