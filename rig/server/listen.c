#include "listen.h"
#include "rig/server.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const char accepted[] = "accepted: ADDRESS:PORT, [ADDRESS]:PORT, localhost:PORT";

/* "[::1]:80" or "127.0.0.1:80" into its two parts. */
static bool split(char *host, size_t room, const char **port, const char *where)
{
    const char *colon = strrchr(where, ':');
    bool bracket = *where == '[';
    if (!colon || !colon[1] || (bracket && (colon == where || colon[-1] != ']')))
        return false;
    size_t n = (size_t)(colon - where) - (bracket ? 2u : 0u);
    if (!n || n >= room || (!bracket && memchr(where, ':', n)))
        return false;
    memcpy(host, where + bracket, n);
    host[n] = '\0';
    *port = colon + 1;
    return strspn(*port, "0123456789") == strlen(*port) && strlen(*port) <= 5;
}

static bool is_loopback(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET)
        return ntohl(((const struct sockaddr_in *)(const void *)address)->sin_addr.s_addr) >> 24 ==
               127;
    return address->sa_family == AF_INET6 &&
           IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)(const void *)address)->sin6_addr);
}

static int bound(const struct addrinfo *to)
{
    const int one = 1;
    int fd = socket(to->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, to->ai_addr, to->ai_addrlen) || listen(fd, RIG_SERVER_CONNECTIONS_MAX)) {
        int error = errno;
        close(fd);
        errno = error;
        return -1;
    }
    return fd;
}

static void url_of(char url[static 80], int fd)
{
    struct sockaddr_storage address;
    socklen_t size = sizeof address;
    char text[INET6_ADDRSTRLEN] = "";
    bool six;
    getsockname(fd, (struct sockaddr *)&address, &size);
    six = address.ss_family == AF_INET6;
    const struct sockaddr_in *a4 = (const struct sockaddr_in *)(const void *)&address;
    const struct sockaddr_in6 *a6 = (const struct sockaddr_in6 *)(const void *)&address;
    inet_ntop(address.ss_family, six ? (const void *)&a6->sin6_addr : (const void *)&a4->sin_addr,
              text, sizeof text);
    snprintf(url, 80, "http://%s%s%s:%u", six ? "[" : "", text, six ? "]" : "",
             ntohs(six ? a6->sin6_port : a4->sin_port));
}

int rig_listen(int *fd, bool *loopback, char url[static 80], const char *where, char *message,
               size_t len)
{
    char host[64];
    const char *port;
    struct addrinfo *to = NULL;
    const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
                                   .ai_socktype = SOCK_STREAM};
    bool good = split(host, sizeof host, &port, where);
    if (good && !strcmp(host, "localhost"))
        snprintf(host, sizeof host, "127.0.0.1");
    if (!good || strtol(port, NULL, 10) > UINT16_MAX || getaddrinfo(host, port, &hints, &to)) {
        snprintf(message, len, "--listen %s: no address and port; %s", where, accepted);
        return -1;
    }
    *loopback = is_loopback(to->ai_addr);
    *fd = bound(to);
    freeaddrinfo(to);
    if (*fd < 0) {
        snprintf(message, len, "--listen %s: %s", where, strerror(errno));
        return -1;
    }
    url_of(url, *fd);
    return 0;
}
