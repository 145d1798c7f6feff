/* When all has come that waited at the broker. By times alone; seconds of one clock. */
#ifndef SVC_SETTLE_H
#define SVC_SETTLE_H

#include <stdbool.h>

struct svc_settle {
    double up_at;      /* connected since */
    double heard_at;   /* the last message; up_at: none yet */
    double backlog_at; /* the last that was said before up_at, by its own time; up_at: none yet */
};
/* settle_s: as configured. */
bool svc_has_settled(const struct svc_settle *it, double settle_s, double now);

#endif
