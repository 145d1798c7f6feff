/*
 * LCUS boards that are USB HID (5131:2007, hexadecimal: one tool takes these numbers as decimal,
 * which is another device). The frame of the serial ones, in an output report. Sources: labgrid,
 * usbrelay.
 *
 *   00 | A0 channel state sum    channel 1 to 8, state 00 or 01, sum of the three modulo 256
 *   00 | A0 0F 02 B1             asks for text: "CH1: ON\r\nCH2: OFF\r\n"; not every board knows it
 *
 * The device has no strings and no serial number: two of them are told apart by the USB port alone.
 * What it says unasked after a command is thrown away before the next one.
 */
#include "drivers.h"
#include "hid.h"
#include "wire.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { USB, CHANNELS, STATUS };
enum { REPORT_MAX = 65, TEXT_MAX = 512, REPORTS_MAX = 32 };

static const struct rig_setting settings[] = {
    {"usb", RIG_SETTING_TEXT, false, NULL, 0, 0, NULL, "USB port, as 1-1.4; its only name"},
    {"channels", RIG_SETTING_NUMBER, false, "8", 1, 8, NULL, "relays on the board"},
    {"status", RIG_SETTING_FLAG, false, "false", 0, 0, NULL,
     "true: this board answers the status command"},
    {0},
};

struct rig_relay {
    struct rig_hid *hid;
    uint32_t channels, timeout_ms;
    bool status;
};

static int open_lcus_hid(struct rig_relay **out, const struct rig_setting_value *value,
                         uint32_t timeout_ms, char *message, size_t len)
{
    static const uint16_t ids[] = {0x2007, 0};
    const struct rig_hid_wanted wanted = {"LCUS HID relay", 0x5131, ids,  NULL,
                                          value[USB].text,  NULL,   "usb"};
    struct rig_hid_found device;
    struct rig_relay *relay = calloc(1, sizeof *relay);
    *out = NULL;
    if (!relay)
        return rig_port_say(RIG_EMEMORY, message, len, "out of memory");
    relay->channels = (uint32_t)value[CHANNELS].number;
    relay->status = value[STATUS].number;
    relay->timeout_ms = timeout_ms;
    int error = rig_hid_open_one(&relay->hid, &device, &wanted, message, len);
    if (error) {
        free(relay);
        return error;
    }
    *out = relay;
    return RIG_OK;
}

static void close_lcus_hid(struct rig_relay *relay)
{
    if (relay)
        rig_hid()->close(relay->hid);
    free(relay);
}

static int send(struct rig_relay *relay, uint8_t second, uint8_t third, char *message, size_t len)
{
    int error = rig_hid_drain(relay->hid, message, len);
    if (error)
        return error;
    const uint8_t report[] = {0x00, 0xA0, second, third, (uint8_t)(0xA0 + second + third)};
    return rig_hid()->write(relay->hid, report, sizeof report, message, len);
}

static int set_lcus_hid(struct rig_relay *relay, uint32_t channel, bool on, char *message,
                        size_t len)
{
    int error = rig_relay_has(channel, 1, relay->channels, message, len);
    return error ? error : send(relay, (uint8_t)channel, on, message, len);
}

/* True once the text has "CH2: ON" or "CH2: OFF" and what follows it is known to end the word. */
static bool told(bool *on, const char *text, uint32_t channel)
{
    char name[8];
    snprintf(name, sizeof name, "CH%u:", (unsigned)channel);
    const char *word = strstr(text, name);
    if (!word)
        return false;
    word += strlen(name);
    word += strspn(word, " ");
    size_t n = strcspn(word, " \r\n");
    *on = n == 2 && !strncmp(word, "ON", 2);
    return word[n] && (*on || (n == 3 && !strncmp(word, "OFF", 3)));
}

/* The text runs over as many reports as it needs; the zeros that fill one up are no part of it. */
static int read_text(struct rig_relay *relay, bool *on, uint32_t channel, char *message, size_t len)
{
    const int64_t until = rig_port_now_us() + relay->timeout_ms * INT64_C(1000);
    char text[TEXT_MAX];
    size_t used = 0;
    for (size_t n = 0; n < REPORTS_MAX; n++) {
        uint8_t report[REPORT_MAX];
        size_t got;
        int64_t left = (until - rig_port_now_us()) / 1000;
        int error = rig_hid()->read(relay->hid, report, &got, sizeof report,
                                    left > 0 ? (uint32_t)left : 0, message, len);
        if (error == RIG_ESILENT)
            return rig_port_say(error, message, len,
                                "CH%u: not told within %u ms of A0 0F 02 B1 (status: false, where "
                                "a board doesn't know it)",
                                (unsigned)channel, (unsigned)relay->timeout_ms);
        if (error)
            return error;
        for (size_t i = 0; i < got && used + 1 < sizeof text; i++)
            if (report[i])
                text[used++] = (char)report[i];
        text[used] = '\0';
        if (told(on, text, channel))
            return RIG_OK;
    }
    return rig_port_say(RIG_EANSWER, message, len, "%zu bytes, and CH%u: ON or OFF is not in them",
                        used, (unsigned)channel);
}

static int get_lcus_hid(struct rig_relay *relay, bool *on, uint32_t channel, char *message,
                        size_t len)
{
    int error = rig_relay_has(channel, 1, relay->channels, message, len);
    if (error)
        return error;
    if (!relay->status)
        return rig_port_say(RIG_EUNSUPPORTED, message, len,
                            "not asked for its state (status: false)");
    error = send(relay, 0x0F, 0x02, message, len);
    return error ? error : read_text(relay, on, channel, message, len);
}

const struct rig_relay_driver rig_relay_lcus_hid = {
    .name = "lcus_hid",
    .summary = "LCUS boards of 1 to 8 relays, USB HID 5131:2007",
    .channel_first = 1,
    .channel_last = 8,
    .setting = settings,
    .open = open_lcus_hid,
    .close = close_lcus_hid,
    .set = set_lcus_hid,
    .get = get_lcus_hid,
};
