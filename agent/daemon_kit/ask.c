/* The control socket's other end. */
#include "address.h"
#include "daemon_kit/control.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

int agent_kit_address(struct sockaddr_un *out, const char *path)
{
    *out = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof out->sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    strcpy(out->sun_path, path);
    return 0;
}

static int reach(const char *path, uint32_t within_s)
{
    struct sockaddr_un at;
    const struct timeval within = {.tv_sec = (time_t)within_s};
    if (agent_kit_address(&at, path))
        return -1;
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
        char *newline = strchr(out, '\n');
        if (newline) {
            *newline = '\0';
            return true;
        }
    }
    return false;
}

int agent_kit_control_ask(char answer[AGENT_KIT_ANSWER_MAX], const char *path, const char *line,
                          uint32_t within_s)
{
    char request[AGENT_KIT_LINE_MAX];
    int len = snprintf(request, sizeof request, "%s\n", line);
    errno = EMSGSIZE;
    if (len >= (int)sizeof request)
        return -1;
    errno = 0;
    int fd = reach(path, within_s);
    if (fd < 0)
        return -1;
    bool told = send(fd, request, (size_t)len, MSG_NOSIGNAL) == len &&
                read_line(fd, answer, AGENT_KIT_ANSWER_MAX);
    int reason = errno;
    close(fd);
    errno = reason;
    return told ? 0 : -1;
}
