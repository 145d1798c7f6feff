/* The service's messages on their way to the broker: as they are, twice, or late. */
#include "loopback_internal.h"
#include <stdlib.h>
#include <string.h>

static int hold_back(struct sim_loopback *lb, const struct camp_out *out, int64_t at_us)
{
    struct lb_late *late = malloc(sizeof *late + out->len);
    if (!late)
        return -1;
    *late = (struct lb_late){.at_us = at_us, .out = *out};
    memcpy(late->payload, out->payload, out->len);
    late->out.payload = late->payload;
    struct lb_late **place = &lb->late;
    while (*place && (*place)->at_us <= at_us)
        place = &(*place)->next;
    late->next = *place;
    *place = late;
    return 0;
}

int lb_post_send(struct sim_loopback *lb, const struct camp_out *out)
{
    int64_t now_us = lb_now_us(lb), delay_us = 0;
    enum scn_how how =
        sim_device_spoil(lb->device[out->device].device, out->payload, out->len, now_us, &delay_us);
    int error = how == SCN_HOW_LATE ? 0 : sim_desk_send(lb->desk, out);
    if (!error && how != SCN_HOW_ANY)
        error = hold_back(lb, out, now_us + delay_us);
    return error;
}

int lb_post_run(struct sim_loopback *lb)
{
    int64_t now_us = lb_now_us(lb);
    while (lb->late && lb->late->at_us <= now_us) {
        struct lb_late *late = lb->late;
        lb->late = late->next;
        int error = sim_desk_send(lb->desk, &late->out);
        sim_device_spoilt(lb->device[late->out.device].device);
        free(late);
        if (error)
            return -1;
    }
    return 0;
}

int64_t lb_post_next(const struct sim_loopback *lb)
{
    return lb->late ? lb->late->at_us : SIM_NEVER;
}

void lb_post_free(struct sim_loopback *lb)
{
    while (lb->late) {
        struct lb_late *next = lb->late->next;
        free(lb->late);
        lb->late = next;
    }
}
