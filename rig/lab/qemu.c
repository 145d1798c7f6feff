/*
 * rig/board's QEMU board as the lab's machine: its loop is turned while the lab waits for the line,
 * and at no other time.
 */
#include "frame.h"
#include "rig/board.h"
#include "rig/lab.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { FLASH_BYTES = 1 << 20, SECTOR_BYTES = 4096, PAGE_BYTES = 256, SETTLES_MS = 3000 };
/* Between two looks at the line. */
enum { LOOK_FIRST_NS = 30000, LOOK_LAST_NS = 1000000 };
/* Bytes at which the board's UART interrupts. */
enum { TRIGGER = 14 };
/* A board that waits for its answers never says as much. */
enum { HEARD_MAX = 65536 };

struct rig_lab_qemu {
    struct rig_lab_machine machine;
    struct rig_board_config config;
    struct rig_board *board;
    char rom[512], file[512];
    bool ended; /* by itself, or it said too much */
    char last[160];
    uint8_t heard[HEARD_MAX];
    size_t heard_at, heard_len;
};

static void on_console(void *ctx, const char *line)
{
    struct rig_lab_qemu *board = ctx;
    if (*line)
        snprintf(board->last, sizeof board->last, "%s", line);
}

static void on_link(void *ctx, const void *bytes, size_t len)
{
    struct rig_lab_qemu *board = ctx;
    if (len > sizeof board->heard - board->heard_len) {
        board->ended = true;
        return;
    }
    memcpy(board->heard + board->heard_len, bytes, len);
    board->heard_len += len;
}

static void on_ended(void *ctx, int status)
{
    struct rig_lab_qemu *board = ctx;
    board->ended = true;
    if (!board->last[0])
        snprintf(board->last, sizeof board->last, "wait status %d", status);
}

static int power_on(void *ctx, char *message, size_t len)
{
    struct rig_lab_qemu *board = ctx;
    board->last[0] = '\0';
    board->ended = false;
    board->heard_at = board->heard_len = 0;
    return rig_board_power_on(board->board, message, len);
}

static void power_off(void *ctx)
{
    struct rig_lab_qemu *board = ctx;
    rig_board_power_off(board->board);
}

/* The UART interrupts when TRIGGER bytes are there, else after four characters of silence, which
 * take a millisecond: so the last of them are filled up. */
static int line_write(void *ctx, const void *bytes, size_t len)
{
    static const uint8_t filler[TRIGGER] = {LAB_FILLER};
    struct rig_lab_qemu *board = ctx;
    if (board->ended)
        return -1;
    rig_board_link_write(board->board, bytes, len);
    rig_board_link_write(board->board, filler, (TRIGGER - len % TRIGGER) % TRIGGER);
    ev_run(board->config.loop, EVRUN_NOWAIT);
    return 0;
}

static int take(struct rig_lab_qemu *board, void *out, size_t max)
{
    size_t there = board->heard_len - board->heard_at, n = there < max ? there : max;
    memcpy(out, board->heard + board->heard_at, n);
    board->heard_at += n;
    if (board->heard_at == board->heard_len)
        board->heard_at = board->heard_len = 0;
    return (int)n;
}

/*
 * QEMU writes byte by byte. Who is woken by each of them keeps both busy for nothing: so this looks
 * again after a while, which grows while nothing comes.
 */
static int line_read(void *ctx, void *out, size_t max, int timeout_ms)
{
    struct rig_lab_qemu *board = ctx;
    int64_t left_ns = (int64_t)timeout_ms * 1000000, step_ns = LOOK_FIRST_NS;
    for (;;) {
        ev_run(board->config.loop, EVRUN_NOWAIT);
        if (board->heard_len)
            return take(board, out, max);
        if (board->ended)
            return -1;
        if (left_ns <= 0)
            return 0;
        nanosleep(&(struct timespec){.tv_nsec = step_ns}, NULL);
        left_ns -= step_ns;
        step_ns = step_ns < LOOK_LAST_NS ? step_ns + step_ns / 2 : step_ns;
    }
}

static const char *last_words(void *ctx)
{
    const struct rig_lab_qemu *board = ctx;
    const char *said = rig_board_said(board->board);
    return board->last[0] ? board->last : said;
}

static int map_flash(struct rig_lab_qemu *board, char *message, size_t len)
{
    int fd = open(board->file, O_RDWR | O_CREAT | O_CLOEXEC | O_TRUNC, 0600);
    void *at = MAP_FAILED;
    if (fd >= 0 && ftruncate(fd, FLASH_BYTES) == 0)
        at = mmap(NULL, FLASH_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (at == MAP_FAILED)
        snprintf(message, len, "%s: %s", board->file, strerror(errno));
    else
        board->machine.flash = at;
    if (fd >= 0)
        close(fd);
    return at == MAP_FAILED ? -1 : 0;
}

static void describe(struct rig_lab_qemu *board, const char *qemu)
{
    board->machine = (struct rig_lab_machine){.ctx = board,
                                              .flash_bytes = FLASH_BYTES,
                                              .sector_bytes = SECTOR_BYTES,
                                              .page_bytes = PAGE_BYTES,
                                              .settles_ms = SETTLES_MS,
                                              .power_on = power_on,
                                              .power_off = power_off,
                                              .write = line_write,
                                              .read = line_read,
                                              .last_words = last_words};
    board->config = (struct rig_board_config){
        .loop = ev_loop_new(EVFLAG_AUTO),
        .qemu = qemu,
        .rom = board->rom,
        .flash = board->file,
        .events = {.console = on_console, .link = on_link, .ended = on_ended},
        .ctx = board};
}

int rig_lab_qemu_create(struct rig_lab_qemu **out, const char *qemu, const char *rom,
                        const char *folder, char *message, size_t len)
{
    struct rig_lab_qemu *board = calloc(1, sizeof *board);
    *out = NULL;
    if (!board) {
        snprintf(message, len, "no memory");
        return -1;
    }
    snprintf(board->rom, sizeof board->rom, "%s", rom);
    snprintf(board->file, sizeof board->file, "%s/flash.bin", folder);
    describe(board, qemu);
    if (!board->config.loop)
        snprintf(message, len, "no event loop");
    if (!board->config.loop || map_flash(board, message, len) ||
        rig_board_create(&board->board, &board->config, message, len)) {
        rig_lab_qemu_free(board);
        return -1;
    }
    *out = board;
    return 0;
}

const struct rig_lab_machine *rig_lab_qemu_machine(const struct rig_lab_qemu *board)
{
    return &board->machine;
}

void rig_lab_qemu_free(struct rig_lab_qemu *board)
{
    if (!board)
        return;
    rig_board_free(board->board);
    if (board->config.loop)
        ev_loop_destroy(board->config.loop);
    if (board->machine.flash) {
        munmap(board->machine.flash, FLASH_BYTES);
        unlink(board->file);
    }
    free(board);
}
