/* The QMP client: lines in, commands out, replies by their id. */
#include "rig/qmp.h"
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct waiting {
    json_int_t id;
    rig_qmp_reply *reply;
    void *ctx;
};

struct buffer {
    char *bytes;
    size_t len, room;
};

struct rig_qmp {
    struct ev_loop *loop;
    int fd; /* -1: lost */
    bool greeted, ready;
    struct rig_qmp_events events;
    void *ctx;
    ev_io readable, writable;
    struct buffer in, out, held; /* held: commands given before it was ready */
    size_t searched;             /* so much of `in` has no line end */
    json_int_t last_id;
    struct waiting waiting[RIG_QMP_WAITING_MAX];
    size_t waits;
    unsigned depth; /* calls that will look at this struct again */
    bool closed;
};

static bool append(struct buffer *to, const void *bytes, size_t len)
{
    if (to->room - to->len < len) {
        size_t room = to->room ? to->room : 4096;
        while (room - to->len < len)
            room *= 2;
        char *more = realloc(to->bytes, room);
        if (!more)
            return false;
        to->bytes = more;
        to->room = room;
    }
    if (len)
        memcpy(to->bytes + to->len, bytes, len);
    to->len += len;
    return true;
}

static void drop_front(struct buffer *from, size_t len)
{
    from->len -= len;
    if (from->len)
        memmove(from->bytes, from->bytes + len, from->len);
}

static void lose(struct rig_qmp *qmp, const char *why, bool ended)
{
    if (qmp->fd < 0)
        return;
    ev_io_stop(qmp->loop, &qmp->readable);
    ev_io_stop(qmp->loop, &qmp->writable);
    close(qmp->fd);
    qmp->fd = -1;
    while (qmp->waits) {
        struct waiting last = qmp->waiting[--qmp->waits];
        if (last.reply)
            last.reply(last.ctx, NULL, why);
    }
    if (qmp->events.lost)
        qmp->events.lost(qmp->ctx, why, ended);
}

static void enter(struct rig_qmp *qmp)
{
    qmp->depth++;
}

/* A callback may have closed it: whoever is out last frees it. */
static void leave(struct rig_qmp *qmp)
{
    if (--qmp->depth || !qmp->closed)
        return;
    free(qmp->in.bytes);
    free(qmp->out.bytes);
    free(qmp->held.bytes);
    free(qmp);
}

static void write_some(struct rig_qmp *qmp)
{
    while (qmp->fd >= 0 && qmp->out.len) {
        ssize_t sent = send(qmp->fd, qmp->out.bytes, qmp->out.len, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0 && errno == EAGAIN)
            break;
        if (sent <= 0) {
            lose(qmp, "QMP: it can't be written to", true);
            return;
        }
        drop_front(&qmp->out, (size_t)sent);
    }
    if (qmp->fd < 0)
        return;
    if (qmp->out.len)
        ev_io_start(qmp->loop, &qmp->writable);
    else
        ev_io_stop(qmp->loop, &qmp->writable);
}

static void capable(void *ctx, const json_t *result, const char *error)
{
    struct rig_qmp *qmp = ctx;
    if (qmp->fd < 0)
        return;
    if (!result) {
        lose(qmp, error, false);
        return;
    }
    qmp->ready = true;
    if (!append(&qmp->out, qmp->held.bytes, qmp->held.len)) {
        lose(qmp, "QMP: no memory", false);
        return;
    }
    qmp->held.len = 0;
    write_some(qmp);
    if (qmp->events.ready && qmp->fd >= 0)
        qmp->events.ready(qmp->ctx);
}

/* Written behind `to`; its reply is awaited. */
static int put(struct rig_qmp *qmp, struct buffer *to, const char *command, json_t *arguments,
               rig_qmp_reply *reply, void *ctx)
{
    if (qmp->fd < 0 || qmp->waits == RIG_QMP_WAITING_MAX) {
        json_decref(arguments);
        return -1;
    }
    json_int_t id = qmp->last_id + 1;
    json_t *line =
        arguments ? json_pack("{s:s,s:o,s:I}", "execute", command, "arguments", arguments, "id", id)
                  : json_pack("{s:s,s:I}", "execute", command, "id", id);
    char *text = line ? json_dumps(line, JSON_COMPACT) : NULL;
    json_decref(line);
    size_t before = to->len;
    bool ok = text && append(to, text, strlen(text)) && append(to, "\n", 1);
    free(text);
    if (!ok) {
        to->len = before;
        return -1;
    }
    qmp->last_id = id;
    qmp->waiting[qmp->waits++] = (struct waiting){id, reply, ctx};
    return 0;
}

