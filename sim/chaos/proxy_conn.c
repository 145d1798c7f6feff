/* A connection's life: begun, open, and the ways in which it ends. */
#include "proxy_internal.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { FROZEN_LOOK_US = 100000 };

void proxy_conn_tell(struct proxy_conn *conn, enum sim_proxy_effect_kind kind, uint32_t mark)
{
    if (conn->told & 1u << kind)
        return;
    conn->told |= 1u << kind;
    proxy_tell(conn->proxy,
               &(struct sim_proxy_effect){
                   .kind = kind,
                   .device = conn->device,
                   .connection = conn->number,
                   .mark = mark,
                   .passed = {conn->pipe[SIM_PROXY_UP].passed, conn->pipe[SIM_PROXY_DOWN].passed},
               });
}

void proxy_conn_close(struct proxy_conn *conn, bool reset)
{
    struct sim_proxy *proxy = conn->proxy;
    if (conn->state == PROXY_DEAD)
        return;
    conn->state = PROXY_DEAD;
    ev_timer_stop(proxy->config.loop, &conn->later);
    for (int side = 0; side < SIM_PROXY_SIDES; side++) {
        proxy_pipe_stop(&conn->pipe[side]);
        proxy->stats.withheld += proxy_pipe_drop(&conn->pipe[side]);
        if (conn->fd[side] < 0)
            continue;
        if (reset)
            chaos_sock_reset(conn->fd[side]);
        else
            close(conn->fd[side]);
        conn->fd[side] = -1;
        proxy->stats.descriptors--;
    }
    proxy->stats.live--;
    conn->next_dead = proxy->dead;
    proxy->dead = conn;
}

void proxy_conn_out_of_memory(struct proxy_conn *conn)
{
    proxy_conn_close(conn, true);
    proxy_conn_tell(conn, SIM_PROXY_NO_MEMORY, conn->mark);
}

/* Nothing passes from here on; both sides are read so that their end is seen. Returns the number of
 * bytes that were in the queues. */
static uint32_t swallow(struct proxy_conn *conn)
{
    uint32_t bytes = 0;
    conn->state = PROXY_SWALLOWING;
    for (int side = 0; side < SIM_PROXY_SIDES; side++) {
        struct proxy_pipe *pipe = &conn->pipe[side];
        proxy_pipe_stop(pipe);
        bytes += proxy_pipe_drop(pipe);
        proxy_pipe_read_on(pipe);
    }
    return bytes;
}

void proxy_conn_swallowed(struct proxy_conn *conn, uint32_t bytes)
{
    conn->proxy->stats.withheld += bytes;
    if (bytes && conn->state == PROXY_SWALLOWING && conn->swallow != SIM_PROXY_CLOSED)
        proxy_conn_tell(conn, conn->swallow, conn->mark);
}

void proxy_conn_side_ended(struct proxy_conn *conn)
{
    for (int side = 0; side < SIM_PROXY_SIDES; side++)
        if (conn->fd[side] >= 0 && !conn->pipe[side].ended)
            return;
    proxy_conn_close(conn, false);
}

static void finish(struct proxy_conn *conn)
{
    conn->swallow = SIM_PROXY_CLOSED;
    for (int side = 0; side < SIM_PROXY_SIDES; side++)
        shutdown(conn->fd[side], SHUT_WR);
    conn->proxy->stats.withheld += swallow(conn);
    chaos_timer_start(conn->proxy->config.loop, &conn->later,
                      (int64_t)conn->proxy->config.linger_ms * 1000);
    proxy_conn_side_ended(conn);
    proxy_conn_tell(conn, SIM_PROXY_CLOSED, conn->mark);
}

static void half_finish(struct proxy_conn *conn)
{
    struct proxy_pipe *down = &conn->pipe[SIM_PROXY_DOWN];
    down->deaf = down->finished = true;
    conn->proxy->stats.withheld += proxy_pipe_drop(down);
    proxy_pipe_read_on(down);
    shutdown(conn->fd[SIM_PROXY_UP], SHUT_WR);
    chaos_timer_start(conn->proxy->config.loop, &conn->later, conn->plan.slow_us);
    if (conn->pipe[SIM_PROXY_UP].finished)
        proxy_conn_close(conn, false);
    proxy_conn_tell(conn, SIM_PROXY_HALF_CLOSED, conn->mark);
}

