/* The seam on libgpiod 1.6. */
#include "gpio.h"
#include <assert.h>
#include <errno.h>
#include <gpiod.h>
#include <stdlib.h>
#include <string.h>

static const char consumer[] = "brickyard";

static int error_of(int error)
{
    return error == ENODEV ? RIG_EGONE : error == EBUSY ? RIG_EBUSY : RIG_EREFUSED;
}

static int open_chip(struct rig_gpio_chip **out, uint32_t *lines, const char *name, char *message,
                     size_t len)
{
    errno = 0;
    struct gpiod_chip *chip = gpiod_chip_open_lookup(name);
    *out = NULL;
    if (!chip)
        return rig_port_say(RIG_EOPEN, message, len, "%s is no GPIO chip that can be opened: %s",
                            name, strerror(errno ? errno : ENODEV));
    *lines = gpiod_chip_num_lines(chip);
    *out = (struct rig_gpio_chip *)chip;
    return RIG_OK;
}

static void close_chip(struct rig_gpio_chip *chip)
{
    if (chip)
        gpiod_chip_close((struct gpiod_chip *)chip);
}

struct rig_gpio_line {
    struct gpiod_line *line;
    bool is_output; /* made so by us */
};

static int take(struct rig_gpio_line **out, struct rig_gpio_chip *chip, uint32_t offset,
                bool active_low, char *message, size_t len)
{
    const struct gpiod_line_request_config config = {
        .consumer = consumer,
        .request_type = GPIOD_LINE_REQUEST_DIRECTION_AS_IS,
        .flags = active_low ? GPIOD_LINE_REQUEST_FLAG_ACTIVE_LOW : 0,
    };
    *out = NULL;
    struct rig_gpio_line *line = calloc(1, sizeof *line);
    if (!line)
        return rig_port_say(RIG_EMEMORY, message, len, "out of memory");
    line->line = gpiod_chip_get_line((struct gpiod_chip *)chip, offset);
    if (line->line && !gpiod_line_request(line->line, &config, 0)) {
        *out = line;
        return RIG_OK;
    }
    int error = errno;
    const char *user = line->line ? gpiod_line_consumer(line->line) : NULL;
    rig_port_say(RIG_OK, message, len, "line %u: %s%s%s", (unsigned)offset, strerror(error),
                 user ? "; used by " : "", user ? user : "");
    free(line);
    return error_of(error);
}

static void release(struct rig_gpio_line *line)
{
    if (line)
        gpiod_line_release(line->line);
    free(line);
}

static int set(struct rig_gpio_line *line, bool on, char *message, size_t len)
{
    int failed = line->is_output ? gpiod_line_set_value(line->line, on)
                                 : gpiod_line_set_direction_output(line->line, on);
    if (failed)
        return rig_port_say(error_of(errno), message, len, "line %u can't be driven: %s",
                            gpiod_line_offset(line->line), strerror(errno));
    line->is_output = true;
    return RIG_OK;
}

static int get(struct rig_gpio_line *line, bool *on, char *message, size_t len)
{
    int value = gpiod_line_get_value(line->line);
    if (value < 0)
        return rig_port_say(error_of(errno), message, len, "line %u can't be read: %s",
                            gpiod_line_offset(line->line), strerror(errno));
    *on = value;
    return RIG_OK;
}

static const struct rig_gpio_ops real = {
    .open = open_chip,
    .close = close_chip,
    .take = take,
    .release = release,
    .set = set,
    .get = get,
};
static const struct rig_gpio_ops *used = &real;

const struct rig_gpio_ops *rig_gpio(void)
{
    return used;
}

void rig_gpio_use_for_test(const struct rig_gpio_ops *ops)
{
    used = ops ? ops : &real;
}