int rig_qmp_send(struct rig_qmp *qmp, const char *command, json_t *arguments, rig_qmp_reply *reply,
                 void *ctx)
{
    if (put(qmp, qmp->ready ? &qmp->out : &qmp->held, command, arguments, reply, ctx))
        return -1;
    /* Written from the loop or by rig_qmp_work: a failure must not call back from in here. */
    if (qmp->ready)
        ev_io_start(qmp->loop, &qmp->writable);
    return 0;
}

static void on_greeting(struct rig_qmp *qmp)
{
    if (qmp->greeted) {
        lose(qmp, "QMP: greeted twice", false);
        return;
    }
    qmp->greeted = true;
    if (put(qmp, &qmp->out, "qmp_capabilities", NULL, capable, qmp))
        lose(qmp, "QMP: no memory", false);
    else
        write_some(qmp);
}

static void on_reply(struct rig_qmp *qmp, const json_t *message)
{
    const json_t *id = json_object_get(message, "id");
    const json_t *error = json_object_get(message, "error");
    size_t i = 0;
    while (i < qmp->waits && !(json_is_integer(id) && qmp->waiting[i].id == json_integer_value(id)))
        i++;
    if (i == qmp->waits) {
        lose(qmp, "QMP: a reply that nobody asked for", false);
        return;
    }
    struct waiting found = qmp->waiting[i];
    qmp->waits--;
    memmove(&qmp->waiting[i], &qmp->waiting[i + 1], (qmp->waits - i) * sizeof found);
    if (!found.reply)
        return;
    if (!error) {
        found.reply(found.ctx, json_object_get(message, "return"), NULL);
        return;
    }
    const char *why = json_string_value(json_object_get(error, "desc"));
    found.reply(found.ctx, NULL, why ? why : "QMP: an error without a reason");
}

static int64_t time_of(const json_t *message)
{
    const json_t *stamp = json_object_get(message, "timestamp");
    json_int_t s = json_integer_value(json_object_get(stamp, "seconds"));
    json_int_t us = json_integer_value(json_object_get(stamp, "microseconds"));
    if (s <= 0 || s > INT64_MAX / 1000000 - 1 || us < 0 || us >= 1000000)
        return 0;
    return (int64_t)s * 1000000 + us;
}

static void on_line(struct rig_qmp *qmp, const char *line, size_t len)
{
    json_error_t where;
    json_t *message = json_loadb(line, len, JSON_REJECT_DUPLICATES, &where);
    const char *event = json_string_value(json_object_get(message, "event"));
    if (json_object_get(message, "QMP"))
        on_greeting(qmp);
    else if (json_object_get(message, "return") || json_object_get(message, "error"))
        on_reply(qmp, message);
    else if (!event)
        lose(qmp, "QMP: a line that is none", false);
    else if (qmp->events.event)
        qmp->events.event(qmp->ctx, event, json_object_get(message, "data"), time_of(message));
    json_decref(message);
}

static void take(struct rig_qmp *qmp, const void *bytes, size_t len)
{
    if (qmp->fd >= 0 && !append(&qmp->in, bytes, len))
        lose(qmp, "QMP: no memory", false);
    while (qmp->fd >= 0 && qmp->in.len > qmp->searched) {
        char *end = memchr(qmp->in.bytes + qmp->searched, '\n', qmp->in.len - qmp->searched);
        if (!end)
            break;
        size_t line = (size_t)(end - qmp->in.bytes);
        char *text = malloc(line + 1); /* a copy, because a callback may feed more */
        if (!text) {
            lose(qmp, "QMP: no memory", false);
            return;
        }
        memcpy(text, qmp->in.bytes, line);
        drop_front(&qmp->in, line + 1);
        qmp->searched = 0;
        if (line && !(line == 1 && text[0] == '\r'))
            on_line(qmp, text, line);
        free(text);
    }
    qmp->searched = qmp->in.len;
    if (qmp->in.len > RIG_QMP_LINE_MAX)
        lose(qmp, "QMP: a line without an end", false);
}

