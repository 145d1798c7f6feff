#include "kit.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static int64_t cpu_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void on_check(struct ev_loop *loop, ev_check *watcher, int events)
{
    struct heard *heard = watcher->data;
    (void)loop, (void)events;
    heard->turn_us = rig_port_now_us();
    heard->turn_cpu_us = cpu_us();
}

static void on_prepare(struct ev_loop *loop, ev_prepare *watcher, int events)
{
    struct heard *heard = watcher->data;
    (void)loop, (void)events;
    if (!heard->turn_us)
        return;
    int64_t took_us = rig_port_now_us() - heard->turn_us,
            took_cpu_us = cpu_us() - heard->turn_cpu_us;
    if (took_us > heard->longest_us)
        heard->longest_us = took_us;
    if (took_cpu_us > heard->longest_cpu_us)
        heard->longest_cpu_us = took_cpu_us;
}

static void on_end(struct ev_loop *loop, ev_timer *watcher, int events)
{
    struct heard *heard = watcher->data;
    (void)loop, (void)events;
    heard->over = true;
}

void heard_init(struct heard *heard)
{
    memset(heard, 0, sizeof *heard);
    heard->loop = ev_loop_new(EVFLAG_AUTO);
    cr_assert(heard->loop);
    ev_check_init(&heard->check, on_check);
    ev_set_priority(&heard->check, EV_MAXPRI);
    ev_prepare_init(&heard->prepare, on_prepare);
    ev_init(&heard->end, on_end);
    heard->check.data = heard->prepare.data = heard->end.data = heard;
    ev_check_start(heard->loop, &heard->check);
    ev_prepare_start(heard->loop, &heard->prepare);
}

void heard_end(struct heard *heard)
{
    rig_console_free(heard->console);
    ev_check_stop(heard->loop, &heard->check);
    ev_prepare_stop(heard->loop, &heard->prepare);
    cr_assert_eq(ev_pending_count(heard->loop), 0u);
    ev_loop_destroy(heard->loop);
}

static void on_line(void *ctx, const struct rig_console_line *line)
{
    struct heard *heard = ctx;
    cr_assert_leq(strlen(line->text), (size_t)RIG_CONSOLE_LINE_MAX);
    strcpy(heard->line[heard->lines % HEARD_LINES], line->text);
    heard->at_us = line->at_us;
    heard->shortened += line->shortened;
    heard->lines++;
}

static void on_bytes(void *ctx, const void *bytes, size_t len)
{
    struct heard *heard = ctx;
    heard->sum = sum_bytes(heard->sum, heard->bytes, bytes, len);
    heard->bytes += len;
}

static void on_gone(void *ctx, const char *why)
{
    struct heard *heard = ctx;
    heard->gone++;
    snprintf(heard->why, sizeof heard->why, "%s", why);
}

static void on_back(void *ctx)
{
    struct heard *heard = ctx;
    heard->back++;
}

struct rig_console_config heard_config(struct heard *heard, const char *path)
{
    return (struct rig_console_config){
        .loop = heard->loop,
        .at = {.kind = RIG_CONSOLE_SERIAL, .path = path, .baud = 115200},
        .events = {.line = on_line, .bytes = on_bytes, .gone = on_gone, .back = on_back},
        .ctx = heard,
    };
}

void heard_open(struct heard *heard, const struct rig_console_config *config)
{
    char message[256] = "";
    int error = rig_console_open(&heard->console, config, message, sizeof message);
    cr_assert_eq(error, RIG_OK, "%s", message);
    cr_assert(rig_console_is_there(heard->console));
}

const char *heard_last(const struct heard *heard)
{
    return heard->lines ? heard->line[(heard->lines - 1) % HEARD_LINES] : "";
}

void heard_wait(struct heard *heard, const char *what, bool (*so)(const struct heard *))
{
    int64_t end_us = rig_port_now_us() + 120 * INT64_C(1000000);
    ev_timer_set(&heard->end, 120, 0);
    ev_timer_start(heard->loop, &heard->end);
    while (!so(heard) && rig_port_now_us() < end_us)
        ev_run(heard->loop, EVRUN_ONCE);
    ev_timer_stop(heard->loop, &heard->end);
    cr_assert(so(heard), "120 s without: %s (%lu lines, %lu bytes)", what,
              (unsigned long)heard->lines, (unsigned long)heard->bytes);
}

static uint64_t lines_wanted;

