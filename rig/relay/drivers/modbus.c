/*
 * Relay boards that speak Modbus: RTU on a serial line, TCP, or RTU frames in a TCP stream (cheap
 * gateways). Channels are coil addresses, from 0, behind the setting `base`. Sources: Modbus
 * Application Protocol V1.1b3, Modbus over Serial Line V1.02; the timed forms: Waveshare's wiki.
 *
 *   FC05 unit 05 addr addr FF 00 | 00 00    on, off; the answer is the same bytes
 *   FC01 unit 01 addr addr 00 n             answer: unit 01 bytes bits, the first coil in bit 0
 *   FC05 to 0200+n, value in 100 ms         Waveshare: on, and off again by itself; 0400+n: off
 *
 * libmodbus makes and reads the frames; the line is rig_port's, so that a second user is seen. Its
 * own check of an FC05 answer looks at the length only: here the answer has to be the same bytes.
 */
#include "drivers.h"
#include "wire.h"
#include <errno.h>
#include <modbus/modbus.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <time.h>
#include <unistd.h>

enum { TRANSPORT, DEVICE, BAUD, HOST, PORT, UNIT, CHANNELS, BASE, READ, TIMED };
enum transport { RTU, TCP, RTU_OVER_TCP };
enum read_how { READ_BANK, READ_ONE };
enum timed { TIMED_NONE, TIMED_WAVESHARE };
enum {
    CHANNELS_MAX = 256,
    GRAIN_MS = 100,
    GRAINS_MAX = 0x7FFF,
    TIMED_ON = 0x0200,
    TIMED_OFF = 0x0400,
    COIL_ON = 0xFF00,
    PDU_BYTES = 5,
};

static const char *const transports[] = {"rtu", "tcp", "rtu_over_tcp", NULL};
static const char *const reads[] = {"bank", "one", NULL};
static const char *const timeds[] = {"none", "waveshare", NULL};

static const struct rig_setting settings[] = {
    {"transport", RIG_SETTING_CHOICE, false, "rtu", 0, 0, transports, "how the board is reached"},
    {"device", RIG_SETTING_PATH, false, NULL, 0, 0, NULL, "rtu: serial port"},
    RIG_WIRE_BAUD("9600"),
    {"host", RIG_SETTING_TEXT, false, NULL, 0, 0, NULL, "tcp and rtu_over_tcp: name or address"},
    {"port", RIG_SETTING_NUMBER, false, "502", 1, 65535, NULL, "tcp and rtu_over_tcp"},
    {"unit", RIG_SETTING_NUMBER, false, "1", 1, 255, NULL, "address: 1 to 247; tcp: 255 as well"},
    {"channels", RIG_SETTING_NUMBER, false, "8", 1, CHANNELS_MAX, NULL, "relays on the board"},
    {"base", RIG_SETTING_NUMBER, false, "0", 0, 65535 - CHANNELS_MAX, NULL,
     "address of channel 0's coil"},
    {"read", RIG_SETTING_CHOICE, false, "bank", 0, 0, reads,
     "all coils at once, as some boards only answer that, or only the one asked for"},
    {"timed", RIG_SETTING_CHOICE, false, "none", 0, 0, timeds,
     "what the board does at 0200 and 0400: pulses, or coils like others"},
    {0},
};

struct rig_relay {
    modbus_t *modbus;
    int fd;
    enum transport transport;
    enum read_how read;
    enum timed timed;
    uint32_t channels, timeout_ms, silence_us;
    uint16_t base;
    uint8_t unit;
    int64_t quiet_since_us; /* of the serial line */
    char name[128];
};

/* ---- Errors ---- */

static int kind_of(int error)
{
    switch (error) {
    case ETIMEDOUT:
    case EAGAIN:
    case EMBXGTAR: /* the gateway: behind it nobody answered */
        return RIG_ESILENT;
    case ECONNRESET:
    case EPIPE:
    case EIO:
    case EBADF:
    case ENXIO:
    case ENODEV:
        return RIG_EGONE;
    default:
        return error > MODBUS_ENOBASE && error < EMBXGTAR ? RIG_EREFUSED : RIG_EANSWER;
    }
}

static int fail(const struct rig_relay *relay, int error, const char *asked, char *message,
                size_t len)
{
    if (error == ETIMEDOUT || error == EAGAIN)
        return rig_port_say(RIG_ESILENT, message, len, "%s: unit %u: no answer to %s within %u ms",
                            relay->name, relay->unit, asked, relay->timeout_ms);
    return rig_port_say(kind_of(error), message, len, "%s: unit %u: %s: %s", relay->name,
                        relay->unit, asked, modbus_strerror(error));
}

/* ---- The line ---- */

/* libmodbus writes RTU frames with write(), which raises SIGPIPE on a socket whose other side has
 * gone: it is held back in this thread, and taken away if it came. */
struct pipe_guard {
    sigset_t before;
    bool had;
};

static void guard(struct pipe_guard *g)
{
    sigset_t pipe, pending;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    sigpending(&pending);
    g->had = sigismember(&pending, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, &g->before);
}

