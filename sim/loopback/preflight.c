/*
 * Is the machine up to this fleet? Every sum is of what the code really opens, and a fleet that is
 * too large is refused before anything is started.
 */
#include "loopback_internal.h"
#include <inttypes.h>
#include <stdio.h>

enum {
    FD_OF_DEVICE = 1,     /* MQTT; downloads wait for a free one */
    FD_THROUGH_PROXY = 5, /* two for each of MQTT and HTTPS, and one at the edge */
    FD_RESERVE = 96,      /* database, log files, listeners, what the caller has open */
    TRANSFERS_MIN = 64,   /* downloads that have to be possible at once */
    BROKER_RESERVE = 64   /* of mosquitto's descriptors: listeners, log, the service, observers */
};
static const uint64_t DEVICE_BYTES = 160 * 1024, PROCESS_BYTES = 256 << 20;
/* A worker shares images and tables with its parent, and has its own libraries' state and proxies.
 */
static const uint64_t WORKER_BYTES = 24 << 20;
/* mosquitto and nginx hold a TLS connection each as well. */
static const uint64_t SERVER_BYTES = 60 * 1024;

static uint64_t less(uint64_t a, uint64_t b)
{
    return a > b ? a - b : 0;
}

static uint64_t fleet_files(const struct sim_loopback_need *need)
{
    return (uint64_t)need->devices * FD_OF_DEVICE +
           (uint64_t)need->through_proxy * FD_THROUGH_PROXY;
}

static uint64_t spare_files(void)
{
    return FD_RESERVE + TRANSFERS_MIN;
}

/* The most files of devices in one of so many processes: shares are cut between two devices. */
static uint64_t share_max(const struct sim_loopback_need *need, uint64_t processes)
{
    uint64_t all = fleet_files(need);
    if (processes < 2)
        return all;
    return (all + processes - 1) / processes + FD_OF_DEVICE + FD_THROUGH_PROXY;
}

static bool files_fit(const struct sim_loopback_need *need, uint64_t processes)
{
    return share_max(need, processes) + spare_files() <= sim_host_files_max();
}

uint32_t sim_loopback_processes(const struct sim_loopback_need *need)
{
    uint32_t processes = need->processes ? need->processes : 1;
    while (!need->processes && processes < SIM_LOOPBACK_PROCESSES_MAX &&
           !files_fit(need, processes))
        processes++;
    processes = processes < SIM_LOOPBACK_PROCESSES_MAX ? processes : SIM_LOOPBACK_PROCESSES_MAX;
    return processes < need->devices ? processes : need->devices;
}

uint32_t lb_transfers_max(const struct sim_loopback_need *need, uint32_t processes)
{
    uint64_t limit = sim_host_files_max();
    uint64_t left = less(limit, share_max(need, processes) + FD_RESERVE);
    /* What sim/servers lets nginx open. */
    uint64_t store = less(limit / 2, BROKER_RESERVE) / processes;
    left = left < store ? left : store;
    left = left > 0 ? left : 1;
    return left < need->devices ? (uint32_t)left : need->devices;
}

static uint64_t files_of(const struct sim_world *world, uint32_t device)
{
    return FD_OF_DEVICE + (sim_rough_is(world, device) ? FD_THROUGH_PROXY : 0);
}

uint32_t lb_share_from(const struct sim_world *world, uint32_t number, uint32_t workers)
{
    uint32_t devices = world->roster.count, device = 0;
    const struct sim_loopback_need need = {.devices = devices,
                                           .through_proxy = sim_rough_count(world)};
    uint64_t before = 0, wanted = fleet_files(&need) * number / workers;
    if (number == workers)
        return devices;
    while (device < devices && before < wanted)
        before += files_of(world, device++);
    return device;
}

/* The most devices whose files fit, in proportion: the same share of a smaller fleet goes through
 * the proxy. */
static uint64_t most_by_files(const struct sim_loopback_need *need, uint64_t processes)
{
    enum { ONE = FD_OF_DEVICE + FD_THROUGH_PROXY };
    uint64_t each = less(sim_host_files_max(), spare_files() + (processes > 1 ? ONE : 0));
    return less(each * processes, FD_THROUGH_PROXY) * need->devices / fleet_files(need);
}

static int check_files(const struct sim_loopback_need *need, char *message, size_t len)
{
    uint64_t files = sim_host_files_max(), processes = sim_loopback_processes(need);
    uint64_t by_broker = less(files, BROKER_RESERVE);
    struct sim_host_limit small = {
        .what = "the limit of open files (ulimit -Hn) is", .change = "raise it", .have = files};
    bool broker_fits = need->broker_given || need->devices <= by_broker;
    small.most = files_fit(need, processes) ? need->devices : most_by_files(need, processes);
    if (!broker_fits && by_broker < small.most) {
        small.what = "the limit of open files (ulimit -Hn), which is mosquitto's as well, is";
        small.most = by_broker;
    }
    if (small.most == need->devices)
        return 0;
    if (need->processes)
        small.change = "raise it, or leave --jobs out";
    return sim_host_refuse(&small, message, len, need->devices);
}

