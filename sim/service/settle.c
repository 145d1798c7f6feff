/*
 * While the service was deaf (not connected, or not running), messages gathered at the broker. The
 * campaign judges nobody until they have come: or it would take devices for silent whose words wait
 * at its door. They have come when nothing did for QUIET_S. A fleet that talks without a pause is
 * not waited for: without a message that dates itself before the connection for settle_s, TALK_MAX
 * times that is enough. With such messages it is BACKLOG_MAX times, because a device may lie.
 */
#include "settle.h"
#include "sim/desk.h"

static const double QUIET_S = 0.1, TALK_MAX = 10, BACKLOG_MAX = 100;

/* One that is cut without a word is noticed by its keep-alive: two of them and a bit later. */
int64_t svc_heard_until_us(int64_t said_us, int64_t now_us, int64_t pace)
{
    static const int64_t NOTICED_WITHIN_US = SIM_DESK_KEEPALIVE_S * INT64_C(2250000);
    int64_t at_least_us = now_us - NOTICED_WITHIN_US * pace;
    return said_us > at_least_us ? said_us : at_least_us;
}

bool svc_has_settled(const struct svc_settle *it, double settle_s, double now)
{
    double up_s = now - it->up_at;
    bool backlog = it->backlog_at > it->up_at && now - it->backlog_at < settle_s;
    if (up_s < settle_s)
        return false;
    return now - it->heard_at >= QUIET_S || up_s >= settle_s * (backlog ? BACKLOG_MAX : TALK_MAX);
}
