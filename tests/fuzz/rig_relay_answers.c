/*
 * Any bytes as a relay board's answers. The line is a socket pair, put in the place of rig_port's
 * openers; each time the driver has written, the next piece of the input comes, and after the last
 * one the board is unplugged. Input: which board; what is asked; pieces, each behind its length
 * (bit 7: a right CRC is put behind it, for what lies below Modbus's check).
 */
#include "rig/relay.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TIMEOUT_MS = 5 };

static const struct {
    const char *driver;
    const char *pairs[9];
    uint32_t channel;
} boards[] = {
    {"kmtronic", {"device", "x", "channels", "2"}, 1},
    {"kmtronic", {"device", "x", "channels", "8"}, 8},
    {"devantech_usb", {"device", "x"}, 2},
    {"numato", {"device", "x", "channels", "16"}, 10},
    {"modbus", {"device", "x", "channels", "256", "timed", "waveshare"}, 0},
    {"modbus", {"transport", "tcp", "host", "x", "read", "one"}, 7},
    {"modbus", {"transport", "rtu_over_tcp", "host", "x"}, 7},
    {"lcus", {"device", "x"}, 1},
};

static struct {
    const uint8_t *at, *end;
    int fd;
    pthread_t thread;
} player;

static uint16_t crc_of(const uint8_t *bytes, size_t n)
{
    uint16_t crc = 0xFFFF;
    for (size_t i = 0; i < n; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = (uint16_t)(crc & 1 ? crc >> 1 ^ 0xA001 : crc >> 1);
    }
    return crc;
}

static void put_piece(void)
{
    uint8_t piece[130];
    uint8_t head = *player.at++;
    size_t n = head & 0x7F, left = (size_t)(player.end - player.at);
    n = n < left ? n : left;
    memcpy(piece, player.at, n);
    player.at += n;
    if (head & 0x80) {
        uint16_t crc = crc_of(piece, n);
        piece[n++] = (uint8_t)crc;
        piece[n++] = (uint8_t)(crc >> 8);
    }
    if (n && send(player.fd, piece, n, MSG_NOSIGNAL) < 0)
        player.at = player.end;
}

static void *play(void *unused)
{
    uint8_t heard[512];
    while (read(player.fd, heard, sizeof heard) > 0) {
        if (player.at < player.end)
            put_piece();
        if (player.at >= player.end)
            shutdown(player.fd, SHUT_WR);
    }
    return unused;
}

static int plug_in(int *fd)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
        abort();
    *fd = pair[0];
    player.fd = pair[1];
    if (pthread_create(&player.thread, NULL, play, NULL))
        abort();
    return RIG_OK;
}

/* In the place of rig/port/serial.c and connect.c. */
int rig_port_serial(int *fd, const struct rig_serial *serial, char *message, size_t len)
{
    (void)serial, (void)message, (void)len;
    return plug_in(fd);
}

int rig_port_tcp(int *fd, const char *host, uint16_t port, uint32_t timeout_ms, char *message,
                 size_t len)
{
    (void)host, (void)port, (void)timeout_ms, (void)message, (void)len;
    return plug_in(fd);
}

int rig_port_unix(int *fd, const char *path, char *message, size_t len)
{
    (void)path, (void)message, (void)len;
    return plug_in(fd);
}

/* An error has a name and a message that can be shown. */
static void check(int error, const char *message)
{
    if (!rig_error_name(error))
        abort();
    for (; error && *message; message++)
        if (*message < ' ' || *message > '~')
            abort();
}

static void talk(const struct rig_relay_driver *driver, struct rig_relay *relay, uint32_t channel,
                 uint8_t what)
{
    char message[200] = "";
    bool on = false;
    if (what & 1)
        check(driver->set(relay, channel, what & 2, message, sizeof message), message);
    if (what & 4 && driver->pulse)
        check(driver->pulse(relay, channel, what & 2, 100, message, sizeof message), message);
    if (driver->get)
        check(driver->get(relay, &on, channel, message, sizeof message), message);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char message[200] = "";
    struct rig_setting_value *value;
    struct rig_relay *relay;
    if (size < 3)
        return 0;
    size_t which = data[0] % (sizeof boards / sizeof *boards);
    const struct rig_relay_driver *driver = rig_relay_driver(boards[which].driver);
    player.at = data + 2;
    player.end = data + size;
    if (rig_setting_values(&value, driver->setting, boards[which].pairs, message, sizeof message))
        abort();
    int error = driver->open(&relay, value, TIMEOUT_MS, message, sizeof message);
    rig_setting_free(value, driver->setting);
    check(error, message);
    if (!error)
        talk(driver, relay, boards[which].channel, data[1]);
    driver->close(relay);
    pthread_join(player.thread, NULL);
    close(player.fd);
    return 0;
}
