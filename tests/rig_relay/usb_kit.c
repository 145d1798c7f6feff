#include "usb_kit.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { QUEUE = 80, REPORT = 65, LCUS_REPORT = 16, TIMEOUT_MS = 250 };

struct rig_hid {
    struct usb_device *device;
};
struct report {
    struct usb_device *from;
    uint8_t byte[REPORT];
    size_t bytes;
};

static struct usb_device *attached;
static struct report queue[QUEUE]; /* what can be read, oldest first */
static size_t queued;
static char sent[2000];

static size_t unhex(uint8_t *byte, size_t room, const char *hex)
{
    size_t n = 0;
    for (char *end; *hex; hex = end + strspn(end, " ")) {
        cr_assert_lt(n, room);
        byte[n++] = (uint8_t)strtoul(hex, &end, 16);
    }
    return n;
}

static void log_report(const char *how, const uint8_t *report, size_t bytes)
{
    char text[300];
    size_t used = strlen(sent);
    rig_relay_hex(text, sizeof text, report, bytes);
    snprintf(sent + used, sizeof sent - used, "%s%s %s", used ? "; " : "", how, text);
}

static void answer(struct usb_device *device, const uint8_t *byte, size_t bytes)
{
    cr_assert_lt(queued, QUEUE);
    if (device->silent)
        return;
    queue[queued] = (struct report){.from = device, .bytes = bytes};
    memcpy(queue[queued++].byte, byte, bytes);
}

void usb_says(struct usb_device *device, const char *hex)
{
    uint8_t byte[REPORT];
    answer(device, byte, unhex(byte, sizeof byte, hex));
}

static void apply(struct usb_device *device, unsigned relay, bool on)
{
    cr_assert(relay >= 1 && relay <= 8, "relay %u", relay);
    if (!device->stuck)
        device->state =
            (uint8_t)(on ? device->state | 1 << (relay - 1) : device->state & ~(1 << (relay - 1)));
}

static bool answers_raw(struct usb_device *device)
{
    for (size_t i = 0; i < 4 && device->raw[i]; i++)
        usb_says(device, device->raw[i]);
    return device->raw[0];
}

/* ---- Devices ---- */

static void lcus_tells(struct usb_device *device)
{
    char text[200] = "";
    for (int i = 0; i < 4; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "CH%d: %s\r\n", i + 1,
                 device->state >> i & 1 ? "ON" : "OFF");
    const char *all = device->text ? device->text : text;
    for (size_t at = 0; at < strlen(all); at += LCUS_REPORT) {
        uint8_t byte[LCUS_REPORT] = {0};
        memcpy(byte, all + at, strnlen(all + at, LCUS_REPORT));
        answer(device, byte, sizeof byte);
    }
}

static void lcus(struct usb_device *device, const uint8_t *report, size_t bytes)
{
    cr_assert_eq(bytes, 5);
    cr_assert_eq(report[0], 0x00);
    cr_assert_eq(report[1], 0xA0);
    cr_assert_eq(report[4], (report[1] + report[2] + report[3]) & 0xFF);
    if (report[2] == 0x0F && report[3] == 0x02) {
        if (!answers_raw(device))
            lcus_tells(device);
        return;
    }
    cr_assert_leq(report[3], 1);
    apply(device, report[2], report[3]);
}

static void ucreatefun(struct usb_device *device, const uint8_t *report, size_t bytes)
{
    cr_assert_eq(bytes, 2);
    cr_assert_eq(report[0], 0x00);
    cr_assert(report[1] >> 4 == 0xF || report[1] >> 4 == 0);
    apply(device, report[1] & 0xF, report[1] >> 4 == 0xF);
}

static void ykush(struct usb_device *device, const uint8_t *report, size_t bytes)
{
    uint8_t out[64] = {0x01};
    const unsigned port = report[1] & 0xF, what = report[1] >> 4;
    cr_assert_eq(bytes, 65);
    cr_assert_eq(report[0], 0x00);
    cr_assert_eq(report[1], report[2]);
    cr_assert(port >= 1 && port <= 3 && what <= 2);
    for (size_t i = 3; i < bytes; i++)
        cr_assert_eq(report[i], 0);
    if (what < 2)
        apply(device, port, what == 1);
    const unsigned state = device->state, up = state >> (port - 1) & 1;
    out[1] = (uint8_t)(what < 2 ? report[1] : up << 4 | port);
    if (!answers_raw(device))
        answer(device, out, device->report_bytes ? device->report_bytes : sizeof out);
}

/* ---- Seam ---- */

static uint16_t vendor_of(const struct usb_device *device, uint16_t *product_id)
{
    static const uint16_t ids[][2] = {
        [USB_DCTTECH] = {0x16c0, 0x05df},    [USB_LCUS] = {0x5131, 0x2007},
        [USB_UCREATEFUN] = {0x0519, 0x2018}, [USB_YKUSH] = {0x04d8, 0xf2f7},
        [USB_OTHER] = {0x16c0, 0x05df},
    };
    *product_id = device->product_id ? device->product_id : ids[device->kind][1];
    return ids[device->kind][0];
}

static int list(struct rig_hid_found *found, size_t *n, size_t room, uint16_t vendor, char *message,
                size_t len)
{
    (void)message, (void)len;
    *n = 0;
    for (size_t i = 0; attached[i].usb && *n < room; i++) {
        struct rig_hid_found f = {0};
        f.vendor = vendor_of(&attached[i], &f.product_id);
        if (f.vendor != vendor || attached[i].unplugged)
            continue;
        snprintf(f.path, sizeof f.path, "/dev/hidraw%zu", i);
        snprintf(f.usb, sizeof f.usb, "%s", attached[i].usb);
        snprintf(f.product, sizeof f.product, "%s", attached[i].product ? attached[i].product : "");
        snprintf(f.serial, sizeof f.serial, "%s", attached[i].serial ? attached[i].serial : "");
        found[(*n)++] = f;
    }
    return RIG_OK;
}

