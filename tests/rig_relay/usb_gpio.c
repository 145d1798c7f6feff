/* GPIO lines below a seam that keeps a line's direction, level and owner. */
#include "gpio.h"
#include "usb_kit.h"
#include <stdlib.h>
#include <string.h>

#define driver (&rig_relay_gpio)

enum { LINES = 54 };

struct line {
    bool high, output, stuck;
    const char *owner;
    size_t sets;
};

struct rig_gpio_chip {
    int unused;
};
struct rig_gpio_line {
    struct line *of;
    bool active_low;
};

static struct line lines[LINES];
static struct rig_gpio_chip the_chip;
static size_t open_chips;
static bool gone;

static int open_chip(struct rig_gpio_chip **out, uint32_t *n, const char *chip, char *message,
                     size_t len)
{
    *out = NULL;
    if (strcmp(chip, "gpiochip0") != 0)
        return rig_port_say(RIG_EOPEN, message, len, "%s is no GPIO chip", chip);
    *out = &the_chip;
    *n = LINES;
    open_chips++;
    return RIG_OK;
}

static void close_chip(struct rig_gpio_chip *chip)
{
    for (size_t i = 0; i < LINES; i++)
        cr_assert(!lines[i].owner || strcmp(lines[i].owner, "brickyard") != 0,
                  "line %zu is still ours", i);
    open_chips -= chip != NULL;
}

static int take(struct rig_gpio_line **out, struct rig_gpio_chip *chip, uint32_t offset,
                bool active_low, char *message, size_t len)
{
    cr_assert_eq(chip, &the_chip);
    cr_assert_lt(offset, LINES);
    *out = NULL;
    if (lines[offset].owner)
        return rig_port_say(RIG_EBUSY, message, len, "line %u: used by %s", (unsigned)offset,
                            lines[offset].owner);
    lines[offset].owner = "brickyard";
    *out = malloc(sizeof **out);
    **out = (struct rig_gpio_line){&lines[offset], active_low};
    return RIG_OK;
}

static bool reverts; /* a kernel that makes an input of a line that is given back */

static void release(struct rig_gpio_line *line)
{
    if (line)
        line->of->owner = NULL;
    if (line && reverts)
        line->of->output = false;
    free(line);
}

static int set(struct rig_gpio_line *line, bool on, char *message, size_t len)
{
    if (gone)
        return rig_port_say(RIG_EGONE, message, len, "No such device");
    line->of->output = true;
    line->of->sets++;
    if (!line->of->stuck)
        line->of->high = on != line->active_low;
    return RIG_OK;
}

static int get(struct rig_gpio_line *line, bool *on, char *message, size_t len)
{
    if (gone)
        return rig_port_say(RIG_EGONE, message, len, "No such device");
    *on = line->of->high != line->active_low;
    return RIG_OK;
}

static void host(void)
{
    static const struct rig_gpio_ops ops = {open_chip, close_chip, take, release, set, get};
    rig_gpio_use_for_test(&ops);
}

Test(usb_gpio, the_channel_is_the_line_and_high_is_on)
{
    host();
    struct rig_relay *relay = usb_open(driver, USB_PAIRS("chip", "gpiochip0"), RIG_OK, NULL);
    for (uint32_t offset = 0; offset < LINES; offset += LINES - 1) {
        usb_set(driver, relay, offset, true, RIG_OK, NULL);
        cr_assert(lines[offset].output && lines[offset].high);
        cr_assert(usb_get(driver, relay, offset, RIG_OK, NULL));
        usb_set(driver, relay, offset, false, RIG_OK, NULL);
        cr_assert_not(lines[offset].high);
        cr_assert_not(usb_get(driver, relay, offset, RIG_OK, NULL));
    }
    cr_assert_eq(lines[0].sets + lines[LINES - 1].sets, 4);
    cr_assert_null(lines[1].owner, "lines that were not asked for are left alone");
    driver->close(relay);
    cr_assert_eq(open_chips, 0);
}

