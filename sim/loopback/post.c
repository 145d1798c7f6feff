/* The service's messages on their way to the broker: as they are, twice, or late. */
#include "loopback_internal.h"
#include <stdlib.h>
#include <string.h>

static struct lb_late *copy_of(const struct camp_out *out, int64_t at_us)
{
    struct lb_late *late = malloc(sizeof *late + out->len);
    if (!late)
        return NULL;
    *late = (struct lb_late){.at_us = at_us, .out = *out};
    memcpy(late->payload, out->payload, out->len);
    late->out.payload = late->payload;
    return late;
}

/* Behind those of the same time. */
static int hold_back(struct lb_late **list, const struct camp_out *out, int64_t at_us)
{
    struct lb_late *late = copy_of(out, at_us);
    if (!late)
        return -1;
    while (*list && (*list)->at_us <= at_us)
        list = &(*list)->next;
    late->next = *list;
    *list = late;
    return 0;
}

static int send_as(struct sim_loopback *lb, const struct camp_out *out, enum scn_how how,
                   int64_t delay_us)
{
    int error = how == SCN_HOW_LATE ? 0 : sim_desk_send(lb->yard.desk, out);
    if (!error && how != SCN_HOW_ANY)
        error = hold_back(&lb->late, out, lb_now_us(lb) + delay_us);
    return error;
}

/* Its faults live with the device: a worker knows. One after the other, so none overtakes another.
 */
static int ask(struct sim_loopback *lb, const struct camp_out *out)
{
    if (hold_back(&lb->asked, out, 0))
        return -1;
    lb_spread_letter(lb, out);
    return 0;
}

int lb_post_send(struct sim_loopback *lb, const struct camp_out *out)
{
    int64_t delay_us = 0;
    if (lb->spread)
        return lb_spread_may_spoil(lb, out) ? ask(lb, out) : send_as(lb, out, SCN_HOW_ANY, 0);
    enum scn_how how = sim_device_spoil(lb->device[out->device].device, out->payload, out->len,
                                        lb_now_us(lb), &delay_us);
    return send_as(lb, out, how, delay_us);
}

int lb_post_answered(struct sim_loopback *lb, uint32_t device, enum scn_how how, int64_t delay_us)
{
    struct lb_late **at = &lb->asked;
    while (*at && (*at)->out.device != device)
        at = &(*at)->next;
    struct lb_late *asked = *at;
    if (!asked)
        return 1;
    *at = asked->next;
    int error = send_as(lb, &asked->out, how, delay_us);
    free(asked);
    return error;
}

int lb_post_run(struct sim_loopback *lb)
{
    int64_t now_us = lb_now_us(lb);
    while (lb->late && lb->late->at_us <= now_us) {
        struct lb_late *late = lb->late;
        lb->late = late->next;
        int error = sim_desk_send(lb->yard.desk, &late->out);
        if (lb->spread)
            lb_spread_spoilt(lb, late->out.device);
        else
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

static void free_all(struct lb_late **list)
{
    while (*list) {
        struct lb_late *next = (*list)->next;
        free(*list);
        *list = next;
    }
}

void lb_post_free(struct sim_loopback *lb)
{
    free_all(&lb->late);
    free_all(&lb->asked);
}
