/*
 * The seam below the driver of USB hubs with per-port power: control transfers to a hub. The real
 * one (hub_real.c) is on libusb; a test sets its own. Not a public header.
 *
 * Functions return RIG_OK or an enum rig_error with what was wrong in message. One thread at a time
 * for each hub.
 */
#ifndef RIG_RELAY_HUB_H
#define RIG_RELAY_HUB_H

#include "rig/relay.h"

struct rig_hub; /* one opened hub; the seam's own */

struct rig_hub_facts {
    bool is_hub;      /* device class 9 */
    bool super_speed; /* works at 5 Gbit/s or more: its status bits are USB 3's */
    uint16_t vendor, product_id;
};

struct rig_hub_setup { /* USB 2.0, 9.3 */
    uint8_t request_type, request;
    uint16_t value, index, length;
};

struct rig_hub_ops {
    /* path: 1-1.4, as in /sys/bus/usb/devices; 1-0 is bus 1's own hub. EOPEN: no device there, with
     * the hubs that are; or no right to it. */
    int (*open)(struct rig_hub **out, struct rig_hub_facts *facts, const char *path, char *message,
                size_t len);
    void (*close)(struct rig_hub *hub); /* NULL allowed */
    /* One control transfer on endpoint 0; data: of setup->length bytes, in or out by bit 7 of
     * request_type (NULL where length is 0); *got bytes went. */
    int (*control)(struct rig_hub *hub, uint8_t *data, size_t *got,
                   const struct rig_hub_setup *setup, uint32_t timeout_ms, char *message,
                   size_t len);
};

const struct rig_hub_ops *rig_hub(void);
/* Every hub opened later is by these; NULL: the real ones. Before any thread is started. */
void rig_hub_use_for_test(const struct rig_hub_ops *ops);

/* "1-1.4" of bus 1 and ports 1, 4; "1-0" without ports. Cut to room. */
void rig_hub_path(char *path, size_t room, uint8_t bus, const uint8_t *ports, size_t n);

#endif