int sim_loopback_preflight(const struct sim_loopback_need *need, char *message, size_t len)
{
    uint64_t memory = sim_host_memory_bytes(), one = DEVICE_BYTES + SERVER_BYTES;
    uint64_t processes = sim_loopback_processes(need);
    uint64_t fixed = PROCESS_BYTES + (processes > 1 ? processes * WORKER_BYTES : 0);
    if (check_files(need, message, len))
        return -1;
    if (memory && memory < fixed + need->devices * one) {
        const struct sim_host_limit small = {"the memory that is free, in bytes, is", "free some",
                                             memory, less(memory, fixed) / one};
        return sim_host_refuse(&small, message, len, need->devices);
    }
    sim_host_files_raise();
    return 0;
}

/* A bad certificate is met by who connects, and after a loss that is a second or two later. */
int lb_faults_make_sense(const struct scn *scn, char *message, size_t len)
{
    const int64_t least_us = 2000000;
    int64_t scale = scn->campaign.time_scale;
    for (uint32_t f = 0; f < scn->faults; f++) {
        const struct scn_fault *fault = &scn->fault[f];
        if (fault->kind != SCN_FAULT_BAD_CERTIFICATE || fault->server != SCN_SERVER_BROKER ||
            fault->for_us >= least_us * scale)
            continue;
        snprintf(message, len,
                 "%s:%d:%d: faults.%u.for: at campaign.time_scale %u this lasts %" PRId64
                 " ms of real time, and a device connects again after one to two seconds; "
                 "accepted: %" PRId64 "s or more, or a smaller time_scale",
                 scn->path, fault->line, fault->column, f, scn->campaign.time_scale,
                 fault->for_us / scale / 1000, least_us * scale / 1000000);
        return -1;
    }
    return 0;
}

/* The agent counts its own times in milliseconds of the world's clock, in 32 bits. One that does
 * not fit would be shortened in silence. */
int lb_times_fit(const struct scn *scn, char *message, size_t len)
{
    const struct {
        const char *name;
        int64_t us;
    } row[] = {{"mqtt_within", scn->device.mqtt_within_us},
               {"fault_free", scn->device.fault_free_us},
               {"retry_first", scn->device.retry_first_us}};
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        int64_t most = (int64_t)UINT32_MAX * 1000 / row[i].us;
        if (scn->campaign.time_scale <= most)
            continue;
        snprintf(message, len,
                 "campaign.time_scale %u is too much for device.%s of %" PRId64
                 " s; accepted with that: at most %" PRId64,
                 scn->campaign.time_scale, row[i].name, row[i].us / 1000000, most);
        return -1;
    }
    return 0;
}

static bool needs_telemetry(const struct scn_phase *phase)
{
    for (uint32_t g = 0; g < phase->gates; g++) {
        enum scn_metric metric = phase->gate[g].metric;
        if (metric == SCN_METRIC_TELEMETRY_GAP || metric == SCN_METRIC_MEMORY ||
            metric == SCN_METRIC_CPU)
            return true;
    }
    return false;
}

/* Holds go with the scale, telemetry does not: a gate that waits for it would have no data, and no
 * data never passes. */
int lb_gates_have_data(const struct scn *scn, char *message, size_t len)
{
    enum { INTERVALS = 3 };
    int64_t every_us = 0, scale = scn->campaign.time_scale;
    for (uint32_t g = 0; g < scn->groups; g++)
        if (scn->group[g].telemetry_every_us > every_us)
            every_us = scn->group[g].telemetry_every_us;
    for (uint32_t p = 0; p < scn->campaign.phases && scale > 1; p++) {
        const struct scn_phase *phase = &scn->campaign.phase[p];
        if (!needs_telemetry(phase) || phase->hold_us / scale >= INTERVALS * every_us)
            continue;
        snprintf(message, len,
                 "phase %s: its hold lasts %" PRId64 " ms at campaign.time_scale %" PRId64
                 ", and a gate of it waits for telemetry that comes every %" PRId64
                 " ms; accepted: a time_scale of at most %" PRId64 ", or a shorter telemetry_every",
                 phase->name, phase->hold_us / scale / 1000, scale, every_us / 1000,
                 phase->hold_us / (INTERVALS * every_us));
        return -1;
    }
    return 0;
}
