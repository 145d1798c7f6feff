/* A board behind a contact: its power, its console and OTA line on ptys, what its cuts hit. */
#include "emulator.h"
#include "sim/rng.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { CONSOLE_MAX = 256 * 1024, LINE_MAX_OUT = 1024 * 1024, LINE_HOLD = 32 * 1024 };
static const double LINE_REST_S = 0.001;
/* That much waits for the board to read it; more waits in the pty, where the gateway feels it. */
enum { LINE_IN_MAX = 16 * 1024, NOISE_CHUNK = 4096, FLASH_BYTES = RIG_HISTORY_BYTES };

static int64_t clock_us(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t em_now_us(void)
{
    return clock_us(CLOCK_MONOTONIC);
}

static struct rig_board *qemu(const struct em_board *board)
{
    return rig_cutter_board(board->cutter);
}

bool em_board_is_on(const struct em_board *board)
{
    return rig_board_is_on(qemu(board));
}

/* ---- What it says and hears ---- */

static void on_console(void *ctx, const void *bytes, size_t len)
{
    struct em_board *board = ctx;
    em_port_write(&board->console, bytes, len);
}

static void line_turn(struct em_board *board)
{
    bool full = em_port_waiting(&board->line) > LINE_HOLD;
    rig_board_link_hold(qemu(board), full || ev_is_active(&board->line_rest));
}

/* QEMU writes every byte by itself: read and written so, each costs half a dozen system calls. */
static void on_line(void *ctx, const void *bytes, size_t len)
{
    struct em_board *board = ctx;
    em_port_write(&board->line, bytes, len);
    ev_timer_again(board->em->loop, &board->line_rest);
    line_turn(board);
}

static void on_rested(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)events;
    ev_timer_stop(loop, timer);
    line_turn(timer->data);
}

static void line_drained(void *ctx)
{
    line_turn(ctx);
}

static size_t line_room(void *ctx)
{
    const struct rig_board *board = qemu(ctx);
    size_t pending = rig_board_link_pending(board);
    if (!rig_board_is_on(board))
        return SIZE_MAX; /* nobody is at the other end */
    return pending < LINE_IN_MAX ? LINE_IN_MAX - pending : 0;
}

static void line_input(void *ctx, const void *bytes, size_t len)
{
    rig_board_link_write(qemu(ctx), bytes, len);
}

/* Nothing of ours reads its console's input. */
static void console_input(void *ctx, const void *bytes, size_t len)
{
    (void)ctx, (void)bytes, (void)len;
}

static void flood(void *ctx)
{
    struct em_board *board = ctx;
    uint8_t noise[NOISE_CHUNK];
    while (board->flood_left && !em_port_waiting(&board->console)) {
        size_t len = board->flood_left < sizeof noise ? (size_t)board->flood_left : sizeof noise;
        for (size_t i = 0; i < len; i++) {
            board->noise = board->noise * 1664525 + 1013904223;
            noise[i] = (uint8_t)(board->noise >> 24);
        }
        board->flood_left -= len;
        em_port_write(&board->console, noise, len);
        if (!board->console.open)
            board->flood_left = 0; /* nobody listens: it is over at once */
    }
}

void em_board_flood(struct em_board *board, uint64_t bytes)
{
    board->flood_left = bytes;
    flood(board);
}

/* ---- Power ---- */

static void went_wrong(struct em_board *board, const char *what)
{
    snprintf(board->error, sizeof board->error, "%s", what);
    for (char *at = board->error; *at; at++)
        *at = *at >= ' ' && *at < 0x7F ? *at : '?'; /* QEMU's words, and file names */
    fprintf(stderr, "brickyard-emulator: %s: %s\n", board->name, what);
}

static void note_max(int64_t *max, int64_t value)
{
    *max = value > *max ? value : *max;
}

/* Byte 0 of its flash file is locked while it has power, until what a cut tore is in the file:
 * whoever wants to read or write it can ask (fcntl, F_OFD_GETLK). QEMU locks others. */
static void hold_flash(struct em_board *board)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1};
    board->held = open(board->flash, O_RDWR | O_CLOEXEC);
    if (board->held < 0 || fcntl(board->held, F_OFD_SETLK, &lock))
        went_wrong(board, "its flash file can't be locked");
}

static void let_flash_go(struct em_board *board)
{
    if (board->held >= 0)
        close(board->held);
    board->held = -1;
}

void em_board_on(struct em_board *board)
{
    char message[EM_MESSAGE_MAX];
    int64_t from_us = em_now_us();
    if (em_board_is_on(board))
        return;
    if (em_port_plug(&board->console) || em_port_plug(&board->line))
        went_wrong(board, "its console or line can't be made again");
    hold_flash(board);
    if (rig_cutter_power_on(board->cutter, message, sizeof message)) {
        went_wrong(board, message);
        let_flash_go(board);
    }
    note_max(&board->on_us_max, em_now_us() - from_us);
}

