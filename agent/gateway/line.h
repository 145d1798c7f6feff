/* The board's UART as a file of this host: a serial port, or a Unix socket (QEMU's). It is opened
 * again when it goes. */
#ifndef GATEWAY_LINE_H
#define GATEWAY_LINE_H

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LINE_OUT_MAX = 16384, LINE_AGAIN_MS = 250 };

struct line_config { /* borrowed until line_close */
    struct ev_loop *loop;
    const char *path; /* a socket or a tty, whichever it is */
    uint32_t baud;    /* of a tty: 9600 .. 921600 */
    void (*up)(void *ctx);
    void (*down)(void *ctx, const char *why); /* also when it could not be opened; once */
    void (*input)(void *ctx, const void *bytes, size_t len);
    void *ctx;
};

struct line {
    const struct line_config *config;
    int fd; /* -1: closed */
    ev_io reader, writer;
    ev_timer again;
    bool told; /* that it is down */
    uint8_t out[LINE_OUT_MAX];
    size_t out_len;
};

bool line_baud_is_known(uint32_t baud);
void line_open(struct line *line, const struct line_config *config); /* tries from now on */
void line_close(struct line *line);
/* What does not fit is lost: the channel says it again. */
void line_write(struct line *line, const void *bytes, size_t len);

#endif
