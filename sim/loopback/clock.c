/* The clock of the world, and each device's own. */
#include "loopback_internal.h"

int64_t lb_now_us(const struct sim_loopback *lb)
{
    return sim_yard_now_us(&lb->yard);
}

int64_t lb_device_utc_ms(void *ctx)
{
    const struct lb_device *dev = ctx;
    return (lb_now_us(dev->lb) + sim_device_skew_us(dev->device)) / 1000;
}
