/* One direction: bytes are read into a queue of items, each with the time at which it may pass. */
#include "proxy_internal.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* Bandwidth is kept by writes of a fiftieth of a second. */
enum { RATE_WRITES_PER_S = 50, SECOND_US = 1000000 };

static struct ev_loop *loop_of(const struct proxy_pipe *pipe)
{
    return pipe->conn->proxy->config.loop;
}

static int source(const struct proxy_pipe *pipe)
{
    return pipe->conn->fd[pipe->side];
}

static int destination(const struct proxy_pipe *pipe)
{
    return pipe->conn->fd[!pipe->side];
}

static struct proxy_pipe *opposite(const struct proxy_pipe *pipe)
{
    return &pipe->conn->pipe[!pipe->side];
}

/* How many bytes may be read now, 0 when the queue is full. */
static uint32_t room(const struct proxy_pipe *pipe)
{
    uint32_t most = pipe->conn->proxy->config.queue_bytes;
    uint32_t taken = pipe->queued + (uint32_t)sizeof(struct proxy_item);
    if (taken >= most)
        return 0;
    return most - taken < PROXY_READ_BYTES ? most - taken : PROXY_READ_BYTES;
}

static int64_t due(struct proxy_pipe *pipe, int64_t now_us)
{
    const struct sim_proxy_plan *plan = &pipe->conn->plan;
    int64_t at_us = now_us + plan->latency_us;
    if (plan->jitter_us == UINT32_MAX)
        at_us += sim_rng_u32(&pipe->rng);
    else if (plan->jitter_us)
        at_us += sim_rng_below(&pipe->rng, plan->jitter_us + 1);
    return at_us > pipe->due_us ? at_us : pipe->due_us;
}

/* False: no memory, and the connection is gone. */
static bool push(struct proxy_pipe *pipe, enum proxy_item_kind kind, const void *bytes,
                 uint32_t len)
{
    struct sim_proxy_stats *stats = &pipe->conn->proxy->stats;
    struct proxy_item *item = malloc(sizeof *item + len);
    if (!item) {
        proxy_conn_out_of_memory(pipe->conn);
        return false;
    }
    int64_t now_us = sim_chaos_now_us();
    *item = (struct proxy_item){.kind = kind, .len = len, .due_us = due(pipe, now_us)};
    item->late = item->due_us > now_us;
    if (len)
        memcpy(item->bytes, bytes, len);
    pipe->due_us = item->due_us;
    *pipe->last = item;
    pipe->last = &item->next;
    pipe->queued += (uint32_t)sizeof *item + len;
    if (pipe->queued > stats->queue_bytes_max)
        stats->queue_bytes_max = pipe->queued;
    return true;
}

static void pop(struct proxy_pipe *pipe)
{
    struct proxy_item *item = pipe->first;
    pipe->first = item->next;
    if (!pipe->first)
        pipe->last = &pipe->first;
    pipe->queued -= (uint32_t)sizeof *item + item->len;
    free(item);
}

uint32_t proxy_pipe_drop(struct proxy_pipe *pipe)
{
    uint32_t bytes = 0;
    while (pipe->first) {
        bytes += pipe->first->len - pipe->first->at;
        pop(pipe);
    }
    return bytes;
}

void proxy_pipe_stop(struct proxy_pipe *pipe)
{
    ev_io_stop(loop_of(pipe), &pipe->read);
    ev_io_stop(loop_of(pipe), &pipe->write);
    ev_timer_stop(loop_of(pipe), &pipe->wake);
}

void proxy_pipe_read_on(struct proxy_pipe *pipe)
{
    if (source(pipe) < 0 || pipe->ended || ev_is_active(&pipe->read) || room(pipe) == 0)
        return;
    ev_io_set(&pipe->read, source(pipe), EV_READ);
    ev_io_start(loop_of(pipe), &pipe->read);
}

/* The destination takes nothing more. Its own reading side will say so too, and that comes to the
 * source behind what was read before, as it would without a proxy. */
static void lose(struct proxy_pipe *pipe)
{
    pipe->deaf = pipe->lost = true;
    proxy_pipe_drop(pipe);
    proxy_pipe_read_on(pipe);
    struct proxy_pipe *back = opposite(pipe);
    if (back->ended && push(back, PROXY_RST, NULL, 0))
        proxy_pipe_pump(back);
}

