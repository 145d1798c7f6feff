/* What the report says of this world: what is not as in the field, and what the servers counted. */
#include "loopback_internal.h"
#include <inttypes.h>
#include <stdlib.h>

struct number {
    const char *name;
    uint64_t value;
    bool unknown; /* it was counted by a server that is not ours */
};

static int add_numbers(struct sim_loopback *lb, const struct sim_store_totals *totals,
                       struct rep_result *result)
{
    const struct lb_counts *counts = &lb->counts;
    uint64_t at_once = lb->line[SIM_ROUGH_BROKER].held_max + counts->held_max;
    bool broker = sim_yard_is_given(&lb->yard, SIM_GIVEN_BROKER),
         store = sim_yard_is_given(&lb->yard, SIM_GIVEN_STORE);
    const struct number number[] = {
        {"broker.tls_clients", broker ? 0 : sim_broker_connected(&lb->yard.servers.broker), broker},
        {"store.requests", totals->requests, store},
        {"store.whole", totals->status[200], store},
        {"store.ranges", totals->status[206], store},
        {"store.image_bytes", totals->file_bytes, store},
        {"store.clients", totals->addresses, store},
        {"store.tls13", totals->tls13, store},
        {"devices.through_proxy", lb->roughs, false},
        {"connects.made", counts->connects, false},
        {"connects.failed", counts->refused, false},
        {"connects.at_once_max", at_once, false},
        {"host.listen_overflows", sim_host_listen_overflows() - lb->overflows_before, false},
        {"memory.bytes_per_device", lb->devices ? counts->rss_grown / lb->devices : 0, false},
        {"memory.all_processes", counts->rss_max, false},
    };
    int error = 0;
    for (size_t i = 0; i < sizeof number / sizeof *number && !error; i++)
        if (!number[i].unknown)
            error = rep_fact_add(result, number[i].name, "%" PRIu64, number[i].value);
    return error;
}

/* Without the servers'. */
static int add_processes(const struct sim_loopback *lb, struct rep_result *result)
{
    if (!lb->spread)
        return rep_fact_add(result, "processes", "1");
    if (result->memory_peak_bytes < lb->counts.rss_max)
        result->memory_peak_bytes = lb->counts.rss_max;
    return rep_fact_add(result, "processes", "%u: the service's, and %u that carry the devices",
                        1 + lb->workers, lb->workers);
}

/* Whose servers these were. */
static int add_given(const struct sim_loopback *lb, struct rep_result *result)
{
    static const char *const name[SIM_GIVEN_KINDS] = {"broker.given", "store.given"};
    int error = 0;
    for (int kind = 0; kind < SIM_GIVEN_KINDS && !error; kind++)
        if (sim_yard_is_given(&lb->yard, (enum sim_given_kind)kind))
            error = rep_fact_add(result, name[kind], "%s", lb->yard.given->server[kind].url);
    return error;
}

/* nginx's log, when it is ours. */
static int count(struct sim_loopback *lb, struct sim_store_totals *out)
{
    char why[256];
    if (sim_yard_is_given(&lb->yard, SIM_GIVEN_STORE))
        return 0;
    sim_store_stop(&lb->yard.servers.store); /* its log is complete then */
    return sim_store_totals(&lb->yard.servers.store, out, why, sizeof why);
}

/* What is not as on a device in the field is said: the times that were shortened, and the scale. */
int lb_report(void *ctx, struct rep_result *result)
{
    struct sim_loopback *lb = ctx;
    struct sim_store_totals *totals = calloc(1, sizeof *totals);
    const struct scn_device *times = &lb->scn->device;
    int error =
        !totals || count(lb, totals) || add_given(lb, result) ||
        rep_fact_add(result, "time_scale", "%u", lb->scn->campaign.time_scale) ||
        rep_fact_add(result, "device.fault_free", "%.3f s%s", (double)times->fault_free_us / 1e6,
                     times->fault_free_us < 60000000 ? ", shortened from 60 s" : "") ||
        rep_fact_add(result, "device.mqtt_within", "%.3f s", (double)times->mqtt_within_us / 1e6) ||
        add_processes(lb, result) || add_numbers(lb, totals, result);
    free(totals);
    return error ? -1 : 0;
}