static void unguard(const struct pipe_guard *g)
{
    static const struct timespec now = {0};
    int failed = errno;
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    if (!g->had)
        while (sigtimedwait(&pipe, NULL, &now) < 0 && errno == EINTR)
            ;
    pthread_sigmask(SIG_SETMASK, &g->before, NULL);
    errno = failed;
}

/* A serial line has to be quiet for 3.5 characters between frames. */
static void wait_quiet(const struct rig_relay *relay)
{
    int64_t left_us = relay->quiet_since_us + relay->silence_us - rig_port_now_us();
    if (relay->transport == RTU && left_us > 0)
        usleep((useconds_t)left_us);
}

static int begin(struct rig_relay *relay, struct pipe_guard *g, const char *asked, char *message,
                 size_t len)
{
    wait_quiet(relay);
    if (rig_port_drain(relay->fd))
        return fail(relay, ECONNRESET, asked, message, len);
    guard(g);
    return RIG_OK;
}

static void end(struct rig_relay *relay, const struct pipe_guard *g)
{
    unguard(g);
    relay->quiet_since_us = rig_port_now_us();
}

/* ---- Opening ---- */

static int check_place(const struct rig_setting_value *value, char *message, size_t len)
{
    bool serial = value[TRANSPORT].number == RTU;
    if (serial && !value[DEVICE].text)
        return rig_port_say(RIG_EOPEN, message, len, "device: is missing for transport: rtu");
    if (!serial && !value[HOST].text)
        return rig_port_say(RIG_EOPEN, message, len, "host: is missing for transport: %s",
                            transports[value[TRANSPORT].number]);
    return RIG_OK;
}

static int open_line(struct rig_relay *relay, const struct rig_setting_value *value, char *message,
                     size_t len)
{
    if (relay->transport == RTU) {
        struct rig_serial serial = {.path = value[DEVICE].text,
                                    .baud = (uint32_t)value[BAUD].number,
                                    .no_hangup = true}; /* as rig_wire_open */
        snprintf(relay->name, sizeof relay->name, "%s", value[DEVICE].text);
        return rig_port_serial(&relay->fd, &serial, message, len);
    }
    snprintf(relay->name, sizeof relay->name, "%s:%u", value[HOST].text,
             (unsigned)value[PORT].number);
    return rig_port_tcp(&relay->fd, value[HOST].text, (uint16_t)value[PORT].number,
                        relay->timeout_ms, message, len);
}

/* The context gets our descriptor; the names it wants are never opened. */
static int make_context(struct rig_relay *relay, char *message, size_t len)
{
    if (relay->fd >= FD_SETSIZE)
        return rig_port_say(RIG_EOPEN, message, len, "%s: too many files are open (%d)",
                            relay->name, relay->fd);
    relay->modbus = relay->transport == TCP ? modbus_new_tcp("127.0.0.1", MODBUS_TCP_DEFAULT_PORT)
                                            : modbus_new_rtu("/dev/null", 9600, 'N', 8, 1);
    if (!relay->modbus)
        return rig_port_say(RIG_EMEMORY, message, len, "out of memory");
    if (modbus_set_slave(relay->modbus, relay->unit))
        return rig_port_say(RIG_EOPEN, message, len, "unit: %u is none of this transport",
                            relay->unit);
    uint32_t ms = relay->timeout_ms ? relay->timeout_ms : 1;
    modbus_set_response_timeout(relay->modbus, ms / 1000, ms % 1000 * 1000);
    modbus_set_byte_timeout(relay->modbus, 0, 0); /* so the first is for the whole answer */
    modbus_set_socket(relay->modbus, relay->fd);
    return RIG_OK;
}

/* modbus_close would restore a line's settings that it never saved. */
static void close_modbus(struct rig_relay *relay)
{
    if (!relay)
        return;
    if (relay->modbus)
        modbus_free(relay->modbus);
    if (relay->fd >= 0)
        close(relay->fd);
    free(relay);
}

static void fill(struct rig_relay *relay, const struct rig_setting_value *value)
{
    int64_t baud = value[BAUD].number;
    relay->transport = (enum transport)value[TRANSPORT].number;
    relay->read = (enum read_how)value[READ].number;
    relay->timed = (enum timed)value[TIMED].number;
    relay->channels = (uint32_t)value[CHANNELS].number;
    relay->base = (uint16_t)value[BASE].number;
    relay->unit = (uint8_t)value[UNIT].number;
    /* 3.5 characters of 11 bits; 1750 us above 19200 baud (serial line specification, 2.5.1.1). */
    relay->silence_us = baud > 19200 ? 1750 : (uint32_t)(38500000 / baud);
}

