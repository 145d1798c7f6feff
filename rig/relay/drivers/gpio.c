/*
 * Relays, transistors and enable pins on GPIO lines: channel n is the chip's line n. A line is
 * taken from the kernel when it is first used and kept until the relay is closed, so that no other
 * program can drive it; taking it changes nothing (gpio.h). Reading gives the line's level, not
 * what hangs on it. Source: libgpiod 1.6, gpiod.h.
 *
 * Once closed, the kernel promises nothing about the level: many chips keep it, others make the
 * line an input again, and the relay drops. So `holds`: who stays (rig serve, a run) does not close
 * it.
 */
#include "gpio.h"
#include "drivers.h"
#include "wire.h"
#include <stdio.h>
#include <stdlib.h>

enum { CHIP, ACTIVE_LOW };
enum { LINES_MAX = 1024 };

static const struct rig_setting settings[] = {
    {"chip", RIG_SETTING_TEXT, true, NULL, 0, 0, NULL, "gpiochip0, /dev/gpiochip0, or its label"},
    {"active_low", RIG_SETTING_FLAG, false, "false", 0, 0, NULL,
     "true: on is the low level, as with most relay modules of optocouplers"},
    {0},
};

struct rig_relay {
    struct rig_gpio_chip *chip;
    uint32_t lines;
    bool active_low;
    struct rig_gpio_line *line[LINES_MAX]; /* NULL: not taken */
};

static int open_gpio(struct rig_relay **out, const struct rig_setting_value *value,
                     uint32_t timeout_ms, char *message, size_t len)
{
    (void)timeout_ms; /* the kernel answers at once */
    struct rig_relay *relay = calloc(1, sizeof *relay);
    *out = NULL;
    if (!relay)
        return rig_port_say(RIG_EMEMORY, message, len, "out of memory");
    relay->active_low = value[ACTIVE_LOW].number;
    int error = rig_gpio()->open(&relay->chip, &relay->lines, value[CHIP].text, message, len);
    if (error) {
        free(relay);
        return error;
    }
    if (relay->lines > LINES_MAX)
        relay->lines = LINES_MAX;
    *out = relay;
    return RIG_OK;
}

static void close_gpio(struct rig_relay *relay)
{
    if (!relay)
        return;
    for (uint32_t i = 0; i < relay->lines; i++)
        rig_gpio()->release(relay->line[i]);
    rig_gpio()->close(relay->chip);
    free(relay);
}

static int take(struct rig_relay *relay, uint32_t channel, char *message, size_t len)
{
    if (channel >= relay->lines)
        return rig_port_say(RIG_EUNSUPPORTED, message, len, "the chip has %u lines, from 0",
                            (unsigned)relay->lines);
    if (relay->line[channel])
        return RIG_OK;
    return rig_gpio()->take(&relay->line[channel], relay->chip, channel, relay->active_low, message,
                            len);
}

static int set_gpio(struct rig_relay *relay, uint32_t channel, bool on, char *message, size_t len)
{
    int error = take(relay, channel, message, len);
    return error ? error : rig_gpio()->set(relay->line[channel], on, message, len);
}

static int get_gpio(struct rig_relay *relay, bool *on, uint32_t channel, char *message, size_t len)
{
    int error = take(relay, channel, message, len);
    return error ? error : rig_gpio()->get(relay->line[channel], on, message, len);
}

const struct rig_relay_driver rig_relay_gpio = {
    .name = "gpio",
    .summary = "GPIO lines of this machine (libgpiod); the channel is the line's offset",
    .channel_first = 0,
    .channel_last = LINES_MAX - 1,
    .setting = settings,
    .holds = true,
    .open = open_gpio,
    .close = close_gpio,
    .set = set_gpio,
    .get = get_gpio,
};
