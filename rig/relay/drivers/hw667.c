/*
 * HW-667 and E-3 boards: one relay, CH340, 9600 8N1. Source: the vendor's page.
 *
 *   AA  on      BB  off      CC  on for one second, by the board itself
 *
 * No answer: the state is as commanded.
 */
#include "drivers.h"
#include "wire.h"

enum { DEVICE, BAUD };
enum { JOG_MS = 1000 };

static const struct rig_setting settings[] = {
    RIG_WIRE_DEVICE,
    RIG_WIRE_BAUD("9600"),
    {0},
};

struct rig_relay {
    struct rig_wire wire; /* first: rig_wire_open */
};

static int open_hw667(struct rig_relay **out, const struct rig_setting_value *value,
                      uint32_t timeout_ms, char *message, size_t len)
{
    return rig_wire_open(out, sizeof **out, value[DEVICE].text, value[BAUD].number, timeout_ms,
                         message, len);
}

static int set_hw667(struct rig_relay *relay, uint32_t channel, bool on, char *message, size_t len)
{
    uint8_t byte = on ? 0xAA : 0xBB;
    int error = rig_relay_has(channel, 1, 1, message, len);
    return error ? error : rig_wire_send(&relay->wire, &byte, 1, message, len);
}

static int pulse_hw667(struct rig_relay *relay, uint32_t channel, bool on, uint32_t ms,
                       char *message, size_t len)
{
    uint8_t byte = 0xCC;
    int error = rig_relay_has(channel, 1, 1, message, len);
    if (error)
        return error;
    if (!on || ms > JOG_MS)
        return rig_port_say(RIG_EUNSUPPORTED, message, len,
                            "this board times nothing but one second on");
    return rig_wire_send(&relay->wire, &byte, 1, message, len);
}

const struct rig_relay_driver rig_relay_hw667 = {
    .name = "hw667",
    .summary = "HW-667 and E-3, one relay, USB serial (CH340)",
    .channel_first = 1,
    .channel_last = 1,
    .setting = settings,
    .open = open_hw667,
    .close = rig_wire_close,
    .set = set_hw667,
    .pulse = pulse_hw667,
};
