/*
 * A host with USB HID relays, below the seam: each device is an emulation written from its
 * protocol, and stricter than the real one: a report that is not in the protocol, or has another
 * length, ends the test. What was sent is kept, for comparison with literals.
 */
#ifndef TESTS_RIG_RELAY_USB_KIT_H
#define TESTS_RIG_RELAY_USB_KIT_H

#include "drivers.h"
#include "hid.h"
#include "wire.h"
#include <criterion/criterion.h>

enum usb_kind { USB_DCTTECH, USB_LCUS, USB_UCREATEFUN, USB_YKUSH, USB_OTHER };

struct usb_device {
    enum usb_kind kind;
    const char *usb, *product, *serial;
    const char *id;      /* dcttech: 5 bytes */
    uint16_t product_id; /* 0: the kind's first */
    uint8_t state;       /* bit 0: relay 1 is on */
    bool stuck;          /* takes commands, and does nothing */
    bool silent;         /* never answers */
    bool taken;          /* by another process */
    bool unplugged;
    size_t report_bytes;   /* dcttech: of its feature report, 0: 8. YKUSH: of an answer, 0: 64 */
    const char *raw[4];    /* instead of its answer: hexadecimal, one for each report */
    const char *text;      /* LCUS: instead of its status; cut into reports of 16 bytes */
    size_t opened, closed; /* how often */
};

/* The last one has .usb NULL. Kept by pointer. */
void usb_host(struct usb_device *device);
/* What was sent since the last call, as "feature 00 FF 01 ..; write 00 A0 ..", is this. */
void usb_sent(const char *literal);
/* A report that the device sends unasked. */
void usb_says(struct usb_device *device, const char *hex);

/* Opens with pairs key, text, NULL; `error` is expected, and the words in the message. */
struct rig_relay *usb_open(const struct rig_relay_driver *driver, const char *const *pairs,
                           int error, const char *words);
void usb_set(const struct rig_relay_driver *driver, struct rig_relay *relay, uint32_t channel,
             bool on, int error, const char *words);
/* What it reads; false where `error` is expected. */
bool usb_get(const struct rig_relay_driver *driver, struct rig_relay *relay, uint32_t channel,
             int error, const char *words);

#define USB_PAIRS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define USB_NO_PAIRS ((const char *const[]){NULL})

#endif
