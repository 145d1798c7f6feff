/* The wall's clock, and what the kernel says of this machine. */
#include "sim/host.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

/* ---- The clock ---- */

int64_t sim_host_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void sim_host_clock_set(struct sim_host_clock *clock, int64_t now_us)
{
    *clock = (struct sim_host_clock){.wall_us = sim_host_us(), .world_us = now_us};
}

int64_t sim_host_clock_now(const struct sim_host_clock *clock, uint32_t scale)
{
    return clock->world_us + (sim_host_us() - clock->wall_us) * scale;
}

/* ---- The machine ---- */

uint64_t sim_host_memory_bytes(void)
{
    char line[128];
    uint64_t kib = 0;
    FILE *in = fopen("/proc/meminfo", "re");
    while (in && fgets(line, sizeof line, in))
        if (sscanf(line, "MemAvailable: %" SCNu64, &kib) == 1)
            break;
    if (in)
        fclose(in);
    return kib * 1024;
}

uint64_t sim_host_resident_bytes(void)
{
    unsigned long size, resident = 0;
    FILE *in = fopen("/proc/self/statm", "re");
    if (!in)
        return 0;
    if (fscanf(in, "%lu %lu", &size, &resident) != 2)
        resident = 0;
    fclose(in);
    return (uint64_t)resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* The word under the same heading: /proc/net/netstat is pairs of lines, names and then values. */
uint64_t sim_host_listen_overflows(void)
{
    char names[4096], values[4096];
    uint64_t found = 0;
    FILE *in = fopen("/proc/net/netstat", "re");
    while (in && fgets(names, sizeof names, in) && fgets(values, sizeof values, in)) {
        char *name_at, *value_at;
        char *name = strtok_r(names, " \n", &name_at), *value = strtok_r(values, " \n", &value_at);
        for (; name && value;
             name = strtok_r(NULL, " \n", &name_at), value = strtok_r(NULL, " \n", &value_at))
            if (!strcmp(name, "ListenOverflows"))
                found = strtoull(value, NULL, 10);
    }
    if (in)
        fclose(in);
    return found;
}

uint64_t sim_host_files_max(void)
{
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    return files.rlim_max;
}

void sim_host_files_raise(void)
{
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
}

int sim_host_refuse(const struct sim_host_limit *limit, char *message, size_t len, uint32_t devices)
{
    snprintf(message, len,
             "%u devices are too many for this machine: %s %" PRIu64 ", which carries %" PRIu64
             "; %s, or run at most --devices %" PRIu64,
             devices, limit->what, limit->have, limit->most, limit->change, limit->most);
    return -1;
}
