/* Faults at work on a body: as sim/device/faultwork.c has them on an emulated device. */
#include "stepped_internal.h"
#include <string.h>

static const int64_t AGAIN_US = 60000000, JITTER_US = 1000000, SOON_US = 5000000;

/* A power loss with a time of its own strikes up to a second of the device's time after it, drawn,
 * so that the instant falls anywhere in what the device is doing. */
static int64_t strikes_at(const struct st_device *dev, const struct sim_fault *fault)
{
    if (fault->kind != SCN_FAULT_POWER_LOSS)
        return fault->at_us;
    return fault->at_us + st_own_us(dev->st, fault->draw[0] % (uint32_t)JITTER_US);
}

void st_arm(struct st_device *dev)
{
    const struct sim_fault *fault = sim_fault_next_timed(&dev->faults);
    bool never = !fault || !dev->st->started || dev->st->ended || dev->power == ST_DEAD;
    st_after(dev, ST_TIMER_FAULT, never ? SIM_NEVER : strikes_at(dev, fault));
}

void st_fired(struct st_device *dev, struct sim_fault *fault)
{
    st_note(dev, "fault %u (%s) took effect", fault->fault + 1,
            scn_fault_kind_name((int)fault->kind));
    bool has_at = dev->st->scn->fault[fault->fault].has_at;
    int64_t now_us = st_now_us(dev->st);
    if (has_at)
        fault->at_us = now_us;
    sim_fault_fired(&dev->faults, fault);
    if (has_at)
        fault->at_us = now_us + fault->for_us + AGAIN_US;
    st_arm(dev);
}

void st_preempt(struct st_device *dev)
{
    dev->moment = NULL;
    st_after(dev, ST_TIMER_MOMENT, SIM_NEVER);
    for (uint32_t i = 0; i < dev->faults.count; i++) {
        struct sim_fault *fault = &dev->faults.fault[i];
        bool under_way = false;
        for (uint32_t k = 0; k < dev->outages; k++)
            under_way |= dev->outage[k] == fault;
        if (!fault->armed || under_way || dev->doom == fault || dev->cutting == fault)
            continue;
        sim_fault_disarm(fault);
        fault->at_us = SIM_NEVER;
    }
    st_arm(dev);
}

/* ---- The network ---- */

static uint32_t what_of(enum scn_fault_kind kind)
{
    return kind == SCN_FAULT_BROKER_DOWN ? SIM_OUT_MQTT
           : kind == SCN_FAULT_CDN_DOWN  ? SIM_OUT_HTTP
                                         : SIM_OUT_LINK;
}

static void drop_link(struct st_device *dev, struct sim_fault *fault)
{
    uint32_t what = what_of(fault->kind);
    int64_t until_us = st_now_us(dev->st) + fault->for_us;
    for (uint32_t i = 0; i < dev->outages; i++)
        if (dev->outage[i] == fault)
            return;
    /* Too many at once: this one does not come, and its time must not stay in the past. */
    if (dev->outages == ST_OUTAGES_MAX ||
        sim_rough_begin(dev->st->rough, dev->number, what, until_us, fault)) {
        sim_fault_disarm(fault);
        fault->at_us = SIM_NEVER;
        st_arm(dev);
        return;
    }
    dev->outage[dev->outages++] = fault;
    sim_fault_arm(fault);
    fault->at_us = SIM_NEVER; /* it has struck; whether that had an effect, the proxy will tell */
    if ((what & SIM_OUT_MQTT) && until_us > dev->mqtt_down_until_us)
        dev->mqtt_down_until_us = until_us;
    st_note(dev, "%s", scn_fault_kind_name((int)fault->kind));
    st_arm(dev);
}

static void cut_off(void *ctx, uint32_t device, const struct sim_fault *which)
{
    struct sim_stepped *st = ctx;
    struct st_device *dev = &st->device[device];
    struct sim_fault *fault = sim_fault_take(dev->outage, &dev->outages, which);
    if (fault)
        st_fired(dev, fault);
}

static void spared(void *ctx, uint32_t device, const struct sim_fault *which)
{
    struct sim_stepped *st = ctx;
    struct st_device *dev = &st->device[device];
    struct sim_fault *fault = sim_fault_take(dev->outage, &dev->outages, which);
    if (fault)
        sim_fault_disarm(fault);
}

static void spoiled(void *ctx, uint32_t device, uint32_t at)
{
    (void)at;
    struct sim_stepped *st = ctx;
    struct st_device *dev = &st->device[device];
    struct sim_fault *fault = sim_fault_http(&dev->faults);
    if (fault)
        st_fired(dev, fault);
    st_plan_network(dev);
}

