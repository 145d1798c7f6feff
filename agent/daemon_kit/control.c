#include "daemon_kit/control.h"
#include "address.h"
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { IDLE_S = 10 };
static const double REST_S = 0.1;

struct client {
    struct agent_kit_control *control;
    int fd; /* -1: free */
    ev_io readable;
    ev_timer idle;
    char line[AGENT_KIT_LINE_MAX];
    size_t len;
};

struct agent_kit_control {
    struct agent_kit_control_config config;
    struct sockaddr_un at;
    int fd;
    ev_io acceptable;
    ev_timer rested;
    struct client client[AGENT_KIT_CLIENTS_MAX];
};

static void hang_up(struct client *client)
{
    if (client->fd < 0)
        return;
    ev_io_stop(client->control->config.loop, &client->readable);
    ev_timer_stop(client->control->config.loop, &client->idle);
    close(client->fd);
    client->fd = -1;
}

/* An answer fits every socket's buffer; who does not take it is hung up on. */
static bool answer(const struct client *client, const char *json)
{
    char line[AGENT_KIT_ANSWER_MAX + 1];
    int len = snprintf(line, sizeof line, "%s\n", json);
    return send(client->fd, line, (size_t)len, MSG_NOSIGNAL | MSG_DONTWAIT) == len;
}

static bool obey(struct client *client, size_t len)
{
    const struct agent_kit_control_config *config = &client->control->config;
    char text[AGENT_KIT_ANSWER_MAX];
    client->line[len] = '\0';
    return config->obey(config->ctx, text, client->line, len) && answer(client, text);
}

static void obey_lines(struct client *client)
{
    const struct agent_kit_control_config *config = &client->control->config;
    char *newline;
    while (client->fd >= 0 && (newline = memchr(client->line, '\n', client->len))) {
        size_t used = (size_t)(newline - client->line);
        if (!obey(client, used)) {
            hang_up(client);
            return;
        }
        client->len -= used + 1;
        memmove(client->line, newline + 1, client->len);
    }
    if (client->len == config->line_bytes) {
        answer(client, config->too_long);
        hang_up(client);
    }
}

static void on_readable(struct ev_loop *loop, ev_io *io, int events)
{
    struct client *client = io->data;
    size_t room = client->control->config.line_bytes - client->len;
    (void)events;
    ssize_t got = read(client->fd, client->line + client->len, room);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0) {
        hang_up(client);
        return;
    }
    client->len += (size_t)got;
    ev_timer_again(loop, &client->idle);
    obey_lines(client);
}

static void on_idle(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop, (void)events;
    hang_up(timer->data);
}

static struct client *find_free(struct agent_kit_control *control)
{
    for (uint32_t i = 0; i < control->config.clients; i++)
        if (control->client[i].fd < 0)
            return &control->client[i];
    return NULL;
}

static bool is_exhausted(int error)
{
    return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

static void on_rested(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct agent_kit_control *control = timer->data;
    (void)events;
    ev_io_start(loop, &control->acceptable);
}

/* Who waits stays readable, and the loop would do nothing else until a descriptor is free. */
static void rest(struct agent_kit_control *control)
{
    ev_io_stop(control->config.loop, &control->acceptable);
    ev_timer_set(&control->rested, REST_S, 0);
    ev_timer_start(control->config.loop, &control->rested);
}

static void on_acceptable(struct ev_loop *loop, ev_io *io, int events)
{
    struct agent_kit_control *control = io->data;
    (void)events;
    int fd = accept4(control->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0 && is_exhausted(errno))
        rest(control);
    struct client *client = fd >= 0 ? find_free(control) : NULL;
    if (!client) {
        if (fd >= 0)
            close(fd);
        return;
    }
    client->fd = fd;
    client->len = 0;
    ev_io_init(&client->readable, on_readable, fd, EV_READ);
    client->readable.data = client;
    ev_io_start(loop, &client->readable);
    ev_timer_again(loop, &client->idle);
}

/* Bound under a mask, so that the socket never stands open to others. */
static int listen_at(const struct sockaddr_un *at, uint32_t clients)
{
    struct stat found;
    if (!lstat(at->sun_path, &found) && S_ISSOCK(found.st_mode))
        unlink(at->sun_path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    mode_t mask = umask(0177);
    int error = bind(fd, (const struct sockaddr *)at, sizeof *at) || listen(fd, (int)clients);
    int reason = errno;
    umask(mask);
    if (!error)
        return fd;
    close(fd);
    errno = reason;
    return -1;
}

static void init_clients(struct agent_kit_control *control)
{
    for (uint32_t i = 0; i < AGENT_KIT_CLIENTS_MAX; i++) {
        struct client *client = &control->client[i];
        client->control = control;
        client->fd = -1;
        ev_init(&client->idle, on_idle);
        client->idle.repeat = IDLE_S;
        client->idle.data = client;
    }
}

int agent_kit_control_open(struct agent_kit_control **out,
                           const struct agent_kit_control_config *config)
{
    struct agent_kit_control *control = calloc(1, sizeof *control);
    assert(config->clients && config->clients <= AGENT_KIT_CLIENTS_MAX);
    assert(config->line_bytes && config->line_bytes <= AGENT_KIT_LINE_MAX);
    *out = NULL;
    if (!control || agent_kit_address(&control->at, config->path) ||
        (control->fd = listen_at(&control->at, config->clients)) < 0) {
        free(control); /* glibc: errno stays */
        return -1;
    }
    control->config = *config;
    control->config.path = control->at.sun_path;
    init_clients(control);
    ev_io_init(&control->acceptable, on_acceptable, control->fd, EV_READ);
    ev_init(&control->rested, on_rested);
    control->acceptable.data = control->rested.data = control;
    ev_io_start(config->loop, &control->acceptable);
    *out = control;
    return 0;
}

void agent_kit_control_close(struct agent_kit_control *control)
{
    if (!control)
        return;
    for (uint32_t i = 0; i < AGENT_KIT_CLIENTS_MAX; i++)
        hang_up(&control->client[i]);
    ev_io_stop(control->config.loop, &control->acceptable);
    ev_timer_stop(control->config.loop, &control->rested);
    close(control->fd);
    unlink(control->at.sun_path);
    free(control);
}
