/* What the report says of this world. */
#include "stepped_internal.h"
#include <inttypes.h>
#include <stdlib.h>

static int say_cuts(const struct sim_stepped *st, struct rep_result *result)
{
    const struct st_counts *counts = &st->counts;
    uint64_t all = counts->kills_at_operation + counts->kills_at_random + counts->kills_at_state +
                   counts->kills_of_its_own + counts->kills_late;
    char forms[REP_TEXT_MAX] = "";
    int len = 0;
    for (int form = SCN_TORN_BEFORE; form < SCN_TORNS; form++)
        if (counts->forms[form] && len < (int)sizeof forms)
            len += snprintf(forms + len, sizeof forms - (size_t)len, "%s%s %" PRIu64,
                            len ? ", " : "", scn_torn_name(form), counts->forms[form]);
    if (st->kind->free)
        return rep_fact_add(result, st->kind->cuts,
                            "%" PRIu64 ": %" PRIu64 " in the state that was asked for, %" PRIu64
                            " when it had just ended, %" PRIu64 " at a random instant, %" PRIu64
                            " by the rig itself (aimed, or not a word was heard)",
                            all, counts->kills_at_state, counts->kills_late,
                            counts->kills_at_random, counts->kills_of_its_own);
    return rep_fact_add(result, st->kind->cuts,
                        "%" PRIu64 ": %" PRIu64 " at a chosen operation, %" PRIu64
                        " at a random instant, %" PRIu64 " as a state ended",
                        all, counts->kills_at_operation, counts->kills_at_random,
                        counts->kills_at_state) ||
           rep_fact_add(result, "torn forms", "%s", *forms ? forms : "none");
}

static int say_servers(struct sim_stepped *st, struct rep_result *result)
{
    struct sim_store_totals *totals = calloc(1, sizeof *totals);
    char why[256];
    sim_store_stop(&st->yard.servers.store); /* its log is complete then */
    int error = !totals || sim_store_totals(&st->yard.servers.store, totals, why, sizeof why) ||
                rep_fact_add(result, "broker", "mosquitto, TLS; %" PRIu64 " clients connected",
                             sim_broker_connected(&st->yard.servers.broker)) ||
                rep_fact_add(result, "store",
                             "nginx, TLS; %" PRIu64 " requests, %" PRIu64 " whole, %" PRIu64
                             " ranges, %" PRIu64 " bytes of images, %" PRIu64 " clients",
                             totals->requests, totals->status[200], totals->status[206],
                             totals->file_bytes, totals->addresses);
    free(totals);
    return error;
}

int st_report(void *ctx, struct rep_result *result)
{
    struct sim_stepped *st = ctx;
    const struct st_counts *counts = &st->counts;
    const struct scn_device *times = &st->scn->device;
    int error =
        rep_fact_add(result, "time_scale", "%u: phases, windows and faults go so much faster",
                     st->scn->campaign.time_scale) ||
        rep_fact_add(result, "device.fault_free", "%.3f s%s", (double)times->fault_free_us / 1e6,
                     times->fault_free_us < 60000000 ? ", shortened from 60 s" : "") ||
        rep_fact_add(result, st->kind->devices, "%u of %s, started %" PRIu64 " times", st->devices,
                     st->kind->what, counts->starts) ||
        say_cuts(st, result) ||
        rep_fact_add(result, "restarts",
                     "%" PRIu64 " after a power cut or an end, %" PRIu64 " reboots by itself",
                     counts->power_ons, counts->reboots) ||
        rep_fact_add(result, "ends by itself", "%" PRIu64, counts->sudden_ends) ||
        (!st->kind->free &&
         rep_fact_add(result, "flash operations", "%" PRIu64 ", each seen before it was done",
                      counts->operations)) ||
        (st->kind->report && st->kind->report(st->kind_ctx, result)) ||
        rep_fact_add(result, "proxied devices", "%u", st->roughs) || say_servers(st, result);
    return error ? -1 : 0;
}
