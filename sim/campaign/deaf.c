/*
 * Deaf: the service does not run or has no connection, and then hears in a moment what was said in
 * hours. Until all of it has come, silence says nothing: a tick keeps what came and takes orders,
 * and judges nobody.
 *
 * What is heard then has two times. It arrived now, so that its device is alive now, whenever it
 * spoke: presumed bricks are reckoned from the arrival. When it was said lies between the moment
 * that the service went deaf and now, and is what confirmations, telemetry and resets are reckoned
 * from: taken for now, a confirmation would bring its device hours of resets that came later than
 * 48 h, and hours of telemetry for which no interval was expected; taken for the beginning, it
 * would miss all intervals before. So the message's own `at` decides where it can be true; where
 * the device's clock can't be right, the message was said when it came, and a span has no more
 * messages than intervals (measure.c).
 */
#include "camp.h"

enum { SKEW_S = 60 }; /* of a device's clock, either way */

/* No answer can be heard in time any more, and none will have been late. */
static void pings_forget(struct camp *camp)
{
    for (uint32_t i = 0; i < camp->config->devices; i++) {
        if (!camp->device[i].measured.ping_out)
            continue;
        camp_change_begin(camp, i)->measured.ping_out = 0;
        camp_change_end_measured(camp, i);
    }
}

void camp_deaf(struct camp *camp, int64_t from_us)
{
    if (camp->deaf)
        return;
    camp->deaf = true;
    camp->deaf_from_us = from_us;
    pings_forget(camp);
}

void camp_connected(struct camp *camp, int64_t at_us)
{
    camp->connected_us = at_us;
}

uint64_t camp_backlog(const struct camp *camp)
{
    return camp->backlog;
}

void camp_hears(struct camp *camp)
{
    camp->deaf = false;
}

int64_t camp_heard_until_us(const struct camp *camp)
{
    return camp->deaf ? camp->deaf_from_us : camp->now_us;
}

/* Of the world's clock, which goes more slowly than the campaign's. */
static int64_t real_us(const struct camp *camp, int64_t at_us)
{
    int64_t start_us = camp->config->start_us;
    return start_us + (at_us - start_us) / camp->pace;
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

int64_t camp_said_us(struct camp *camp, uint32_t device, const char *json, uint32_t len,
                     int64_t at_us)
{
    const struct camp_device *it = &camp->device[device];
    int64_t start_us = camp->config->start_us, own_us;
    if (!camp->deaf || !camp_wire_at(&own_us, json, len) ||
        own_us < real_us(camp, camp->deaf_from_us) - SKEW_S * CAMP_SECOND ||
        own_us > real_us(camp, at_us) + SKEW_S * CAMP_SECOND)
        return at_us;
    int64_t said_us = later(start_us + (own_us - start_us) * camp->pace, camp->deaf_from_us);
    camp->backlog += said_us < camp->connected_us;
    /* A device's words keep their order. */
    said_us = later(later(said_us, it->version_us), it->measured.last_us + 1);
    said_us = later(said_us, it->measured.reset_us + 1);
    return said_us < at_us ? said_us : at_us;
}
