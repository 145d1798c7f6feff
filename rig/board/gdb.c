/* The client of a gdbstub. */
#include "gdb.h"
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum reading { READING_IDLE, READING_PACKET, READING_SUM_HIGH, READING_SUM_LOW };

struct request {
    rig_gdb_bytes *got; /* NULL: "OK" is expected */
    void *ctx;
    uint32_t len;
    unsigned packet; /* its number among those sent */
};

struct rig_gdb {
    struct ev_loop *loop;
    int fd;
    struct rig_gdb_events events;
    void *ctx;
    ev_io readable;
    enum reading reading;
    uint8_t sum, told;
    char packet[RIG_GDB_PACKET_MAX + 1];
    size_t packet_len;
    struct request waiting[RIG_GDB_WAITING_MAX];
    size_t waits;
    unsigned packets;
    char out[1024];
    size_t out_len;
    unsigned depth; /* calls that will look at this struct again */
    bool closed;
};

static void lose(struct rig_gdb *gdb, const char *why, bool ended)
{
    if (gdb->fd < 0)
        return;
    ev_io_stop(gdb->loop, &gdb->readable);
    close(gdb->fd);
    gdb->fd = -1;
    gdb->waits = 0;
    if (gdb->events.lost)
        gdb->events.lost(gdb->ctx, why, ended);
}

static void enter(struct rig_gdb *gdb)
{
    gdb->depth++;
}

/* A callback may have closed it: whoever is out last frees it. */
static void leave(struct rig_gdb *gdb)
{
    if (!--gdb->depth && gdb->closed)
        free(gdb);
}

static void put(struct rig_gdb *gdb, const char *bytes, size_t len)
{
    if (gdb->fd < 0)
        return;
    assert(gdb->out_len + len <= sizeof gdb->out); /* the caller flushes */
    memcpy(gdb->out + gdb->out_len, bytes, len);
    gdb->out_len += len;
}

void rig_gdb_flush(struct rig_gdb *gdb)
{
    size_t len = gdb->out_len;
    gdb->out_len = 0;
    if (gdb->fd < 0 || !len)
        return;
    ssize_t sent;
    while ((sent = send(gdb->fd, gdb->out, len, MSG_NOSIGNAL)) < 0 && errno == EINTR)
        continue;
    if (sent != (ssize_t)len) /* a few bytes to a stub that does not listen */
        lose(gdb, "gdb: it can't be written to", true);
}

