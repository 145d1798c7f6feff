/* The played side: pty or TCP, thread, faults. */
#include "serial_kit.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static void hang_up(struct emu *emu)
{
    if (emu->fd >= 0)
        close(emu->fd);
    emu->fd = -1;
}

/* One byte at a time, so that a fault can come between any two. */
static void hear_bytes(struct emu *emu, const uint8_t *bytes, size_t n)
{
    pthread_mutex_lock(&emu->lock);
    for (size_t i = 0; i < n && emu->fd >= 0; i++) {
        if (emu->heard_bytes == EMU_HEARD_MAX)
            emu->broken = "heard too much";
        else
            emu->heard[emu->heard_bytes++] = bytes[i];
        if (emu->fault == EMU_GOES)
            hang_up(emu);
        else
            emu->hear(emu, bytes[i]);
    }
    pthread_cond_broadcast(&emu->more);
    pthread_mutex_unlock(&emu->lock);
}

static int fd_of(struct emu *emu)
{
    pthread_mutex_lock(&emu->lock);
    int fd = emu->fd >= 0 ? emu->fd : emu->listener;
    pthread_mutex_unlock(&emu->lock);
    return fd;
}

static void hear_or_accept(struct emu *emu, int fd)
{
    uint8_t bytes[256];
    ssize_t n = fd == emu->listener ? 0 : read(fd, bytes, sizeof bytes);
    if (n > 0) {
        hear_bytes(emu, bytes, (size_t)n);
        return;
    }
    pthread_mutex_lock(&emu->lock);
    if (fd == emu->listener)
        emu->fd = accept(fd, NULL, NULL);
    else
        hang_up(emu);
    pthread_mutex_unlock(&emu->lock);
}

static void *play(void *arg)
{
    struct emu *emu = arg;
    for (;;) {
        int fd = fd_of(emu);
        struct pollfd both[2] = {{.fd = emu->stop[0], .events = POLLIN},
                                 {.fd = fd, .events = POLLIN}};
        if (poll(both, 2, -1) < 0 && errno != EINTR)
            return NULL;
        if (both[0].revents)
            return NULL;
        if (both[1].revents & (POLLIN | POLLHUP))
            hear_or_accept(emu, fd);
    }
}

static void start(struct emu *emu, emu_hear *hear, uint32_t relays)
{
    pthread_condattr_t clock;
    emu->hear = hear;
    emu->relays = relays;
    pthread_mutex_init(&emu->lock, NULL);
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_cond_init(&emu->more, &clock);
    cr_assert_eq(pipe2(emu->stop, O_CLOEXEC), 0);
    cr_assert_eq(pthread_create(&emu->thread, NULL, play, emu), 0);
}

void emu_start_pty(struct emu *emu, emu_hear *hear, uint32_t relays)
{
    memset(emu, 0, sizeof *emu);
    emu->listener = -1;
    emu->fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    cr_assert_geq(emu->fd, 0);
    cr_assert_eq(grantpt(emu->fd), 0);
    cr_assert_eq(unlockpt(emu->fd), 0);
    cr_assert_eq(ptsname_r(emu->fd, emu->path, sizeof emu->path), 0);
    /* Without it the other side would seem gone until the relay is opened. */
    emu->keep = open(emu->path, O_RDWR | O_NOCTTY | O_CLOEXEC);
    start(emu, hear, relays);
}

void emu_start_tcp(struct emu *emu, emu_hear *hear, uint32_t relays)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    memset(emu, 0, sizeof *emu);
    emu->fd = emu->keep = -1;
    emu->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_eq(bind(emu->listener, (struct sockaddr *)&at, sizeof at), 0);
    cr_assert_eq(listen(emu->listener, 1), 0);
    cr_assert_eq(getsockname(emu->listener, (struct sockaddr *)&at, &len), 0);
    snprintf(emu->port, sizeof emu->port, "%u", ntohs(at.sin_port));
    start(emu, hear, relays);
}

void emu_stop(struct emu *emu)
{
    close(emu->stop[1]);
    pthread_join(emu->thread, NULL);
    close(emu->stop[0]);
    hang_up(emu);
    cr_expect_null(emu->broken, "the board: %s", emu->broken);
    if (emu->listener >= 0)
        close(emu->listener);
    if (emu->keep >= 0)
        close(emu->keep);
}

void emu_fault(struct emu *emu, enum emu_fault fault, const char *says)
{
    pthread_mutex_lock(&emu->lock);
    emu->fault = fault;
    emu->says = says;
    emu->frame_bytes = 0;
    pthread_mutex_unlock(&emu->lock);
}

