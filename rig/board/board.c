/* A QEMU board: made, powered on, looked at. */
#include "board_internal.h"
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ARGS_MAX = 64, ARG_TEXT_MAX = 9000, TRACE_PIPE_BYTES = 1024 * 1024 };
enum { CONSOLE_PIPE_BYTES = 256 * 1024 };

/* Both ends of each wire; QEMU's are given to it as 3, 4, ... in this order. */
enum wire { WIRE_QMP, WIRE_CONSOLE, WIRE_LINK, WIRE_GDB, WIRE_TRACE, WIRE_SAID, WIRES };

struct wires {
    int ours[WIRES], its[WIRES];
};

struct args {
    const char *argv[ARGS_MAX];
    size_t count, used;
    char text[ARG_TEXT_MAX];
};

static const char *text(struct args *args, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static const char *text(struct args *args, const char *format, ...)
{
    char *at = args->text + args->used;
    va_list list;
    va_start(list, format);
    int len = vsnprintf(at, sizeof args->text - args->used, format, list);
    va_end(list);
    assert(len >= 0 && (size_t)len < sizeof args->text - args->used);
    args->used += (size_t)len + 1;
    return at;
}

static void add(struct args *args, const char *option, const char *value)
{
    assert(args->count + 3 <= ARGS_MAX);
    args->argv[args->count++] = option;
    if (value)
        args->argv[args->count++] = value;
}

/* A path within an option: QEMU wants its commas twice. */
static const char *path(struct args *args, const char *name)
{
    char *out = args->text + args->used;
    size_t at = 0;
    for (; *name; name++) {
        assert(args->used + at + 3 < sizeof args->text);
        out[at++] = *name;
        if (*name == ',')
            out[at++] = ',';
    }
    out[at++] = '\0';
    args->used += at;
    return out;
}

static void socket_args(struct args *args, const char *name, int fd)
{
    add(args, "-chardev", text(args, "socket,id=%s,fd=%d", name, fd));
}

static void make_args(struct args *args, const struct rig_board_config *config, const int fd[])
{
    add(args, config->qemu ? config->qemu : "qemu-system-arm", NULL);
    add(args, "-M", "ast1030-evb,fmc-model=w25q80bl");
    add(args, "-kernel", config->rom);
    add(args, "-drive",
        text(args, "if=mtd,format=raw,cache=writeback,file=%s", path(args, config->flash)));
    add(args, "-accel", "tcg,tb-size=4");
    add(args, "-nodefaults", NULL);
    add(args, "-display", "none");
    add(args, "-S", NULL);
    add(args, "-action", "reboot=shutdown,shutdown=pause,watchdog=pause");
    add(args, "-chardev", text(args, "file,id=console,path=/dev/fd/%d", fd[WIRE_CONSOLE]));
    add(args, "-serial", "chardev:console");
    socket_args(args, "link", fd[WIRE_LINK]);
    add(args, "-serial", "chardev:link");
    socket_args(args, "qmp", fd[WIRE_QMP]);
    add(args, "-mon", "chardev=qmp,mode=control");
    if (config->stepped) {
        socket_args(args, "gdb", fd[WIRE_GDB]);
        add(args, "-gdb", "chardev:gdb");
    }
    if (config->traced) {
        add(args, "-msg", "timestamp=on");
        add(args, "-d", "guest_errors");
        add(args, "-D", text(args, "/dev/fd/%d", fd[WIRE_TRACE]));
        for (const char *const *event = rig_spi_events; *event; event++)
            add(args, "-trace", *event);
    }
}

static void close_wires(int fd[WIRES])
{
    for (int i = 0; i < WIRES; i++)
        if (fd[i] >= 0)
            close(fd[i]);
}

static int make_wires(struct wires *wires, const struct rig_board_config *config)
{
    for (int i = 0; i < WIRES; i++)
        wires->ours[i] = wires->its[i] = -1;
    for (int i = 0; i < WIRES; i++) {
        int pair[2];
        if ((i == WIRE_GDB && !config->stepped) || (i == WIRE_TRACE && !config->traced))
            continue;
        bool pipe_it = i == WIRE_TRACE || i == WIRE_SAID || i == WIRE_CONSOLE;
        if (pipe_it ? pipe2(pair, O_CLOEXEC)
                    : socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
            return -1;
        wires->ours[i] = pair[0];
        wires->its[i] = pair[1];
    }
    /* As much as is allowed. QEMU writes a console byte by byte, and a socket that nobody reads is
     * full after 278 of them; a firmware drops what it can't get rid of within 20 ms. */
    fcntl(wires->ours[WIRE_CONSOLE], F_SETPIPE_SZ, CONSOLE_PIPE_BYTES);
    if (config->traced)
        fcntl(wires->ours[WIRE_TRACE], F_SETPIPE_SZ, TRACE_PIPE_BYTES);
    return 0;
}

static int spawn(struct rig_board *board, const struct wires *wires, char *message, size_t len)
{
    struct args args = {.count = 0};
    int fds[WIRES], number[WIRES];
    size_t count = 0;
    for (int i = 0; i < WIRE_SAID; i++) {
        number[i] = RIG_CHILD_FD_FIRST + (int)count;
        if (wires->its[i] >= 0)
            fds[count++] = wires->its[i];
    }
    make_args(&args, &board->config, number);
    args.argv[args.count] = NULL;
    struct rig_child_start start = {
        .argv = args.argv, .fds = fds, .fds_count = count, .said = wires->its[WIRE_SAID]};
    return rig_child_start(&board->child, &start, message, len);
}

static void on_ready(void *ctx)
{
    bb_begin(ctx);
}

static void on_ends(struct ev_loop *loop, ev_io *io, int events)
{
    (void)events;
    struct rig_board *board = io->data;
    ev_io_stop(loop, io);
    bb_ended(board, rig_child_wait(&board->child, 0));
}

static int connect_wires(struct rig_board *board, const struct wires *wires)
{
    static const struct rig_qmp_events qmp = {
        .ready = on_ready, .event = bb_qmp_event, .lost = bb_lost};
    static const struct rig_gdb_events gdb = {.stopped = bb_step_stopped, .lost = bb_lost};
    const int *fd = wires->ours;
    bb_wires_open(board, fd[WIRE_CONSOLE], fd[WIRE_LINK], fd[WIRE_TRACE], fd[WIRE_SAID]);
    int error = rig_qmp_open(&board->qmp, board->loop, fd[WIRE_QMP], &qmp, board);
    if (fd[WIRE_GDB] >= 0 && rig_gdb_open(&board->gdb, board->loop, fd[WIRE_GDB], &gdb, board))
        error = -1;
    ev_io_init(&board->ends, on_ends, board->child.pidfd, EV_READ);
    board->ends.data = board;
    ev_io_start(board->loop, &board->ends);
    return error;
}

static int check_flash(const struct rig_board_config *config, char *message, size_t len)
{
    struct stat file;
    if (stat(config->flash, &file) || access(config->flash, R_OK | W_OK)) {
        snprintf(message, len, "%s: %s", config->flash, strerror(errno));
        return -1;
    }
    if (!S_ISREG(file.st_mode) || file.st_size != BOARD_NOR_BYTES) {
        snprintf(message, len, "%s: a flash file of exactly %d bytes is needed", config->flash,
                 BOARD_NOR_BYTES);
        return -1;
    }
    if (access(config->rom, R_OK)) {
        snprintf(message, len, "%s: %s", config->rom, strerror(errno));
        return -1;
    }
    return 0;
}

static void reset_life(struct rig_board *board)
{
    uint64_t number = board->number > board->traced_number ? board->number : board->traced_number;
    board->number = board->traced_number = board->base = number;
    board->life++;
    board->step = BB_RUNS;
    board->any = board->last_ended = board->begins = false;
    board->last_said[0] = board->lost_why[0] = '\0';
    board->given_up = board->as_watchdog = false;
    board->last_at_us = 0;
}

int rig_board_power_on(struct rig_board *board, char *message, size_t len)
{
    struct wires wires;
    if (board->child.pid || board->going) {
        snprintf(message, len, "the board has power");
        return -1;
    }
    if (check_flash(&board->config, message, len))
        return -1;
    int error = make_wires(&wires, &board->config);
    if (error)
        snprintf(message, len, "no wires to QEMU: %s", strerror(errno));
    else
        error = spawn(board, &wires, message, len);
    close_wires(wires.its);
    if (error) {
        close_wires(wires.ours);
        return -1;
    }
    reset_life(board);
    if (connect_wires(board, &wires)) {
        rig_child_kill(&board->child);
        bb_release(board);
        snprintf(message, len, "no memory");
        return -1;
    }
    board->facts.power_ons++;
    return 0;
}

int rig_board_restart(struct rig_board *board, char *message, size_t len)
{
    assert(board->config.stepped);
    int error = rig_board_power_on(board, message, len);
    board->as_watchdog = !error;
    return error;
}

static void on_spi(void *ctx, const struct rig_spi_op *seen)
{
    struct rig_board *board = ctx;
    struct rig_op op = {.number = ++board->traced_number,
                        .erase = seen->erase,
                        .addr = seen->addr,
                        .len = seen->len,
                        .data = seen->data,
                        .at_us = seen->at_us};
    if (!board->config.stepped) {
        board->number = op.number;
        board->last_at_us = seen->at_us;
        bb_remember(board, &op);
    }
    if (board->config.events.spi)
        board->config.events.spi(board->config.ctx, &op);
}

int rig_board_create(struct rig_board **out, const struct rig_board_config *config, char *message,
                     size_t len)
{
    assert(config->loop && config->rom && config->flash);
    struct rig_board *board = calloc(1, sizeof *board);
    *out = board;
    if (board) {
        board->config = *config;
        board->loop = config->loop;
        board->child.pidfd = -1;
        board->console.fd = board->trace.fd = board->said.fd = board->link.fd = -1;
        board->spi.op = on_spi;
        board->spi.ctx = board;
        board->link.out = malloc(BB_LINK_MAX);
        if (board->link.out && !rig_lines_init(&board->console.lines) &&
            !rig_lines_init(&board->trace.lines) && !rig_lines_init(&board->said.lines))
            return 0;
        rig_board_free(board);
        *out = NULL;
    }
    snprintf(message, len, "no memory");
    return -1;
}

void rig_board_free(struct rig_board *board)
{
    if (!board)
        return;
    board->config.events = (struct rig_board_events){0};
    rig_board_power_off(board);
    rig_lines_free(&board->console.lines);
    rig_lines_free(&board->trace.lines);
    rig_lines_free(&board->said.lines);
    free(board->link.out);
    free(board);
}

bool rig_board_is_on(const struct rig_board *board)
{
    return board->child.pid && (!board->going || board->dying);
}

bool rig_board_is_stopped(const struct rig_board *board)
{
    return rig_child_is_stopped(&board->child);
}

pid_t rig_board_pid(const struct rig_board *board)
{
    return board->child.pid;
}

const char *rig_board_said(const struct rig_board *board)
{
    return board->last_said;
}

const char *rig_board_given_up(const struct rig_board *board)
{
    return board->given_up ? board->lost_why : "";
}

void rig_board_facts(const struct rig_board *board, struct rig_board_facts *facts)
{
    *facts = board->facts;
    facts->console_shortened = board->console.lines.shortened;
    facts->bus_refused = board->spi.lint.refused;
    facts->bus_crossings = board->spi.lint.crossings;
    facts->bus_zero_to_one = board->spi.lint.zero_to_one;
}

bool rig_board_last_op(const struct rig_board *board, struct rig_op *op, bool *ended)
{
    if (!board->any)
        return false;
    *op = board->last;
    *ended = board->last_ended && !(board->child.pid && board->step == BB_STANDS);
    return true;
}
