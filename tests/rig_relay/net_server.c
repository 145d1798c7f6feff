/* A device on the loopback. */
#include "net_server.h"
#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CALLERS_MAX = 8 };

struct net_server net_server;
char net_message[200];

static int listener;
static struct caller {
    int fd; /* 0: free */
    uint8_t bytes[NET_BYTES_MAX];
    size_t len;
} callers[CALLERS_MAX];

static void keep(const uint8_t *bytes, size_t len)
{
    int at = net_server.taken_n;
    if (at == NET_TAKEN_MAX || len >= NET_BYTES_MAX)
        return;
    memcpy(net_server.taken[at].bytes, bytes, len);
    net_server.taken[at].len = len;
    net_server.taken_n = at + 1;
}

static void hang_up(struct caller *caller)
{
    close(caller->fd);
    *caller = (struct caller){0};
}

static void answer(struct caller *caller, const uint8_t *bytes, size_t len)
{
    struct net_reply reply = {0};
    keep(bytes, len);
    net_server.device(net_server.ctx, &reply, bytes, len);
    bool gone = false;
    for (size_t i = 0; reply.len && i <= reply.repeat && !gone; i++)
        gone = send(caller->fd, reply.bytes, reply.len, MSG_NOSIGNAL) < 0;
    if (reply.close || gone)
        hang_up(caller);
}

/* How long the HTTP request at the beginning is; 0: not all of it is there. */
static size_t http_request(const struct caller *caller)
{
    char text[NET_BYTES_MAX + 1];
    memcpy(text, caller->bytes, caller->len);
    text[caller->len] = '\0';
    const char *end = strstr(text, "\r\n\r\n"), *length = strstr(text, "Content-Length: ");
    if (!end)
        return 0;
    size_t all = (size_t)(end + 4 - text) + (length ? strtoul(length + 16, NULL, 10) : 0);
    return all <= caller->len ? all : 0;
}

static void serve(struct caller *caller)
{
    ssize_t n =
        recv(caller->fd, caller->bytes + caller->len, sizeof caller->bytes - caller->len, 0);
    if (n <= 0) {
        hang_up(caller);
        return;
    }
    caller->len += (size_t)n;
    size_t whole = net_server.kind == NET_HTTP ? http_request(caller) : caller->len;
    if (!whole)
        return;
    caller->len = 0;
    answer(caller, caller->bytes, whole);
}

static void welcome(void)
{
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC), have = 0;
    struct caller *place = NULL;
    for (int i = 0; i < CALLERS_MAX; i++) {
        have += callers[i].fd != 0;
        if (!callers[i].fd)
            place = &callers[i];
    }
    bool full = net_server.connections_max && have >= net_server.connections_max;
    if (fd >= 0 && (full || !place))
        close(fd);
    else if (fd >= 0)
        place->fd = fd;
}

static void datagram(void)
{
    uint8_t bytes[NET_BYTES_MAX];
    struct sockaddr_storage from;
    socklen_t from_len = sizeof from;
    struct net_reply reply = {0};
    ssize_t n = recvfrom(listener, bytes, sizeof bytes, 0, (struct sockaddr *)&from, &from_len);
    if (n < 0)
        return;
    keep(bytes, (size_t)n);
    net_server.device(net_server.ctx, &reply, bytes, (size_t)n);
    if (reply.len)
        sendto(listener, reply.bytes, reply.len, 0, (struct sockaddr *)&from, from_len);
}

static void *play(void *ctx)
{
    (void)ctx;
    for (;;) {
        struct pollfd all[CALLERS_MAX + 1] = {{.fd = listener, .events = POLLIN}};
        for (int i = 0; i < CALLERS_MAX; i++)
            all[i + 1] =
                (struct pollfd){.fd = callers[i].fd ? callers[i].fd : -1, .events = POLLIN};
        if (poll(all, CALLERS_MAX + 1, -1) < 0)
            continue;
        for (int i = 0; i < CALLERS_MAX; i++)
            if (all[i + 1].revents)
                serve(&callers[i]);
        if (all[0].revents && net_server.kind == NET_UDP)
            datagram();
        else if (all[0].revents)
            welcome();
    }
    return NULL;
}

static int bound(int type, char port[8])
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
    cr_assert_geq(fd, 0);
    cr_assert_eq(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    cr_assert_eq(getsockname(fd, (struct sockaddr *)&at, &len), 0);
    snprintf(port, 8, "%u", ntohs(at.sin_port));
    return fd;
}

void net_start(enum net_kind kind, net_device *device, void *ctx)
{
    pthread_t thread;
    net_server.kind = kind;
    net_server.device = device;
    net_server.ctx = ctx;
    listener = bound(kind == NET_UDP ? SOCK_DGRAM : SOCK_STREAM, net_server.port);
    if (kind != NET_UDP)
        cr_assert_eq(listen(listener, 8), 0);
    cr_assert_eq(pthread_create(&thread, NULL, play, NULL), 0);
    pthread_detach(thread);
}

const char *net_nobody(void)
{
    static char port[8];
    bound(SOCK_STREAM,
          port); /* bound, not listening: calls are refused, and nobody else takes it */
    return port;
}

const char *net_secret(const char *secret)
{
    static char path[4][64];
    static int next;
    char *to = path[next++ % 4];
    snprintf(to, 64, "/tmp/rig-net-secret-XXXXXX");
    int fd = mkstemp(to);
    cr_assert_geq(fd, 0);
    dprintf(fd, "%s\n", secret);
    close(fd);
    return to;
}

int net_try(struct rig_relay **out, const struct rig_relay_driver *driver, const char *const *pairs,
            uint32_t timeout_ms)
{
    struct rig_setting_value *value;
    int error = rig_setting_values(&value, driver->setting, pairs, NET_SAID);
    cr_assert_eq(error, 0, "%s", net_message);
    for (size_t i = 0; driver->setting[i].key; i++)
        for (size_t p = 0; driver->setting[i].kind == RIG_SETTING_SECRET && pairs[p]; p += 2)
            if (!strcmp(pairs[p], driver->setting[i].key))
                unlink(pairs[p + 1]);
    net_message[0] = '\0';
    error = driver->open(out, value, timeout_ms, NET_SAID);
    /* Values are borrowed by open, no longer. */
    rig_setting_free(value, driver->setting);
    return error;
}

struct rig_relay *net_open(const struct rig_relay_driver *driver, const char *const *pairs,
                           uint32_t timeout_ms)
{
    struct rig_relay *relay = NULL;
    int error = net_try(&relay, driver, pairs, timeout_ms);
    cr_assert_eq(error, 0, "%s", net_message);
    return relay;
}

void net_http(struct net_reply *reply, const char *status, const char *body)
{
    static char text[NET_BYTES_MAX * 2];
    int n = snprintf(text, sizeof text, "HTTP/1.1 %s\r\nContent-Length: %zu\r\n\r\n%s", status,
                     strlen(body), body);
    reply->bytes = text;
    reply->len = (size_t)n;
}
