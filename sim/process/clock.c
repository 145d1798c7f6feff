/* The clock of the world, and who is due when. */
#include "process_internal.h"
#include <time.h>

static int64_t wall_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t pw_now_us(const struct sim_processes *pw)
{
    return pw->world_us + (wall_us() - pw->wall_us) * pw->scn->campaign.time_scale;
}

int64_t pw_utc_ms(void *ctx)
{
    return pw_now_us(ctx) / 1000;
}

void pw_set_clock(struct sim_processes *pw, int64_t now_us)
{
    pw->world_us = now_us;
    pw->wall_us = wall_us();
}

int64_t pw_own_us(const struct sim_processes *pw, int64_t us)
{
    return us * pw->scn->campaign.time_scale;
}

void pw_after(struct pw_device *dev, enum pw_timer timer, int64_t at_us)
{
    sim_queue_set(&dev->pw->due, dev->number * PW_TIMERS + timer, at_us);
}