Test(usb_gpio, with_active_low_the_low_level_is_on)
{
    host();
    struct rig_relay *relay =
        usb_open(driver, USB_PAIRS("chip", "gpiochip0", "active_low", "true"), RIG_OK, NULL);
    usb_set(driver, relay, 17, true, RIG_OK, NULL);
    cr_assert_not(lines[17].high);
    cr_assert(usb_get(driver, relay, 17, RIG_OK, NULL));
    usb_set(driver, relay, 17, false, RIG_OK, NULL);
    cr_assert(lines[17].high);
    driver->close(relay);
    cr_assert(lines[17].high, "closing switches nothing");
}

Test(usb_gpio, a_line_is_held_from_its_first_use_until_the_driver_is_closed)
{
    host();
    reverts = true;
    struct rig_relay *relay = usb_open(driver, USB_PAIRS("chip", "gpiochip0"), RIG_OK, NULL);
    usb_set(driver, relay, 4, true, RIG_OK, NULL);
    for (uint32_t other = 5; other < 8; other++) {
        usb_set(driver, relay, other, true, RIG_OK, NULL);
        cr_assert(usb_get(driver, relay, other, RIG_OK, NULL));
        cr_assert(usb_get(driver, relay, 4, RIG_OK, NULL));
        cr_assert(lines[4].output && lines[4].high && lines[4].owner);
    }
    driver->close(relay);
    cr_assert_not(lines[4].output);
    cr_assert(driver->holds, "so a controller must not close it to rest");
}

Test(usb_gpio, reading_drives_nothing)
{
    host();
    lines[5].high = true;
    struct rig_relay *relay = usb_open(driver, USB_PAIRS("chip", "gpiochip0"), RIG_OK, NULL);
    cr_assert(usb_get(driver, relay, 5, RIG_OK, NULL));
    cr_assert_not(lines[5].output);
    cr_assert_eq(lines[5].sets, 0);
    driver->close(relay);
}

Test(usb_gpio, no_such_chip_no_such_line_and_a_line_of_somebody_else)
{
    host();
    usb_open(driver, USB_PAIRS("chip", "gpiochip9"), RIG_EOPEN, "gpiochip9");
    struct rig_relay *relay = usb_open(driver, USB_PAIRS("chip", "gpiochip0"), RIG_OK, NULL);
    usb_set(driver, relay, LINES, true, RIG_EUNSUPPORTED, "54 lines");
    usb_get(driver, relay, UINT32_MAX, RIG_EUNSUPPORTED, "54 lines");
    lines[4].owner = "spi0 CS0";
    usb_set(driver, relay, 4, true, RIG_EBUSY, "line 4: used by spi0 CS0");
    usb_get(driver, relay, 4, RIG_EBUSY, "line 4: used by spi0 CS0");
    lines[4].owner = NULL;
    usb_set(driver, relay, 4, true, RIG_OK, NULL);
    struct rig_relay *second = usb_open(driver, USB_PAIRS("chip", "gpiochip0"), RIG_OK, NULL);
    usb_set(driver, second, 4, false, RIG_EBUSY, "used by brickyard");
    cr_assert(lines[4].high);
    driver->close(relay); /* with it the line is free */
    usb_set(driver, second, 4, false, RIG_OK, NULL);
    driver->close(second);
}

Test(usb_gpio, unplugged_in_the_middle_and_a_level_that_does_not_follow)
{
    host();
    struct rig_relay *relay = usb_open(driver, USB_PAIRS("chip", "gpiochip0"), RIG_OK, NULL);
    lines[3].stuck = true;
    usb_set(driver, relay, 3, true, RIG_OK, NULL);
    cr_assert_not(usb_get(driver, relay, 3, RIG_OK, NULL));
    gone = true;
    usb_set(driver, relay, 3, false, RIG_EGONE, "No such device");
    usb_get(driver, relay, 3, RIG_EGONE, "No such device");
    driver->close(relay);
}
