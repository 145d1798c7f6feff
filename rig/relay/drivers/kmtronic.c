/*
 * KMtronic USB and RS-232 boards of 1, 2, 4 or 8 relays, 9600 8N1. Source: the vendor's list of
 * commands (info.kmtronic.com, "USB Relay Test software").
 *
 *   FF n 01 | FF n 00    on, off; no answer
 *   FF n 03              1 and 2 relays: answer FF n s, s 00 or 01
 *   FF 09 00             4 and 8 relays: one byte for each relay, 00 or 01, relay 1 first
 */
#include "drivers.h"
#include "wire.h"

enum { DEVICE, CHANNELS, BAUD };
enum { ASKED_ONE_BY_ONE_MAX = 2, CHANNELS_MAX = 8 };

static const char *const models[] = {"1", "2", "4", "8", NULL};

static const struct rig_setting settings[] = {
    RIG_WIRE_DEVICE,
    {"channels", RIG_SETTING_CHOICE, true, NULL, 0, 0, models,
     "relays on the board; how the state is asked depends on it"},
    RIG_WIRE_BAUD("9600"),
    {0},
};

struct rig_relay {
    struct rig_wire wire; /* first: rig_wire_open */
    uint32_t channels;
};

static int open_kmtronic(struct rig_relay **out, const struct rig_setting_value *value,
                         uint32_t timeout_ms, char *message, size_t len)
{
    int error = rig_wire_open(out, sizeof **out, value[DEVICE].text, value[BAUD].number, timeout_ms,
                              message, len);
    if (!error)
        (*out)->channels = 1U << value[CHANNELS].number;
    return error;
}

static int set_kmtronic(struct rig_relay *relay, uint32_t channel, bool on, char *message,
                        size_t len)
{
    int error = rig_relay_has(channel, 1, relay->channels, message, len);
    uint8_t frame[] = {0xFF, (uint8_t)channel, on};
    return error ? error : rig_wire_send(&relay->wire, frame, sizeof frame, message, len);
}

static int wrong(const struct rig_relay *relay, const uint8_t *answer, size_t n,
                 const char *request, char *message, size_t len)
{
    char hex[32];
    return rig_port_say(RIG_EANSWER, message, len, "%s: answered %s to %s", relay->wire.name,
                        rig_relay_hex(hex, sizeof hex, answer, n), request);
}

static int get_one(struct rig_relay *relay, bool *on, uint32_t channel, char *message, size_t len)
{
    uint8_t frame[] = {0xFF, (uint8_t)channel, 0x03}, answer[3];
    char hex[16];
    int error =
        rig_wire_ask(&relay->wire, frame, sizeof frame, answer, sizeof answer, message, len);
    if (error)
        return error;
    if (answer[0] != 0xFF || answer[1] != channel || answer[2] > 1)
        return wrong(relay, answer, sizeof answer,
                     rig_relay_hex(hex, sizeof hex, frame, sizeof frame), message, len);
    *on = answer[2];
    return RIG_OK;
}

static int get_all(struct rig_relay *relay, bool *on, uint32_t channel, char *message, size_t len)
{
    static const uint8_t frame[] = {0xFF, 0x09, 0x00};
    uint8_t answer[CHANNELS_MAX];
    int error =
        rig_wire_ask(&relay->wire, frame, sizeof frame, answer, relay->channels, message, len);
    if (error)
        return error;
    for (size_t i = 0; i < relay->channels; i++)
        if (answer[i] > 1)
            return wrong(relay, answer, relay->channels, "FF 09 00", message, len);
    *on = answer[channel - 1];
    return RIG_OK;
}

static int get_kmtronic(struct rig_relay *relay, bool *on, uint32_t channel, char *message,
                        size_t len)
{
    int error = rig_relay_has(channel, 1, relay->channels, message, len);
    if (error)
        return error;
    return relay->channels <= ASKED_ONE_BY_ONE_MAX ? get_one(relay, on, channel, message, len)
                                                   : get_all(relay, on, channel, message, len);
}

const struct rig_relay_driver rig_relay_kmtronic = {
    .name = "kmtronic",
    .summary = "KMtronic boards of 1, 2, 4 or 8 relays, USB serial or RS-232",
    .channel_first = 1,
    .channel_last = CHANNELS_MAX,
    .setting = settings,
    .open = open_kmtronic,
    .close = rig_wire_close,
    .set = set_kmtronic,
    .get = get_kmtronic,
};