static void hole(struct proxy_conn *conn)
{
    conn->swallow = SIM_PROXY_HOLED;
    uint32_t bytes = swallow(conn);
    proxy_conn_side_ended(conn);
    conn->proxy->stats.withheld += bytes;
    if (bytes)
        proxy_conn_tell(conn, SIM_PROXY_HOLED, conn->mark);
}

static void freeze(struct proxy_conn *conn)
{
    conn->state = PROXY_FROZEN;
    conn->told &= ~(1u << SIM_PROXY_FROZEN | 1u << SIM_PROXY_THAWED);
    for (int side = 0; side < SIM_PROXY_SIDES; side++)
        if (conn->pipe[side].first)
            proxy_conn_tell(conn, SIM_PROXY_FROZEN, conn->mark);
}

bool proxy_conn_strike(struct proxy_conn *conn, enum sim_proxy_ending ending, uint32_t mark)
{
    if (conn->state == PROXY_DEAD || conn->state == PROXY_SWALLOWING ||
        (conn->state == PROXY_FROZEN && ending == SIM_PROXY_END_FREEZE))
        return false;
    conn->mark = mark;
    switch (ending) {
    case SIM_PROXY_END_NONE:
        return false;
    case SIM_PROXY_END_CLOSE:
        finish(conn);
        break;
    case SIM_PROXY_END_SLOW_CLOSE:
        if (conn->pipe[SIM_PROXY_DOWN].deaf)
            return false;
        half_finish(conn);
        break;
    case SIM_PROXY_END_RESET:
        proxy_conn_close(conn, true);
        proxy_conn_tell(conn, SIM_PROXY_RESET, mark);
        break;
    case SIM_PROXY_END_BLACK_HOLE:
        hole(conn);
        break;
    case SIM_PROXY_END_FREEZE:
        freeze(conn);
        break;
    }
    return true;
}

void proxy_conn_thaw(struct proxy_conn *conn)
{
    conn->state = PROXY_PASSING;
    for (int side = 0; side < SIM_PROXY_SIDES; side++)
        if (conn->state == PROXY_PASSING)
            proxy_pipe_pump(&conn->pipe[side]);
}

void proxy_conn_limit(struct proxy_conn *conn)
{
    enum sim_proxy_ending ending = conn->plan.ending;
    struct proxy_pipe *pipe = &conn->pipe[conn->plan.limit_side];
    if (ending == SIM_PROXY_END_NONE || pipe->passed < pipe->limit)
        return;
    conn->plan.ending = SIM_PROXY_END_NONE; /* once */
    pipe->limit = UINT64_MAX;
    proxy_conn_strike(conn, ending, conn->plan.mark);
}

bool proxy_conn_change(struct proxy_conn *conn, const struct sim_proxy_plan *plan)
{
    if (conn->state == PROXY_DEAD || conn->state == PROXY_SWALLOWING)
        return false;
    struct sockaddr_in upstream = conn->plan.upstream;
    conn->plan = *plan;
    conn->plan.upstream = upstream;
    conn->told &= ~(1u << SIM_PROXY_DELAYED | 1u << SIM_PROXY_THROTTLED | 1u << SIM_PROXY_SLICED);
    for (int side = 0; side < SIM_PROXY_SIDES; side++) {
        conn->pipe[side].rate_us = conn->pipe[side].slice_us = 0;
        proxy_pipe_limit(&conn->pipe[side]);
    }
    if (conn->open && conn->state == PROXY_PASSING)
        proxy_conn_limit(conn);
    for (int side = 0; side < SIM_PROXY_SIDES; side++)
        if (conn->state == PROXY_PASSING)
            proxy_pipe_pump(&conn->pipe[side]);
    return true;
}

