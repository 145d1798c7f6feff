/*
 * What USB devices answer, below the seams of HID and hubs.
 *
 *   byte 0   driver: dcttech, lcus_hid, ykush, usb_hub (modulo 4)
 *   byte 1   channel that is set and read
 *   byte 2   last character of the product string
 *   then     answers, in the order in which they are asked for: n, and n bytes (n modulo 65);
 *            FF: unplugged from here on. After the last one: silence.
 */
#include "drivers.h"
#include "hid.h"
#include "hub.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HEAD = 3, ANSWER_MAX = 65, DCTTECH = 0, LCUS = 1, YKUSH = 2, HUB = 3 };

static const uint8_t *left;
static size_t left_bytes, last_bytes, open_devices;
static uint8_t last_answer[ANSWER_MAX], product_end;
static bool gone;

struct rig_hid {
    int unused;
};
struct rig_hub {
    int unused;
};
static struct rig_hid the_hid;
static struct rig_hub the_hub;

static int next(uint8_t *bytes, size_t *got, size_t room, char *message, size_t len)
{
    *got = 0;
    gone = gone || (left_bytes && *left == 0xFF);
    if (gone)
        return rig_port_say(RIG_EGONE, message, len, "No such device");
    if (!left_bytes)
        return rig_port_say(RIG_ESILENT, message, len, "no report");
    size_t n = *left % ANSWER_MAX;
    if (n > left_bytes - 1)
        n = left_bytes - 1;
    memset(last_answer, 0, sizeof last_answer);
    memcpy(last_answer, left + 1, n);
    left += n + 1;
    left_bytes -= n + 1;
    last_bytes = *got = n < room ? n : room;
    memcpy(bytes, last_answer, *got);
    return RIG_OK;
}

static int list(struct rig_hid_found *found, size_t *n, size_t room, uint16_t vendor, char *message,
                size_t len)
{
    static const uint16_t ids[][2] = {{0x16c0, 0x05df}, {0x5131, 0x2007}, {0x04d8, 0xf2f7}};
    (void)message, (void)len;
    assert(room);
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++)
        if (ids[i][0] == vendor)
            *found = (struct rig_hid_found){.vendor = vendor, .product_id = ids[i][1]};
    snprintf(found->product, sizeof found->product, "USBRelay%c", product_end);
    *n = 1;
    return RIG_OK;
}

static int open_hid(struct rig_hid **out, const char *path, char *message, size_t len)
{
    (void)path, (void)message, (void)len;
    open_devices++;
    *out = &the_hid;
    return RIG_OK;
}

static void close_hid(struct rig_hid *hid)
{
    open_devices -= hid != NULL;
}

static int send_report(struct rig_hid *hid, const uint8_t *report, size_t bytes, char *message,
                       size_t len)
{
    (void)hid;
    assert(report[0] == 0 && bytes <= ANSWER_MAX);
    return gone ? rig_port_say(RIG_EGONE, message, len, "No such device") : RIG_OK;
}

static int get_feature(struct rig_hid *hid, uint8_t *report, size_t *got, size_t room, uint8_t id,
                       char *message, size_t len)
{
    (void)hid, (void)id;
    return next(report, got, room, message, len);
}

/* Nothing is waiting unasked: draining would eat the answers. */
static int read_hid(struct rig_hid *hid, uint8_t *report, size_t *got, size_t room,
                    uint32_t timeout_ms, char *message, size_t len)
{
    (void)hid;
    *got = 0;
    return timeout_ms ? next(report, got, room, message, len)
                      : rig_port_say(RIG_ESILENT, message, len, "nothing");
}

static int open_hub(struct rig_hub **out, struct rig_hub_facts *facts, const char *path,
                    char *message, size_t len)
{
    (void)path, (void)message, (void)len;
    *facts = (struct rig_hub_facts){.is_hub = true, .super_speed = product_end & 1};
    open_devices++;
    *out = &the_hub;
    return RIG_OK;
}

static void close_hub(struct rig_hub *hub)
{
    open_devices -= hub != NULL;
}

static int control(struct rig_hub *hub, uint8_t *data, size_t *got,
                   const struct rig_hub_setup *setup, uint32_t timeout_ms, char *message,
                   size_t len)
{
    (void)hub, (void)timeout_ms;
    *got = 0;
    return data ? next(data, got, setup->length, message, len) : RIG_OK;
}

/* A state that was told has at least this much behind it. */
static void check_told(unsigned kind, uint32_t channel, bool on)
{
    if (kind == DCTTECH)
        assert(last_bytes >= 8 && on == (last_answer[7] >> (channel - 1) & 1));
    if (kind == YKUSH)
        assert(last_bytes >= 2 && last_answer[0] == 1 &&
               last_answer[1] == (on ? 0x10 : 0x00) + channel);
    if (kind == HUB)
        assert(last_bytes >= 4);
}

static void use(const struct rig_relay_driver *driver, struct rig_relay *relay, unsigned kind,
                uint32_t channel)
{
    char message[200] = "";
    bool on = false;
    int error = driver->set(relay, channel, true, message, sizeof message);
    assert(!error || (rig_error_name(error) && *message));
    for (int i = 0; i < 4; i++) {
        *message = '\0';
        error = driver->get(relay, &on, channel, message, sizeof message);
        assert(!error || (rig_error_name(error) && *message));
        if (!error)
            check_told(kind, channel, on);
    }
    driver->close(relay);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct rig_hid_ops hid = {list,        open_hid,    close_hid, send_report,
                                           get_feature, send_report, read_hid};
    static const struct rig_hub_ops hub = {open_hub, close_hub, control};
    static const struct rig_relay_driver *const drivers[] = {
        &rig_relay_dcttech, &rig_relay_lcus_hid, &rig_relay_ykush, &rig_relay_usb_hub};
    static const char *const pairs[][5] = {
        {NULL}, {"status", "true", NULL}, {NULL}, {"hub", "1-1", "force", "true", NULL}};
    if (size < HEAD)
        return 0;
    const unsigned kind = data[0] % 4;
    char message[200] = "";
    struct rig_setting_value *value;
    struct rig_relay *relay;
    rig_hid_use_for_test(&hid);
    rig_hub_use_for_test(&hub);
    product_end = data[2] ? data[2] : '1';
    left = data + HEAD;
    left_bytes = size - HEAD;
    gone = false;
    int error =
        rig_setting_values(&value, drivers[kind]->setting, pairs[kind], message, sizeof message);
    assert(!error);
    error = drivers[kind]->open(&relay, value, 20, message, sizeof message);
    assert(!error == (relay != NULL) && (!error || *message));
    if (!error)
        use(drivers[kind], relay, kind, data[1]);
    assert(!open_devices);
    rig_setting_free(value, drivers[kind]->setting);
    return 0;
}
