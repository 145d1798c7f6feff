/* The terminal's keys, one by one as they are pressed, while it runs. Ctrl-C stays a signal. */
#ifndef RIG_CLI_KEYBOARD_H
#define RIG_CLI_KEYBOARD_H

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <termios.h>

struct rig_cli_keyboard {
    struct ev_loop *loop; /* NULL: not started */
    ev_io io;
    struct termios before;
    void (*pressed)(void *ctx, const void *bytes, size_t len);
    void *ctx;
};
/* False: standard input is no terminal of ours. */
bool rig_cli_keyboard_start(struct rig_cli_keyboard *keyboard, struct ev_loop *loop,
                            void (*pressed)(void *ctx, const void *bytes, size_t len), void *ctx);
/* The terminal is as it was. */
void rig_cli_keyboard_stop(struct rig_cli_keyboard *keyboard);

#endif