void st_plan_network(struct st_device *dev)
{
    sim_rough_spoil(dev->st->rough, dev->number,
                    dev->st->started ? sim_fault_http(&dev->faults) : NULL);
}

/* A network drop that waits for a download: after a drawn byte of the first half of the image, the
 * TLS handshake included, so that any whole download gets there. */
static void plan(void *ctx, uint32_t device, struct sim_proxy_plan *out)
{
    struct sim_stepped *st = ctx;
    struct st_device *dev = &st->device[device];
    const struct sim_fault *fault = st->started ? sim_fault_transfer(&dev->faults) : NULL;
    uint32_t half = st->yard.world->artifact[st->yard.world->candidate].len / 2;
    if (!fault)
        return;
    out->ending = SIM_PROXY_END_RESET;
    out->limit_side = SIM_PROXY_DOWN;
    out->limit_bytes = 4096 + fault->draw[0] % (half ? half : 1);
    out->mark = 1;
}

static void dropped(void *ctx, uint32_t device, uint32_t mark)
{
    struct sim_stepped *st = ctx;
    struct st_device *dev = &st->device[device];
    struct sim_fault *fault = sim_fault_transfer(&dev->faults);
    (void)mark;
    if (!fault)
        return;
    int64_t until_us = st_now_us(st) + fault->for_us;
    st_fired(dev, fault); /* the transfer was seen to break off */
    if (until_us > dev->mqtt_down_until_us)
        dev->mqtt_down_until_us = until_us;
    sim_rough_begin(st->rough, device, SIM_OUT_LINK, until_us, NULL);
}

int st_rough_open(struct sim_stepped *st, char *message, size_t len)
{
    const struct sim_rough_config config = {.loop = st->yard.loop,
                                            .servers = &st->yard.servers,
                                            .world = st->yard.world,
                                            .address_base = ST_ADDRESS_BASE,
                                            .ctx = st,
                                            .spoiled = spoiled,
                                            .cut_off = cut_off,
                                            .spared = spared,
                                            .plan = plan,
                                            .dropped = dropped};
    return sim_rough_open(&st->rough, &config, message, len);
}

/* ---- Moments ---- */

static void strike(struct st_device *dev, struct sim_fault *fault)
{
    if (fault->kind == SCN_FAULT_NETWORK_DROP && fault->at_us == SIM_NEVER) {
        /* Armed by a state that was entered just now: within seconds, or as the state ends. */
        fault->at_us = st_now_us(dev->st) + st_own_us(dev->st, fault->draw[0] % SOON_US);
        st_arm(dev);
        return;
    }
    if (fault->kind != SCN_FAULT_POWER_LOSS) {
        drop_link(dev, fault);
    } else if (dev->power == ST_ON) {
        st_cut(dev, fault, NULL);
    } else {
        fault->at_us = st_now_us(dev->st) + AGAIN_US; /* nothing to take away yet */
        st_arm(dev);
    }
}

void st_strike_due(struct st_device *dev)
{
    struct sim_fault *fault = sim_fault_next_timed(&dev->faults);
    st_after(dev, ST_TIMER_FAULT, SIM_NEVER);
    if (fault && strikes_at(dev, fault) <= st_now_us(dev->st))
        strike(dev, fault);
    else
        st_arm(dev);
}

static bool is_quiet(const struct st_device *dev)
{
    return !dev->st->started || dev->st->ended || dev->power != ST_ON || dev->doom || dev->cutting;
}

void st_enter(struct st_device *dev, enum scn_during state)
{
    struct sim_fault *fault;
    while (!is_quiet(dev) && (fault = sim_fault_enter(&dev->faults, state)))
        strike(dev, fault);
    if (dev->st->kind->free && !is_quiet(dev))
        st_free_enter(dev, state);
}

void st_leave(struct st_device *dev, enum scn_during state)
{
    if (is_quiet(dev))
        return;
    if (dev->st->kind->free)
        st_free_leave(dev, state);
    else
        dev->doom = sim_fault_leave(&dev->faults, state);
    for (uint32_t i = 0; i < dev->faults.count && !dev->doom; i++) {
        struct sim_fault *fault = &dev->faults.fault[i];
        if (fault->kind == SCN_FAULT_NETWORK_DROP && fault->armed && fault->during == state)
            drop_link(dev, fault);
    }
}
