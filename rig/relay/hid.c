/* Which device is meant, and what its errors mean. */
#include "hid.h"
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* The kernel keeps 64 reports of a hidraw device (HIDRAW_BUFFER_SIZE). */
enum { REPORT_ROOM = 65, DRAINED_MAX = 64 };

static bool one_of(const uint16_t *ids, uint16_t id)
{
    while (*ids && *ids != id)
        ids++;
    return *ids;
}

static bool fits(const struct rig_hid_found *device, const struct rig_hid_wanted *wanted)
{
    const char *start = wanted->product_start ? wanted->product_start : "";
    return one_of(wanted->product_id, device->product_id) &&
           !strncmp(device->product, start, strlen(start)) &&
           (!wanted->usb || !strcmp(device->usb, wanted->usb)) &&
           (!wanted->serial || !strcmp(device->serial, wanted->serial));
}

/* "16c0:05df USBRelay2 at 1-1.4, 16c0:05df at 1-1.5 (serial Y1)" */
static void tell(char *text, size_t room, const struct rig_hid_found *device, size_t found)
{
    size_t used = 0;
    *text = '\0';
    for (size_t i = 0; i < found && used < room; i++) {
        const struct rig_hid_found *d = &device[i];
        int n = snprintf(text + used, room - used, "%s%04x:%04x%s%s at %s%s%s%s", i ? ", " : "",
                         d->vendor, d->product_id, *d->product ? " " : "", d->product,
                         *d->usb ? d->usb : d->path, *d->serial ? " (serial " : "", d->serial,
                         *d->serial ? ")" : "");
        used += n > 0 ? (size_t)n : room;
    }
}

static int none(const struct rig_hid_wanted *wanted, const struct rig_hid_found *device,
                size_t found, char *message, size_t len)
{
    char there[160], which[100] = "";
    tell(there, sizeof there, device, found);
    if (wanted->usb)
        snprintf(which, sizeof which, " at USB port %s", wanted->usb);
    if (wanted->serial)
        snprintf(which + strlen(which), sizeof which - strlen(which), " of serial number %s",
                 wanted->serial);
    return rig_port_say(RIG_EOPEN, message, len, "no %s (%04x:%04x)%s; there %s%s", wanted->what,
                        wanted->vendor, wanted->product_id[0], which, found ? "is: " : "is none",
                        there);
}

int rig_hid_find(struct rig_hid_found *device, size_t *found, const struct rig_hid_wanted *wanted,
                 char *message, size_t len)
{
    struct rig_hid_found all[RIG_HID_FOUND_MAX];
    size_t n = 0;
    assert(device && found && wanted && message);
    int error = rig_hid()->list(all, &n, RIG_HID_FOUND_MAX, wanted->vendor, message, len);
    *found = 0;
    if (error)
        return error;
    for (size_t i = 0; i < n; i++)
        if (fits(&all[i], wanted))
            device[(*found)++] = all[i];
    return *found ? RIG_OK : none(wanted, all, n, message, len);
}

int rig_hid_find_one(struct rig_hid_found *device, const struct rig_hid_wanted *wanted,
                     char *message, size_t len)
{
    struct rig_hid_found fit[RIG_HID_FOUND_MAX];
    size_t found;
    char there[200];
    int error = rig_hid_find(fit, &found, wanted, message, len);
    if (error)
        return error;
    tell(there, sizeof there, fit, found);
    if (found > 1)
        return rig_port_say(RIG_EOPEN, message, len, "%zu of %s; say which one by %s: %s", found,
                            wanted->what, wanted->name_it_by, there);
    *device = fit[0];
    return RIG_OK;
}

int rig_hid_open_one(struct rig_hid **hid, struct rig_hid_found *device,
                     const struct rig_hid_wanted *wanted, char *message, size_t len)
{
    int error = rig_hid_find_one(device, wanted, message, len);
    *hid = NULL;
    return error ? error : rig_hid()->open(hid, device->path, message, len);
}

int rig_hid_drain(struct rig_hid *hid, char *message, size_t len)
{
    uint8_t old[REPORT_ROOM];
    size_t got;
    int error = RIG_OK;
    for (size_t i = 0; i < DRAINED_MAX && !error; i++)
        error = rig_hid()->read(hid, old, &got, sizeof old, 0, message, len);
    return error == RIG_ESILENT ? RIG_OK : error;
}

int rig_hid_errno(int error)
{
    switch (error) {
    case ENODEV:
    case ENXIO:
    case ESHUTDOWN:
    case EIO: /* hidraw's read once the device has gone */
        return RIG_EGONE;
    case ETIMEDOUT:
        return RIG_ESILENT;
    case EPIPE:
        return RIG_EREFUSED;
    default: /* EPROTO, EILSEQ: a bad cable, or the first moment of being unplugged */
        return RIG_EANSWER;
    }
}

/* 1-1.4: a bus, a dash, ports with dots between. */
static bool is_port(const char *name, size_t n)
{
    size_t bus = strspn(name, "0123456789");
    return bus && bus < n && name[bus] == '-' && bus + 1 < n &&
           strspn(name + bus + 1, "0123456789.") >= n - bus - 1;
}

void rig_hid_usb_of(char *usb, size_t room, const char *sys_path)
{
    assert(usb && room && sys_path);
    *usb = '\0';
    for (const char *part = sys_path; part; part = strchr(part, '/')) {
        part += *part == '/';
        size_t n = strcspn(part, "/:");
        /* The last one: hubs on the way stand before it. */
        if (part[n] == ':' && n < room && is_port(part, n)) {
            memcpy(usb, part, n);
            usb[n] = '\0';
        }
    }
}
