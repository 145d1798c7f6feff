/* What leads to a board: console, OTA line, SPI trace, and what QEMU says of itself. */
#include "board_internal.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A busy trace is read every so often, not line by line. */
static const double TRACE_REST_S = 0.002;

/* ---- Streams of lines ---- */

static void console_line(struct rig_board *board, const char *line)
{
    bb_pin_down(board);
    if (board->config.events.console)
        board->config.events.console(board->config.ctx, line);
}

static void trace_line(struct rig_board *board, const char *line)
{
    rig_spi_line(&board->spi, line);
}

/* What follows upon a fatal error are the processor's registers. */
static void said_line(struct rig_board *board, const char *line)
{
    if (strstr(board->last_said, "fatal: "))
        return;
    snprintf(board->last_said, sizeof board->last_said, "%.*s", BB_SAID_MAX - 1, line);
}

static void shut(struct rig_board *board, struct bb_stream *stream)
{
    if (stream->fd < 0)
        return;
    ev_io_stop(board->loop, &stream->readable);
    close(stream->fd);
    stream->fd = -1;
}

/* The chunk that was just read. False: its listener took the board's power. What talks was let go:
 * QEMU answers "cont" afterwards, and its answer may come behind the first words. (A stepped board
 * is let go by gdb.) */
static bool tell_bytes(struct rig_board *board, unsigned life)
{
    const struct rig_lines *lines = &board->console.lines;
    if (!board->gdb && !board->going)
        board->started = true;
    if (board->config.events.console_bytes)
        board->config.events.console_bytes(board->config.ctx, lines->chunk + lines->at,
                                           lines->have - lines->at);
    return board->life == life;
}

/* Until nothing is there, or `most` chunks were read: a flood leaves the loop its turn. */
static void work(struct rig_board *board, struct bb_stream *stream, int most)
{
    char line[RIG_LINE_MAX];
    unsigned life = board->life;
    while (stream->fd >= 0 && most--) {
        bool fresh = stream->lines.at == stream->lines.have; /* else: what a callback broke off */
        ssize_t got = rig_lines_read(&stream->lines, stream->fd);
        if (got < 0 && errno == EAGAIN)
            return;
        if (got <= 0) {
            shut(board, stream);
            return;
        }
        if (fresh && stream == &board->console && !tell_bytes(board, life))
            return;
        while (rig_lines_next(&stream->lines, line)) {
            stream->line(board, line);
            if (board->life != life)
                return;
        }
    }
}

static void on_readable(struct ev_loop *loop, ev_io *io, int events)
{
    (void)loop, (void)events;
    struct rig_board *board = io->data;
    work(board, io == &board->console.readable ? &board->console : &board->said, 4);
}

static void on_trace(struct ev_loop *loop, ev_io *io, int events)
{
    (void)events;
    struct rig_board *board = io->data;
    unsigned life = board->life;
    ev_io_stop(loop, io);
    work(board, &board->trace, 32);
    if (board->life == life && board->trace.fd >= 0)
        ev_timer_again(loop, &board->trace_rest);
}

static void on_rested(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)events;
    struct rig_board *board = timer->data;
    ev_timer_stop(loop, timer);
    if (board->trace.fd >= 0)
        ev_io_start(loop, &board->trace.readable);
}

static void open_stream(struct rig_board *board, struct bb_stream *stream, int fd,
                        void (*line)(struct rig_board *, const char *))
{
    stream->fd = fd;
    stream->line = line;
    rig_lines_reset(&stream->lines);
    if (fd < 0)
        return;
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    ev_io_init(&stream->readable, stream == &board->trace ? on_trace : on_readable, fd, EV_READ);
    stream->readable.data = board;
    ev_io_start(board->loop, &stream->readable);
}

/* ---- The OTA line ---- */

static void link_shut(struct rig_board *board)
{
    struct bb_link *link = &board->link;
    if (link->fd < 0)
        return;
    ev_io_stop(board->loop, &link->readable);
    ev_io_stop(board->loop, &link->writable);
    close(link->fd);
    link->fd = -1;
    link->at = link->have = 0;
}

