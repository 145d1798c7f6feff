/*
 * LCUS-1, -2, -4, -8 and their kin (CH340, 9600 8N1). Source: the vendor's pages.
 *
 *   A0 channel state sum     channel 1 to 8, state 00 or 01, sum of the three modulo 256
 *
 * Most answer nothing. Some say "FF" and lines of text (CH1: ON): which ones, and when, differs
 * from batch to batch, so nothing is made of it: it is thrown away before the next command. There
 * is no reading back, and the state is as commanded.
 */
#include "drivers.h"
#include "wire.h"

enum { DEVICE, CHANNELS, BAUD };

static const struct rig_setting settings[] = {
    RIG_WIRE_DEVICE,
    {"channels", RIG_SETTING_NUMBER, false, "8", 1, 8, NULL, "relays on the board"},
    RIG_WIRE_BAUD("9600"),
    {0},
};

struct rig_relay {
    struct rig_wire wire; /* first: rig_wire_open */
    uint32_t channels;
};

static int open_lcus(struct rig_relay **out, const struct rig_setting_value *value,
                     uint32_t timeout_ms, char *message, size_t len)
{
    int error = rig_wire_open(out, sizeof **out, value[DEVICE].text, value[BAUD].number, timeout_ms,
                              message, len);
    if (!error)
        (*out)->channels = (uint32_t)value[CHANNELS].number;
    return error;
}

static int set_lcus(struct rig_relay *relay, uint32_t channel, bool on, char *message, size_t len)
{
    int error = rig_relay_has(channel, 1, relay->channels, message, len);
    if (error)
        return error;
    uint8_t frame[4] = {0xA0, (uint8_t)channel, on};
    frame[3] = (uint8_t)(frame[0] + frame[1] + frame[2]);
    return rig_wire_send(&relay->wire, frame, sizeof frame, message, len);
}

const struct rig_relay_driver rig_relay_lcus = {
    .name = "lcus",
    .summary = "LCUS boards of 1 to 8 relays, USB serial (CH340)",
    .channel_first = 1,
    .channel_last = 8,
    .setting = settings,
    .open = open_lcus,
    .close = rig_wire_close,
    .set = set_lcus,
};
