#include "bench.h"
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PATTERN_BYTES = 1 << 20 };

static uint32_t descriptors_before;

const uint8_t *bench_pattern(size_t len)
{
    static uint8_t bytes[PATTERN_BYTES];
    cr_assert_leq(len, sizeof bytes);
    for (uint32_t i = 0; i < PATTERN_BYTES; i++)
        bytes[i] = (uint8_t)(i * 2654435761u >> 13);
    return bytes;
}

uint32_t bench_descriptors(void)
{
    uint32_t count = 0;
    DIR *dir = opendir("/proc/self/fd");
    while (readdir(dir))
        count++;
    closedir(dir);
    return count;
}

static void peer_write_on(struct peer *peer)
{
    if (!ev_is_active(&peer->write) && peer->fd >= 0)
        ev_io_start(peer->bench->loop, &peer->write);
}

static void keep(struct peer *peer, const uint8_t *bytes, size_t len)
{
    if (peer->in_len + len > peer->in_capacity) {
        peer->in_capacity = 2 * (peer->in_len + len);
        peer->in = realloc(peer->in, peer->in_capacity);
        cr_assert(peer->in);
    }
    memcpy(peer->in + peer->in_len, bytes, len);
    peer->in_len += len;
    peer->last_us = sim_chaos_now_us();
    if (!peer->first_us)
        peer->first_us = peer->last_us;
}

static void on_peer_read(struct ev_loop *loop, ev_io *io, int events)
{
    struct peer *peer = io->data;
    uint8_t bytes[65536];
    (void)events;
    ssize_t got = recv(peer->fd, bytes, sizeof bytes, MSG_DONTWAIT);
    if (got > 0) {
        keep(peer, bytes, (size_t)got);
        if (peer->echoes)
            peer_write_on(peer);
        return;
    }
    if (got < 0 && errno == EAGAIN)
        return;
    ev_io_stop(loop, io);
    peer->fin = got == 0;
    peer->rst = got < 0;
    if (peer->echoes && peer->fin) {
        peer->fin_after_out = true;
        peer_write_on(peer);
    }
}

static void on_peer_write(struct ev_loop *loop, ev_io *io, int events)
{
    struct peer *peer = io->data;
    (void)events;
    if (!peer->up) {
        peer->up = true;
        peer->up_us = sim_chaos_now_us();
    }
    const uint8_t *out = peer->echoes ? peer->in : peer->out;
    size_t len = peer->echoes ? peer->in_len : peer->out_len;
    if (peer->out_at < len) {
        ssize_t sent =
            send(peer->fd, out + peer->out_at, len - peer->out_at, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno != EAGAIN)
            ev_io_stop(loop, io);
        peer->out_at += sent > 0 ? (size_t)sent : 0;
    }
    if (peer->out_at < len)
        return;
    ev_io_stop(loop, io);
    if (peer->fin_after_out)
        shutdown(peer->fd, SHUT_WR);
}

static struct peer *peer_new(struct bench *bench, int fd)
{
    struct peer *peer = calloc(1, sizeof *peer);
    cr_assert(peer);
    peer->bench = bench;
    peer->fd = fd;
    ev_io_init(&peer->read, on_peer_read, fd, EV_READ);
    ev_io_init(&peer->write, on_peer_write, fd, EV_WRITE);
    peer->read.data = peer->write.data = peer;
    ev_io_start(bench->loop, &peer->read);
    ev_io_start(bench->loop, &peer->write);
    return peer;
}

