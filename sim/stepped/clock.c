/* The clock of the world, and who is due when. */
#include "stepped_internal.h"

int64_t st_now_us(const struct sim_stepped *st)
{
    return sim_yard_now_us(&st->yard);
}

int64_t st_own_us(const struct sim_stepped *st, int64_t us)
{
    return us * st->scn->campaign.time_scale;
}

void st_after(struct st_device *dev, enum st_timer timer, int64_t at_us)
{
    sim_queue_set(&dev->st->due, dev->number * ST_TIMERS + timer, at_us);
}
