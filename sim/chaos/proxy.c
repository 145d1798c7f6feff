/* The proxy itself: its listener, who comes, and the calls of its owner. */
#include "proxy_internal.h"
#include "sim/chaos_proxy.h"
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    ACCEPTS_PER_ROUND = 64, /* so that a storm of connections does not starve those that live */
    REST_US = 100000,
    QUEUE_BYTES = 65536,
    QUEUE_BYTES_MIN = 4096,
    LINGER_MS = 5000
};

const char *sim_proxy_effect_name(int kind)
{
    static const char *const names[SIM_PROXY_EFFECTS] = {
        [SIM_PROXY_DELAYED] = "delayed",
        [SIM_PROXY_THROTTLED] = "throttled",
        [SIM_PROXY_SLICED] = "sliced",
        [SIM_PROXY_CLOSED] = "closed",
        [SIM_PROXY_HALF_CLOSED] = "half_closed",
        [SIM_PROXY_RESET] = "reset",
        [SIM_PROXY_HOLED] = "holed",
        [SIM_PROXY_FROZEN] = "frozen",
        [SIM_PROXY_THAWED] = "thawed",
        [SIM_PROXY_REFUSED] = "refused",
        [SIM_PROXY_SILENCED] = "silenced",
        [SIM_PROXY_LED] = "led",
        [SIM_PROXY_UPSTREAM_LOST] = "upstream_lost",
        [SIM_PROXY_PAUSED] = "paused",
        [SIM_PROXY_NO_MEMORY] = "no_memory",
    };
    return kind >= 0 && kind < SIM_PROXY_EFFECTS ? names[kind] : "unknown";
}

void proxy_tell(struct sim_proxy *proxy, struct sim_proxy_effect *effect)
{
    effect->at_us = sim_chaos_now_us();
    proxy->stats.effects[effect->kind]++;
    if (proxy->config.effect)
        proxy->config.effect(proxy->config.ctx, effect);
}

void proxy_rest(struct sim_proxy *proxy)
{
    if (!ev_is_active(&proxy->accept))
        return;
    ev_io_stop(proxy->config.loop, &proxy->accept);
    chaos_timer_start(proxy->config.loop, &proxy->rested, REST_US);
    proxy_tell(proxy,
               &(struct sim_proxy_effect){.kind = SIM_PROXY_PAUSED, .device = SIM_CHAOS_NOBODY});
}

static void on_rested(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct sim_proxy *proxy = timer->data;
    (void)events;
    ev_io_start(loop, &proxy->accept);
}

static void refuse(struct sim_proxy *proxy, int fd, uint32_t device, uint32_t number, uint32_t mark)
{
    chaos_sock_reset(fd);
    proxy_tell(proxy, &(struct sim_proxy_effect){.kind = SIM_PROXY_REFUSED,
                                                 .device = device,
                                                 .connection = number,
                                                 .mark = mark});
}

static void receive(struct sim_proxy *proxy, int fd, const struct sockaddr_in *source)
{
    const struct sim_proxy_config *config = &proxy->config;
    uint32_t number = config->device(config->ctx, source);
    if (number >= config->devices) {
        refuse(proxy, fd, SIM_CHAOS_NOBODY, 0, 0);
        return;
    }
    struct proxy_device *device = &proxy->device[number];
    uint32_t connection = device->connections++;
    struct sim_proxy_plan plan = {.entry = device->entry, .mark = device->mark};
    if (device->entry == SIM_PROXY_PASS) {
        plan.mark = 0;
        if (config->plan)
            config->plan(config->ctx, number, connection, &plan);
    }
    if (plan.entry == SIM_PROXY_REFUSE)
        refuse(proxy, fd, number, connection, plan.mark);
    else
        proxy_conn_begin(proxy, fd, source, number, connection, &plan);
}

static void on_accept(struct ev_loop *loop, ev_io *io, int events)
{
    struct sim_proxy *proxy = io->data;
    (void)loop;
    (void)events;
    for (int i = 0; i < ACCEPTS_PER_ROUND && ev_is_active(io); i++) {
        struct sockaddr_in source;
        int fd = chaos_sock_accept(proxy->listener, &source);
        if (fd < 0 && chaos_sock_exhausted(errno)) {
            proxy_rest(proxy);
            return;
        }
        if (fd < 0 && errno == EAGAIN)
            return;
        if (fd < 0)
            continue; /* one that left before it was accepted */
        proxy->stats.accepted++;
        receive(proxy, fd, &source);
    }
}

