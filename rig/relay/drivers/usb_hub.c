/*
 * USB hubs that switch the power of single ports. Sources: USB 2.0 chapter 11.24.2, USB 3.2 chapter
 * 10.16.2; uhubctl.
 *
 *   23 03 0008 port 0000        SET_FEATURE PORT_POWER
 *   23 01 0008 port 0000        CLEAR_FEATURE PORT_POWER
 *   A3 00 0000 port 0004        GET_STATUS: wPortStatus, little endian; power is bit 8, of a
 *                               SuperSpeed hub bit 9
 *   A0 06 2900 0000 0009        hub descriptor (2A00 of SuperSpeed): byte 2 ports, bytes 3 and 4
 *                               characteristics, whose bits 1, 0 are 01 when it switches each port
 *
 * Reading gives the hub's bit, not the rail: many hubs take the request, clear the bit, and leave
 * VBUS on. Only a board that goes silent shows that power is gone.
 *
 * A USB 3 hub is two hubs on two buses at the same connector, and VBUS falls when both have
 * switched the port off: `twin` names the other one, and is switched with it.
 */
#include "drivers.h"
#include "hub.h"
#include <stdio.h>
#include <stdlib.h>

enum { HUB, TWIN, FORCE };
enum { HALVES = 2, PORTS_MAX = 31 };
enum { PORT_POWER = 8, SET_FEATURE = 3, CLEAR_FEATURE = 1, GET_STATUS = 0, GET_DESCRIPTOR = 6 };
enum { TO_PORT = 0x23, FROM_PORT = 0xA3, FROM_HUB = 0xA0 };
enum { STATUS_BYTES = 4, DESCRIPTOR_BYTES = 9, DESCRIPTOR_LEAST = 5 };
enum { DESCRIPTOR_HUB = 0x2900, DESCRIPTOR_SUPER_SPEED = 0x2A00 };
enum { POWER_BIT = 8, POWER_BIT_SUPER_SPEED = 9 };
enum { SWITCHES = 0x3, SWITCHES_EACH = 0x1 };

static const struct rig_setting settings[] = {
    {"hub", RIG_SETTING_TEXT, true, NULL, 0, 0, NULL,
     "where it is: 1-1.4, as in /sys/bus/usb/devices; 1-0 is bus 1's own"},
    {"twin", RIG_SETTING_TEXT, false, NULL, 0, 0, NULL, "a USB 3 hub's other half, as 2-1.4"},
    {"force", RIG_SETTING_FLAG, false, "false", 0, 0, NULL,
     "true: also a hub that does not say that it switches each port"},
    {0},
};

struct half {
    struct rig_hub *hub; /* NULL: there is none */
    char path[32];
    bool super_speed;
    uint32_t ports;
};

struct rig_relay {
    struct half half[HALVES];
    uint32_t timeout_ms;
};

static int read_descriptor(struct half *half, bool force, uint32_t timeout_ms, char *message,
                           size_t len)
{
    const uint16_t kind = half->super_speed ? DESCRIPTOR_SUPER_SPEED : DESCRIPTOR_HUB;
    const struct rig_hub_setup setup = {FROM_HUB, GET_DESCRIPTOR, kind, 0, DESCRIPTOR_BYTES};
    uint8_t about[DESCRIPTOR_BYTES] = {0};
    size_t got;
    int error = rig_hub()->control(half->hub, about, &got, &setup, timeout_ms, message, len);
    if (error)
        return error;
    if (got < DESCRIPTOR_LEAST || about[1] != kind >> 8 || !about[2])
        return rig_port_say(RIG_EANSWER, message, len, "%s: %zu bytes that are no hub descriptor",
                            half->path, got);
    half->ports = about[2];
    if (!force && half->ports > 1 && (about[3] & SWITCHES) != SWITCHES_EACH)
        return rig_port_say(RIG_EUNSUPPORTED, message, len,
                            "%s: it says that it does not switch its ports one by one", half->path);
    return RIG_OK;
}

static int open_half(struct half *half, const char *path, bool force, uint32_t timeout_ms,
                     char *message, size_t len)
{
    struct rig_hub_facts facts;
    snprintf(half->path, sizeof half->path, "%s", path);
    int error = rig_hub()->open(&half->hub, &facts, path, message, len);
    if (error)
        return error;
    half->super_speed = facts.super_speed;
    if (!facts.is_hub)
        return rig_port_say(RIG_EOPEN, message, len, "%s is %04x:%04x, and no hub", path,
                            facts.vendor, facts.product_id);
    return read_descriptor(half, force, timeout_ms, message, len);
}

