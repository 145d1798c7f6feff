/*
 * What the scenario does to the campaign service, by the clock: it is killed and opened again
 * (faults), and the operator gives orders. One list in the order of the times; equal times keep
 * restarts before orders, so that an order is never lost with the service that it was given to.
 * And how long a run may take at all.
 */
#include "fleet_internal.h"
#include <stdlib.h>

static const int64_t DAY_US = 86400000000;
/* The longest run that is still believed to end lies between these, whatever the plan. */
enum { WINDOWS_DAYS = 14, DAYS_LEAST = 400, DAYS_MOST = 36500 };

static int by_time(const void *a, const void *b)
{
    const struct sim_service_event *x = a, *y = b;
    if (x->at_us != y->at_us)
        return x->at_us < y->at_us ? -1 : 1;
    if (x->is_order != y->is_order)
        return x->is_order - y->is_order;
    return x->number < y->number ? -1 : x->number > y->number;
}

int sim_schedule_build(struct sim_fleet *fleet)
{
    const struct scn *scn = fleet->scn;
    fleet->service_event = calloc(SCN_FAULTS_MAX + SCN_ORDERS_MAX, sizeof *fleet->service_event);
    if (!fleet->service_event)
        return -1;
    for (uint32_t f = 0; f < scn->faults; f++)
        if (scn->fault[f].kind == SCN_FAULT_SERVICE_RESTART ||
            scn->fault[f].kind == SCN_FAULT_BROKER_RESTART)
            fleet->service_event[fleet->service_events++] =
                (struct sim_service_event){scn->start_us + scn->fault[f].at_us, false, f};
    for (uint32_t i = 0; i < scn->campaign.orders; i++)
        fleet->service_event[fleet->service_events++] =
            (struct sim_service_event){scn->start_us + scn->campaign.order[i].at_us, true, i};
    qsort(fleet->service_event, fleet->service_events, sizeof *fleet->service_event, by_time);
    return 0;
}

int64_t sim_schedule_next(const struct sim_fleet *fleet)
{
    if (fleet->service_event_next == fleet->service_events)
        return SIM_NEVER;
    return fleet->service_event[fleet->service_event_next].at_us;
}

const struct sim_service_event *sim_schedule_take(struct sim_fleet *fleet)
{
    if (sim_schedule_next(fleet) > fleet->now_us)
        return NULL;
    return &fleet->service_event[fleet->service_event_next++];
}

bool sim_schedule_restarted(const struct sim_fleet *fleet, uint32_t fault)
{
    for (uint32_t i = 0; i < fleet->service_event_next; i++)
        if (!fleet->service_event[i].is_order && fleet->service_event[i].number == fault)
            return true;
    return false;
}

bool sim_schedule_orders_ahead(const struct sim_fleet *fleet)
{
    for (uint32_t i = fleet->service_event_next; i < fleet->service_events; i++)
        if (fleet->service_event[i].is_order)
            return true;
    return false;
}

/* Rounded up, and one more for what is left of the day it begins in. */
static int64_t days(int64_t us)
{
    return us / DAY_US + 2;
}

/* A rate may count only in the open hours of a weekly window: 7 days for each of its hours. */
static int64_t rate_days(const struct sim_fleet *fleet, const struct scn_phase *phase)
{
    return phase->rate_per_hour ? (int64_t)(fleet->devices / phase->rate_per_hour + 1) * 7 : 0;
}

/* In each phase the last device may wait for two weekly windows, then be silent, then the hold
 * begins, then its gates may wait for data; the operator's last order may come before all that. */
int64_t sim_schedule_days_max(const struct sim_fleet *fleet)
{
    const struct scn_campaign *plan = &fleet->scn->campaign;
    int64_t sum = days(plan->observe_us) + days(plan->silent_after_us);
    for (uint32_t p = 0; p < plan->phases; p++)
        sum += days(plan->phase[p].hold_us) + 2 * days(plan->silent_after_us) +
               rate_days(fleet, &plan->phase[p]) + WINDOWS_DAYS;
    if (plan->orders)
        sum += days(plan->order[plan->orders - 1].at_us);
    if (sum < DAYS_LEAST)
        return DAYS_LEAST;
    return sum < DAYS_MOST ? sum : DAYS_MOST;
}