static void count_passed(struct proxy_pipe *pipe, uint32_t len, int64_t now_us)
{
    const struct sim_proxy_plan *plan = &pipe->conn->plan;
    pipe->passed += len;
    pipe->conn->proxy->stats.passed[pipe->side] += len;
    if (plan->bytes_per_s) {
        int64_t from_us = pipe->rate_us > now_us ? pipe->rate_us : now_us;
        pipe->rate_us =
            from_us + ((int64_t)len * SECOND_US + plan->bytes_per_s - 1) / plan->bytes_per_s;
    }
    if (plan->slice_bytes)
        pipe->slice_us = now_us + plan->slice_delay_us;
}

static uint32_t at_most(const struct proxy_pipe *pipe, const struct proxy_item *item)
{
    const struct sim_proxy_plan *plan = &pipe->conn->plan;
    uint32_t len = item->len - item->at;
    uint32_t quantum = plan->bytes_per_s / RATE_WRITES_PER_S + 1;
    if (plan->bytes_per_s && len > quantum)
        len = quantum;
    if (plan->slice_bytes && len > plan->slice_bytes)
        len = plan->slice_bytes;
    return len < pipe->limit - pipe->passed ? len : (uint32_t)(pipe->limit - pipe->passed);
}

static void tell_passed(struct proxy_conn *conn, bool late, bool cut)
{
    uint32_t mark = conn->plan.mark;
    if (late)
        proxy_conn_tell(conn, SIM_PROXY_DELAYED, mark);
    if (cut)
        proxy_conn_tell(conn, SIM_PROXY_SLICED, mark);
    if (conn->told & 1u << SIM_PROXY_FROZEN)
        proxy_conn_tell(conn, SIM_PROXY_THAWED, conn->mark);
}

/* False: the rest has to wait, or can't pass. */
static bool pass_bytes(struct proxy_pipe *pipe, int64_t now_us)
{
    struct proxy_conn *conn = pipe->conn;
    struct proxy_item *item = pipe->first;
    bool late = item->late;
    ssize_t sent = send(destination(pipe), item->bytes + item->at, at_most(pipe, item),
                        MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && (errno == EAGAIN || errno == EINTR)) {
        ev_io_set(&pipe->write, destination(pipe), EV_WRITE);
        ev_io_start(loop_of(pipe), &pipe->write);
        return false;
    }
    if (sent < 0) {
        lose(pipe);
        return false;
    }
    item->at += (uint32_t)sent;
    bool cut = item->at < item->len && (uint32_t)sent == conn->plan.slice_bytes;
    if (item->at == item->len)
        pop(pipe);
    count_passed(pipe, (uint32_t)sent, now_us);
    tell_passed(conn, late, cut);
    if (conn->state == PROXY_PASSING)
        proxy_conn_limit(conn);
    return conn->state == PROXY_PASSING && !pipe->deaf;
}

/* FIN or RST has come to the queue's front. */
static void pass_end(struct proxy_pipe *pipe)
{
    if (pipe->first->kind == PROXY_RST) {
        proxy_conn_close(pipe->conn, true);
        return;
    }
    pop(pipe);
    pipe->finished = true;
    shutdown(destination(pipe), SHUT_WR);
    if (opposite(pipe)->finished)
        proxy_conn_close(pipe->conn, false);
}

/* When the first item may pass. */
static int64_t passes_at(const struct proxy_pipe *pipe)
{
    int64_t at_us = pipe->first->due_us;
    if (pipe->first->kind != PROXY_BYTES)
        return at_us;
    if (pipe->rate_us > at_us)
        at_us = pipe->rate_us;
    return pipe->slice_us > at_us ? pipe->slice_us : at_us;
}

static void sleep_until(struct proxy_pipe *pipe, int64_t at_us, int64_t now_us)
{
    struct proxy_conn *conn = pipe->conn;
    bool throttled = pipe->rate_us == at_us && pipe->first->kind == PROXY_BYTES;
    chaos_timer_start(loop_of(pipe), &pipe->wake, at_us - now_us);
    if (throttled)
        proxy_conn_tell(conn, SIM_PROXY_THROTTLED, conn->plan.mark);
}

