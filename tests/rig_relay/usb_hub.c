/* USB hubs: setup packets against literals of USB 2.0 11.24.2 and USB 3.2 10.16.2. */
#include "hub.h"
#include "usb_kit.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define driver (&rig_relay_usb_hub)

enum { HUBS = 3, PORTS = 4 };

struct rig_hub {
    const char *path;
    struct rig_hub_facts facts;
    uint8_t descriptor[9];
    uint8_t status[PORTS][4];
    size_t status_bytes, descriptor_bytes;
    bool stuck, unplugged, stalls;
    size_t open;
};

static struct rig_hub hubs[HUBS];
static char log_text[2000];

/* A USB 2 hub of 4 ports at 1-1, its USB 3 half at 2-1, and a keyboard at 1-2. */
static void fill(void)
{
    hubs[0] = (struct rig_hub){.path = "1-1",
                               .facts = {true, false, 0x05e3, 0x0610},
                               .descriptor = {9, 0x29, PORTS, 0xE9, 0x00, 50, 100, 0, 0xFF}};
    hubs[1] = (struct rig_hub){.path = "2-1",
                               .facts = {true, true, 0x05e3, 0x0626},
                               .descriptor = {12, 0x2A, PORTS, 0x09, 0x00, 50, 0, 0, 0}};
    hubs[2] = (struct rig_hub){.path = "1-2", .facts = {false, false, 0x1c4f, 0x0002}};
    for (int i = 0; i < HUBS; i++) {
        hubs[i].status_bytes = 4;
        hubs[i].descriptor_bytes = 9;
        for (int p = 0; p < PORTS; p++) /* powered: USB 2's 0100h, USB 3's 02A0h (link in U5) */
            memcpy(hubs[i].status[p], i == 1 ? "\xA0\x02\x00\x00" : "\x00\x01\x00\x00", 4);
    }
}

static int open_hub(struct rig_hub **out, struct rig_hub_facts *facts, const char *path,
                    char *message, size_t len)
{
    *out = NULL;
    for (int i = 0; i < HUBS; i++)
        if (!strcmp(hubs[i].path, path) && !hubs[i].unplugged) {
            hubs[i].open++;
            *facts = hubs[i].facts;
            *out = &hubs[i];
            return RIG_OK;
        }
    return rig_port_say(RIG_EOPEN, message, len, "no USB device at %s", path);
}

static void close_hub(struct rig_hub *hub)
{
    if (hub)
        hub->open--;
}

/* Everything little endian as on the wire: "1-1 23 03 08 00 01 00 00 00". */
static void keep(const struct rig_hub *hub, const struct rig_hub_setup *s)
{
    const uint8_t wire[8] = {s->request_type,    s->request,
                             (uint8_t)s->value,  (uint8_t)(s->value >> 8),
                             (uint8_t)s->index,  (uint8_t)(s->index >> 8),
                             (uint8_t)s->length, (uint8_t)(s->length >> 8)};
    char text[32];
    size_t used = strlen(log_text);
    snprintf(log_text + used, sizeof log_text - used, "%s%s %s", used ? "; " : "", hub->path,
             rig_relay_hex(text, sizeof text, wire, sizeof wire));
}

static void sent(const char *literal)
{
    cr_assert_str_eq(log_text, literal);
    *log_text = '\0';
}

static int control(struct rig_hub *hub, uint8_t *data, size_t *got,
                   const struct rig_hub_setup *setup, uint32_t timeout_ms, char *message,
                   size_t len)
{
    keep(hub, setup);
    *got = 0;
    cr_assert_eq(timeout_ms, 250);
    if (hub->unplugged)
        return rig_port_say(RIG_EGONE, message, len, "No such device");
    if (hub->stalls)
        return rig_port_say(RIG_EREFUSED, message, len, "%s: Pipe error", hub->path);
    if (setup->request_type == 0xA0) {
        *got = hub->descriptor_bytes;
        memcpy(data, hub->descriptor, *got);
        return RIG_OK;
    }
    cr_assert(setup->index >= 1 && setup->index <= PORTS);
    uint8_t *status = hub->status[setup->index - 1];
    if (setup->request_type == 0xA3) {
        *got = hub->status_bytes;
        memcpy(data, status, *got);
    } else if (!hub->stuck) {
        const uint8_t bit = hub->facts.super_speed ? 0x02 : 0x01;
        status[1] = (uint8_t)(setup->request == 3 ? status[1] | bit : status[1] & ~bit);
    }
    return RIG_OK;
}

