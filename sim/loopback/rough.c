/* What the rough part of the network (sim/rough) tells, handed on to the devices. */
#include "loopback_internal.h"

static void spoiled(void *ctx, uint32_t device)
{
    struct sim_loopback *lb = ctx;
    sim_device_http_spoiled(lb->device[device].device, lb->fleet.shard, lb_now_us(lb));
    lb_device_woke(&lb->device[device]);
}

static void cut_off(void *ctx, uint32_t device)
{
    struct sim_loopback *lb = ctx;
    sim_device_cut_off(lb->device[device].device, lb->fleet.shard, lb_now_us(lb));
    lb_device_woke(&lb->device[device]);
}

static void spared(void *ctx, uint32_t device)
{
    struct sim_loopback *lb = ctx;
    sim_device_spared(lb->device[device].device);
}

int lb_rough_open(struct sim_loopback *lb, char *message, size_t len)
{
    const struct sim_rough_config config = {.loop = lb->loop,
                                            .servers = &lb->servers,
                                            .world = lb->world,
                                            .address_base = LB_ADDRESS_BASE,
                                            .ctx = lb,
                                            .spoiled = spoiled,
                                            .cut_off = cut_off,
                                            .spared = spared};
    return sim_rough_open(&lb->rough, &config, message, len);
}
