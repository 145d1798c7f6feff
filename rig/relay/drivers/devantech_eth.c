/*
 * Devantech ETH002, ETH008, ETH484, ETH8020: TCP, port 17494. Every command is one segment, because
 * the board takes a segment for a command. From the manuals ("TCP access and commands"):
 *
 *   10                  -> id, hardware, firmware
 *   20 relay time       -> 00 done, 01 failed    active; time 0: for good, else so many 100 ms
 *   21 relay time       -> 00 done, 01 failed    inactive
 *   24                  -> a bit for each relay, the lowest first; as many bytes as that needs
 *   79 password...      -> 01 right, 02 wrong    forgotten after 30 s without a command
 *
 * The password is entered before every command that switches; so it does not matter how long the
 * line was idle. The board has five connections; a sixth is closed.
 */
#include "../drivers.h"
#include "../wire.h"
#include "host.h"
#include "tcp.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { GET_INFO = 0x10, ACTIVE = 0x20, INACTIVE = 0x21, GET_OUTPUTS = 0x24, PASSWORD = 0x79 };
enum { RELAYS_MAX = 20, PASSWORD_MAX = 64, GRAIN_MS = 100, GRAINS_MAX = 255 };
enum { HOST, PORT, SECRET, CHANNELS };

static const struct rig_setting settings[] = {
    [HOST] = RIG_HOST_NAME,
    [PORT] = RIG_HOST_PORT("17494", "TCP port"),
    [SECRET] = {.key = "password",
                .kind = RIG_SETTING_SECRET,
                .help = "file with the password of the board's web page; without: none is set"},
    [CHANNELS] = {.key = "channels",
                  .kind = RIG_SETTING_NUMBER,
                  .min = 1,
                  .max = RELAYS_MAX,
                  .help = "how many relays; needed where the board's id is not known"},
    {0},
};

static const struct {
    uint8_t id, relays;
} models[] = {{18, 2}, {19, 8}, {20, 4}, {21, 20}};

struct rig_relay {
    struct rig_tcp tcp;
    uint32_t channels;
    char password[PASSWORD_MAX + 1];
};

static void close_board(struct rig_relay *relay)
{
    if (!relay)
        return;
    rig_tcp_close(&relay->tcp);
    explicit_bzero(relay->password, sizeof relay->password);
    free(relay);
}

static int identify(struct rig_relay *relay, const struct rig_setting_value *value, char *message,
                    size_t len)
{
    uint8_t info[3];
    int error = rig_tcp_send(&relay->tcp, (uint8_t[]){GET_INFO}, 1, "10", message, len);
    if (!error)
        error = rig_tcp_receive(&relay->tcp, info, sizeof info, "10", message, len);
    if (error == RIG_EGONE)
        return rig_port_say(RIG_EBUSY, message, len,
                            "%s: closed the connection; all five of a board may be in use",
                            relay->tcp.peer);
    if (error)
        return error;
    if (value[CHANNELS].given)
        relay->channels = (uint32_t)value[CHANNELS].number;
    for (size_t i = 0; !relay->channels && i < sizeof models / sizeof *models; i++)
        if (models[i].id == info[0])
            relay->channels = models[i].relays;
    if (relay->channels)
        return RIG_OK;
    return rig_port_say(RIG_EANSWER, message, len,
                        "%s: module id %u is none of 18 to 21; if it is a Devantech board, say "
                        "how many relays it has with `channels`",
                        relay->tcp.peer, info[0]);
}

static int unlock(struct rig_relay *relay, char *message, size_t len)
{
    uint8_t frame[1 + PASSWORD_MAX] = {PASSWORD}, answer;
    size_t n = strlen(relay->password);
    if (!n)
        return RIG_OK;
    memcpy(frame + 1, relay->password, n);
    int error = rig_tcp_send(&relay->tcp, frame, 1 + n, "the password", message, len);
    explicit_bzero(frame, sizeof frame);
    if (!error)
        error = rig_tcp_receive(&relay->tcp, &answer, 1, "the password", message, len);
    if (error || answer == 1)
        return error;
    if (answer == 2)
        return rig_port_say(RIG_EREFUSED, message, len, "%s: the password is wrong",
                            relay->tcp.peer);
    char text[8];
    snprintf(text, sizeof text, "%02X", answer);
    return rig_tcp_wrong(&relay->tcp, "the password", text, message, len);
}

