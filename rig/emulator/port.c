#include "port.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

enum { CHUNK = 4096, CHUNKS_A_TURN = 16 };
static const double AGAIN_S = 0.003;

size_t em_port_waiting(const struct em_port *port)
{
    return port->have - port->at;
}

bool em_port_is_open(struct em_port *port)
{
    struct pollfd wait = {.fd = port->fd};
    port->open = port->fd >= 0 && poll(&wait, 1, 0) >= 0 && !(wait.revents & (POLLHUP | POLLNVAL));
    return port->open;
}

/* ---- Out ---- */

static void tell_drained(struct em_port *port)
{
    if (port->config.drained)
        port->config.drained(port->config.ctx);
}

/* How many bytes it took. */
static size_t put(struct em_port *port, const uint8_t *bytes, size_t len)
{
    size_t done = 0;
    while (done < len) {
        ssize_t sent = write(port->fd, bytes + done, len - done);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0)
            break; /* full, or hung up: its event comes */
        done += (size_t)sent;
    }
    port->bytes_out += done;
    return done;
}

static void flush_out(struct em_port *port)
{
    if (!em_port_waiting(port))
        return;
    port->at += put(port, port->out + port->at, em_port_waiting(port));
    if (em_port_waiting(port))
        return;
    port->at = port->have = 0;
    tell_drained(port);
}

static void keep(struct em_port *port, const uint8_t *bytes, size_t len)
{
    if (port->at) {
        memmove(port->out, port->out + port->at, em_port_waiting(port));
        port->have -= port->at;
        port->at = 0;
    }
    size_t room = port->config.out_max - port->have, taken = len < room ? len : room;
    memcpy(port->out + port->have, bytes, taken);
    port->have += taken;
    port->dropped += len - taken;
}

void em_port_write(struct em_port *port, const void *bytes, size_t len)
{
    if (port->fd < 0 || (!port->open && !em_port_is_open(port)))
        return;
    size_t done = em_port_waiting(port) ? 0 : put(port, bytes, len);
    keep(port, (const uint8_t *)bytes + done, len - done);
}

/* ---- In ---- */

static void wait_for_room(struct em_port *port)
{
    port->waits = true;
    if (!ev_is_active(&port->hub->again))
        ev_timer_again(port->hub->loop, &port->hub->again);
}

/* Until nothing is there: there is no second event for the same bytes. */
static void take_in(struct em_port *port)
{
    uint8_t bytes[CHUNK];
    port->waits = false;
    for (int turn = 0; port->fd >= 0; turn++) {
        size_t room = port->config.room ? port->config.room(port->config.ctx) : sizeof bytes;
        if (!room || turn == CHUNKS_A_TURN) {
            wait_for_room(port);
            return;
        }
        ssize_t got = read(port->fd, bytes, room < sizeof bytes ? room : sizeof bytes);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return;
        port->bytes_in += (uint64_t)got;
        port->config.input(port->config.ctx, bytes, (size_t)got);
    }
}

static void on_again(struct ev_loop *loop, ev_timer *timer, int events)
{
    const struct em_hub *hub = timer->data;
    bool more = false;
    (void)events;
    for (struct em_port *port = hub->first; port; port = port->next) {
        if (port->waits)
            take_in(port);
        more = more || port->waits;
    }
    if (!more)
        ev_timer_stop(loop, timer);
}

/* ---- Opened and closed by the rig ---- */

static int make_raw(int fd)
{
    struct termios raw;
    if (tcgetattr(fd, &raw))
        return -1;
    cfmakeraw(&raw);
    raw.c_cflag |= CREAD | CLOCAL;
    return tcsetattr(fd, TCSANOW, &raw);
}

/* What has happened since the last time: epoll's events, 0: nothing. */
static uint32_t look(const struct em_port *port)
{
    struct epoll_event event;
    return epoll_wait(port->epoll, &event, 1, 0) == 1 ? event.events : 0;
}

/* As a port is when nobody has it: raw, empty, nobody's alone. Also makes it hang up, which it does
 * not before it was open once. -1: it can't be opened (who had it last wanted it for himself). */