/* Memory of connections that have died; nothing of them may be on the stack any more. */
static void reap(struct sim_proxy *proxy)
{
    while (proxy->dead) {
        struct proxy_conn *conn = proxy->dead;
        proxy->dead = conn->next_dead;
        *conn->link = conn->next;
        if (conn->next)
            conn->next->link = conn->link;
        free(conn);
    }
}

static void on_prepare(struct ev_loop *loop, ev_prepare *prepare, int events)
{
    (void)loop;
    (void)events;
    reap(prepare->data);
}

static void fill_in(struct sim_proxy_config *config)
{
    assert(config->loop && config->device && config->number < 16);
    if (!config->queue_bytes)
        config->queue_bytes = QUEUE_BYTES;
    if (config->queue_bytes < QUEUE_BYTES_MIN)
        config->queue_bytes = QUEUE_BYTES_MIN;
    if (!config->linger_ms)
        config->linger_ms = LINGER_MS;
}

int sim_proxy_create(struct sim_proxy **out, const struct sim_proxy_config *config)
{
    *out = NULL;
    struct sim_proxy *proxy = calloc(1, sizeof *proxy);
    struct proxy_device *device = calloc(config->devices ? config->devices : 1, sizeof *device);
    int listener = proxy && device ? chaos_sock_listen(&proxy->address) : -1;
    if (listener < 0) {
        int error = proxy && device ? SIM_CHAOS_ESOCKET : SIM_CHAOS_EMEMORY;
        free(proxy);
        free(device);
        return error;
    }
    proxy->config = *config;
    fill_in(&proxy->config);
    proxy->device = device;
    proxy->listener = listener;
    ev_io_init(&proxy->accept, on_accept, listener, EV_READ);
    ev_init(&proxy->rested, on_rested);
    ev_prepare_init(&proxy->reap, on_prepare);
    proxy->accept.data = proxy->rested.data = proxy->reap.data = proxy;
    ev_io_start(config->loop, &proxy->accept);
    ev_prepare_start(config->loop, &proxy->reap);
    *out = proxy;
    return SIM_CHAOS_OK;
}

void sim_proxy_free(struct sim_proxy *proxy)
{
    if (!proxy)
        return;
    for (uint32_t i = 0; i < proxy->config.devices; i++)
        for (struct proxy_conn *conn = proxy->device[i].conns; conn; conn = conn->next)
            proxy_conn_close(conn, true);
    reap(proxy);
    ev_io_stop(proxy->config.loop, &proxy->accept);
    ev_timer_stop(proxy->config.loop, &proxy->rested);
    ev_prepare_stop(proxy->config.loop, &proxy->reap);
    close(proxy->listener);
    free(proxy->device);
    free(proxy);
}

struct sockaddr_in sim_proxy_address(const struct sim_proxy *proxy)
{
    return proxy->address;
}

void sim_proxy_stats(const struct sim_proxy *proxy, struct sim_proxy_stats *out)
{
    *out = proxy->stats;
}

static struct proxy_device *device_of(struct sim_proxy *proxy, uint32_t device)
{
    assert(device < proxy->config.devices);
    return &proxy->device[device];
}

uint32_t sim_proxy_cut(struct sim_proxy *proxy, uint32_t device, enum sim_proxy_ending ending,
                       uint32_t mark)
{
    uint32_t hit = 0;
    for (struct proxy_conn *conn = device_of(proxy, device)->conns; conn; conn = conn->next)
        hit += proxy_conn_strike(conn, ending, mark);
    return hit;
}

uint32_t sim_proxy_thaw(struct sim_proxy *proxy, uint32_t device)
{
    uint32_t hit = 0;
    for (struct proxy_conn *conn = device_of(proxy, device)->conns; conn; conn = conn->next) {
        if (conn->state != PROXY_FROZEN)
            continue;
        proxy_conn_thaw(conn);
        hit++;
    }
    return hit;
}

uint32_t sim_proxy_change(struct sim_proxy *proxy, uint32_t device,
                          const struct sim_proxy_plan *plan)
{
    uint32_t hit = 0;
    for (struct proxy_conn *conn = device_of(proxy, device)->conns; conn; conn = conn->next)
        hit += proxy_conn_change(conn, plan);
    return hit;
}

void sim_proxy_link(struct sim_proxy *proxy, uint32_t device, enum sim_proxy_entry entry,
                    uint32_t mark)
{
    device_of(proxy, device)->entry = entry;
    device_of(proxy, device)->mark = mark;
}
