/*
 * Is the machine up to this fleet? Every sum is of what the code really opens, and a fleet that is
 * too large is refused before anything is started.
 */
#include "loopback_internal.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

enum {
    FD_OF_DEVICE = 2,     /* MQTT, HTTPS */
    FD_THROUGH_PROXY = 5, /* two for each of these, and one at the edge */
    FD_RESERVE = 96,      /* libraries, database, log files, listeners, what the caller has open */
    BROKER_RESERVE = 64   /* of mosquitto's descriptors: listeners, log, the service, observers */
};
static const uint64_t DEVICE_BYTES = 160 * 1024, PROCESS_BYTES = 256 << 20;
/* mosquitto and nginx hold a TLS connection each as well. */
static const uint64_t SERVER_BYTES = 60 * 1024;

static uint64_t available_bytes(void)
{
    char line[128];
    uint64_t kib = 0;
    FILE *in = fopen("/proc/meminfo", "r");
    while (in && fgets(line, sizeof line, in))
        if (sscanf(line, "MemAvailable: %" SCNu64, &kib) == 1)
            break;
    if (in)
        fclose(in);
    return kib * 1024;
}

static int refuse(char *message, size_t len, uint32_t devices, uint64_t most, const char *why,
                  uint64_t have, const char *change)
{
    snprintf(message, len,
             "%u devices are too many for this machine: %s is %" PRIu64 ", which carries %" PRIu64
             "; %s, or run at most --devices %" PRIu64,
             devices, why, have, most, change, most);
    return -1;
}

static uint64_t less(uint64_t a, uint64_t b)
{
    return a > b ? a - b : 0;
}

int sim_loopback_preflight(const struct sim_loopback_need *need, char *message, size_t len)
{
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    uint64_t limit = files.rlim_max, wants = FD_RESERVE;
    wants += (uint64_t)need->devices * FD_OF_DEVICE;
    wants += (uint64_t)need->through_proxy * FD_THROUGH_PROXY;
    /* In proportion: the same share of a smaller fleet goes through the proxy. */
    uint64_t each = need->devices ? (wants - FD_RESERVE) / need->devices + 1 : 1;
    if (wants > limit)
        return refuse(message, len, need->devices, less(limit, FD_RESERVE) / each,
                      "the limit of open files (ulimit -Hn)", limit, "raise it");
    if ((uint64_t)need->devices + BROKER_RESERVE > limit / 2)
        return refuse(message, len, need->devices, less(limit / 2, BROKER_RESERVE),
                      "the limit of open files (ulimit -Hn), of which the artifact store may use "
                      "half,",
                      limit, "raise it");
    uint64_t memory = available_bytes(), one = DEVICE_BYTES + SERVER_BYTES;
    if (memory && memory < PROCESS_BYTES + need->devices * one)
        return refuse(message, len, need->devices, less(memory, PROCESS_BYTES) / one,
                      "the memory that is free, in bytes,", memory, "free some");
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    return 0;
}