static int refresh(const struct em_port *port)
{
    int fd = open(port->name, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return -1;
    int error = make_raw(fd);
    ioctl(fd, TIOCNXCL);
    tcflush(fd, TCIFLUSH);
    close(fd);
    look(port); /* this hang-up was our own */
    return error;
}

static void hung_up(struct em_port *port)
{
    if (em_port_is_open(port))
        return; /* again already */
    port->at = port->have = 0;
    tell_drained(port);
    if (refresh(port)) {
        em_port_unplug(port);
        em_port_plug(port);
    } else {
        take_in(port); /* of who came meanwhile */
    }
}

static void on_happens(struct ev_loop *loop, ev_io *io, int events)
{
    struct em_port *port = io->data;
    (void)loop, (void)events;
    uint32_t happened = look(port);
    take_in(port); /* what was written before it was closed counts */
    if (happened & EPOLLHUP)
        hung_up(port);
    else if (happened & EPOLLOUT)
        flush_out(port);
}

/* ---- Life ---- */

static int make_pty(struct em_port *port)
{
    int fd = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return -1;
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET};
    int reason = ptsname_r(fd, port->name, sizeof port->name);
    if (!reason && !grantpt(fd) && !unlockpt(fd) &&
        !epoll_ctl(port->epoll, EPOLL_CTL_ADD, fd, &event) && !refresh(port)) {
        port->fd = fd;
        return 0;
    }
    reason = reason ? reason : errno;
    close(fd);
    errno = reason;
    return -1;
}

static int make_link(const struct em_port *port)
{
    struct stat found;
    if (!lstat(port->path, &found) && S_ISLNK(found.st_mode))
        unlink(port->path);
    return symlink(port->name, port->path);
}

int em_port_plug(struct em_port *port)
{
    if (port->fd >= 0)
        return 0;
    if (make_pty(port))
        return -1;
    if (!make_link(port))
        return 0;
    int reason = errno;
    close(port->fd);
    port->fd = -1;
    errno = reason;
    return -1;
}

void em_port_unplug(struct em_port *port)
{
    if (port->fd < 0)
        return;
    unlink(port->path);
    close(port->fd); /* epoll forgets it */
    port->fd = -1;
    port->open = port->waits = false;
    port->at = port->have = 0;
    tell_drained(port);
}

/* Forgets what it holds; errno stays. */
static void let_go(struct em_port *port)
{
    int reason = errno;
    free(port->out);
    if (port->epoll >= 0)
        close(port->epoll);
    *port = (struct em_port){.fd = -1, .epoll = -1};
    errno = reason;
}

int em_port_open(struct em_port *port, struct em_hub *hub, const struct em_port_config *config)
{
    *port = (struct em_port){.config = *config,
                             .fd = -1,
                             .epoll = epoll_create1(EPOLL_CLOEXEC),
                             .out = malloc(config->out_max)};
    size_t len = strlen(config->path);
    errno = len >= sizeof port->path ? ENAMETOOLONG : !port->out ? ENOMEM : errno;
    if (!port->out || len >= sizeof port->path || port->epoll < 0) {
        let_go(port);
        return -1;
    }
    memcpy(port->path, config->path, len + 1);
    port->config.path = port->path;
    if (em_port_plug(port)) {
        let_go(port);
        return -1;
    }
    port->hub = hub;
    port->next = hub->first;
    hub->first = port;
    ev_io_init(&port->happens, on_happens, port->epoll, EV_READ);
    port->happens.data = port;
    ev_io_start(hub->loop, &port->happens);
    return 0;
}

void em_port_close(struct em_port *port)
{
    if (!port->hub)
        return;
    port->config.drained = NULL;
    em_port_unplug(port);
    ev_io_stop(port->hub->loop, &port->happens);
    for (struct em_port **at = &port->hub->first; *at; at = &(*at)->next)
        if (*at == port) {
            *at = port->next;
            break;
        }
    let_go(port);
}

void em_hub_open(struct em_hub *hub, struct ev_loop *loop)
{
    *hub = (struct em_hub){.loop = loop};
    ev_init(&hub->again, on_again);
    hub->again.repeat = AGAIN_S;
    hub->again.data = hub;
}

void em_hub_close(struct em_hub *hub)
{
    if (hub->loop)
        ev_timer_stop(hub->loop, &hub->again);
    hub->loop = NULL;
}