static void close_usb_hub(struct rig_relay *relay)
{
    for (size_t i = 0; relay && i < HALVES; i++)
        rig_hub()->close(relay->half[i].hub);
    free(relay);
}

static int open_usb_hub(struct rig_relay **out, const struct rig_setting_value *value,
                        uint32_t timeout_ms, char *message, size_t len)
{
    const bool force = value[FORCE].number;
    struct rig_relay *relay = calloc(1, sizeof *relay);
    *out = NULL;
    if (!relay)
        return rig_port_say(RIG_EMEMORY, message, len, "out of memory");
    relay->timeout_ms = timeout_ms;
    int error = open_half(&relay->half[0], value[HUB].text, force, timeout_ms, message, len);
    if (!error && value[TWIN].text)
        error = open_half(&relay->half[1], value[TWIN].text, force, timeout_ms, message, len);
    if (!error && relay->half[1].hub && relay->half[0].super_speed == relay->half[1].super_speed)
        error = rig_port_say(RIG_EOPEN, message, len,
                             "%s and %s: of a hub's two halves one is USB 2 and one USB 3",
                             value[HUB].text, value[TWIN].text);
    if (error) {
        close_usb_hub(relay);
        return error;
    }
    *out = relay;
    return RIG_OK;
}

static int check(const struct rig_relay *relay, uint32_t channel, char *message, size_t len)
{
    for (size_t i = 0; i < HALVES && relay->half[i].hub; i++)
        if (!channel || channel > relay->half[i].ports)
            return rig_port_say(RIG_EUNSUPPORTED, message, len, "%s has ports 1 to %u",
                                relay->half[i].path, (unsigned)relay->half[i].ports);
    return RIG_OK;
}

/* The second half is switched though the first failed: off of one is better than of none. */
static int set_usb_hub(struct rig_relay *relay, uint32_t channel, bool on, char *message,
                       size_t len)
{
    const uint8_t request = on ? SET_FEATURE : CLEAR_FEATURE;
    const struct rig_hub_setup setup = {TO_PORT, request, PORT_POWER, (uint16_t)channel, 0};
    char second[200];
    int first = check(relay, channel, message, len);
    if (first)
        return first;
    for (size_t i = 0; i < HALVES && relay->half[i].hub; i++) {
        size_t got;
        int error = rig_hub()->control(relay->half[i].hub, NULL, &got, &setup, relay->timeout_ms,
                                       first ? second : message, first ? sizeof second : len);
        first = first ? first : error;
    }
    return first;
}

static int read_status(const struct rig_relay *relay, bool *on, const struct half *half,
                       uint32_t channel, char *message, size_t len)
{
    const struct rig_hub_setup setup = {FROM_PORT, GET_STATUS, 0, (uint16_t)channel, STATUS_BYTES};
    uint8_t status[STATUS_BYTES] = {0};
    size_t got;
    int error =
        rig_hub()->control(half->hub, status, &got, &setup, relay->timeout_ms, message, len);
    if (error)
        return error;
    if (got < STATUS_BYTES)
        return rig_port_say(RIG_EANSWER, message, len, "%s: a port's status of %zu bytes, not 4",
                            half->path, got);
    const unsigned bits = status[0] | (unsigned)status[1] << 8;
    *on = bits >> (half->super_speed ? POWER_BIT_SUPER_SPEED : POWER_BIT) & 1;
    return RIG_OK;
}

/* On while one half says so: then VBUS is. */
static int get_usb_hub(struct rig_relay *relay, bool *on, uint32_t channel, char *message,
                       size_t len)
{
    int error = check(relay, channel, message, len);
    bool any = false;
    for (size_t i = 0; i < HALVES && relay->half[i].hub && !error; i++) {
        bool one = false;
        error = read_status(relay, &one, &relay->half[i], channel, message, len);
        any = any || (!error && one);
    }
    if (!error)
        *on = any;
    return error;
}

const struct rig_relay_driver rig_relay_usb_hub = {
    .name = "usb_hub",
    .summary = "USB hubs that switch the power of single ports (libusb)",
    .channel_first = 1,
    .channel_last = PORTS_MAX,
    .setting = settings,
    .open = open_usb_hub,
    .close = close_usb_hub,
    .set = set_usb_hub,
    .get = get_usb_hub,
};
