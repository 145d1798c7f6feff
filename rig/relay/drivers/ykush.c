/*
 * Yepkit YKUSH (04d8:f2f7, 3 ports), YKUSH XS (f0cd, 1 port), YKUSH 3 (f11b, 3 ports): USB hubs
 * with a HID device that switches VBUS and data of each port. Reports of 64 bytes, the command
 * twice. Sources: ykush, pdudaemon.
 *
 *   00 | 11 11 00...   port 1 up; 01 01 down; 21 21 asks. Ports 2 and 3 likewise
 *        01 cc ..      answer: 01 understood; then, to a question, 1p the port p is up, 0p down
 *
 * The first YKUSH (04d8:0042) has reports of 6 bytes and other answers: it is not driven.
 */
#include "drivers.h"
#include "hid.h"
#include "wire.h"
#include <stdlib.h>

enum { SERIAL, USB };
enum { REPORT_BYTES = 64, ANSWER_ROOM = REPORT_BYTES + 1 };
enum { YKUSH = 0xf2f7, YKUSH_XS = 0xf0cd, YKUSH_3 = 0xf11b };
enum { DOWN = 0x00, UP = 0x10, ASK = 0x20 };
enum { UNDERSTOOD = 0x01 };

static const struct rig_setting settings[] = {
    {"serial", RIG_SETTING_TEXT, false, NULL, 0, 0, NULL, "serial number, as YK12345"},
    {"usb", RIG_SETTING_TEXT, false, NULL, 0, 0, NULL, "USB port of its HID device, as 1-1.4"},
    {0},
};

struct rig_relay {
    struct rig_hid *hid;
    uint32_t channels, timeout_ms;
};

static int open_ykush(struct rig_relay **out, const struct rig_setting_value *value,
                      uint32_t timeout_ms, char *message, size_t len)
{
    static const uint16_t ids[] = {YKUSH, YKUSH_XS, YKUSH_3, 0};
    const struct rig_hid_wanted wanted = {
        "YKUSH", 0x04d8, ids, NULL, value[USB].text, value[SERIAL].text, "serial or usb"};
    struct rig_hid_found device;
    struct rig_relay *relay = calloc(1, sizeof *relay);
    *out = NULL;
    if (!relay)
        return rig_port_say(RIG_EMEMORY, message, len, "out of memory");
    relay->timeout_ms = timeout_ms;
    int error = rig_hid_open_one(&relay->hid, &device, &wanted, message, len);
    if (error) {
        free(relay);
        return error;
    }
    relay->channels = device.product_id == YKUSH_XS ? 1 : 3;
    *out = relay;
    return RIG_OK;
}

static void close_ykush(struct rig_relay *relay)
{
    if (relay)
        rig_hid()->close(relay->hid);
    free(relay);
}

static int ask(struct rig_relay *relay, uint8_t *state, uint8_t command, char *message, size_t len)
{
    uint8_t report[1 + REPORT_BYTES] = {0x00, command, command}, answer[ANSWER_ROOM];
    size_t got;
    int error = rig_hid_drain(relay->hid, message, len);
    if (!error)
        error = rig_hid()->write(relay->hid, report, sizeof report, message, len);
    if (!error)
        error = rig_hid()->read(relay->hid, answer, &got, sizeof answer, relay->timeout_ms, message,
                                len);
    if (error == RIG_ESILENT)
        return rig_port_say(error, message, len, "no answer to %02X %02X within %u ms", command,
                            command, (unsigned)relay->timeout_ms);
    if (error)
        return error;
    if (got < 2)
        return rig_port_say(RIG_EANSWER, message, len, "%02X %02X: an answer of %zu bytes", command,
                            command, got);
    if (answer[0] != UNDERSTOOD)
        return rig_port_say(RIG_EREFUSED, message, len, "%02X %02X: answered %02X %02X, not 01",
                            command, command, answer[0], answer[1]);
    *state = answer[1];
    return RIG_OK;
}

static int set_ykush(struct rig_relay *relay, uint32_t channel, bool on, char *message, size_t len)
{
    uint8_t unused;
    int error = rig_relay_has(channel, 1, relay->channels, message, len);
    return error ? error : ask(relay, &unused, (uint8_t)((on ? UP : DOWN) + channel), message, len);
}

static int get_ykush(struct rig_relay *relay, bool *on, uint32_t channel, char *message, size_t len)
{
    uint8_t state;
    int error = rig_relay_has(channel, 1, relay->channels, message, len);
    if (!error)
        error = ask(relay, &state, (uint8_t)(ASK + channel), message, len);
    if (error)
        return error;
    if (state != DOWN + channel && state != UP + channel)
        return rig_port_say(RIG_EANSWER, message, len, "port %u was asked for, the answer is %02X",
                            (unsigned)channel, state);
    *on = state == UP + channel;
    return RIG_OK;
}

const struct rig_relay_driver rig_relay_ykush = {
    .name = "ykush",
    .summary = "Yepkit YKUSH, YKUSH XS, YKUSH 3: switched USB ports, HID 04d8:f2f7, f0cd, f11b",
    .channel_first = 1,
    .channel_last = 3,
    .setting = settings,
    .open = open_ykush,
    .close = close_ykush,
    .set = set_ykush,
    .get = get_ykush,
};
