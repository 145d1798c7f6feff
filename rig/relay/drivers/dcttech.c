/*
 * dcttech "USBRelay1" to "USBRelay8" (V-USB, 16c0:05df): USB HID without endpoints but 0, all by
 * feature reports of 8 bytes. Sources: usbrelay, crelay, labgrid, pdudaemon.
 *
 *   SET_REPORT  00 | FF n 00 00 00 00 00 00   relay n on; FD n off
 *   GET_REPORT  01   i  i  i  i  i  .  .  b    id of 5 characters; bit 0 of b is relay 1
 *
 * 16c0:05df is V-USB's for everybody, so the product string decides. There is no serial number; the
 * id is the device's only name, and is checked at each reading: after a new plugging the same
 * hidraw number may be another board.
 */
#include "drivers.h"
#include "hid.h"
#include "wire.h"
#include <stdlib.h>
#include <string.h>

enum { ID, USB };
enum { ID_BYTES = 5, REPORT_BYTES = 8, STATE = 7, CHANNELS_MAX = 8 };

static const struct rig_setting settings[] = {
    {"id", RIG_SETTING_TEXT, false, NULL, 0, 0, NULL, "the 5 characters the board names itself by"},
    {"usb", RIG_SETTING_TEXT, false, NULL, 0, 0, NULL, "USB port, as 1-1.4; where ids are alike"},
    {0},
};

struct rig_relay {
    struct rig_hid *hid;
    uint32_t channels;
    uint8_t id[ID_BYTES];
};

static int read_report(struct rig_hid *hid, uint8_t report[REPORT_BYTES + 1], char *message,
                       size_t len)
{
    size_t got;
    int error = rig_hid()->get_feature(hid, report, &got, REPORT_BYTES + 1, 1, message, len);
    if (error)
        return error;
    if (got < REPORT_BYTES)
        return rig_port_say(RIG_EANSWER, message, len, "a feature report of %zu bytes, not 8", got);
    return RIG_OK;
}

/* "BITFT", or "EF 41 41 4D 5A" where it isn't text: such a one is spoilt, and can be written anew
 * with usbrelay. */
static const char *id_text(char text[24], const uint8_t *id)
{
    for (size_t i = 0; i < ID_BYTES; i++)
        if (id[i] <= ' ' || id[i] > '~')
            return rig_relay_hex(text, 24, id, ID_BYTES);
    memcpy(text, id, ID_BYTES);
    text[ID_BYTES] = '\0';
    return text;
}

/* USBRelay4 has 4. */
static uint32_t channels_of(const struct rig_hid_found *device)
{
    const char *n = device->product + strlen("USBRelay");
    return *n >= '1' && *n <= '0' + CHANNELS_MAX && !n[1] ? (uint32_t)(*n - '0') : CHANNELS_MAX;
}

static int open_one(struct rig_relay *relay, const struct rig_hid_found *device, char *message,
                    size_t len)
{
    uint8_t report[REPORT_BYTES + 1];
    int error = rig_hid()->open(&relay->hid, device->path, message, len);
    if (!error)
        error = read_report(relay->hid, report, message, len);
    if (error)
        return error;
    memcpy(relay->id, report, ID_BYTES);
    relay->channels = channels_of(device);
    return RIG_OK;
}

/* Goes through those that fit; each is asked for its id. One that can't be opened (another process
 * has it) is not the one only if another is; its error is told otherwise. */
static int open_by_id(struct rig_relay *relay, const char *id, const struct rig_hid_found *device,
                      size_t found, char *message, size_t len)
{
    char there[120] = "", text[24], why[200];
    int first = RIG_OK;
    for (size_t i = 0; i < found; i++) {
        int error = open_one(relay, &device[i], why, sizeof why);
        if (!error && !strcmp(id_text(text, relay->id), id))
            return RIG_OK;
        rig_hid()->close(relay->hid);
        relay->hid = NULL;
        size_t used = strlen(there);
        rig_port_say(error, there + used, sizeof there - used, "%s%s at %s", used ? ", " : "",
                     error ? why : text, device[i].usb);
        first = first ? first : error;
    }
    return rig_port_say(first ? first : RIG_EOPEN, message, len,
                        "no dcttech relay has the id %s; there is: %s", id, there);
}

static int find(struct rig_relay *relay, const char *id, const char *usb, char *message, size_t len)
{
    static const uint16_t ids[] = {0x05df, 0};
    const struct rig_hid_wanted wanted = {"dcttech relay", 0x16c0, ids, "USBRelay", usb, NULL,
                                          "id or usb"};
    struct rig_hid_found device[RIG_HID_FOUND_MAX];
    size_t found = 1;
    int error = id ? rig_hid_find(device, &found, &wanted, message, len)
                   : rig_hid_find_one(device, &wanted, message, len);
    if (error)
        return error;
    return id ? open_by_id(relay, id, device, found, message, len)
              : open_one(relay, device, message, len);
}

static void close_dcttech(struct rig_relay *relay)
{
    if (relay)
        rig_hid()->close(relay->hid);
    free(relay);
}

static int open_dcttech(struct rig_relay **out, const struct rig_setting_value *value,
                        uint32_t timeout_ms, char *message, size_t len)
{
    (void)timeout_ms; /* the kernel's own: hid.h */
    struct rig_relay *relay = calloc(1, sizeof *relay);
    *out = NULL;
    if (!relay)
        return rig_port_say(RIG_EMEMORY, message, len, "out of memory");
    int error = find(relay, value[ID].text, value[USB].text, message, len);
    if (error) {
        close_dcttech(relay);
        return error;
    }
    *out = relay;
    return RIG_OK;
}

static int set_dcttech(struct rig_relay *relay, uint32_t channel, bool on, char *message,
                       size_t len)
{
    int error = rig_relay_has(channel, 1, relay->channels, message, len);
    if (error)
        return error;
    const uint8_t report[1 + REPORT_BYTES] = {0x00, on ? 0xFF : 0xFD, (uint8_t)channel};
    return rig_hid()->send_feature(relay->hid, report, sizeof report, message, len);
}

static int get_dcttech(struct rig_relay *relay, bool *on, uint32_t channel, char *message,
                       size_t len)
{
    uint8_t report[REPORT_BYTES + 1];
    char is[24], was[24];
    int error = rig_relay_has(channel, 1, relay->channels, message, len);
    if (!error)
        error = read_report(relay->hid, report, message, len);
    if (error)
        return error;
    if (memcmp(report, relay->id, ID_BYTES))
        return rig_port_say(RIG_EANSWER, message, len, "its id is %s, and was %s",
                            id_text(is, report), id_text(was, relay->id));
    *on = report[STATE] >> (channel - 1) & 1;
    return RIG_OK;
}

const struct rig_relay_driver rig_relay_dcttech = {
    .name = "dcttech",
    .summary = "dcttech USBRelay1 to USBRelay8, USB HID 16c0:05df",
    .channel_first = 1,
    .channel_last = CHANNELS_MAX,
    .setting = settings,
    .open = open_dcttech,
    .close = close_dcttech,
    .set = set_dcttech,
    .get = get_dcttech,
};
