/* What the report says of this world: what is not as in the field, and what the servers counted. */
#include "loopback_internal.h"
#include <inttypes.h>
#include <stdlib.h>

struct number {
    const char *name;
    uint64_t value;
};

static int add_numbers(struct sim_loopback *lb, const struct sim_store_totals *totals,
                       struct rep_result *result)
{
    uint64_t grown = lb->rss_max > lb->rss_before ? lb->rss_max - lb->rss_before : 0;
    const struct number number[] = {
        {"broker.tls_clients", sim_broker_connected(&lb->servers.broker)},
        {"store.requests", totals->requests},
        {"store.whole", totals->status[200]},
        {"store.ranges", totals->status[206]},
        {"store.image_bytes", totals->file_bytes},
        {"store.clients", totals->addresses},
        {"store.tls13", totals->tls13},
        {"devices.through_proxy", lb->roughs},
        {"connects.made", lb->counts.connects},
        {"connects.failed", lb->counts.refused},
        {"connects.at_once_max", lb->line[SIM_ROUGH_BROKER].held_max},
        {"host.listen_overflows", sim_host_listen_overflows() - lb->overflows_before},
        {"memory.bytes_per_device", lb->devices ? grown / lb->devices : 0},
    };
    int error = 0;
    for (size_t i = 0; i < sizeof number / sizeof *number && !error; i++)
        error = rep_fact_add(result, number[i].name, "%" PRIu64, number[i].value);
    return error;
}

/* What is not as on a device in the field is said: the times that were shortened, and the scale. */
int lb_report(void *ctx, struct rep_result *result)
{
    struct sim_loopback *lb = ctx;
    struct sim_store_totals *totals = calloc(1, sizeof *totals);
    const struct scn_device *times = &lb->scn->device;
    char why[256];
    sim_store_stop(&lb->servers.store); /* its log is complete then */
    int error =
        !totals || sim_store_totals(&lb->servers.store, totals, why, sizeof why) ||
        rep_fact_add(result, "time_scale", "%u", lb->scn->campaign.time_scale) ||
        rep_fact_add(result, "device.fault_free", "%.3f s%s", (double)times->fault_free_us / 1e6,
                     times->fault_free_us < 60000000 ? ", shortened from 60 s" : "") ||
        rep_fact_add(result, "device.mqtt_within", "%.3f s", (double)times->mqtt_within_us / 1e6) ||
        add_numbers(lb, totals, result);
    free(totals);
    return error ? -1 : 0;
}