void proxy_pipe_pump(struct proxy_pipe *pipe)
{
    struct proxy_conn *conn = pipe->conn;
    if (!conn->open)
        return; /* the write watcher waits for the connection */
    ev_io_stop(loop_of(pipe), &pipe->write);
    while (pipe->first && conn->state == PROXY_PASSING) {
        int64_t now_us = sim_chaos_now_us(), at_us = passes_at(pipe);
        if (at_us > now_us) {
            sleep_until(pipe, at_us, now_us);
            break;
        }
        if (pipe->first->kind != PROXY_BYTES)
            pass_end(pipe);
        else if (!pass_bytes(pipe, now_us))
            break;
    }
    /* Half empty before it is read again: else each byte that leaves would cost a read. */
    if (conn->state == PROXY_PASSING && pipe->queued <= conn->proxy->config.queue_bytes / 2)
        proxy_pipe_read_on(pipe);
}

static void take(struct proxy_pipe *pipe, uint32_t len)
{
    struct proxy_conn *conn = pipe->conn;
    if (conn->state == PROXY_SWALLOWING || pipe->deaf) {
        proxy_conn_swallowed(conn, len);
        return;
    }
    if (!push(pipe, PROXY_BYTES, conn->proxy->scratch, len))
        return;
    if (conn->state == PROXY_FROZEN)
        proxy_conn_tell(conn, SIM_PROXY_FROZEN, conn->mark);
    proxy_pipe_pump(pipe);
}

static void end(struct proxy_pipe *pipe, enum proxy_item_kind kind)
{
    pipe->ended = true;
    ev_io_stop(loop_of(pipe), &pipe->read);
    if (pipe->conn->state == PROXY_SWALLOWING) {
        proxy_conn_side_ended(pipe->conn);
    } else if (pipe->deaf && !pipe->lost && kind == PROXY_FIN) {
        return; /* closed by rule already: it knows */
    } else if (!pipe->deaf || kind == PROXY_RST) {
        /* The kernel tells an RST once; where a write was told it, reading sees the end only. */
        if (push(pipe, opposite(pipe)->lost ? PROXY_RST : kind, NULL, 0))
            proxy_pipe_pump(pipe);
    }
}

static void on_read(struct ev_loop *loop, ev_io *io, int events)
{
    struct proxy_pipe *pipe = io->data;
    uint32_t len = room(pipe);
    (void)events;
    if (len == 0) {
        ev_io_stop(loop, io);
        return;
    }
    ssize_t got = recv(io->fd, pipe->conn->proxy->scratch, len, MSG_DONTWAIT);
    if (got > 0)
        take(pipe, (uint32_t)got);
    else if (got == 0)
        end(pipe, PROXY_FIN);
    else if (errno != EAGAIN && errno != EINTR)
        end(pipe, PROXY_RST);
}

static void on_write(struct ev_loop *loop, ev_io *io, int events)
{
    struct proxy_pipe *pipe = io->data;
    (void)loop;
    (void)events;
    if (pipe->conn->open)
        proxy_pipe_pump(pipe);
    else
        proxy_conn_opened(pipe->conn);
}

static void on_wake(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop;
    (void)events;
    proxy_pipe_pump(timer->data);
}

void proxy_pipe_limit(struct proxy_pipe *pipe)
{
    const struct sim_proxy_plan *plan = &pipe->conn->plan;
    bool counts = plan->ending != SIM_PROXY_END_NONE && plan->limit_side == pipe->side;
    pipe->limit = UINT64_MAX;
    if (counts && plan->limit_bytes < UINT64_MAX - pipe->passed)
        pipe->limit = pipe->passed + plan->limit_bytes;
}

void proxy_pipe_init(struct proxy_conn *conn, enum sim_proxy_side side)
{
    struct proxy_pipe *pipe = &conn->pipe[side];
    const struct sim_proxy_config *config = &conn->proxy->config;
    *pipe = (struct proxy_pipe){.conn = conn, .side = side, .last = &pipe->first};
    sim_rng_init(&pipe->rng, config->seed, conn->device, SIM_RNG_PROXY,
                 (conn->number * SIM_PROXY_SIDES + side) * 16 + config->number);
    ev_init(&pipe->read, on_read);
    ev_init(&pipe->write, on_write);
    ev_init(&pipe->wake, on_wake);
    pipe->read.data = pipe->write.data = pipe->wake.data = pipe;
    proxy_pipe_limit(pipe);
}
