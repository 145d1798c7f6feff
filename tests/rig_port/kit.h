/* A pty whose other side the test plays. */
#ifndef TESTS_RIG_PORT_KIT_H
#define TESTS_RIG_PORT_KIT_H

#include "rig/port.h"
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WAIT_MS = 60000 }; /* for what must come: a slow machine is given time */

struct pty {
    int master;
    char path[64];
};

static inline struct pty pty_make(void)
{
    struct pty p = {.master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)};
    cr_assert_geq(p.master, 0);
    cr_assert_eq(grantpt(p.master), 0);
    cr_assert_eq(unlockpt(p.master), 0);
    cr_assert_eq(ptsname_r(p.master, p.path, sizeof p.path), 0);
    return p;
}

/* What a serial port was set to, read by the pty's other side (settings.c). */
struct line {
    uint32_t baud;
    bool raw, eight_bits, parity, two_stop_bits, hangup, flow_control;
};
struct line line_of(int master);

#endif
