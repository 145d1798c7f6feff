/*
 * Ucreatefun "HIDRelay" (CH551, 0519:2018, board QYF-UR01 and kin): one byte in an output report.
 * Sources: usbrelay and its issue 34.
 *
 *   00 | F0+n   relay n on, 1 to 8
 *   00 | 00+n   off
 *
 * It answers nothing and can't be read back. Its serial number is often A0001 on all of them, so
 * two are told apart by the USB port.
 */
#include "drivers.h"
#include "hid.h"
#include "wire.h"
#include <stdlib.h>

enum { USB, SERIAL, CHANNELS };

static const struct rig_setting settings[] = {
    {"usb", RIG_SETTING_TEXT, false, NULL, 0, 0, NULL, "USB port, as 1-1.4"},
    {"serial", RIG_SETTING_TEXT, false, NULL, 0, 0, NULL, "serial number, where they differ"},
    {"channels", RIG_SETTING_NUMBER, false, "8", 1, 8, NULL, "relays on the board"},
    {0},
};

struct rig_relay {
    struct rig_hid *hid;
    uint32_t channels;
};

static int open_ucreatefun(struct rig_relay **out, const struct rig_setting_value *value,
                           uint32_t timeout_ms, char *message, size_t len)
{
    static const uint16_t ids[] = {0x2018, 0};
    const struct rig_hid_wanted wanted = {"Ucreatefun relay", 0x0519, ids, NULL, value[USB].text,
                                          value[SERIAL].text, "usb"};
    struct rig_hid_found device;
    struct rig_relay *relay = calloc(1, sizeof *relay);
    (void)timeout_ms; /* nothing is waited for */
    *out = NULL;
    if (!relay)
        return rig_port_say(RIG_EMEMORY, message, len, "out of memory");
    relay->channels = (uint32_t)value[CHANNELS].number;
    int error = rig_hid_open_one(&relay->hid, &device, &wanted, message, len);
    if (error) {
        free(relay);
        return error;
    }
    *out = relay;
    return RIG_OK;
}

static void close_ucreatefun(struct rig_relay *relay)
{
    if (relay)
        rig_hid()->close(relay->hid);
    free(relay);
}

static int set_ucreatefun(struct rig_relay *relay, uint32_t channel, bool on, char *message,
                          size_t len)
{
    int error = rig_relay_has(channel, 1, relay->channels, message, len);
    if (error)
        return error;
    const uint8_t report[] = {0x00, (uint8_t)((on ? 0xF0 : 0x00) + channel)};
    return rig_hid()->write(relay->hid, report, sizeof report, message, len);
}

const struct rig_relay_driver rig_relay_ucreatefun = {
    .name = "ucreatefun",
    .summary = "Ucreatefun HIDRelay of 1 to 8 relays, USB HID 0519:2018",
    .channel_first = 1,
    .channel_last = 8,
    .setting = settings,
    .open = open_ucreatefun,
    .close = close_ucreatefun,
    .set = set_ucreatefun,
};
