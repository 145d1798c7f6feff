/*
 * Devantech USB-RLY02, -RLY08, -RLY16 and -RLY16L (CDC-ACM: the rate is ignored). Source: the
 * vendor's manuals.
 *
 *   5A            answer: module, firmware. Module 8: RLY08, 9: RLY16, 10: RLY02, 15: RLY16L
 *   5B            answer: one byte, bit 0 is relay 1
 *   65 .. 6C      relay 1 .. 8 on; no answer
 *   6F .. 76      relay 1 .. 8 off; no answer
 *
 * 5C sets all relays at once: not used, it would meddle with other boards' power.
 */
#include "drivers.h"
#include "wire.h"

enum { DEVICE, CHANNELS };
enum { CHANNELS_MAX = 8, RATE = 9600 };
enum { ASK_MODULE = 0x5A, ASK_STATES = 0x5B, ON_BEFORE_FIRST = 0x64, OFF_BEFORE_FIRST = 0x6E };

static const struct rig_setting settings[] = {
    RIG_WIRE_DEVICE,
    {"channels", RIG_SETTING_NUMBER, false, NULL, 1, CHANNELS_MAX, NULL,
     "relays on the board; only needed for a module that is not known"},
    {0},
};

struct rig_relay {
    struct rig_wire wire; /* first: rig_wire_open */
    uint32_t channels;
};

/* 0: not known. */
static uint32_t channels_of(uint8_t module)
{
    switch (module) {
    case 8:
    case 9:
    case 15:
        return 8;
    case 10:
        return 2;
    default:
        return 0;
    }
}

/* Something else behind this name would have its own meaning for 65: so it is asked first. */
static int look(struct rig_relay *relay, const struct rig_setting_value *value, char *message,
                size_t len)
{
    static const uint8_t ask = ASK_MODULE;
    uint8_t answer[2];
    int error = rig_wire_ask(&relay->wire, &ask, 1, answer, sizeof answer, message, len);
    if (error)
        return error;
    relay->channels = channels_of(answer[0]);
    if (value[CHANNELS].given && (!relay->channels || value[CHANNELS].number < relay->channels))
        relay->channels = (uint32_t)value[CHANNELS].number;
    if (!relay->channels)
        return rig_port_say(RIG_EANSWER, message, len,
                            "%s: module %u (firmware %u) is not known; if it is a relay board, say "
                            "how many channels",
                            relay->wire.name, answer[0], answer[1]);
    return RIG_OK;
}

static int open_devantech(struct rig_relay **out, const struct rig_setting_value *value,
                          uint32_t timeout_ms, char *message, size_t len)
{
    int error =
        rig_wire_open(out, sizeof **out, value[DEVICE].text, RATE, timeout_ms, message, len);
    if (error)
        return error;
    error = look(*out, value, message, len);
    if (error) {
        rig_wire_close(*out);
        *out = NULL;
    }
    return error;
}

static int set_devantech(struct rig_relay *relay, uint32_t channel, bool on, char *message,
                         size_t len)
{
    int error = rig_relay_has(channel, 1, relay->channels, message, len);
    uint8_t byte = (uint8_t)((on ? ON_BEFORE_FIRST : OFF_BEFORE_FIRST) + channel);
    return error ? error : rig_wire_send(&relay->wire, &byte, 1, message, len);
}

static int get_devantech(struct rig_relay *relay, bool *on, uint32_t channel, char *message,
                         size_t len)
{
    static const uint8_t ask = ASK_STATES;
    uint8_t states;
    int error = rig_relay_has(channel, 1, relay->channels, message, len);
    if (!error)
        error = rig_wire_ask(&relay->wire, &ask, 1, &states, 1, message, len);
    if (!error)
        *on = states >> (channel - 1) & 1;
    return error;
}

const struct rig_relay_driver rig_relay_devantech_usb = {
    .name = "devantech_usb",
    .summary = "Devantech USB-RLY02, -RLY08, -RLY16, -RLY16L",
    .channel_first = 1,
    .channel_last = CHANNELS_MAX,
    .setting = settings,
    .open = open_devantech,
    .close = rig_wire_close,
    .set = set_devantech,
    .get = get_devantech,
};