static void put_packet(struct rig_gdb *gdb, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void put_packet(struct rig_gdb *gdb, const char *format, ...)
{
    char text[64], framed[72];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    assert(len > 0 && (size_t)len < sizeof text);
    gdb->packets++;
    uint8_t sum = 0;
    for (int i = 0; i < len; i++)
        sum = (uint8_t)(sum + (uint8_t)text[i]);
    len = snprintf(framed, sizeof framed, "$%s#%02x", text, sum);
    put(gdb, framed, (size_t)len);
}

static void await(struct rig_gdb *gdb, struct request request)
{
    if (gdb->fd < 0)
        return;
    assert(gdb->waits < RIG_GDB_WAITING_MAX);
    request.packet = gdb->packets;
    gdb->waiting[gdb->waits++] = request;
}

void rig_gdb_watch(struct rig_gdb *gdb, uint32_t addr, uint32_t len, bool set)
{
    put_packet(gdb, "%c2,%x,%x", set ? 'Z' : 'z', addr, len);
    await(gdb, (struct request){0});
}

void rig_gdb_read(struct rig_gdb *gdb, uint32_t addr, uint32_t len, rig_gdb_bytes *got, void *ctx)
{
    assert(got && len <= RIG_GDB_READ_MAX);
    put_packet(gdb, "m%x,%x", addr, len);
    await(gdb, (struct request){.got = got, .ctx = ctx, .len = len});
}

void rig_gdb_write(struct rig_gdb *gdb, uint32_t addr, const uint8_t *bytes, uint32_t len)
{
    char hex[2 * RIG_GDB_WRITE_MAX + 1];
    assert(len && len <= RIG_GDB_WRITE_MAX);
    for (uint32_t i = 0; i < len; i++)
        snprintf(hex + (size_t)2 * i, 3, "%02x", bytes[i]);
    put_packet(gdb, "M%x,%x:%s", addr, len, hex);
    await(gdb, (struct request){0});
}

void rig_gdb_step(struct rig_gdb *gdb)
{
    put_packet(gdb, "s");
}

void rig_gdb_continue(struct rig_gdb *gdb)
{
    put_packet(gdb, "c");
}

void rig_gdb_interrupt(struct rig_gdb *gdb)
{
    put(gdb, "\x03", 1);
}

static int digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Ssig, or Tsig then name:value; pairs. */
static void on_stop(struct rig_gdb *gdb)
{
    struct rig_gdb_stop stop = {0};
    int high = digit(gdb->packet[1]), low = high < 0 ? -1 : digit(gdb->packet[2]);
    if (low < 0) {
        lose(gdb, "gdb: a stop without a signal", false);
        return;
    }
    stop.signal = (unsigned)(high * 16 + low);
    const char *watch = gdb->packet[0] == 'T' ? strstr(gdb->packet + 3, "watch:") : NULL;
    if (watch) {
        stop.watch = true;
        for (watch += 6; digit(*watch) >= 0; watch++)
            stop.addr = stop.addr << 4 | (uint32_t)digit(*watch);
    }
    if (gdb->events.stopped)
        gdb->events.stopped(gdb->ctx, &stop);
}

static void on_bytes(struct rig_gdb *gdb, struct request request)
{
    uint8_t bytes[RIG_GDB_READ_MAX];
    bool right = gdb->packet_len == 2 * (size_t)request.len;
    for (size_t i = 0; right && i < request.len; i++) {
        int high = digit(gdb->packet[2 * i]), low = digit(gdb->packet[2 * i + 1]);
        right = high >= 0 && low >= 0;
        bytes[i] = (uint8_t)(right ? high * 16 + low : 0);
    }
    request.got(request.ctx, right ? bytes : NULL, right ? request.len : 0);
}

static void on_packet(struct rig_gdb *gdb)
{
    char first = gdb->packet[0];
    bool stop = first == 'T' || first == 'S', reply = !stop && gdb->waits;
    struct request request = gdb->waiting[0];
    if (reply) {
        gdb->waits--;
        memmove(gdb->waiting, gdb->waiting + 1, gdb->waits * sizeof request);
    }
    if (reply ? request.packet == gdb->packets : !gdb->waits) {
        put(gdb, "+", 1);
        rig_gdb_flush(gdb);
    }
    if (gdb->fd < 0)
        return;
    if (stop)
        on_stop(gdb);
    else if (first == 'W' || first == 'X')
        lose(gdb, "gdb: QEMU ends", true);
    else if (!reply)
        lose(gdb, "gdb: a packet that nobody asked for", false);
    else if (request.got)
        on_bytes(gdb, request);
    else if (strcmp(gdb->packet, "OK"))
        lose(gdb, "gdb: a watchpoint or a write was refused", false);
}

static void on_byte(struct rig_gdb *gdb, char c)
{
    int value = digit(c);
    switch (gdb->reading) {
    case READING_IDLE:
        if (c != '$')
            return; /* acknowledgements, rubbish between packets */
        gdb->reading = READING_PACKET;
        gdb->packet_len = gdb->sum = 0;
        return;
    case READING_PACKET:
        if (c == '#') {
            gdb->reading = READING_SUM_HIGH;
            return;
        }
        if (gdb->packet_len == RIG_GDB_PACKET_MAX) {
            lose(gdb, "gdb: a packet without an end", false);
            return;
        }
        gdb->packet[gdb->packet_len++] = c;
        gdb->sum = (uint8_t)(gdb->sum + (uint8_t)c);
        return;
    case READING_SUM_HIGH:
        gdb->told = (uint8_t)(value < 0 ? 0 : value << 4);
        gdb->reading = READING_SUM_LOW;
        if (value < 0)
            lose(gdb, "gdb: a checksum that is none", false);
        return;
    case READING_SUM_LOW:
        gdb->reading = READING_IDLE;
        gdb->packet[gdb->packet_len] = '\0';
        if (value < 0 || (gdb->told | value) != gdb->sum)
            lose(gdb, "gdb: a wrong checksum", false); /* on a socket that is no noise */
        else
            on_packet(gdb);
        return;
    }
}

void rig_gdb_feed(struct rig_gdb *gdb, const void *bytes, size_t len)
{
    enter(gdb);
    for (size_t i = 0; i < len && gdb->fd >= 0; i++)
        on_byte(gdb, ((const char *)bytes)[i]);
    leave(gdb);
}

static void read_all(struct rig_gdb *gdb)
{
    char bytes[4096];
    while (gdb->fd >= 0) {
        ssize_t got = read(gdb->fd, bytes, sizeof bytes);
        if (got > 0)
            rig_gdb_feed(gdb, bytes, (size_t)got);
        else if (got == 0)
            lose(gdb, "gdb: QEMU closed the connection", true);
        else if (errno == EAGAIN)
            return;
        else if (errno != EINTR)
            lose(gdb, "gdb: it can't be read from", true);
    }
}

void rig_gdb_work(struct rig_gdb *gdb)
{
    enter(gdb);
    read_all(gdb);
    leave(gdb);
}

static void on_readable(struct ev_loop *loop, ev_io *io, int events)
{
    (void)loop, (void)events;
    rig_gdb_work(io->data);
}

int rig_gdb_open(struct rig_gdb **out, struct ev_loop *loop, int fd,
                 const struct rig_gdb_events *events, void *ctx)
{
    struct rig_gdb *gdb = calloc(1, sizeof *gdb);
    *out = gdb;
    if (!gdb) {
        close(fd);
        return -1;
    }
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    gdb->loop = loop;
    gdb->fd = fd;
    gdb->events = *events;
    gdb->ctx = ctx;
    ev_io_init(&gdb->readable, on_readable, fd, EV_READ);
    gdb->readable.data = gdb;
    ev_io_start(loop, &gdb->readable);
    return 0;
}

void rig_gdb_close(struct rig_gdb *gdb)
{
    if (!gdb)
        return;
    gdb->events = (struct rig_gdb_events){0};
    lose(gdb, "", true);
    enter(gdb);
    gdb->closed = true;
    leave(gdb);
}

bool rig_gdb_is_lost(const struct rig_gdb *gdb)
{
    return gdb->fd < 0;
}

int rig_gdb_fd(const struct rig_gdb *gdb)
{
    return gdb->fd;
}
