/* `ota-agent --control ORDER`. */
#include "control.h"
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

enum { ANSWER_WITHIN_S = 10 };

static int reach(const char *path)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    const struct timeval within = {.tv_sec = ANSWER_WITHIN_S};
    if (strlen(path) >= sizeof at.sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    strcpy(at.sun_path, path);
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

int agent_control_ask(const char *path, const char *line)
{
    char request[AGENT_ORDER_LINE_MAX], reply[AGENT_STATUS_TEXT + 2];
    int len = snprintf(request, sizeof request, "%s\n", line);
    if (len >= (int)sizeof request) {
        fprintf(stderr, "ota-agent: --control: too long; accepted: one order\n");
        return 1;
    }
    int fd = reach(path);
    bool sent = fd >= 0 && send(fd, request, (size_t)len, MSG_NOSIGNAL) == len;
    bool told = sent && read_line(fd, reply, sizeof reply);
    if (told)
        printf("%s\n", reply);
    else
        fprintf(stderr, "ota-agent: %s: no answer: %s; does the daemon run?\n", path,
                strerror(errno));
    if (fd >= 0)
        close(fd);
    return told && strncmp(reply, "{\"ok\":false", 11) ? 0 : 1;
}
