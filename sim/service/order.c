/* `brickyard service --config FILE --order ORDER`: the other end of the control socket. */
#include "sim/service.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

enum { ANSWER_WITHIN_S = 30, ANSWER_BYTES = 4096 };

static int reach(const char *path)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    const struct timeval within = {.tv_sec = ANSWER_WITHIN_S};
    strcpy(at.sun_path, path); /* its length was checked with the settings */
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &within, sizeof within);
    if (!connect(fd, (struct sockaddr *)&at, sizeof at))
        return fd;
    int reason = errno;
    close(fd);
    errno = reason;
    return -1;
}

/* One line; false when none came. */
static bool read_line(int fd, char *out, size_t size)
{
    size_t len = 0;
    while (len + 1 < size) {
        ssize_t got = recv(fd, out + len, size - 1 - len, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        len += (size_t)got;
        out[len] = '\0';
        if (out[len - 1] == '\n') {
            out[len - 1] = '\0';
            return true;
        }
    }
    return false;
}

int sim_service_order(const struct sim_service_settings *settings, const char *order)
{
    char request[64], reply[ANSWER_BYTES];
    int len = snprintf(request, sizeof request, "%s\n", order);
    if (len >= (int)sizeof request || strchr(order, '\n')) {
        fprintf(stderr, "brickyard service: --order: accepted: status, pause, resume, rollback\n");
        return SIM_SERVICE_USAGE;
    }
    errno = 0;
    int fd = reach(settings->control);
    bool told = fd >= 0 && send(fd, request, (size_t)len, MSG_NOSIGNAL) == len &&
                read_line(fd, reply, sizeof reply);
    if (told)
        printf("%s\n", reply);
    else
        fprintf(stderr, "brickyard service: %s: no answer%s%s; does the service run?\n",
                settings->control, errno ? ": " : "", errno ? strerror(errno) : "");
    if (fd >= 0)
        close(fd);
    return told && !strncmp(reply, "{\"ok\":true", 10) ? SIM_SERVICE_OK : SIM_SERVICE_USAGE;
}
