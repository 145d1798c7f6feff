/* What of the real seams can be shown on a machine without any of the hardware. */
#include "gpio.h"
#include "hub.h"
#include "usb_kit.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

Test(usb_seams, the_port_is_the_last_one_in_the_path_of_sys)
{
    static const char rows[][2][120] = {
        {"/sys/devices/pci0000:00/0000:00:14.0/usb1/1-1/1-1:1.0/0003:16C0:05DF.0009", "1-1"},
        {"/sys/devices/pci0000:00/0000:00:14.0/usb3/3-1/3-1.4/3-1.4:1.0/0003:5131:2007.000A",
         "3-1.4"},
        {"/sys/devices/platform/soc/3f980000.usb/usb1/1-1/1-1.2/1-1.2.10/1-1.2.10:1.3/x",
         "1-1.2.10"},
        {"/sys/devices/virtual/misc/uhid/0005:046D:B342.0001", ""},
        {"/sys/devices/pci0000:00/usb1/-1:1.0/1-:1.0/1:1.0/1-x:1.0", ""},
        {"", ""},
        {"1-1:1.0", "1-1"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char usb[32];
        rig_hid_usb_of(usb, sizeof usb, rows[i][0]);
        cr_assert_str_eq(usb, rows[i][1], "%s: %s", rows[i][0], usb);
    }
    char small[4];
    rig_hid_usb_of(small, sizeof small, "/3-1.4/3-1.4:1.0/x");
    cr_assert_str_eq(small, "", "half a port's name is another port");
}

Test(usb_seams, a_hub_is_named_as_in_sys)
{
    char path[32];
    rig_hub_path(path, sizeof path, 1, NULL, 0);
    cr_assert_str_eq(path, "1-0");
    rig_hub_path(path, sizeof path, 2, (const uint8_t[]){1}, 1);
    cr_assert_str_eq(path, "2-1");
    rig_hub_path(path, sizeof path, 12, (const uint8_t[]){1, 4, 10}, 3);
    cr_assert_str_eq(path, "12-1.4.10");
    char small[6];
    rig_hub_path(small, sizeof small, 255, (const uint8_t[]){255, 255, 255}, 3);
    cr_assert_str_eq(small, "255-2");
}

Test(usb_seams, errors_of_transfers)
{
    static const int rows[][2] = {
        {ENODEV, RIG_EGONE},    {ENXIO, RIG_EGONE},       {EIO, RIG_EGONE},
        {ESHUTDOWN, RIG_EGONE}, {ETIMEDOUT, RIG_ESILENT}, {EPIPE, RIG_EREFUSED},
        {EPROTO, RIG_EANSWER},  {EILSEQ, RIG_EANSWER},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        cr_assert_eq(rig_hid_errno(rows[i][0]), rows[i][1], "%s", strerror(rows[i][0]));
}

/* Port 99-9 and chip none are on no machine. */
Test(usb_seams, the_real_host_says_that_it_has_no_such_device)
{
    static const struct rig_relay_driver *const hid[] = {&rig_relay_dcttech, &rig_relay_lcus_hid,
                                                         &rig_relay_ucreatefun, &rig_relay_ykush};
    for (size_t i = 0; i < sizeof hid / sizeof *hid; i++)
        usb_open(hid[i], USB_PAIRS("usb", "99-9"), RIG_EOPEN, "at USB port 99-9; there is");
    usb_open(&rig_relay_usb_hub, USB_PAIRS("hub", "99-9"), RIG_EOPEN, "USB");
    usb_open(&rig_relay_gpio, USB_PAIRS("chip", "/dev/gpiochip-none"), RIG_EOPEN,
             "/dev/gpiochip-none is no GPIO chip");
}

Test(usb_seams, what_is_no_hid_device_is_not_opened)
{
    struct rig_hid *device;
    char message[200] = "";
    cr_assert_eq(rig_hid()->open(&device, "/dev/null", message, sizeof message), RIG_EOPEN);
    cr_assert_null(device);
    cr_assert(strstr(message, "/dev/null is no HID device"), "%s", message);
    cr_assert_eq(rig_hid()->open(&device, "/dev/hidraw-none", message, sizeof message), RIG_EOPEN);
    cr_assert(strstr(message, "No such file or directory"), "%s", message);
    usb_open(&rig_relay_gpio, USB_PAIRS("chip", "/dev/null"), RIG_EOPEN, "no GPIO chip");
}

/* Two openings of one file are two owners to flock, also in one process. */
Test(usb_seams, a_device_that_another_has_is_busy)
{
    char path[] = "/tmp/brickyard-hid-XXXXXX", message[200] = "";
    struct rig_hid *device;
    const int other = mkostemp(path, O_CLOEXEC);
    cr_assert_geq(other, 0);
    cr_assert_eq(flock(other, LOCK_EX | LOCK_NB), 0);
    const int busy = rig_hid()->open(&device, path, message, sizeof message);
    flock(other, LOCK_UN);
    const int free_again = rig_hid()->open(&device, path, message, sizeof message);
    close(other);
    unlink(path);
    cr_assert_eq(busy, RIG_EBUSY);
    cr_assert_eq(free_again, RIG_EOPEN, "and it is no HID device: %s", message);
}

Test(usb_seams, the_table_has_each_driver_by_its_name)
{
    static const char names[][12] = {"dcttech",    "gpio",    "lcus_hid",
                                     "ucreatefun", "usb_hub", "ykush"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const struct rig_relay_driver *driver = rig_relay_driver(names[i]);
        cr_assert(driver && !strcmp(driver->name, names[i]), "%s", names[i]);
        driver->close(NULL);
    }
}
