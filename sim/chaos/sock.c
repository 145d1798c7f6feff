#include "sock.h"
#include <errno.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

const char *sim_chaos_error_name(int error)
{
    static const char *const names[] = {"ok", "no memory", "no socket", "no usable certificate"};
    return error <= 0 && error >= SIM_CHAOS_ECERT ? names[-error] : "unknown";
}

int64_t sim_chaos_now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int chaos_sock_listen(struct sockaddr_in *out)
{
    socklen_t len = sizeof *out;
    *out = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    if (bind(fd, (const struct sockaddr *)out, sizeof *out) || listen(fd, SOMAXCONN) ||
        getsockname(fd, (struct sockaddr *)out, &len)) {
        close(fd);
        return -1;
    }
    return fd;
}

static void no_delay(int fd)
{
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

int chaos_sock_accept(int listener, struct sockaddr_in *source)
{
    socklen_t len = sizeof *source;
    int fd = accept4(listener, (struct sockaddr *)source, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0)
        no_delay(fd);
    return fd;
}

bool chaos_sock_exhausted(int error)
{
    return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

static bool is_loopback(const struct sockaddr_in *address)
{
    return ntohl(address->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
}

int chaos_sock_connect(const struct sockaddr_in *to, const struct sockaddr_in *from)
{
    struct sockaddr_in ours = {.sin_family = AF_INET, .sin_addr = from->sin_addr};
    int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    no_delay(fd);
    /* The port is chosen at connect: thousands of devices would use up the ports otherwise. */
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    bool bound = !is_loopback(to) || !is_loopback(from) ||
                 !bind(fd, (const struct sockaddr *)&ours, sizeof ours);
    if (bound && (!connect(fd, (const struct sockaddr *)to, sizeof *to) || errno == EINPROGRESS))
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

void chaos_sock_reset(int fd)
{
    struct linger now = {.l_onoff = 1, .l_linger = 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close(fd);
}

void chaos_timer_start(struct ev_loop *loop, ev_timer *timer, int64_t after_us)
{
    ev_timer_stop(loop, timer);
    ev_timer_set(timer, (double)after_us / 1e6, 0.);
    ev_timer_start(loop, timer);
}