static int open_hid(struct rig_hid **out, const char *path, char *message, size_t len)
{
    struct usb_device *device = &attached[strtoul(path + strlen("/dev/hidraw"), NULL, 10)];
    *out = NULL;
    if (device->taken)
        return rig_port_say(RIG_EBUSY, message, len, "%s: another process has it", path);
    *out = malloc(sizeof **out);
    (*out)->device = device;
    device->opened++;
    return RIG_OK;
}

static void close_hid(struct rig_hid *hid)
{
    if (hid)
        hid->device->closed++;
    free(hid);
}

static int here(const struct rig_hid *hid, char *message, size_t len)
{
    return hid->device->unplugged ? rig_port_say(RIG_EGONE, message, len, "No such device")
                                  : RIG_OK;
}

static int send_feature(struct rig_hid *hid, const uint8_t *report, size_t bytes, char *message,
                        size_t len)
{
    log_report("feature", report, bytes);
    if (here(hid, message, len))
        return RIG_EGONE;
    cr_assert_eq(hid->device->kind, USB_DCTTECH);
    cr_assert_eq(bytes, 9);
    cr_assert_eq(report[0], 0x00);
    cr_assert(report[1] == 0xFF || report[1] == 0xFD);
    for (size_t i = 3; i < bytes; i++)
        cr_assert_eq(report[i], 0);
    apply(hid->device, report[2], report[1] == 0xFF);
    return RIG_OK;
}

static int get_feature(struct rig_hid *hid, uint8_t *report, size_t *got, size_t room, uint8_t id,
                       char *message, size_t len)
{
    *got = 0;
    if (here(hid, message, len))
        return RIG_EGONE;
    cr_assert_eq(hid->device->kind, USB_DCTTECH);
    cr_assert_eq(id, 1);
    uint8_t byte[8] = {0};
    memcpy(byte, hid->device->id, 5);
    byte[7] = hid->device->state;
    *got = hid->device->report_bytes ? hid->device->report_bytes : sizeof byte;
    cr_assert(*got <= sizeof byte && room >= sizeof byte);
    memcpy(report, byte, *got);
    return RIG_OK;
}

static int write_hid(struct rig_hid *hid, const uint8_t *report, size_t bytes, char *message,
                     size_t len)
{
    static void (*const of[])(struct usb_device *, const uint8_t *, size_t) = {
        [USB_LCUS] = lcus, [USB_UCREATEFUN] = ucreatefun, [USB_YKUSH] = ykush};
    log_report("write", report, bytes);
    if (here(hid, message, len))
        return RIG_EGONE;
    cr_assert(hid->device->kind != USB_DCTTECH && hid->device->kind != USB_OTHER);
    of[hid->device->kind](hid->device, report, bytes);
    return RIG_OK;
}

static int read_hid(struct rig_hid *hid, uint8_t *report, size_t *got, size_t room,
                    uint32_t timeout_ms, char *message, size_t len)
{
    *got = 0;
    if (here(hid, message, len))
        return RIG_EGONE;
    cr_assert_leq(timeout_ms, TIMEOUT_MS);
    for (size_t i = 0; i < queued; i++) {
        if (queue[i].from != hid->device)
            continue;
        *got = queue[i].bytes < room ? queue[i].bytes : room;
        memcpy(report, queue[i].byte, *got);
        memmove(&queue[i], &queue[i + 1], (--queued - i) * sizeof queue[0]);
        return RIG_OK;
    }
    return rig_port_say(RIG_ESILENT, message, len, "no report within %u ms", (unsigned)timeout_ms);
}

static const struct rig_hid_ops ops = {list,        open_hid,  close_hid, send_feature,
                                       get_feature, write_hid, read_hid};

/* ---- What tests call ---- */

void usb_host(struct usb_device *device)
{
    attached = device;
    queued = 0;
    *sent = '\0';
    rig_hid_use_for_test(&ops);
}

void usb_sent(const char *literal)
{
    cr_assert_str_eq(sent, literal);
    *sent = '\0';
}

static void expect(int got, int error, const char *message, const char *words)
{
    cr_assert_eq(got, error, "%s instead of %s: %s", rig_error_name(got), rig_error_name(error),
                 message);
    if (error)
        cr_assert(strstr(message, words), "\"%s\" is not in: %s", words, message);
}

struct rig_relay *usb_open(const struct rig_relay_driver *driver, const char *const *pairs,
                           int error, const char *words)
{
    struct rig_setting_value *value;
    struct rig_relay *relay;
    char message[200] = "";
    cr_assert_eq(rig_setting_values(&value, driver->setting, pairs, message, sizeof message),
                 RIG_OK, "%s", message);
    int got = driver->open(&relay, value, TIMEOUT_MS, message, sizeof message);
    rig_setting_free(value, driver->setting);
    expect(got, error, message, words);
    cr_assert_eq(!relay, error != RIG_OK);
    return relay;
}

void usb_set(const struct rig_relay_driver *driver, struct rig_relay *relay, uint32_t channel,
             bool on, int error, const char *words)
{
    char message[200] = "";
    int got = driver->set(relay, channel, on, message, sizeof message);
    expect(got, error, message, words);
}

bool usb_get(const struct rig_relay_driver *driver, struct rig_relay *relay, uint32_t channel,
             int error, const char *words)
{
    char message[200] = "";
    bool on = false;
    int got = driver->get(relay, &on, channel, message, sizeof message);
    expect(got, error, message, words);
    return on;
}