static void upstream_lost(struct proxy_conn *conn)
{
    proxy_conn_close(conn, true);
    proxy_conn_tell(conn, SIM_PROXY_UPSTREAM_LOST, conn->plan.mark);
}

void proxy_conn_opened(struct proxy_conn *conn)
{
    int error = 0;
    socklen_t len = sizeof error;
    if (getsockopt(conn->fd[SIM_PROXY_DOWN], SOL_SOCKET, SO_ERROR, &error, &len) || error) {
        upstream_lost(conn);
        return;
    }
    conn->open = true;
    ev_io_stop(conn->proxy->config.loop, &conn->pipe[SIM_PROXY_UP].write);
    if (conn->plan.upstream.sin_family)
        proxy_conn_tell(conn, SIM_PROXY_LED, conn->plan.mark);
    if (conn->state == PROXY_PASSING)
        proxy_conn_limit(conn);
    if (conn->state == PROXY_PASSING || conn->state == PROXY_FROZEN)
        proxy_pipe_read_on(&conn->pipe[SIM_PROXY_DOWN]);
    if (conn->state == PROXY_PASSING)
        proxy_pipe_pump(&conn->pipe[SIM_PROXY_UP]);
}

/* The time of a slow close, or of waiting for the peers of a closed one, is over. */
static void on_later(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct proxy_conn *conn = timer->data;
    (void)events;
    if (conn->state == PROXY_FROZEN) /* not even an end passes */
        chaos_timer_start(loop, timer, FROZEN_LOOK_US);
    else if (conn->state == PROXY_SWALLOWING)
        proxy_conn_close(conn, true);
    else
        finish(conn);
}

static void connect_up(struct proxy_conn *conn, const struct sockaddr_in *source)
{
    struct sim_proxy *proxy = conn->proxy;
    bool led = conn->plan.upstream.sin_family != 0;
    int fd = chaos_sock_connect(led ? &conn->plan.upstream : &proxy->config.upstream, source);
    if (fd < 0) {
        bool exhausted = chaos_sock_exhausted(errno);
        upstream_lost(conn);
        if (exhausted)
            proxy_rest(proxy);
        return;
    }
    conn->fd[SIM_PROXY_DOWN] = fd;
    proxy->stats.descriptors++;
    ev_io_set(&conn->pipe[SIM_PROXY_UP].write, fd, EV_WRITE);
    ev_io_start(proxy->config.loop, &conn->pipe[SIM_PROXY_UP].write);
}

void proxy_conn_begin(struct sim_proxy *proxy, int fd, const struct sockaddr_in *source,
                      uint32_t device, uint32_t number, const struct sim_proxy_plan *plan)
{
    struct proxy_conn *conn = malloc(sizeof *conn);
    if (!conn) {
        chaos_sock_reset(fd);
        proxy_tell(proxy, &(struct sim_proxy_effect){.kind = SIM_PROXY_NO_MEMORY,
                                                     .device = device,
                                                     .connection = number,
                                                     .mark = plan->mark});
        return;
    }
    *conn = (struct proxy_conn){.proxy = proxy,
                                .next = proxy->device[device].conns,
                                .device = device,
                                .number = number,
                                .mark = plan->mark,
                                .fd = {fd, -1},
                                .swallow = SIM_PROXY_SILENCED,
                                .plan = *plan};
    conn->link = &proxy->device[device].conns;
    *conn->link = conn;
    if (conn->next)
        conn->next->link = &conn->next;
    proxy_pipe_init(conn, SIM_PROXY_UP);
    proxy_pipe_init(conn, SIM_PROXY_DOWN);
    ev_init(&conn->later, on_later);
    conn->later.data = conn;
    proxy->stats.descriptors++;
    if (++proxy->stats.live > proxy->stats.live_max)
        proxy->stats.live_max = proxy->stats.live;
    proxy_pipe_read_on(&conn->pipe[SIM_PROXY_UP]);
    if (plan->entry == SIM_PROXY_SILENT)
        conn->state = PROXY_SWALLOWING;
    else
        connect_up(conn, source);
}
