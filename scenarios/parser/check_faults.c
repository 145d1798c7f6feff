/* Whom the faults hit. */
#include "check.h"
#include "share.h"

static bool takes_devices(const struct scn_fault *fault)
{
    return fault->kind != SCN_FAULT_BROKER_DOWN && fault->kind != SCN_FAULT_CDN_DOWN &&
           fault->kind != SCN_FAULT_SERVICE_RESTART && fault->kind != SCN_FAULT_BROKER_RESTART;
}

/* The journal may take the whole data partition: then there are no data to damage. */
static int check_region(struct scn_reader *r, uint32_t i)
{
    const struct scn_fault *fault = &r->scn->fault[i];
    const struct scn_flash *flash = &r->scn->flash;
    if (fault->kind != SCN_FAULT_FLASH_DAMAGE || fault->region != SCN_REGION_DATA ||
        flash->data_bytes > flash->journal_bytes)
        return SCN_OK;
    return scn_fail_at(r, scn_spot("faults.%u.region", i),
                       "the journal takes the whole data partition; accepted: another region, or "
                       "flash.data above %u bytes",
                       flash->journal_bytes);
}

int scn_check_faults(struct scn_reader *r)
{
    for (uint32_t i = 0; i < r->scn->faults; i++) {
        const struct scn_fault *fault = &r->scn->fault[i];
        int error = check_region(r, i);
        if (error)
            return error;
        if (!takes_devices(fault))
            continue;
        error = scn_check_where(r, scn_spot("faults.%u.where", i), &fault->where, true);
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