bool emu_on(struct emu *emu, uint32_t relay)
{
    pthread_mutex_lock(&emu->lock);
    bool on = emu->on[relay];
    pthread_mutex_unlock(&emu->lock);
    return on;
}

/* The thread may wait on the descriptor: it is ended first. */
void emu_unplug(struct emu *emu)
{
    cr_assert_eq(write(emu->stop[1], "x", 1), 1);
    pthread_join(emu->thread, NULL);
    hang_up(emu);
    uint8_t byte;
    cr_assert_eq(read(emu->stop[0], &byte, 1), 1);
    if (emu->listener >= 0)
        close(emu->listener);
    emu->listener = -1;
    cr_assert_eq(pthread_create(&emu->thread, NULL, play, emu), 0);
}

void emu_say(struct emu *emu, const void *bytes, size_t n)
{
    int waiting = 0;
    cr_assert_eq(write(emu->fd, bytes, n), (ssize_t)n);
    while (!ioctl(emu->keep, FIONREAD, &waiting) && waiting < (int)n)
        usleep(1000);
}

static size_t from_hex(uint8_t *bytes, size_t room, const char *hex)
{
    size_t n = 0;
    while (*hex) {
        char *end;
        cr_assert_lt(n, room);
        bytes[n++] = (uint8_t)strtoul(hex, &end, 16);
        cr_assert(end == hex + 2, "\"%s\" is no hex", hex);
        hex = end + (*end == ' ');
    }
    return n;
}

void emu_answer(struct emu *emu, const void *bytes, size_t n)
{
    uint8_t other[300];
    if (emu->fault == EMU_SILENT || emu->fd < 0)
        return;
    if (emu->fault == EMU_SAYS) {
        n = from_hex(other, sizeof other, emu->says);
        bytes = other;
    }
    size_t piece = emu->fault == EMU_TRICKLES ? 1 : n;
    for (size_t at = 0; at < n; at += piece) {
        if (at)
            usleep(EMU_TRICKLE_MS * 1000);
        if (write(emu->fd, (const uint8_t *)bytes + at, piece) != (ssize_t)piece)
            emu->broken = "could not answer";
    }
}

void emu_expect(struct emu *emu, const char *hex)
{
    uint8_t wanted[EMU_HEARD_MAX];
    size_t n = from_hex(wanted, sizeof wanted, hex);
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += 60; /* for what must come */
    pthread_mutex_lock(&emu->lock);
    while (emu->heard_bytes < n && !pthread_cond_timedwait(&emu->more, &emu->lock, &until))
        ;
    char heard[3 * 64 + 1] = "";
    for (size_t i = 0; i < emu->heard_bytes && i < 64; i++)
        snprintf(heard + 3 * i, 4, "%02X ", emu->heard[i]);
    bool same = emu->heard_bytes == n && !memcmp(emu->heard, wanted, n);
    emu->heard_bytes = 0;
    pthread_mutex_unlock(&emu->lock);
    cr_expect(same, "heard %s instead of %s", heard, hex);
}

int use_open(struct use *use, const char *driver, uint32_t timeout_ms, const char *const *pairs)
{
    struct rig_setting_value *value;
    memset(use, 0, sizeof *use);
    use->driver = rig_relay_driver(driver);
    cr_assert(use->driver, "%s", driver);
    int error =
        rig_setting_values(&value, use->driver->setting, pairs, use->message, sizeof use->message);
    if (error)
        return error;
    use->relay = (struct rig_relay *)1; /* open has to write it, also when it fails */
    error = use->driver->open(&use->relay, value, timeout_ms, use->message, sizeof use->message);
    cr_assert(error ? !use->relay : use->relay != NULL);
    rig_setting_free(value, use->driver->setting);
    return error;
}

void use_close(struct use *use)
{
    use->driver->close(use->relay);
    use->relay = NULL;
}

int use_set(struct use *use, uint32_t channel, bool on)
{
    return use->driver->set(use->relay, channel, on, use->message, sizeof use->message);
}

int use_get(struct use *use, uint32_t channel, bool *on)
{
    return use->driver->get(use->relay, on, channel, use->message, sizeof use->message);
}

int use_pulse(struct use *use, uint32_t channel, bool on, uint32_t ms)
{
    return use->driver->pulse(use->relay, channel, on, ms, use->message, sizeof use->message);
}
