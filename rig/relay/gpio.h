/*
 * The seam below the GPIO driver: one line of one chip. The real one (gpio_real.c) is on libgpiod's
 * v1 interface, Debian 12's; a test sets its own. Not a public header.
 *
 * Functions return RIG_OK or an enum rig_error with what was wrong in message. Values are logical:
 * active_low is the seam's work. One thread at a time for each chip.
 */
#ifndef RIG_RELAY_GPIO_H
#define RIG_RELAY_GPIO_H

#include "rig/relay.h"

struct rig_gpio_chip; /* one opened chip; the seam's own */
struct rig_gpio_line; /* one line that is ours; the seam's own */

struct rig_gpio_ops {
    /* chip: /dev/gpiochip0, gpiochip0, or its label. *lines: how many it has. */
    int (*open)(struct rig_gpio_chip **out, uint32_t *lines, const char *chip, char *message,
                size_t len);
    void (*close)(struct rig_gpio_chip *chip); /* its lines have been released; NULL allowed */
    /* Takes the line as it is: neither its direction nor its level changes. EBUSY: another has it,
     * who is in message. */
    int (*take)(struct rig_gpio_line **out, struct rig_gpio_chip *chip, uint32_t offset,
                bool active_low, char *message, size_t len);
    void (*release)(struct rig_gpio_line *line); /* NULL allowed */
    /* Makes it an output with this value from the start; later calls change the value. */
    int (*set)(struct rig_gpio_line *line, bool on, char *message, size_t len);
    int (*get)(struct rig_gpio_line *line, bool *on, char *message, size_t len);
};

const struct rig_gpio_ops *rig_gpio(void);
/* Every chip opened later is by these; NULL: the real ones. Before any thread is started. */
void rig_gpio_use_for_test(const struct rig_gpio_ops *ops);

#endif
