/*
 * The seam below the drivers of USB HID relays: what they may ask of the host. The real one
 * (hid_real.c) is on hidapi over /dev/hidraw*; a test sets its own. Not a public header.
 *
 * A report that is written starts with its id (00: the device numbers none), as in hidapi; a report
 * that is read comes as the device sent it. Functions return RIG_OK or an enum rig_error with what
 * was wrong in message; a handle is used by one thread at a time and freed by close alone.
 */
#ifndef RIG_RELAY_HID_H
#define RIG_RELAY_HID_H

#include "rig/relay.h"

enum { RIG_HID_FOUND_MAX = 32 };

struct rig_hid_found {
    uint16_t vendor, product_id;
    char path[64];    /* /dev/hidraw6: changes with every plugging */
    char usb[32];     /* 1-1.4: the port it hangs on, as in /sys/bus/usb/devices; "" when unknown */
    char product[48]; /* the device's strings; "" where it has none */
    char serial[48];
};

struct rig_hid; /* one opened device; the seam's own */

struct rig_hid_ops {
    /* At most `room` devices of this vendor, *found of them. */
    int (*list)(struct rig_hid_found *device, size_t *found, size_t room, uint16_t vendor,
                char *message, size_t len);
    /* EOPEN (not there, no right to it), EBUSY (another process of ours has it). */
    int (*open)(struct rig_hid **out, const char *path, char *message, size_t len);
    void (*close)(struct rig_hid *hid); /* NULL allowed */
    /* SET_REPORT and GET_REPORT of type feature, on endpoint 0: the kernel waits 5 s at most, and
     * can't be told less. get: report id `id`; *got bytes of at most `room` came. */
    int (*send_feature)(struct rig_hid *hid, const uint8_t *report, size_t bytes, char *message,
                        size_t len);
    int (*get_feature)(struct rig_hid *hid, uint8_t *report, size_t *got, size_t room, uint8_t id,
                       char *message, size_t len);
    /* An output report, all of it. */
    int (*write)(struct rig_hid *hid, const uint8_t *report, size_t bytes, char *message,
                 size_t len);
    /* The next input report; ESILENT: none within timeout_ms (0: none is waiting). */
    int (*read)(struct rig_hid *hid, uint8_t *report, size_t *got, size_t room, uint32_t timeout_ms,
                char *message, size_t len);
};

const struct rig_hid_ops *rig_hid(void);
/* Every driver opened later uses these; NULL: the real ones. Before any thread is started. */
void rig_hid_use_for_test(const struct rig_hid_ops *ops);

/* What a driver looks for. */
struct rig_hid_wanted {
    const char *what; /* for messages: "dcttech relay" */
    uint16_t vendor;
    const uint16_t *product_id; /* 0 at the end */
    const char *product_start;  /* its product string starts so; NULL: any */
    const char *usb, *serial;   /* NULL: not told */
    const char *name_it_by;     /* the settings that tell two apart: "id or usb" */
};
/* All that fit, at most RIG_HID_FOUND_MAX. EOPEN with what is there instead: none fits. */
int rig_hid_find(struct rig_hid_found *device, size_t *found, const struct rig_hid_wanted *wanted,
                 char *message, size_t len);
/* The only one that fits. EOPEN: none, or several, which are listed. */
int rig_hid_find_one(struct rig_hid_found *device, const struct rig_hid_wanted *wanted,
                     char *message, size_t len);
/* Finds that one and opens it; *device: which. */
int rig_hid_open_one(struct rig_hid **hid, struct rig_hid_found *device,
                     const struct rig_hid_wanted *wanted, char *message, size_t len);
/* Throws away the input reports that have come: a late answer to an earlier command would be taken
 * for the next one's. */
int rig_hid_drain(struct rig_hid *hid, char *message, size_t len);

/* errno of a transfer to an enum rig_error: unplugged is EGONE, a stall EREFUSED. */
int rig_hid_errno(int error);
/* The port in the path of a device in /sys, as ".../1-1.4/1-1.4:1.0/0003:16C0:05DF.0009" (Linux,
 * usb_set_device_name). "" when there is none. */
void rig_hid_usb_of(char *usb, size_t room, const char *sys_path);

#endif
