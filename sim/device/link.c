/* The device's link: MQTT at the message level, outages, and what waits at the broker. */
#include "device_internal.h"
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

static bool reserve(void **array, uint32_t *capacity, size_t size, uint32_t want)
{
    if (want <= *capacity)
        return true;
    uint32_t grown = want < 1024 ? 1024 : want * 2;
    void *moved = realloc(*array, grown * size);
    if (!moved)
        return false;
    *array = moved;
    *capacity = grown;
    return true;
}

void dev_send_up(struct sim_device *dev, enum sim_up_kind kind, int64_t at_us, const void *bytes,
                 uint32_t len)
{
    struct sim_shard *shard = dev->shard;
    if (!reserve((void **)&shard->up, &shard->up_capacity, sizeof *shard->up, shard->ups + 1) ||
        !reserve((void **)&shard->text, &shard->text_capacity, 1, shard->text_bytes + len)) {
        shard->out_of_memory = true;
        return;
    }
    shard->up[shard->ups++] = (struct sim_up){.at_us = at_us,
                                              .device = dev->unit->number,
                                              .sequence = dev->up_sequence++,
                                              .kind = kind,
                                              .offset = shard->text_bytes,
                                              .len = len};
    memcpy(shard->text + shard->text_bytes, bytes, len);
    shard->text_bytes += len;
}

void dev_publish(struct sim_device *dev, const struct agent_action *action)
{
    if (!dev->connected)
        return; /* the agent sends it again when the connection is back */
    if (dev->holed)
        return; /* it is never acknowledged */
    if (dev->wire) {
        dev_wire_publish(dev, action);
        return;
    }
    bool pong = action->kind == AGENT_ACT_PUBLISH_PONG;
    int64_t work_us = 0;
    if (pong && dev->firmware != UINT32_MAX)
        work_us = 1000 * (int64_t)dev->world->artifact[dev->firmware].from->behaviour.command_ms;
    int64_t arrival = dev->now_us + work_us + dev_delay_us(dev, action->len);
    dev_log(dev, SIM_EV_PUBLISHED, XXH3_64bits(action->payload, action->len), action->len, "%.*s",
            (int)action->len, action->payload);
    dev_send_up(dev, pong ? SIM_UP_PONG : SIM_UP_STATUS, arrival, action->payload, action->len);
    if (pong)
        return;
    dev->puback_id = action->id;
    dev->timer[TIMER_PUBACK] = arrival + dev_delay_us(dev, 4);
}

void dev_mqtt_connect(struct sim_device *dev)
{
    if (dev->wire) {
        dev->wire->connect(dev->wire_ctx);
        return;
    }
    if (dev->mqtt_down_until_us > dev->now_us) {
        dev->timer[TIMER_MQTT] = dev->mqtt_down_until_us + sim_rng_below(&dev->link_rng, 10000000);
        return;
    }
    if (dev_refuses_certificate(dev, SCN_SERVER_BROKER)) {
        dev->mqtt_down_until_us = dev->distrust_until_us[SCN_SERVER_BROKER];
        dev->timer[TIMER_MQTT] = dev->mqtt_down_until_us + sim_rng_below(&dev->link_rng, 10000000);
        return;
    }
    if (dev_clock_refuses(dev)) {
        dev_log(dev, SIM_EV_MQTT_DOWN, 3, 0, "by this clock the broker's certificate is not valid");
        dev->mqtt_down_until_us = dev->timer[TIMER_CLOCK];
        dev->timer[TIMER_MQTT] = dev->mqtt_down_until_us + sim_rng_below(&dev->link_rng, 10000000);
        return;
    }
    dev_connected(dev);
}

void dev_connected(struct sim_device *dev)
{
    dev->connected = true;
    dev->forgotten = false;
    dev->connected_us = dev->now_us;
    if (dev->connected_at_first_us < 0)
        dev->connected_at_first_us = dev->now_us;
    dev_log(dev, SIM_EV_MQTT_UP, 0, 0, "connected");
    dev_telemetry_connected(dev);
    if (!dev->telemetry_ok)
        dev_telemetry_first(dev);
    if (dev->inbox) {
        int64_t soon = dev->now_us + dev_delay_us(dev, dev->inbox->len);
        dev->timer[TIMER_INBOX] = dev->inbox->at_us > soon ? dev->inbox->at_us : soon;
    }
    dev_agent_input(dev, &(struct agent_event){.kind = AGENT_EV_MQTT_UP});
}

void dev_mqtt_down(struct sim_device *dev)
{
    dev_telemetry_flush(dev);
    dev->connected = dev->holed = false;
    dev->lost_us = dev->now_us;
    dev->timer[TIMER_PUBACK] = dev->timer[TIMER_INBOX] = dev->timer[TIMER_TELEMETRY_ACK] =
        SIM_NEVER;
    dev_log(dev, SIM_EV_MQTT_DOWN, 0, 0, "connection lost");
}

void dev_link_drop(struct sim_device *dev, uint8_t what, struct sim_fault *fault)
{
    int64_t for_us = fault->for_us, until = dev->now_us + for_us;
    bool hole = fault->how == SCN_HOW_BLACK_HOLE;
    uint32_t chance = fault->draw[1];
    dev_log(dev, SIM_EV_LINK_DOWN, what, (uint64_t)for_us, "%s for %lld s",
            what == SIM_OUT_MQTT   ? "broker"
            : what == SIM_OUT_HTTP ? "artifact store"
                                   : "network",
            (long long)(for_us / 1000000));
    if ((what & SIM_OUT_HTTP) && until > dev->http_down_until_us)
        dev->http_down_until_us = until;
    if (dev->wire) {
        dev_wire_outage(dev, what, until, fault);
        return;
    }
    bool longer = (what & SIM_OUT_MQTT) && until > dev->mqtt_down_until_us;
    if (longer) {
        dev->mqtt_down_until_us = until;
        dev->timer[TIMER_LINK_UP] = until;
    }
    dev_fired(dev, fault);
    dev->http.holed |= hole && dev->http.active;
    if (hole && dev->connected && !dev->holed) {
        dev_black_hole(dev, chance);
    } else if (longer && dev->connected) {
        dev_mqtt_down(dev);
        dev->timer[TIMER_MQTT] = until + sim_rng_below(&dev->link_rng, 10000000);
        dev->timer[TIMER_LINK_LOST] = dev->now_us; /* the agent may be on the stack now */
    }
}

void dev_link_lost(struct sim_device *dev)
{
    if (dev->holed)
        dev_hole_noticed(dev);
    dev_agent_input(dev, &(struct agent_event){.kind = AGENT_EV_MQTT_DOWN});
}

void dev_link_up(struct sim_device *dev)
{
    dev_log(dev, SIM_EV_LINK_UP, 0, 0, "the broker can be reached again");
}
