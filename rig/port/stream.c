/* Reading and writing with a deadline. */
#include "rig/port.h"
#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { DRAIN_BYTES_MAX = 64 * 1024 };

int64_t rig_port_now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* Until it can be read (or written) or has gone; what of the two, the next call says. */
static int wait_for(int fd, short events, int64_t end_us)
{
    for (;;) {
        struct pollfd one = {.fd = fd, .events = events};
        int64_t left_us = end_us - rig_port_now_us();
        int ready = poll(&one, 1, left_us > 0 ? (int)((left_us + 999) / 1000) : 0);
        if (ready > 0)
            return one.revents & POLLNVAL ? RIG_EGONE : RIG_OK;
        if (!ready)
            return RIG_ESILENT;
        if (errno != EINTR)
            return RIG_EGONE;
    }
}

static bool again(void)
{
    return errno == EINTR || errno == EAGAIN || errno == EWOULDBLOCK;
}

/* Sockets without SIGPIPE; a tty knows no send(). */
static ssize_t put(int fd, const uint8_t *bytes, size_t len)
{
    ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);
    return n < 0 && errno == ENOTSOCK ? write(fd, bytes, len) : n;
}

int rig_port_write(int fd, const void *bytes, size_t len, uint32_t timeout_ms)
{
    assert(bytes);
    int64_t end_us = rig_port_now_us() + (int64_t)timeout_ms * 1000;
    const uint8_t *at = bytes;
    while (len) {
        int error = wait_for(fd, POLLOUT, end_us);
        if (error)
            return error;
        ssize_t n = put(fd, at, len);
        if (n < 0 && !again())
            return RIG_EGONE;
        if (n > 0) {
            at += n;
            len -= (size_t)n;
        }
    }
    return RIG_OK;
}

/* Some bytes, at least one. */
static int get_some(int fd, void *bytes, size_t room, size_t *got, int64_t end_us)
{
    for (;;) {
        int error = wait_for(fd, POLLIN, end_us);
        if (error)
            return error;
        ssize_t n = read(fd, bytes, room);
        if (n > 0) {
            *got = (size_t)n;
            return RIG_OK;
        }
        if (!n || !again())
            return RIG_EGONE;
    }
}

int rig_port_read(int fd, void *bytes, size_t len, size_t *got, uint32_t timeout_ms)
{
    assert(bytes && got);
    int64_t end_us = rig_port_now_us() + (int64_t)timeout_ms * 1000;
    uint8_t *at = bytes;
    *got = 0;
    while (*got < len) {
        size_t n;
        int error = get_some(fd, at + *got, len - *got, &n, end_us);
        if (error)
            return error;
        *got += n;
    }
    return RIG_OK;
}

int rig_port_read_until(int fd, char *text, size_t room, char end, uint32_t timeout_ms)
{
    assert(text && room);
    int64_t end_us = rig_port_now_us() + (int64_t)timeout_ms * 1000;
    size_t have = 0;
    text[0] = '\0';
    while (have + 1 < room) {
        size_t n;
        int error = get_some(fd, text + have, 1, &n, end_us);
        if (error)
            return error;
        text[++have] = '\0';
        if (text[have - 1] == end)
            return RIG_OK;
    }
    return RIG_EANSWER;
}

int rig_port_drain(int fd)
{
    uint8_t bytes[4096];
    size_t n;
    for (size_t all = 0; all < DRAIN_BYTES_MAX; all += n) {
        int error = get_some(fd, bytes, sizeof bytes, &n, 0);
        if (error)
            return error == RIG_ESILENT ? RIG_OK : error;
    }
    return RIG_OK;
}