void em_board_off(struct em_board *board, int64_t due_us)
{
    char message[EM_MESSAGE_MAX];
    struct rig_cut cut;
    const struct em_options *options = &board->em->options;
    int64_t from_us = em_now_us();
    if (!em_board_is_on(board))
        return;
    uint32_t n = ++board->cut_count;
    struct rig_tear tear = {.form = options->torn,
                            .seed = sim_rng_at(options->seed, board->number, SIM_RNG_TORN, n),
                            .index = n};
    if (rig_cutter_power_off(board->cutter, &tear, &cut, message, sizeof message)) {
        went_wrong(board, message);
        cut.clean = false;
    }
    let_flash_go(board);
    note_max(&board->off_us_max, em_now_us() - from_us);
    board->hits += cut.hit;
    board->strays += cut.strays;
    int64_t at_us = cut.got_us + clock_us(CLOCK_MONOTONIC) - clock_us(CLOCK_REALTIME);
    if (em_cut_write(board->cuts, n, &cut, at_us, due_us))
        went_wrong(board, "its cut can't be recorded");
}

void em_board_fails(struct em_board *board)
{
    rig_board_power_fails(qemu(board));
}

/* No board does that: its ports are gone until it has power again, so that nobody takes it for one
 * that is silent. */
static void on_ended(void *ctx, int status)
{
    struct em_board *board = ctx;
    char what[EM_MESSAGE_MAX];
    const char *given_up = rig_board_given_up(qemu(board));
    board->ends++;
    board->flood_left = 0;
    em_port_unplug(&board->console);
    em_port_unplug(&board->line);
    let_flash_go(board);
    if (*given_up)
        snprintf(what, sizeof what, "QEMU was given up and ended: %.300s", given_up);
    else
        snprintf(what, sizeof what, "QEMU ended by itself (wait status %d): %.300s", status,
                 rig_board_said(qemu(board)));
    went_wrong(board, what);
}

int em_board_kill(struct em_board *board)
{
    pid_t pid = em_board_is_on(board) ? rig_board_pid(qemu(board)) : 0;
    return pid > 0 ? kill(pid, SIGKILL) : -1;
}

/* ---- Life ---- */

/* Nothing was ever written to it. */
static int make_flash(const char *path)
{
    uint8_t blank[4096];
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0)
        return errno == EEXIST ? 0 : -1;
    memset(blank, 0xFF, sizeof blank);
    int error = 0;
    for (uint32_t at = 0; at < FLASH_BYTES && !error; at += sizeof blank)
        error = write(fd, blank, sizeof blank) != (ssize_t)sizeof blank;
    if (close(fd) || error) {
        unlink(path);
        return -1;
    }
    return 0;
}

static int make_cutter(struct em_board *board, char *message, size_t len)
{
    const struct rig_board_config config = {
        .loop = board->em->loop,
        .rom = board->em->options.rom,
        .flash = board->flash,
        .traced = true,
        .stop_within_ms = 5000, /* before the site takes the contact for stuck (10 s) */
        .events = {.console_bytes = on_console, .link = on_line, .ended = on_ended},
        .ctx = board,
    };
    return rig_cutter_create(&board->cutter, &config, NULL, NULL, message, len);
}

static int open_port(struct em_board *board, struct em_port *port, const char *what,
                     struct em_port_config config)
{
    char path[PATH_MAX];
    int len = snprintf(path, sizeof path, "%s/%s.%s", board->em->options.folder, board->name, what);
    config.path = path;
    config.ctx = board;
    if (len < (int)sizeof path)
        return em_port_open(port, &board->em->hub, &config);
    errno = ENAMETOOLONG;
    return -1;
}

static int open_ports(struct em_board *board)
{
    const struct em_port_config console = {
        .out_max = CONSOLE_MAX, .input = console_input, .drained = flood};
    const struct em_port_config line = {
        .out_max = LINE_MAX_OUT, .input = line_input, .room = line_room, .drained = line_drained};
    return open_port(board, &board->console, "console", console) ||
           open_port(board, &board->line, "line", line);
}

int em_board_open(struct em_board *board, struct em *em, uint32_t number, char *message, size_t len)
{
    char cuts[PATH_MAX];
    *board =
        (struct em_board){.em = em, .number = number, .held = -1, .console.fd = -1, .line.fd = -1};
    board->noise = sim_rng_at(em->options.seed, number, SIM_RNG_CORRUPT, 0);
    snprintf(board->name, sizeof board->name, "board-%02u", number);
    int room =
        snprintf(board->flash, sizeof board->flash, "%s/%s.nor", em->options.folder, board->name);
    int room_cuts = snprintf(cuts, sizeof cuts, "%s/%s.cuts", em->options.folder, board->name);
    if (room >= (int)sizeof board->flash || room_cuts >= (int)sizeof cuts) {
        snprintf(message, len, "the folder's path is too long");
        return -1;
    }
    ev_init(&board->line_rest, on_rested);
    board->line_rest.repeat = LINE_REST_S;
    board->line_rest.data = board;
    if (make_cutter(board, message, len))
        return -1;
    if (!make_flash(board->flash) && (board->cuts = fopen(cuts, "we")) && !open_ports(board))
        return 0;
    snprintf(message, len, "%.300s/%s: %s", em->options.folder, board->name, strerror(errno));
    return -1;
}

void em_board_close(struct em_board *board)
{
    if (!board->cutter)
        return;
    em_board_off(board, em_now_us());
    let_flash_go(board);
    ev_timer_stop(board->em->loop, &board->line_rest);
    em_port_close(&board->console);
    em_port_close(&board->line);
    rig_cutter_free(board->cutter);
    board->cutter = NULL;
    if (board->cuts)
        fclose(board->cuts);
}
