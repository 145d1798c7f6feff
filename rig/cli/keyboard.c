/* Standard input without lines and echo: the board echoes. */
#include "keyboard.h"
#include <unistd.h>

static void on_input(struct ev_loop *loop, ev_io *io, int events)
{
    struct rig_cli_keyboard *keyboard = io->data;
    char bytes[256];
    (void)events;
    ssize_t got = read(STDIN_FILENO, bytes, sizeof bytes);
    if (got > 0)
        keyboard->pressed(keyboard->ctx, bytes, (size_t)got);
    else if (!got)
        ev_io_stop(loop, io); /* the terminal was closed; its SIGHUP is on its way */
}

bool rig_cli_keyboard_start(struct rig_cli_keyboard *keyboard, struct ev_loop *loop,
                            void (*pressed)(void *ctx, const void *bytes, size_t len), void *ctx)
{
    /* In the background the terminal belongs to somebody else. */
    if (tcgetattr(STDIN_FILENO, &keyboard->before) || tcgetpgrp(STDIN_FILENO) != getpgrp())
        return false;
    struct termios keys = keyboard->before;
    keys.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    keys.c_iflag &= ~(tcflag_t)(ICRNL | IXON);
    keys.c_cc[VMIN] = 1;
    keys.c_cc[VTIME] = 0;
    if (tcsetattr(STDIN_FILENO, TCSADRAIN, &keys))
        return false;
    keyboard->loop = loop;
    keyboard->pressed = pressed;
    keyboard->ctx = ctx;
    ev_io_init(&keyboard->io, on_input, STDIN_FILENO, EV_READ);
    keyboard->io.data = keyboard;
    ev_io_start(loop, &keyboard->io);
    return true;
}

void rig_cli_keyboard_stop(struct rig_cli_keyboard *keyboard)
{
    if (!keyboard->loop)
        return;
    ev_io_stop(keyboard->loop, &keyboard->io);
    tcsetattr(STDIN_FILENO, TCSADRAIN, &keyboard->before);
    keyboard->loop = NULL;
}
