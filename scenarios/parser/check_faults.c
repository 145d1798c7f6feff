/* Whom the faults hit. */
#include "check.h"
#include "share.h"

static bool takes_devices(const struct scn_fault *fault)
{
    return fault->kind != SCN_FAULT_BROKER_DOWN && fault->kind != SCN_FAULT_CDN_DOWN &&
           fault->kind != SCN_FAULT_SERVICE_RESTART;
}

int scn_check_faults(struct scn_reader *r)
{
    for (uint32_t i = 0; i < r->scn->faults; i++) {
        const struct scn_fault *fault = &r->scn->fault[i];
        if (!takes_devices(fault))
            continue;
        int error = scn_check_where(r, scn_spot("faults.%u.where", i), &fault->where, true);
        if (error)
            return error;
        uint32_t matching = scn_match_count(r->scn, &fault->where, true);
        if (!scn_ratio_round(fault->devices, matching))
            scn_warn_at(r, scn_spot("faults.%u.devices", i),
                        "this share is no device of the %u that match; accepted: a larger share",
                        matching);
    }
    return SCN_OK;
}
