/* Is the machine up to this fleet? Refused before anything is started if not. */
#include "stepped_internal.h"
#include <inttypes.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum {
    FD_OF_DEVICE = 1,     /* its flash file; the rest is its body's */
    FD_THROUGH_PROXY = 5, /* two for each proxied connection, one at the edge */
    FD_RESERVE = 128,     /* libraries, database, listeners, what the caller has open */
    BROKER_RESERVE = 64,  /* of mosquitto's descriptors: listeners, log, the service, observers */
    PROCESS_RESERVE = 16
};
/* The servers' side of a device's connections is 60 KB each. */
static const uint64_t SERVER_BYTES = 120 << 10, RIG_BYTES = 256 << 20;

/* Processes that may still be made: by the limit, which does not bind root, and by the kernel. */
static uint64_t free_processes(void)
{
    struct rlimit limit;
    uint64_t most = UINT64_MAX, pids = 0;
    FILE *in = fopen("/proc/sys/kernel/pid_max", "re");
    if (in && fscanf(in, "%" SCNu64, &pids) == 1)
        most = pids;
    if (in)
        fclose(in);
    if (geteuid() && !getrlimit(RLIMIT_NPROC, &limit) && limit.rlim_cur < most)
        most = limit.rlim_cur;
    return most;
}

static uint64_t free_disk(const char **where)
{
    struct statvfs disk;
    const char *folder = getenv("TMPDIR");
    *where = folder && *folder ? folder : "/tmp";
    if (statvfs(*where, &disk))
        return UINT64_MAX;
    return (uint64_t)disk.f_bavail * disk.f_frsize;
}

struct sum {
    const char *what, *change;
    uint64_t have, reserve, each;
};

static int check(const struct sum *sum, uint32_t devices, char *message, size_t len)
{
    uint64_t room = sum->have > sum->reserve ? sum->have - sum->reserve : 0;
    uint64_t most = room / sum->each;
    if (devices <= most)
        return 0;
    const struct sim_host_limit limit = {sum->what, sum->change, sum->have, most};
    return sim_host_refuse(&limit, message, len, devices);
}

/* Rounded up: the same share of any fleet goes through the proxy. */
static uint64_t descriptors_each(const struct sim_stepped_need *need,
                                 const struct sim_body_kind *kind)
{
    uint64_t proxied = (uint64_t)need->through_proxy * FD_THROUGH_PROXY, devices = need->devices;
    return FD_OF_DEVICE + kind->needs.descriptors +
           (devices ? (proxied + devices - 1) / devices : 0);
}

static uint64_t cores_carry(const struct sim_body_kind *kind)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    return kind->needs.per_core ? (uint64_t)(cores > 0 ? cores : 1) * kind->needs.per_core
                                : UINT64_MAX;
}

/* The store is no limit: who finds no place there downloads a little later. */
int sim_stepped_preflight(const struct sim_stepped_need *need, const struct sim_body_kind *kind,
                          char *message, size_t len)
{
    const char *where;
    uint64_t files = sim_host_files_max(), disk = free_disk(&where),
             memory = sim_host_memory_bytes(), each = kind->needs.memory_bytes;
    char on_disk[128], in_memory[128];
    snprintf(on_disk, sizeof on_disk, "a flash file takes %" PRIu64 " bytes, and free in %.60s are",
             need->flash_bytes, where);
    snprintf(in_memory, sizeof in_memory,
             "%.30s takes %" PRIu64 " MB, and the memory that is free is", kind->what, each >> 20);
    const struct sum sums[] = {
        {"the addresses of 127.2.0.0/16 are", "take a smaller fleet", ST_DEVICES_MAX, 0, 1},
        {"the limit of processes (ulimit -u) is", "raise it", free_processes(), PROCESS_RESERVE,
         kind->needs.processes ? kind->needs.processes : 1},
        {"the limit of open files (ulimit -Hn) is", "raise it", files, FD_RESERVE,
         descriptors_each(need, kind)},
        {"the limit of open files (ulimit -Hn), which is mosquitto's as well, is", "raise it",
         files, BROKER_RESERVE, 1},
        {"the devices that this machine's cores carry at once are", "take more cores",
         cores_carry(kind), 0, 1},
        {in_memory, "free some", memory ? memory : UINT64_MAX, RIG_BYTES, each + SERVER_BYTES},
        {on_disk, "set TMPDIR to a larger disk, or make the flash smaller", disk, 0,
         need->flash_bytes ? need->flash_bytes : 1},
    };
    for (size_t i = 0; i < sizeof sums / sizeof *sums; i++)
        if (check(&sums[i], need->devices, message, len))
            return -1;
    sim_host_files_raise();
    return 0;
}
