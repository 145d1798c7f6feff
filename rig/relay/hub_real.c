/*
 * The seam on libusb. The hub's kernel driver stays where it is: a class request to a port needs no
 * claimed interface. What needs doing is write access to /dev/bus/usb (a udev rule).
 */
#include "hub.h"
#include <assert.h>
#include <libusb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PORTS_DEEP = 7, PATH_ROOM = 32 }; /* USB 3.2, 8.9: five tiers of hubs at most */

struct rig_hub {
    libusb_context *context; /* its own: no state is shared between threads */
    libusb_device_handle *handle;
};

void rig_hub_path(char *path, size_t room, uint8_t bus, const uint8_t *ports, size_t n)
{
    assert(path && room && (ports || !n));
    size_t used = (size_t)snprintf(path, room, "%u-%s", bus, n ? "" : "0");
    for (size_t i = 0; i < n && used < room; i++)
        used += (size_t)snprintf(path + used, room - used, "%s%u", i ? "." : "", ports[i]);
}

static int error_of(int error)
{
    switch (error) {
    case LIBUSB_ERROR_NO_DEVICE:
        return RIG_EGONE;
    case LIBUSB_ERROR_TIMEOUT:
        return RIG_ESILENT;
    case LIBUSB_ERROR_PIPE:
    case LIBUSB_ERROR_ACCESS:
        return RIG_EREFUSED;
    case LIBUSB_ERROR_NO_MEM:
        return RIG_EMEMORY;
    default:
        return RIG_EANSWER;
    }
}

static void path_of(char path[PATH_ROOM], libusb_device *device)
{
    uint8_t ports[PORTS_DEEP];
    int n = libusb_get_port_numbers(device, ports, PORTS_DEEP);
    rig_hub_path(path, PATH_ROOM, libusb_get_bus_number(device), ports, n > 0 ? (size_t)n : 0);
}

/* What one could have meant. */
static void add(char *there, size_t room, libusb_device *device, const char *path)
{
    struct libusb_device_descriptor about;
    size_t used = strlen(there);
    if (!libusb_get_device_descriptor(device, &about) && about.bDeviceClass == LIBUSB_CLASS_HUB)
        snprintf(there + used, room - used, "%s%s (%04x:%04x)", used ? ", " : "", path,
                 about.idVendor, about.idProduct);
}

static int open_device(struct rig_hub *hub, struct rig_hub_facts *facts, libusb_device *device,
                       const char *path, char *message, size_t len)
{
    struct libusb_device_descriptor about;
    int error = libusb_get_device_descriptor(device, &about);
    if (!error)
        error = libusb_open(device, &hub->handle);
    if (error)
        return rig_port_say(
            RIG_EOPEN, message, len, "%s can't be opened: %s%s", path, libusb_strerror(error),
            error == LIBUSB_ERROR_ACCESS ? " (a udev rule gives it to a group)" : "");
    facts->is_hub = about.bDeviceClass == LIBUSB_CLASS_HUB;
    facts->super_speed = libusb_get_device_speed(device) >= LIBUSB_SPEED_SUPER;
    facts->vendor = about.idVendor;
    facts->product_id = about.idProduct;
    return RIG_OK;
}

static int find(struct rig_hub *hub, struct rig_hub_facts *facts, const char *path, char *message,
                size_t len)
{
    libusb_device **all;
    char there[160] = "";
    ssize_t n = libusb_get_device_list(hub->context, &all);
    if (n < 0)
        return rig_port_say(RIG_EOPEN, message, len, "USB devices can't be listed: %s",
                            libusb_strerror((int)n));
    int error = RIG_EOPEN;
    ssize_t i = 0;
    for (; i < n; i++) {
        char at[PATH_ROOM];
        path_of(at, all[i]);
        if (!strcmp(at, path)) {
            error = open_device(hub, facts, all[i], path, message, len);
            break;
        }
        add(there, sizeof there, all[i], at);
    }
    if (i == n)
        rig_port_say(RIG_OK, message, len, "no USB device at %s; hubs: %s", path,
                     *there ? there : "none");
    libusb_free_device_list(all, 1);
    return error;
}

static void close_hub(struct rig_hub *hub)
{
    if (!hub)
        return;
    if (hub->handle)
        libusb_close(hub->handle);
    libusb_exit(hub->context);
    free(hub);
}

static int open_hub(struct rig_hub **out, struct rig_hub_facts *facts, const char *path,
                    char *message, size_t len)
{
    struct rig_hub *hub = calloc(1, sizeof *hub);
    *out = NULL;
    if (!hub)
        return rig_port_say(RIG_EMEMORY, message, len, "out of memory");
    int error = libusb_init(&hub->context);
    if (error) {
        free(hub);
        return rig_port_say(RIG_EOPEN, message, len, "no USB on this machine: %s",
                            libusb_strerror(error));
    }
    error = find(hub, facts, path, message, len);
    if (error)
        close_hub(hub);
    else
        *out = hub;
    return error;
}

static int control(struct rig_hub *hub, uint8_t *data, size_t *got,
                   const struct rig_hub_setup *setup, uint32_t timeout_ms, char *message,
                   size_t len)
{
    int n = libusb_control_transfer(hub->handle, setup->request_type, setup->request, setup->value,
                                    setup->index, data, setup->length, timeout_ms);
    *got = n < 0 ? 0 : (size_t)n;
    if (n >= 0)
        return RIG_OK;
    return rig_port_say(error_of(n), message, len, "request %02X %02X to port %u: %s",
                        setup->request_type, setup->request, setup->index, libusb_strerror(n));
}

static const struct rig_hub_ops real = {.open = open_hub, .close = close_hub, .control = control};
static const struct rig_hub_ops *used = &real;

const struct rig_hub_ops *rig_hub(void)
{
    return used;
}

void rig_hub_use_for_test(const struct rig_hub_ops *ops)
{
    used = ops ? ops : &real;
}
