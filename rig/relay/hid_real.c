/*
 * The seam on hidapi over hidraw. Beside what hidapi does: the device's USB port, from /sys,
 * because /dev/hidraw6 is another one after the next plugging; and a lock, because hidraw lets
 * anybody in (flock: only processes that ask for it keep out).
 */
#include "hid.h"
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <hidapi.h>
#include <limits.h>
#include <linux/hidraw.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <unistd.h>

struct rig_hid {
    hid_device *device;
    int lock;
};

/* hidapi keeps the reason of a failed enumeration or opening in one static variable. */
static pthread_mutex_t hidapi = PTHREAD_MUTEX_INITIALIZER;

/* Strings of devices are anything; what is not printed well is left out. */
static void narrow(char *text, size_t room, const wchar_t *wide)
{
    size_t n = 0;
    for (; wide && *wide && n + 1 < room; wide++)
        if (*wide >= ' ' && *wide <= '~')
            text[n++] = (char)*wide;
    text[n] = '\0';
}

static void find_port(struct rig_hid_found *device)
{
    char link[128], target[PATH_MAX];
    const char *name = strrchr(device->path, '/');
    snprintf(link, sizeof link, "/sys/class/hidraw%s/device", name ? name : "/");
    if (realpath(link, target))
        rig_hid_usb_of(device->usb, sizeof device->usb, target);
}

static int list(struct rig_hid_found *device, size_t *found, size_t room, uint16_t vendor,
                char *message, size_t len)
{
    (void)message, (void)len;
    *found = 0;
    pthread_mutex_lock(&hidapi);
    struct hid_device_info *all = hid_enumerate(vendor, 0);
    for (const struct hid_device_info *one = all; one && *found < room; one = one->next) {
        struct rig_hid_found *d = &device[(*found)++];
        *d = (struct rig_hid_found){.vendor = one->vendor_id, .product_id = one->product_id};
        snprintf(d->path, sizeof d->path, "%s", one->path);
        narrow(d->product, sizeof d->product, one->product_string);
        narrow(d->serial, sizeof d->serial, one->serial_number);
        find_port(d);
    }
    hid_free_enumeration(all);
    pthread_mutex_unlock(&hidapi);
    return RIG_OK;
}

static int lock(int *fd, const char *path, char *message, size_t len)
{
    *fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
    if (*fd < 0)
        return rig_port_say(RIG_EOPEN, message, len, "%s can't be opened: %s%s", path,
                            strerror(errno),
                            errno == EACCES ? " (a udev rule gives it to a group)" : "");
    int error = RIG_OK, bytes;
    if (flock(*fd, LOCK_EX | LOCK_NB))
        error = rig_port_say(RIG_EBUSY, message, len, "%s: another process has it", path);
    /* hidapi 0.13 frees what it never set when this question of its own fails (hid_open_path), as
     * it does of a device that has just been unplugged: it is asked here first. */
    else if (ioctl(*fd, HIDIOCGRDESCSIZE, &bytes) < 0)
        error = rig_port_say(RIG_EOPEN, message, len, "%s is no HID device, or has gone: %s", path,
                             strerror(errno));
    if (error)
        close(*fd);
    return error;
}

static int open_hid(struct rig_hid **out, const char *path, char *message, size_t len)
{
    struct rig_hid *hid = calloc(1, sizeof *hid);
    *out = NULL;
    if (!hid)
        return rig_port_say(RIG_EMEMORY, message, len, "out of memory");
    int error = lock(&hid->lock, path, message, len);
    if (error) {
        free(hid);
        return error;
    }
    pthread_mutex_lock(&hidapi);
    hid->device = hid_open_path(path);
    if (!hid->device) {
        error = rig_port_say(RIG_EOPEN, message, len, "%s: %ls", path, hid_error(NULL));
        close(hid->lock);
        free(hid);
    } else {
        *out = hid;
    }
    pthread_mutex_unlock(&hidapi);
    return error;
}

static void close_hid(struct rig_hid *hid)
{
    if (!hid)
        return;
    hid_close(hid->device);
    close(hid->lock);
    free(hid);
}

/* After a call that returned less than it should. */
static int fail(struct rig_hid *hid, int error, const char *what, char *message, size_t len)
{
    return rig_port_say(rig_hid_errno(error), message, len, "%s: %ls", what,
                        hid_error(hid->device));
}

static int send_feature(struct rig_hid *hid, const uint8_t *report, size_t bytes, char *message,
                        size_t len)
{
    errno = 0;
    int n = hid_send_feature_report(hid->device, report, bytes);
    return n < 0 ? fail(hid, errno, "sending a feature report", message, len) : RIG_OK;
}

static int get_feature(struct rig_hid *hid, uint8_t *report, size_t *got, size_t room, uint8_t id,
                       char *message, size_t len)
{
    assert(room);
    memset(report, 0, room);
    report[0] = id;
    errno = 0;
    int n = hid_get_feature_report(hid->device, report, room);
    *got = n < 0 ? 0 : (size_t)n;
    return n < 0 ? fail(hid, errno, "getting a feature report", message, len) : RIG_OK;
}

static int write_hid(struct rig_hid *hid, const uint8_t *report, size_t bytes, char *message,
                     size_t len)
{
    errno = 0;
    int n = hid_write(hid->device, report, bytes);
    if (n < 0)
        return fail(hid, errno, "writing a report", message, len);
    if ((size_t)n < bytes)
        return rig_port_say(RIG_EANSWER, message, len, "%d of %zu bytes were taken", n, bytes);
    return RIG_OK;
}

static int read_hid(struct rig_hid *hid, uint8_t *report, size_t *got, size_t room,
                    uint32_t timeout_ms, char *message, size_t len)
{
    errno = 0;
    int n = hid_read_timeout(hid->device, report, room,
                             timeout_ms > INT_MAX ? INT_MAX : (int)timeout_ms);
    *got = n < 0 ? 0 : (size_t)n;
    if (n < 0) /* poll said POLLERR or POLLHUP and left errno as it was */
        return fail(hid, errno ? errno : ENODEV, "reading a report", message, len);
    if (!n)
        return rig_port_say(RIG_ESILENT, message, len, "no report within %u ms",
                            (unsigned)timeout_ms);
    return RIG_OK;
}

static const struct rig_hid_ops real = {
    .list = list,
    .open = open_hid,
    .close = close_hid,
    .send_feature = send_feature,
    .get_feature = get_feature,
    .write = write_hid,
    .read = read_hid,
};
static const struct rig_hid_ops *used = &real;

const struct rig_hid_ops *rig_hid(void)
{
    return used;
}

void rig_hid_use_for_test(const struct rig_hid_ops *ops)
{
    used = ops ? ops : &real;
}