static void read_some(struct rig_qmp *qmp)
{
    char bytes[8192];
    while (qmp->fd >= 0) {
        ssize_t got = read(qmp->fd, bytes, sizeof bytes);
        if (got > 0)
            take(qmp, bytes, (size_t)got);
        else if (got == 0)
            lose(qmp, "QMP: QEMU closed the connection", true);
        else if (errno == EAGAIN)
            return;
        else if (errno != EINTR)
            lose(qmp, "QMP: it can't be read from", true);
    }
}

void rig_qmp_feed(struct rig_qmp *qmp, const void *bytes, size_t len)
{
    enter(qmp);
    take(qmp, bytes, len);
    leave(qmp);
}

void rig_qmp_work(struct rig_qmp *qmp)
{
    enter(qmp);
    write_some(qmp);
    read_some(qmp);
    leave(qmp);
}

static void on_readable(struct ev_loop *loop, ev_io *io, int events)
{
    (void)loop, (void)events;
    rig_qmp_work(io->data);
}

static void on_writable(struct ev_loop *loop, ev_io *io, int events)
{
    (void)loop, (void)events;
    rig_qmp_work(io->data);
}

int rig_qmp_open(struct rig_qmp **out, struct ev_loop *loop, int fd,
                 const struct rig_qmp_events *events, void *ctx)
{
    assert(out && loop && fd >= 0 && events);
    struct rig_qmp *qmp = calloc(1, sizeof *qmp);
    *out = qmp;
    if (!qmp) {
        close(fd);
        return -1;
    }
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    qmp->loop = loop;
    qmp->fd = fd;
    qmp->events = *events;
    qmp->ctx = ctx;
    ev_io_init(&qmp->readable, on_readable, fd, EV_READ);
    ev_io_init(&qmp->writable, on_writable, fd, EV_WRITE);
    qmp->readable.data = qmp->writable.data = qmp;
    ev_io_start(loop, &qmp->readable);
    return 0;
}

void rig_qmp_close(struct rig_qmp *qmp)
{
    if (!qmp)
        return;
    qmp->events = (struct rig_qmp_events){0};
    for (size_t i = 0; i < qmp->waits; i++)
        qmp->waiting[i].reply = NULL;
    lose(qmp, "", true);
    enter(qmp);
    qmp->closed = true;
    leave(qmp);
}

int rig_qmp_fd(const struct rig_qmp *qmp)
{
    return qmp->fd;
}

short rig_qmp_wants(const struct rig_qmp *qmp)
{
    return qmp->out.len ? POLLIN | POLLOUT : POLLIN;
}

/* ---- Waiting for one reply ---- */

struct call {
    bool done;
    json_t *result;
    char error[256];
};

static void answered(void *ctx, const json_t *result, const char *error)
{
    struct call *call = ctx;
    call->done = true;
    call->result = result ? json_deep_copy(result) : NULL;
    if (!call->result)
        snprintf(call->error, sizeof call->error, "%s", error ? error : "no result");
}

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* It is not waited for any longer; whoever waits later must not be called with this frame. */
static void forget(struct rig_qmp *qmp, const void *ctx)
{
    for (size_t i = 0; i < qmp->waits; i++)
        if (qmp->waiting[i].ctx == ctx)
            qmp->waiting[i].reply = NULL;
}

int rig_qmp_call(struct rig_qmp *qmp, const char *command, json_t *arguments, json_t **result,
                 int timeout_ms, char *message, size_t len)
{
    struct call call = {.error = "no reply"};
    if (result)
        *result = NULL;
    int64_t until = now_ms() + timeout_ms, left = timeout_ms;
    if (rig_qmp_send(qmp, command, arguments, answered, &call)) {
        snprintf(message, len, "%s: QMP is not connected", command);
        return -1;
    }
    enter(qmp);
    while (!call.done && !qmp->closed && left >= 0) {
        rig_qmp_work(qmp);
        struct pollfd wait = {.fd = qmp->fd, .events = rig_qmp_wants(qmp)};
        if (!call.done)
            poll(&wait, 1, (int)left);
        left = until - now_ms();
    }
    forget(qmp, &call);
    leave(qmp);
    if (!call.result) {
        snprintf(message, len, "%s: %s", command, call.error);
        return -1;
    }
    if (result)
        *result = call.result;
    else
        json_decref(call.result);
    return 0;
}
