/*
 * What carries a body: a gateway, an emulator's process. Where that fails without an error of its
 * own, its device falls silent, and silence for long enough is called a brick. So it is asked for
 * before that, and nothing is said of the device then.
 */
#include "stepped_internal.h"

static const double WATCH_EVERY_S = 1.0;

/* For how long the scenario has left it its way to the broker, of the host's time. */
static int64_t open_ms(const struct st_device *dev)
{
    int64_t us = st_now_us(dev->st) - dev->mqtt_down_until_us;
    return us > 0 ? us / 1000 / dev->st->scn->campaign.time_scale : 0;
}

static void look(struct st_device *dev, bool at_end)
{
    if (dev->power == ST_ON)
        dev->st->kind->watch(dev->body, open_ms(dev), at_end);
}

void st_watch(struct sim_stepped *st)
{
    double now = ev_time();
    if (!st->kind->watch || (now >= st->watched_at && now - st->watched_at < WATCH_EVERY_S))
        return;
    st->watched_at = now;
    for (uint32_t d = 0; d < st->devices; d++)
        look(&st->device[d], false);
}

void st_watch_end(struct st_device *dev)
{
    if (dev->st->kind->watch && !dev->connected)
        look(dev, true);
}