static int open_board(struct rig_relay **out, const struct rig_setting_value *value,
                      uint32_t timeout_ms, char *message, size_t len)
{
    assert(out && value && message);
    *out = NULL;
    const char *password = value[SECRET].text ? value[SECRET].text : "";
    if (strlen(password) > PASSWORD_MAX)
        return rig_port_say(RIG_EOPEN, message, len, "password: longer than %d bytes",
                            PASSWORD_MAX);
    struct rig_relay *relay = calloc(1, sizeof *relay);
    if (!relay)
        return rig_port_say(RIG_EMEMORY, message, len, "no memory");
    strcpy(relay->password, password);
    int error = rig_tcp_open(&relay->tcp, value[HOST].text, (uint16_t)value[PORT].number,
                             timeout_ms, message, len);
    if (!error)
        error = identify(relay, value, message, len);
    if (!error)
        error = unlock(relay, message, len);
    if (error)
        close_board(relay);
    else
        *out = relay;
    return error;
}

static int command(struct rig_relay *relay, uint32_t channel, bool on, uint8_t grains,
                   char *message, size_t len)
{
    const uint8_t frame[] = {on ? ACTIVE : INACTIVE, (uint8_t)channel, grains};
    char what[16];
    snprintf(what, sizeof what, "%02X %02X %02X", frame[0], frame[1], frame[2]);
    uint8_t answer;
    int error = rig_relay_has(channel, 1, relay->channels, message, len);
    if (!error)
        error = unlock(relay, message, len);
    if (!error)
        error = rig_tcp_send(&relay->tcp, frame, sizeof frame, what, message, len);
    if (!error)
        error = rig_tcp_receive(&relay->tcp, &answer, 1, what, message, len);
    if (error || answer == 0)
        return error;
    if (answer == 1)
        return rig_port_say(RIG_EREFUSED, message, len, "%s: refused %s%s", relay->tcp.peer, what,
                            *relay->password ? "" : "; it may want a password");
    char text[8];
    snprintf(text, sizeof text, "%02X", answer);
    return rig_tcp_wrong(&relay->tcp, what, text, message, len);
}

static int set(struct rig_relay *relay, uint32_t channel, bool on, char *message, size_t len)
{
    return command(relay, channel, on, 0, message, len);
}

static int pulse(struct rig_relay *relay, uint32_t channel, bool on, uint32_t ms, char *message,
                 size_t len)
{
    uint32_t grains = ms / GRAIN_MS + (ms % GRAIN_MS || !ms);
    if (grains > GRAINS_MAX)
        return rig_port_say(RIG_EUNSUPPORTED, message, len, "%s: times up to 25500 ms, not %u",
                            relay->tcp.peer, ms);
    return command(relay, channel, on, (uint8_t)grains, message, len);
}

static int get(struct rig_relay *relay, bool *on, uint32_t channel, char *message, size_t len)
{
    uint8_t outputs[(RELAYS_MAX + 7) / 8];
    int error = rig_relay_has(channel, 1, relay->channels, message, len);
    if (!error)
        error = rig_tcp_send(&relay->tcp, (uint8_t[]){GET_OUTPUTS}, 1, "24", message, len);
    if (!error)
        error =
            rig_tcp_receive(&relay->tcp, outputs, (relay->channels + 7) / 8, "24", message, len);
    if (!error)
        *on = outputs[(channel - 1) / 8] >> ((channel - 1) % 8) & 1;
    return error;
}

const struct rig_relay_driver rig_relay_devantech_eth = {
    .name = "devantech_eth",
    .summary = "Devantech ETH002, ETH008, ETH484, ETH8020 relay boards, by TCP",
    .channel_first = 1,
    .channel_last = RELAYS_MAX,
    .setting = settings,
    .open = open_board,
    .close = close_board,
    .set = set,
    .get = get,
    .pulse = pulse,
};