static struct rig_relay *open_them(const char *const *pairs, int error, const char *words)
{
    static const struct rig_hub_ops ops = {open_hub, close_hub, control};
    rig_hub_use_for_test(&ops);
    return usb_open(driver, pairs, error, words);
}

static void nothing_is_open(void)
{
    for (int i = 0; i < HUBS; i++)
        cr_assert_eq(hubs[i].open, 0, "%s", hubs[i].path);
}

Test(usb_hub, usb_2_requests)
{
    fill();
    struct rig_relay *relay = open_them(USB_PAIRS("hub", "1-1"), RIG_OK, NULL);
    sent("1-1 A0 06 00 29 00 00 09 00");
    usb_set(driver, relay, 3, false, RIG_OK, NULL);
    sent("1-1 23 01 08 00 03 00 00 00");
    cr_assert_not(usb_get(driver, relay, 3, RIG_OK, NULL));
    sent("1-1 A3 00 00 00 03 00 04 00");
    cr_assert(usb_get(driver, relay, 2, RIG_OK, NULL), "the others stay as they are");
    sent("1-1 A3 00 00 00 02 00 04 00");
    usb_set(driver, relay, 3, true, RIG_OK, NULL);
    sent("1-1 23 03 08 00 03 00 00 00");
    cr_assert(usb_get(driver, relay, 3, RIG_OK, NULL));
    driver->close(relay);
    nothing_is_open();
}

Test(usb_hub, power_is_bit_8_of_usb_2_and_bit_9_of_usb_3)
{
    for (int bit = 0; bit < 16; bit++)
        for (int usb3 = 0; usb3 < 2; usb3++) {
            fill();
            struct rig_relay *relay =
                open_them(USB_PAIRS("hub", usb3 ? "2-1" : "1-1"), RIG_OK, NULL);
            const uint8_t only[4] = {(uint8_t)(1u << bit), (uint8_t)(1u << bit >> 8), 0xFF, 0xFF};
            memcpy(hubs[usb3].status[0], only, 4);
            cr_assert_eq(usb_get(driver, relay, 1, RIG_OK, NULL), bit == (usb3 ? 9 : 8));
            driver->close(relay);
        }
}

Test(usb_hub, both_halves_of_a_usb_3_hub_are_switched)
{
    fill();
    struct rig_relay *relay = open_them(USB_PAIRS("hub", "1-1", "twin", "2-1"), RIG_OK, NULL);
    sent("1-1 A0 06 00 29 00 00 09 00; 2-1 A0 06 00 2A 00 00 09 00");
    usb_set(driver, relay, 1, false, RIG_OK, NULL);
    sent("1-1 23 01 08 00 01 00 00 00; 2-1 23 01 08 00 01 00 00 00");
    cr_assert_not(usb_get(driver, relay, 1, RIG_OK, NULL));
    sent("1-1 A3 00 00 00 01 00 04 00; 2-1 A3 00 00 00 01 00 04 00");
    hubs[1].stuck = true;
    usb_set(driver, relay, 2, false, RIG_OK, NULL);
    cr_assert(usb_get(driver, relay, 2, RIG_OK, NULL), "one half that is on is VBUS that is on");
    sent("1-1 23 01 08 00 02 00 00 00; 2-1 23 01 08 00 02 00 00 00; "
         "1-1 A3 00 00 00 02 00 04 00; 2-1 A3 00 00 00 02 00 04 00");
    hubs[0].stuck = true;
    hubs[1].stuck = false;
    usb_set(driver, relay, 4, false, RIG_OK, NULL);
    cr_assert(usb_get(driver, relay, 4, RIG_OK, NULL), "whichever half it is");
    *log_text = '\0';
    hubs[0].stalls = true; /* the second is switched all the same */
    usb_set(driver, relay, 3, false, RIG_EREFUSED, "1-1: Pipe error");
    sent("1-1 23 01 08 00 03 00 00 00; 2-1 23 01 08 00 03 00 00 00");
    usb_get(driver, relay, 3, RIG_EREFUSED, "1-1: Pipe error");
    driver->close(relay);
    nothing_is_open();
}

