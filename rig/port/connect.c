/* TCP and Unix sockets. */
#include "rig/port.h"
#include <assert.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* 0, or an errno; ETIMEDOUT after wait_ms. */
static int finish(int fd, int64_t wait_ms)
{
    int64_t end_us = rig_port_now_us() + wait_ms * 1000;
    struct pollfd one = {.fd = fd, .events = POLLOUT};
    int ready;
    do {
        int64_t left_us = end_us - rig_port_now_us();
        ready = poll(&one, 1, left_us > 0 ? (int)((left_us + 999) / 1000) : 0);
    } while (ready < 0 && errno == EINTR);
    if (ready <= 0)
        return ready ? errno : ETIMEDOUT;
    int failed = 0;
    socklen_t len = sizeof failed;
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &failed, &len) ? errno : failed;
}

/* 0 with *fd, or an errno. */
static int try_one(int *fd, const struct addrinfo *at, int64_t wait_ms)
{
    int made = socket(at->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, at->ai_protocol);
    if (made < 0)
        return errno;
    int failed = connect(made, at->ai_addr, at->ai_addrlen) ? errno : 0;
    if (failed == EINPROGRESS)
        failed = finish(made, wait_ms);
    if (failed) {
        close(made);
        return failed;
    }
    int on = 1;
    setsockopt(made, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(made, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    *fd = made;
    return 0;
}

int rig_port_tcp(int *fd, const char *host, uint16_t port, uint32_t timeout_ms, char *message,
                 size_t len)
{
    assert(fd && host && message);
    char service[8];
    snprintf(service, sizeof service, "%u", port);
    struct addrinfo *all, hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    int64_t end_us = rig_port_now_us() + (int64_t)timeout_ms * 1000;
    *fd = -1;
    int found = getaddrinfo(host, service, &hints, &all);
    if (found)
        return rig_port_say(RIG_EOPEN, message, len, "%s:%u: %s", host, port, gai_strerror(found));
    int64_t addresses = 0;
    for (const struct addrinfo *at = all; at; at = at->ai_next)
        addresses++;
    int failed = 0;
    for (const struct addrinfo *at = all; at && *fd < 0; at = at->ai_next) {
        int64_t left_us = end_us - rig_port_now_us();
        failed = try_one(fd, at, left_us > 0 ? left_us / 1000 / addresses : 0);
        addresses--;
    }
    freeaddrinfo(all);
    if (*fd >= 0)
        return RIG_OK;
    return rig_port_say(failed == ETIMEDOUT ? RIG_ESILENT : RIG_EOPEN, message, len, "%s:%u: %s",
                        host, port, strerror(failed));
}

int rig_port_unix(int *fd, const char *path, char *message, size_t len)
{
    assert(fd && path && message);
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    *fd = -1;
    if (strlen(path) >= sizeof to.sun_path)
        return rig_port_say(RIG_EOPEN, message, len, "%s: longer than %zu bytes", path,
                            sizeof to.sun_path - 1);
    memcpy(to.sun_path, path, strlen(path) + 1);
    int made = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (made < 0 || connect(made, (const struct sockaddr *)&to, sizeof to)) {
        int failed = errno;
        if (made >= 0)
            close(made);
        /* EAGAIN: its queue of callers is full. */
        return rig_port_say(failed == EAGAIN ? RIG_EBUSY : RIG_EOPEN, message, len, "%s: %s", path,
                            strerror(failed));
    }
    *fd = made;
    return RIG_OK;
}