struct peer *peer_connect(struct bench *bench, uint32_t device)
{
    struct sockaddr_in to = sim_proxy_address(bench->proxy);
    struct sockaddr_in from = {.sin_family = AF_INET,
                               .sin_addr.s_addr = htonl(0x7F010000u + device)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    cr_assert_geq(fd, 0, "%s", strerror(errno));
    cr_assert_eq(bind(fd, (const struct sockaddr *)&from, sizeof from), 0);
    int error = connect(fd, (const struct sockaddr *)&to, sizeof to);
    cr_assert(error == 0 || errno == EINPROGRESS, "%s", strerror(errno));
    return peer_new(bench, fd);
}

void peer_free(struct peer *peer)
{
    ev_io_stop(peer->bench->loop, &peer->read);
    ev_io_stop(peer->bench->loop, &peer->write);
    close(peer->fd);
    free(peer->in);
    free(peer);
}

void peer_send(struct peer *peer, const void *bytes, size_t len)
{
    peer->out = bytes;
    peer->out_len = len;
    peer->out_at = 0;
    peer_write_on(peer);
}

void peer_stop_reading(struct peer *peer)
{
    ev_io_stop(peer->bench->loop, &peer->read);
}

void peer_read_on(struct peer *peer)
{
    ev_io_start(peer->bench->loop, &peer->read);
}

static void on_server_accept(struct ev_loop *loop, ev_io *io, int events)
{
    struct bench_server *server = io->data;
    struct sockaddr_in from;
    socklen_t len = sizeof from;
    (void)loop;
    (void)events;
    int fd = accept4(server->fd, (struct sockaddr *)&from, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0)
        return;
    cr_assert_lt(server->peers, BENCH_PEERS);
    struct peer *peer = peer_new(server->bench, fd);
    server->peer[server->peers++] = peer;
    peer->from = from;
    peer->echoes = !server->mute && !server->greeting;
    if (server->greeting) {
        peer->fin_after_out = server->fin_after_greeting;
        peer_send(peer, server->greeting, server->greeting_len);
    }
}

static void server_begin(struct bench *bench, struct bench_server *server)
{
    socklen_t len = sizeof server->address;
    server->bench = bench;
    server->address =
        (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    server->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    cr_assert_eq(bind(server->fd, (struct sockaddr *)&server->address, len), 0);
    cr_assert_eq(listen(server->fd, SOMAXCONN), 0);
    cr_assert_eq(getsockname(server->fd, (struct sockaddr *)&server->address, &len), 0);
    ev_io_init(&server->accept, on_server_accept, server->fd, EV_READ);
    server->accept.data = server;
    ev_io_start(bench->loop, &server->accept);
}

static void server_end(struct bench_server *server)
{
    for (uint32_t i = 0; i < server->peers; i++)
        peer_free(server->peer[i]);
    ev_io_stop(server->bench->loop, &server->accept);
    close(server->fd);
}

static uint32_t device_of(void *ctx, const struct sockaddr_in *source)
{
    (void)ctx;
    return ntohl(source->sin_addr.s_addr) - 0x7F010000u;
}

static void plan(void *ctx, uint32_t device, uint32_t connection, struct sim_proxy_plan *out)
{
    struct bench *bench = ctx;
    (void)device;
    (void)connection;
    bench->plans++;
    *out = bench->plan;
}

static void on_effect(void *ctx, const struct sim_proxy_effect *effect)
{
    struct bench *bench = ctx;
    cr_assert_lt(bench->effects, BENCH_EFFECTS);
    bench->effect[bench->effects++] = *effect;
}

void bench_begin(struct bench *bench, const struct sim_proxy_config *config)
{
    struct sim_proxy_config full = config ? *config : (struct sim_proxy_config){.seed = 1};
    descriptors_before = bench_descriptors();
    memset(bench, 0, sizeof *bench);
    bench->loop = ev_loop_new(0);
    server_begin(bench, &bench->server);
    server_begin(bench, &bench->second);
    full.loop = bench->loop;
    full.upstream = bench->server.address;
    full.devices = BENCH_DEVICES;
    full.ctx = bench;
    full.device = device_of;
    full.plan = plan;
    full.effect = on_effect;
    cr_assert_eq(sim_proxy_create(&bench->proxy, &full), SIM_CHAOS_OK);
}

void bench_end(struct bench *bench)
{
    sim_proxy_free(bench->proxy);
    server_end(&bench->server);
    server_end(&bench->second);
    ev_loop_destroy(bench->loop);
    cr_assert_eq(bench_descriptors(), descriptors_before);
}

void bench_turn(struct bench *bench)
{
    ev_run(bench->loop, EVRUN_ONCE);
}

static void on_time(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop;
    (void)timer;
    (void)events;
}

void bench_run_us(struct bench *bench, int64_t us)
{
    int64_t end_us = sim_chaos_now_us() + us;
    ev_timer timer;
    ev_timer_init(&timer, on_time, 0.001, 0.001);
    ev_timer_start(bench->loop, &timer);
    BENCH_UNTIL(bench, sim_chaos_now_us() >= end_us);
    ev_timer_stop(bench->loop, &timer);
}

uint32_t bench_count(const struct bench *bench, enum sim_proxy_effect_kind kind)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < bench->effects; i++)
        count += bench->effect[i].kind == kind;
    return count;
}

struct sim_proxy_stats bench_stats(const struct bench *bench)
{
    struct sim_proxy_stats stats;
    sim_proxy_stats(bench->proxy, &stats);
    return stats;
}