static bool has_lines(const struct heard *heard)
{
    return heard->lines >= lines_wanted;
}

void heard_wait_lines(struct heard *heard, uint64_t lines)
{
    lines_wanted = lines;
    heard_wait(heard, "lines", has_lines);
}

static uint64_t bytes_wanted;

static bool has_bytes(const struct heard *heard)
{
    return heard->bytes >= bytes_wanted;
}

void heard_wait_bytes(struct heard *heard, uint64_t bytes)
{
    bytes_wanted = bytes;
    heard_wait(heard, "bytes", has_bytes);
    heard_turn(heard, 1); /* they are told before they are put to the line */
}

void heard_turn(struct heard *heard, int64_t for_ms)
{
    heard->over = false;
    ev_now_update(heard->loop);
    ev_timer_set(&heard->end, (double)for_ms / 1000, 0);
    ev_timer_start(heard->loop, &heard->end);
    while (!heard->over)
        ev_run(heard->loop, EVRUN_ONCE);
}

struct rig_console_facts heard_facts(const struct heard *heard)
{
    struct rig_console_facts facts;
    rig_console_facts(heard->console, &facts);
    return facts;
}

int pty_make(char *name, size_t len)
{
    int fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    cr_assert(fd >= 0 && !grantpt(fd) && !unlockpt(fd));
    cr_assert(!ptsname_r(fd, name, len));
    return fd;
}

void say_bytes(int fd, const void *bytes, size_t len)
{
    cr_assert_eq(rig_port_write(fd, bytes, len, 10000), RIG_OK);
}

void say(int fd, const char *text)
{
    say_bytes(fd, text, strlen(text));
}

static void *feed(void *argument)
{
    struct feeder *feeder = argument;
    for (size_t i = 0; i < feeder->times; i++) {
        if (rig_port_write(feeder->fd, feeder->bytes, feeder->len, 60000))
            break;
        feeder->written += feeder->len;
    }
    if (feeder->close)
        close(feeder->fd);
    return NULL;
}

void feeder_start(struct feeder *feeder)
{
    cr_assert(!pthread_create(&feeder->thread, NULL, feed, feeder));
}

void feeder_join(struct feeder *feeder)
{
    cr_assert(!pthread_join(feeder->thread, NULL));
    cr_assert_eq(feeder->written, feeder->len * feeder->times);
}

void folder_make(char *path, size_t len)
{
    snprintf(path, len, "/tmp/rig-console-XXXXXX");
    cr_assert(mkdtemp(path));
}

void folder_remove(const char *path)
{
    DIR *dir = opendir(path);
    cr_assert(dir);
    for (struct dirent *entry; (entry = readdir(dir));)
        unlinkat(dirfd(dir), entry->d_name, 0);
    closedir(dir);
    cr_assert(!rmdir(path));
}

unsigned descriptors(void)
{
    DIR *dir = opendir("/proc/self/fd");
    unsigned count = 0;
    cr_assert(dir);
    while (readdir(dir))
        count++;
    closedir(dir);
    return count;
}

int listen_tcp(uint16_t *port, int backlog)
{
    struct sockaddr_in at = {
        .sin_family = AF_INET, .sin_port = htons(*port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    cr_assert(!bind(fd, (struct sockaddr *)&at, sizeof at), "%s", strerror(errno));
    cr_assert((backlog < 0 || !listen(fd, backlog)) &&
              !getsockname(fd, (struct sockaddr *)&at, &len));
    *port = ntohs(at.sin_port);
    return fd;
}

int listen_unix(const char *path)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    snprintf(at.sun_path, sizeof at.sun_path, "%s", path);
    cr_assert(!bind(fd, (struct sockaddr *)&at, sizeof at) && !listen(fd, 8));
    return fd;
}

size_t file_read(const char *path, char *out, size_t room)
{
    FILE *file = fopen(path, "rb");
    cr_assert(file, "%s", path);
    size_t len = fread(out, 1, room - 1, file);
    fclose(file);
    out[len] = '\0';
    return len;
}

uint64_t sum_bytes(uint64_t sum, uint64_t at, const void *bytes, size_t len)
{
    const unsigned char *byte = bytes;
    for (size_t i = 0; i < len; i++)
        sum += (uint64_t)(byte[i] + 1) * ((at + i) * UINT64_C(0x9E3779B97F4A7C15) | 1);
    return sum;
}