/* At most so many times, as long as it is not held; -1: to the end. */
static void link_read(struct rig_board *board, int most)
{
    uint8_t bytes[8192];
    unsigned life = board->life;
    while (board->life == life && board->link.fd >= 0 && most && (most < 0 || !board->link.held)) {
        most -= most > 0;
        ssize_t got = read(board->link.fd, bytes, sizeof bytes);
        if (got > 0) {
            if (board->config.events.link)
                board->config.events.link(board->config.ctx, bytes, (size_t)got);
        } else if (got < 0 && errno == EAGAIN) {
            return;
        } else if (got == 0 || errno != EINTR) {
            link_shut(board);
        }
    }
}

static void link_write(struct rig_board *board)
{
    struct bb_link *link = &board->link;
    while (link->fd >= 0 && link->at < link->have) {
        ssize_t sent = send(link->fd, link->out + link->at, link->have - link->at, MSG_NOSIGNAL);
        if (sent > 0)
            link->at += (size_t)sent;
        else if (sent < 0 && errno == EAGAIN)
            break;
        else if (sent == 0 || errno != EINTR)
            link_shut(board);
    }
    if (link->fd < 0)
        return;
    if (link->at == link->have) {
        link->at = link->have = 0;
        ev_io_stop(board->loop, &link->writable);
    } else {
        ev_io_start(board->loop, &link->writable);
    }
}

static void on_link(struct ev_loop *loop, ev_io *io, int events)
{
    (void)loop, (void)events;
    struct rig_board *board = io->data;
    if (io == &board->link.writable)
        link_write(board);
    else
        link_read(board, 8);
}

static void open_link(struct rig_board *board, int fd)
{
    struct bb_link *link = &board->link;
    link->fd = fd;
    link->at = link->have = 0;
    link->held = false;
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    ev_io_init(&link->readable, on_link, fd, EV_READ);
    ev_io_init(&link->writable, on_link, fd, EV_WRITE);
    link->readable.data = link->writable.data = board;
    ev_io_start(board->loop, &link->readable);
}

void rig_board_link_write(struct rig_board *board, const void *bytes, size_t len)
{
    struct bb_link *link = &board->link;
    if (link->fd < 0 || board->going)
        return; /* nobody is at the other end */
    if (link->at) {
        memmove(link->out, link->out + link->at, link->have - link->at);
        link->have -= link->at;
        link->at = 0;
    }
    size_t room = BB_LINK_MAX - link->have, taken = len < room ? len : room;
    memcpy(link->out + link->have, bytes, taken);
    link->have += taken;
    board->facts.link_dropped += len - taken;
    link_write(board);
}

void rig_board_link_hold(struct rig_board *board, bool hold)
{
    struct bb_link *link = &board->link;
    if (link->fd < 0)
        return;
    link->held = hold;
    if (hold)
        ev_io_stop(board->loop, &link->readable);
    else
        ev_io_start(board->loop, &link->readable);
}

size_t rig_board_link_pending(const struct rig_board *board)
{
    return board->link.have - board->link.at;
}

/* ---- All of them ---- */

void bb_wires_open(struct rig_board *board, int console, int link, int trace, int said)
{
    open_stream(board, &board->console, console, console_line);
    open_stream(board, &board->trace, trace, trace_line);
    open_stream(board, &board->said, said, said_line);
    open_link(board, link);
    rig_spi_reset(&board->spi);
    ev_timer_init(&board->trace_rest, on_rested, 0, TRACE_REST_S);
    board->trace_rest.data = board;
}

void bb_wires_work(struct rig_board *board)
{
    unsigned life = board->life;
    work(board, &board->said, -1);
    work(board, &board->console, -1);
    if (board->life == life)
        link_read(board, -1);
    if (board->life == life)
        work(board, &board->trace, -1);
}

void bb_wires_close(struct rig_board *board)
{
    ev_timer_stop(board->loop, &board->trace_rest);
    shut(board, &board->console);
    shut(board, &board->trace);
    shut(board, &board->said);
    link_shut(board);
}
