#include "control.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { CLIENTS_MAX = 4, IDLE_S = 10 };

struct client {
    struct agent_control *control;
    int fd; /* -1: free */
    ev_io readable;
    ev_timer idle;
    char line[AGENT_ORDER_LINE_MAX];
    size_t len;
};

struct agent_control {
    struct ev_loop *loop;
    struct agent_device *device;
    const struct agent_log *log;
    int fd;
    ev_io acceptable;
    struct client client[CLIENTS_MAX];
    uint32_t orders;
    char path[sizeof((struct sockaddr_un *)0)->sun_path];
};

static void hang_up(struct client *client)
{
    if (client->fd < 0)
        return;
    ev_io_stop(client->control->loop, &client->readable);
    ev_timer_stop(client->control->loop, &client->idle);
    close(client->fd);
    client->fd = -1;
}

/* An answer fits every socket's buffer; who does not take it is hung up on. */
static bool answer(const struct client *client, const char *json)
{
    char line[AGENT_STATUS_TEXT + 2];
    int len = snprintf(line, sizeof line, "%s\n", json);
    return send(client->fd, line, (size_t)len, MSG_NOSIGNAL | MSG_DONTWAIT) == len;
}

static bool obey(struct client *client, const char *line, size_t len)
{
    struct agent_control *control = client->control;
    struct agent_order order;
    char text[AGENT_STATUS_TEXT];
    const char *wrong = agent_order_parse(&order, line, len, ++control->orders);
    if (wrong) {
        snprintf(text, sizeof text, "{\"ok\":false,\"error\":\"%s\"}", wrong);
        return answer(client, text);
    }
    if (order.kind == AGENT_ORDER_STATUS) {
        agent_device_status(control->device, text);
        return answer(client, text);
    }
    AGENT_LOG(control->log, AGENT_LOG_INFO, "control", AGENT_TEXT("order", order.json));
    agent_device_command(control->device, order.json, (uint32_t)strlen(order.json));
    snprintf(text, sizeof text, "{\"ok\":true,\"state\":\"%s\"}",
             agent_state_name((int)agent_state(&control->device->agent)));
    return answer(client, text);
}

static void obey_lines(struct client *client)
{
    char *newline;
    while (client->fd >= 0 && (newline = memchr(client->line, '\n', client->len))) {
        size_t used = (size_t)(newline - client->line);
        if (!obey(client, client->line, used)) {
            hang_up(client);
            return;
        }
        client->len -= used + 1;
        memmove(client->line, newline + 1, client->len);
    }
    if (client->len == sizeof client->line) {
        answer(client, "{\"ok\":false,\"error\":\"line too long\"}");
        hang_up(client);
    }
}

static void on_readable(struct ev_loop *loop, ev_io *io, int events)
{
    struct client *client = io->data;
    (void)events;
    ssize_t got = read(client->fd, client->line + client->len, sizeof client->line - client->len);
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

static struct client *find_free(struct agent_control *control)
{
    for (int i = 0; i < CLIENTS_MAX; i++)
        if (control->client[i].fd < 0)
            return &control->client[i];
    return NULL;
}

static void on_acceptable(struct ev_loop *loop, ev_io *io, int events)
{
    struct agent_control *control = io->data;
    (void)events;
    int fd = accept4(control->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
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
static int listen_at(const struct sockaddr_un *at)
{
    struct stat status;
    if (!lstat(at->sun_path, &status) && S_ISSOCK(status.st_mode))
        unlink(at->sun_path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    mode_t mask = umask(0177);
    int error = bind(fd, (const struct sockaddr *)at, sizeof *at) || listen(fd, CLIENTS_MAX);
    umask(mask);
    if (!error)
        return fd;
    int reason = errno;
    close(fd);
    errno = reason;
    return -1;
}

static int address(struct sockaddr_un *out, const char *path)
{
    *out = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof out->sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    strcpy(out->sun_path, path);
    return 0;
}

static void init_clients(struct agent_control *control)
{
    for (int i = 0; i < CLIENTS_MAX; i++) {
        struct client *client = &control->client[i];
        client->control = control;
        client->fd = -1;
        ev_init(&client->idle, on_idle);
        client->idle.repeat = IDLE_S;
        client->idle.data = client;
    }
}

int agent_control_open(struct agent_control **out, struct ev_loop *loop, const char *path,
                       struct agent_device *device, const struct agent_log *log, char *message,
                       size_t len)
{
    struct sockaddr_un at;
    struct agent_control *control = calloc(1, sizeof *control);
    *out = NULL;
    if (!control || address(&at, path) || (control->fd = listen_at(&at)) < 0) {
        snprintf(message, len, "%s: can't listen: %s", path, strerror(errno));
        free(control);
        return -1;
    }
    control->loop = loop;
    control->device = device;
    control->log = log;
    memcpy(control->path, at.sun_path, sizeof control->path);
    init_clients(control);
    ev_io_init(&control->acceptable, on_acceptable, control->fd, EV_READ);
    control->acceptable.data = control;
    ev_io_start(loop, &control->acceptable);
    *out = control;
    return 0;
}

void agent_control_close(struct agent_control *control)
{
    if (!control)
        return;
    for (int i = 0; i < CLIENTS_MAX; i++)
        hang_up(&control->client[i]);
    ev_io_stop(control->loop, &control->acceptable);
    close(control->fd);
    unlink(control->path);
    free(control);
}
