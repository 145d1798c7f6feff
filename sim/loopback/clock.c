/* The clock of the world, and what the kernel says of this process. */
#include "loopback_internal.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int64_t wall_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t lb_now_us(const struct sim_loopback *lb)
{
    return lb->world_us + (wall_us() - lb->wall_us) * lb->scn->campaign.time_scale;
}

void lb_set_clock(struct sim_loopback *lb, int64_t now_us)
{
    lb->world_us = now_us;
    lb->wall_us = wall_us();
}

int64_t lb_utc_ms(void *ctx)
{
    return lb_now_us(ctx) / 1000;
}

int64_t lb_device_utc_ms(void *ctx)
{
    const struct lb_device *dev = ctx;
    return (lb_now_us(dev->lb) + sim_device_skew_us(dev->device)) / 1000;
}

uint64_t lb_rss_bytes(void)
{
    unsigned long size, resident = 0;
    FILE *in = fopen("/proc/self/statm", "r");
    if (!in)
        return 0;
    if (fscanf(in, "%lu %lu", &size, &resident) != 2)
        resident = 0;
    fclose(in);
    return (uint64_t)resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* The word under the same heading: /proc/net/netstat is pairs of lines, names and then values. */
uint64_t lb_listen_overflows(void)
{
    char names[4096], values[4096];
    uint64_t found = 0;
    FILE *in = fopen("/proc/net/netstat", "r");
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
