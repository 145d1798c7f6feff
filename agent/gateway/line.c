/* Opening, reading, writing, and opening again. */
#include "line.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

static const struct speed {
    uint32_t baud;
    speed_t speed;
} speeds[] = {{9600, B9600},     {19200, B19200},   {38400, B38400},   {57600, B57600},
              {115200, B115200}, {230400, B230400}, {460800, B460800}, {921600, B921600}};

static const struct speed *find_speed(uint32_t baud)
{
    for (size_t i = 0; i < sizeof speeds / sizeof speeds[0]; i++) {
        if (speeds[i].baud == baud)
            return &speeds[i];
    }
    return NULL;
}

bool line_baud_is_known(uint32_t baud)
{
    return find_speed(baud) != NULL;
}

static int open_socket(const char *path)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof at.sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(at.sun_path, path, strlen(path) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&at, sizeof at)) {
        int cause = errno;
        close(fd);
        errno = cause;
        return -1;
    }
    return fd;
}

/* Raw, 8N1, without the modem's lines: a UART of three wires. */
static int open_tty(const char *path, uint32_t baud)
{
    struct termios mode;
    int fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return -1;
    if (!tcgetattr(fd, &mode)) {
        cfmakeraw(&mode);
        mode.c_cflag |= CLOCAL | CREAD;
        mode.c_cflag &= ~(tcflag_t)(HUPCL | CRTSCTS | CSTOPB);
        cfsetspeed(&mode, find_speed(baud)->speed);
        if (!tcsetattr(fd, TCSANOW, &mode)) {
            tcflush(fd, TCIOFLUSH);
            return fd;
        }
    }
    int cause = errno;
    close(fd);
    errno = cause;
    return -1;
}

static void try_again(struct line *line)
{
    ev_timer_stop(line->config->loop, &line->again);
    ev_timer_set(&line->again, LINE_AGAIN_MS / 1000.0, 0);
    ev_timer_start(line->config->loop, &line->again);
}

static void shut(struct line *line)
{
    ev_io_stop(line->config->loop, &line->reader);
    ev_io_stop(line->config->loop, &line->writer);
    if (line->fd >= 0)
        close(line->fd);
    line->fd = -1;
    line->out_len = 0;
}

static void lose(struct line *line, const char *why)
{
    bool told = line->told;
    shut(line);
    line->told = true;
    try_again(line);
    if (!told)
        line->config->down(line->config->ctx, why);
}

static void on_readable(struct ev_loop *loop, ev_io *io, int events)
{
    struct line *line = io->data;
    uint8_t bytes[4096];
    (void)loop, (void)events;
    ssize_t len = read(line->fd, bytes, sizeof bytes);
    if (len > 0)
        line->config->input(line->config->ctx, bytes, (size_t)len);
    else if (len == 0)
        lose(line, "the other end is closed");
    else if (errno != EAGAIN && errno != EINTR)
        lose(line, strerror(errno));
}

static void push(struct line *line)
{
    ssize_t done = line->out_len ? write(line->fd, line->out, line->out_len) : 0;
    if (done > 0) {
        line->out_len -= (size_t)done;
        memmove(line->out, line->out + done, line->out_len);
    }
    /* An error is told by the next read. */
    if (line->out_len)
        ev_io_start(line->config->loop, &line->writer);
    else
        ev_io_stop(line->config->loop, &line->writer);
}

static void on_writable(struct ev_loop *loop, ev_io *io, int events)
{
    (void)loop, (void)events;
    push(io->data);
}

void line_write(struct line *line, const void *bytes, size_t len)
{
    if (line->fd < 0 || len > sizeof line->out - line->out_len)
        return;
    memcpy(line->out + line->out_len, bytes, len);
    line->out_len += len;
    push(line);
}

static void attempt(struct line *line)
{
    struct stat what;
    const char *path = line->config->path;
    if (stat(path, &what))
        line->fd = -1;
    else if (S_ISSOCK(what.st_mode))
        line->fd = open_socket(path);
    else
        line->fd = open_tty(path, line->config->baud);
    if (line->fd < 0) {
        lose(line, strerror(errno));
        return;
    }
    line->told = false;
    ev_io_set(&line->reader, line->fd, EV_READ);
    ev_io_set(&line->writer, line->fd, EV_WRITE);
    ev_io_start(line->config->loop, &line->reader);
    line->config->up(line->config->ctx);
}

static void on_again(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop, (void)events;
    attempt(timer->data);
}

void line_open(struct line *line, const struct line_config *config)
{
    memset(line, 0, sizeof *line);
    line->config = config;
    line->fd = -1;
    ev_init(&line->reader, on_readable);
    ev_init(&line->writer, on_writable);
    ev_init(&line->again, on_again);
    line->reader.data = line->writer.data = line->again.data = line;
    attempt(line);
}

void line_close(struct line *line)
{
    shut(line);
    ev_timer_stop(line->config->loop, &line->again);
}