static int open_modbus(struct rig_relay **out, const struct rig_setting_value *value,
                       uint32_t timeout_ms, char *message, size_t len)
{
    *out = NULL;
    int error = check_place(value, message, len);
    if (error)
        return error;
    struct rig_relay *relay = calloc(1, sizeof *relay);
    if (!relay)
        return rig_port_say(RIG_EMEMORY, message, len, "out of memory");
    relay->fd = -1;
    relay->timeout_ms = timeout_ms;
    fill(relay, value);
    error = open_line(relay, value, message, len);
    if (!error)
        error = make_context(relay, message, len);
    if (error) {
        close_modbus(relay);
        return error;
    }
    *out = relay;
    return RIG_OK;
}

/* ---- Coils ---- */

/* 0, or -1 with errno. A frame: header, the unit its last byte, then function, address, value. */
static int check_answer(const struct rig_relay *relay, const uint8_t *request,
                        const uint8_t *answer, int n)
{
    int header = modbus_get_header_length(relay->modbus);
    errno = EMBBADDATA;
    if (n < header + 2 || answer[header - 1] != relay->unit)
        return -1;
    if (answer[header] == (request[1] | 0x80)) {
        uint8_t code = answer[header + 1];
        errno = code && code < MODBUS_EXCEPTION_MAX ? MODBUS_ENOBASE + code : EMBBADEXC;
        return -1;
    }
    return n < header + PDU_BYTES || memcmp(answer + header, request + 1, PDU_BYTES) ? -1 : 0;
}

static int write_coil(struct rig_relay *relay, uint16_t addr, uint16_t coil_value, char *message,
                      size_t len)
{
    uint8_t request[1 + PDU_BYTES] = {
        relay->unit,        0x05, (uint8_t)(addr >> 8), (uint8_t)addr, (uint8_t)(coil_value >> 8),
        (uint8_t)coil_value};
    uint8_t answer[MODBUS_MAX_ADU_LENGTH];
    char asked[48];
    struct pipe_guard g;
    snprintf(asked, sizeof asked, "FC05 coil %04X value %04X", addr, coil_value);
    int error = begin(relay, &g, asked, message, len);
    if (error)
        return error;
    int n = modbus_send_raw_request(relay->modbus, request, sizeof request);
    if (n >= 0)
        n = modbus_receive_confirmation(relay->modbus, answer);
    if (n >= 0)
        n = check_answer(relay, request, answer, n);
    int failed = errno;
    end(relay, &g);
    return n < 0 ? fail(relay, failed, asked, message, len) : RIG_OK;
}

static int set_modbus(struct rig_relay *relay, uint32_t channel, bool on, char *message, size_t len)
{
    int error = rig_relay_has(channel, 0, relay->channels - 1, message, len);
    return error ? error
                 : write_coil(relay, (uint16_t)(relay->base + channel), on ? COIL_ON : 0, message,
                              len);
}

static int get_modbus(struct rig_relay *relay, bool *on, uint32_t channel, char *message,
                      size_t len)
{
    uint8_t bits[CHANNELS_MAX];
    char asked[48];
    struct pipe_guard g;
    bool bank = relay->read == READ_BANK;
    int addr = relay->base + (bank ? 0 : (int)channel), wanted = bank ? (int)relay->channels : 1;
    int error = rig_relay_has(channel, 0, relay->channels - 1, message, len);
    if (error)
        return error;
    snprintf(asked, sizeof asked, "FC01 of %d coils from %04X", wanted, (unsigned)addr);
    error = begin(relay, &g, asked, message, len);
    if (error)
        return error;
    int n = modbus_read_bits(relay->modbus, addr, wanted, bits), failed = errno;
    end(relay, &g);
    if (n != wanted)
        return fail(relay, n < 0 ? failed : EMBBADDATA, asked, message, len);
    *on = bits[bank ? channel : 0];
    return RIG_OK;
}

static int pulse_modbus(struct rig_relay *relay, uint32_t channel, bool on, uint32_t ms,
                        char *message, size_t len)
{
    int error = rig_relay_has(channel, 0, relay->channels - 1, message, len);
    if (error)
        return error;
    uint32_t grains = ms / GRAIN_MS + (ms % GRAIN_MS || !ms), coil = relay->base + channel;
    if (relay->timed == TIMED_NONE)
        return rig_port_say(RIG_EUNSUPPORTED, message, len,
                            "timed: none: this board is not said to have timed coils");
    if (grains > GRAINS_MAX || coil >= TIMED_ON)
        return rig_port_say(RIG_EUNSUPPORTED, message, len, "%u ms at coil %u: at most %d ms, %d",
                            ms, coil, GRAINS_MAX * GRAIN_MS, TIMED_ON - 1);
    uint16_t addr = (uint16_t)(coil + (on ? TIMED_ON : TIMED_OFF));
    return write_coil(relay, addr, (uint16_t)grains, message, len);
}

const struct rig_relay_driver rig_relay_modbus = {
    .name = "modbus",
    .summary = "relay boards that speak Modbus RTU, TCP, or RTU over TCP",
    .channel_first = 0,
    .channel_last = CHANNELS_MAX - 1,
    .setting = settings,
    .open = open_modbus,
    .close = close_modbus,
    .set = set_modbus,
    .get = get_modbus,
    .pulse = pulse_modbus,
};
