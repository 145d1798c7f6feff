/* The clock of the world, and who is due when. */
#include "process_internal.h"

int64_t pw_now_us(const struct sim_processes *pw)
{
    return sim_host_clock_now(&pw->clock, pw->scn->campaign.time_scale);
}

int64_t pw_utc_ms(void *ctx)
{
    return pw_now_us(ctx) / 1000;
}

int64_t pw_own_us(const struct sim_processes *pw, int64_t us)
{
    return us * pw->scn->campaign.time_scale;
}

void pw_after(struct pw_device *dev, enum pw_timer timer, int64_t at_us)
{
    sim_queue_set(&dev->pw->due, dev->number * PW_TIMERS + timer, at_us);
}