Test(usb_hub, what_can_not_be_a_hub_of_this_kind)
{
    fill();
    open_them(USB_PAIRS("hub", "1-9"), RIG_EOPEN, "no USB device at 1-9");
    open_them(USB_PAIRS("hub", "1-2"), RIG_EOPEN, "1-2 is 1c4f:0002, and no hub");
    open_them(USB_PAIRS("hub", "1-1", "twin", "2-9"), RIG_EOPEN, "no USB device at 2-9");
    open_them(USB_PAIRS("hub", "1-1", "twin", "1-1"), RIG_EOPEN, "one is USB 2 and one USB 3");
    nothing_is_open();
}

Test(usb_hub, a_ganged_hub_is_refused_unless_forced)
{
    static const uint8_t together[] = {0xE8, 0xEA, 0xEB}; /* low bits 00, 10, 11 */
    for (size_t i = 0; i < sizeof together; i++) {
        fill();
        hubs[0].descriptor[3] = together[i];
        open_them(USB_PAIRS("hub", "1-1"), RIG_EUNSUPPORTED, "not switch its ports one by one");
        nothing_is_open();
        driver->close(open_them(USB_PAIRS("hub", "1-1", "force", "true"), RIG_OK, NULL));
        hubs[0].descriptor[2] = 1; /* with one port it is the same */
        driver->close(open_them(USB_PAIRS("hub", "1-1"), RIG_OK, NULL));
    }
}

Test(usb_hub, ports_are_counted_by_the_descriptor)
{
    fill();
    struct rig_relay *relay = open_them(USB_PAIRS("hub", "1-1"), RIG_OK, NULL);
    *log_text = '\0';
    usb_set(driver, relay, 5, false, RIG_EUNSUPPORTED, "1-1 has ports 1 to 4");
    usb_set(driver, relay, 0, false, RIG_EUNSUPPORTED, "1-1 has ports 1 to 4");
    usb_get(driver, relay, 65537, RIG_EUNSUPPORTED, "1-1 has ports 1 to 4");
    sent("");
    driver->close(relay);
}

Test(usb_hub, short_and_wrong_answers)
{
    fill();
    for (hubs[0].descriptor_bytes = 0; hubs[0].descriptor_bytes < 5; hubs[0].descriptor_bytes++)
        open_them(USB_PAIRS("hub", "1-1"), RIG_EANSWER, "no hub descriptor");
    hubs[0].descriptor_bytes = 9;
    hubs[0].descriptor[1] = 0x2A; /* of the other kind */
    open_them(USB_PAIRS("hub", "1-1"), RIG_EANSWER, "no hub descriptor");
    nothing_is_open();
    fill();
    struct rig_relay *relay = open_them(USB_PAIRS("hub", "1-1"), RIG_OK, NULL);
    for (hubs[0].status_bytes = 0; hubs[0].status_bytes < 4; hubs[0].status_bytes++)
        usb_get(driver, relay, 1, RIG_EANSWER, "not 4");
    driver->close(relay);
}

Test(usb_hub, unplugged_in_the_middle_and_a_bit_that_does_not_follow)
{
    fill();
    struct rig_relay *relay = open_them(USB_PAIRS("hub", "1-1"), RIG_OK, NULL);
    hubs[0].stuck = true;
    usb_set(driver, relay, 1, false, RIG_OK, NULL);
    cr_assert(usb_get(driver, relay, 1, RIG_OK, NULL));
    hubs[0].unplugged = true;
    usb_set(driver, relay, 1, false, RIG_EGONE, "No such device");
    usb_get(driver, relay, 1, RIG_EGONE, "No such device");
    driver->close(relay);
    nothing_is_open();
}
