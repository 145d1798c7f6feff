/* What spoils a link for a while, in the modelled network: slowness, bad certificates, holes. */
#include "device_internal.h"
#include "sim/queue.h"

static const int64_t SECOND_US = 1000000;

static const struct scn_fault *from(const struct sim_device *dev, const struct sim_fault *fault)
{
    return &dev->world->scn->fault[fault->fault];
}

/* Its end is the next thing that happens to it; its effect, if any comes before, is told apart. */
static void begin(struct sim_device *dev, struct sim_fault *fault)
{
    bool to_the_end = fault->for_us == SIM_NEVER;
    fault->until_us = to_the_end ? SIM_NEVER : dev->now_us + fault->for_us;
    fault->at_us = fault->until_us;
    sim_fault_arm(fault);
    dev_arm_timer(dev);
}

/* What had no effect in its time did not come so far. */
void dev_trouble_ends(struct sim_device *dev, struct sim_fault *fault)
{
    sim_fault_disarm(fault);
    fault->until_us = 0;
    fault->at_us = SIM_NEVER;
    dev_arm_timer(dev);
}

/* ---- Slow links ---- */

void dev_begin_slow(struct sim_device *dev, struct sim_fault *fault)
{
    dev_log(dev, SIM_EV_FAULT_ARMED, fault->fault, fault->kind, "slow link");
    if (dev->wire) {
        int64_t until = fault->for_us == SIM_NEVER ? SIM_NEVER : dev->now_us + fault->for_us;
        dev_wire_outage(dev, SIM_OUT_LINK, until, fault);
        return;
    }
    begin(dev, fault);
    if (fault->until_us > dev->slow_until_us)
        dev->slow_until_us = fault->until_us;
}

static bool slows(const struct sim_device *dev, const struct sim_fault *fault)
{
    return fault->kind == SCN_FAULT_SLOW_LINK && fault->until_us > dev->now_us;
}

static void slowed(struct sim_device *dev, struct sim_fault *fault)
{
    if (fault->left > 0)
        dev_fired(dev, fault);
}

static int64_t bandwidth_us(const struct scn_fault *how, uint32_t bytes)
{
    return how->bandwidth_bytes_s ? (int64_t)bytes * SECOND_US / how->bandwidth_bytes_s : 0;
}

int64_t dev_slow_us(struct sim_device *dev, uint32_t bytes, bool passes)
{
    int64_t us = 0;
    if (dev->slow_until_us <= dev->now_us)
        return 0;
    for (uint32_t i = 0; i < dev->faults.count; i++) {
        struct sim_fault *fault = &dev->faults.fault[i];
        if (!slows(dev, fault))
            continue;
        const struct scn_fault *how = from(dev, fault);
        us += how->latency_us + sim_rng_below(&dev->link_rng, (uint32_t)how->jitter_us + 1);
        us += bandwidth_us(how, bytes);
        if (passes && us > 0)
            slowed(dev, fault);
    }
    return us;
}

/* In a transfer under way latency is no matter any more; bandwidth is. */
int64_t dev_slow_piece_us(struct sim_device *dev, uint32_t bytes)
{
    int64_t us = 0;
    if (dev->slow_until_us <= dev->now_us)
        return 0;
    for (uint32_t i = 0; i < dev->faults.count; i++) {
        struct sim_fault *fault = &dev->faults.fault[i];
        if (!slows(dev, fault))
            continue;
        const struct scn_fault *how = from(dev, fault);
        us += bandwidth_us(how, bytes);
        if (how->bandwidth_bytes_s || how->slice_bytes == bytes)
            slowed(dev, fault);
    }
    return us;
}

uint32_t dev_slice_bytes(const struct sim_device *dev)
{
    uint32_t least = UINT32_MAX;
    for (uint32_t i = 0; dev->slow_until_us > dev->now_us && i < dev->faults.count; i++) {
        const struct sim_fault *fault = &dev->faults.fault[i];
        uint32_t slice = slows(dev, fault) ? from(dev, fault)->slice_bytes : 0;
        least = slice && slice < least ? slice : least;
    }
    return least;
}

/* ---- Bad certificates ---- */

/* A server with another certificate was started anew: who was connected has to come again. */
void dev_broker_restarted(struct sim_device *dev)
{
    if (!dev->connected)
        return;
    dev_mqtt_down(dev);
    dev->timer[TIMER_MQTT] = dev->now_us + SECOND_US + sim_rng_below(&dev->link_rng, 2000000);
    dev->timer[TIMER_LINK_LOST] = dev->now_us;
}

void dev_begin_bad_certificate(struct sim_device *dev, struct sim_fault *fault)
{
    enum scn_server server = from(dev, fault)->server;
    dev_log(dev, SIM_EV_FAULT_ARMED, fault->fault, fault->how, "bad certificate of the %s: %s",
            scn_server_name((int)server), scn_how_name((int)fault->how));
    if (dev->wire) {
        dev_wire_outage(dev, server == SCN_SERVER_BROKER ? SIM_OUT_MQTT : SIM_OUT_HTTP,
                        dev->now_us + fault->for_us, fault);
        return;
    }
    begin(dev, fault);
    if (fault->until_us > dev->distrust_until_us[server])
        dev->distrust_until_us[server] = fault->until_us;
    if (server == SCN_SERVER_BROKER)
        dev_broker_restarted(dev);
}

bool dev_refuses_certificate(struct sim_device *dev, enum scn_server server)
{
    if (dev->distrust_until_us[server] <= dev->now_us)
        return false;
    if (server == SCN_SERVER_BROKER) /* the end of a transfer is told by itself */
        dev_log(dev, SIM_EV_MQTT_DOWN, 2, 0, "the broker's certificate is refused");
    for (uint32_t i = 0; i < dev->faults.count; i++) {
        struct sim_fault *fault = &dev->faults.fault[i];
        if (fault->kind == SCN_FAULT_BAD_CERTIFICATE && from(dev, fault)->server == server &&
            fault->until_us > dev->now_us && fault->left > 0)
            dev_fired(dev, fault);
    }
    return true;
}

/* ---- Black holes ---- */

/* Nothing comes back and nothing is closed: one keepalive until the ping, up to one more until its
 * answer is missed. */
void dev_black_hole(struct sim_device *dev, uint32_t chance)
{
    int64_t keepalive_us = dev->world->scn->device.keepalive_us;
    dev_telemetry_flush(dev);
    dev->holed = true;
    dev->lost_us = dev->now_us;
    dev->timer[TIMER_PUBACK] = dev->timer[TIMER_INBOX] = dev->timer[TIMER_TELEMETRY_ACK] =
        SIM_NEVER;
    dev->timer[TIMER_LINK_LOST] =
        dev->now_us + keepalive_us + (int64_t)(chance % (uint64_t)keepalive_us);
}

void dev_hole_noticed(struct sim_device *dev)
{
    dev_mqtt_down(dev);
    int64_t from_us = dev->mqtt_down_until_us > dev->now_us ? dev->mqtt_down_until_us : dev->now_us;
    dev->timer[TIMER_MQTT] = from_us + sim_rng_below(&dev->link_rng, 10000000);
}
