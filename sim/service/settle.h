/* From when on nothing was heard, and when all has come that waited at the broker since. By times
 * alone. */
#ifndef SVC_SETTLE_H
#define SVC_SETTLE_H

#include <stdbool.h>
#include <stdint.h>

/* Of a connection whose loss is noticed at now_us; said_us: the last message, 0 none. Campaign
 * time, which goes `pace` times as fast as the wall's. */
int64_t svc_heard_until_us(int64_t said_us, int64_t now_us, int64_t pace);

struct svc_settle {    /* seconds of one clock */
    double up_at;      /* connected since */
    double heard_at;   /* the last message; up_at: none yet */
    double backlog_at; /* the last that was said before up_at, by its own time; up_at: none yet */
};
/* settle_s: as configured. */
bool svc_has_settled(const struct svc_settle *it, double settle_s, double now);

#endif
