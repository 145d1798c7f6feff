/* The tests' board. */
#include "kit.h"
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LOAD_FROM = 0x10000, PAGE = 256 };

static void on_console(void *ctx, const char *line)
{
    struct kit *kit = ctx;
    char kind[8];
    kit->lines++;
    if (!strncmp(line, "BOOT ", 5)) {
        snprintf(kit->boot, sizeof kit->boot, "%.200s", line);
        kit->boots++;
        cr_assert_eq(sscanf(line, "BOOT %7s straps %u boots %u last %u", kind, &kit->straps,
                            &kit->boots_warm, &kit->last),
                     4, "%s", line);
        kit->warm = !strcmp(kind, "warm");
    }
    sscanf(line, "done %u", &kit->done);
    if (kit->wanted[0] && !strncmp(line, kit->wanted, strlen(kit->wanted)))
        ev_break(kit->loop, EVBREAK_ALL);
}

static void keep(struct kit_op *to, const struct rig_op *op)
{
    to->op = *op;
    if (op->data)
        memcpy(to->data, op->data, op->len);
}

static void on_stands(void *ctx, const struct rig_op *op)
{
    struct kit *kit = ctx;
    cr_assert_lt(kit->stands, KIT_OPS_MAX);
    keep(&kit->stood[kit->stands++], op);
    if (kit->stop_at == kit->stands)
        ev_break(kit->loop, EVBREAK_ALL);
    if (!kit->stays && kit->stop_at != kit->stands)
        rig_board_go_on(kit->board);
}

static void on_spi(void *ctx, const struct rig_op *op)
{
    struct kit *kit = ctx;
    keep(&kit->seen[kit->spies++ % KIT_OPS_MAX], op);
}

static void on_reset(void *ctx, enum rig_reset reset)
{
    ((struct kit *)ctx)->resets[reset]++;
}

static void on_ended(void *ctx, int status)
{
    struct kit *kit = ctx;
    kit->ends++;
    kit->status = status;
    cr_assert_not(rig_board_is_on(kit->board));
    ev_break(kit->loop, EVBREAK_ALL);
}

static void on_link(void *ctx, const void *bytes, size_t len)
{
    struct kit *kit = ctx;
    for (size_t i = 0; i < len; i++, kit->echoed++)
        if (((const uint8_t *)bytes)[i] != (uint8_t)(kit->echoed * 7 + kit->echoed / 251))
            kit->echo_wrong++;
}

static void on_cut(void *ctx, const struct rig_cut *cut)
{
    struct kit *kit = ctx;
    kit->cut = *cut;
    kit->cuts++;
    ev_break(kit->loop, EVBREAK_ALL);
}

void kit_open(struct kit *kit, int what, enum kit_mode mode)
{
    static uint8_t blank[BOARD_NOR_BYTES];
    char message[256];
    memset(kit, 0, sizeof *kit);
    snprintf(kit->folder, sizeof kit->folder, "/tmp/rig-board-XXXXXX");
    cr_assert(mkdtemp(kit->folder));
    snprintf(kit->flash, sizeof kit->flash, "%s/nor,1.img", kit->folder);
    memset(blank, 0xFF, sizeof blank);
    int fd = open(kit->flash, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    cr_assert_eq(write(fd, blank, sizeof blank), (ssize_t)sizeof blank);
    close(fd);
    kit->loop = ev_loop_new(EVFLAG_AUTO);
    struct rig_board_config config = {
        .loop = kit->loop,
        .rom = LOAD_ELF,
        .flash = kit->flash,
        .stepped = what & KIT_STEPPED,
        .traced = what & KIT_TRACED,
        .events = {on_console, on_link, on_stands, on_spi, on_reset, on_ended},
        .ctx = kit,
    };
    if (what & KIT_CUTTER) {
        cr_assert_eq(
            rig_cutter_create(&kit->cutter, &config, on_cut, NULL, message, sizeof message), 0,
            "%s", message);
        kit->board = rig_cutter_board(kit->cutter);
    } else {
        cr_assert_eq(rig_board_create(&kit->board, &config, message, sizeof message), 0, "%s",
                     message);
    }
    for (unsigned bit = 0; bit < 3; bit++)
        cr_assert_eq(rig_board_strap(kit->board, 4 + bit, (unsigned)mode >> bit & 1), 0);
}

void kit_close(struct kit *kit)
{
    if (kit->cutter)
        rig_cutter_free(kit->cutter);
    else
        rig_board_free(kit->board);
    ev_loop_destroy(kit->loop);
    unlink(kit->flash);
    rmdir(kit->folder);
}

void kit_on(struct kit *kit)
{
    char message[256];
    int error = kit->cutter ? rig_cutter_power_on(kit->cutter, message, sizeof message)
                            : rig_board_power_on(kit->board, message, sizeof message);
    cr_assert_eq(error, 0, "%s", message);
}

void kit_off(struct kit *kit)
{
    rig_board_power_off(kit->board);
    cr_assert_not(rig_board_is_on(kit->board));
}

static void too_late(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)events;
    *(bool *)timer->data = true;
    ev_break(loop, EVBREAK_ALL);
}

static bool run_for(struct kit *kit, double s)
{
    bool over = false;
    ev_timer timer;
    ev_timer_init(&timer, too_late, s, 0);
    timer.data = &over;
    ev_now_update(kit->loop);
    ev_timer_start(kit->loop, &timer);
    ev_run(kit->loop, 0);
    ev_timer_stop(kit->loop, &timer);
    return over;
}

void kit_run(struct kit *kit)
{
    bool over = run_for(kit, KIT_WITHIN_S);
    cr_assert_not(over, "nothing came within %d s; it said last: %s; qemu: %s", KIT_WITHIN_S,
                  kit->boot, rig_board_said(kit->board));
}

void kit_run_ms(struct kit *kit, uint32_t ms)
{
    run_for(kit, ms / 1000.0);
}

void kit_until(struct kit *kit, const char *wanted)
{
    snprintf(kit->wanted, sizeof kit->wanted, "%s", wanted);
    kit_run(kit);
    kit->wanted[0] = '\0';
}

void kit_read_flash(const struct kit *kit, uint8_t *out)
{
    int fd = open(kit->flash, O_RDONLY | O_CLOEXEC);
    cr_assert_eq(read(fd, out, BOARD_NOR_BYTES), (ssize_t)BOARD_NOR_BYTES);
    close(fd);
}

/* FNV-1a */
uint64_t kit_hash(const struct kit *kit)
{
    static uint8_t flash[BOARD_NOR_BYTES];
    uint64_t hash = 14695981039346656037U;
    kit_read_flash(kit, flash);
    for (size_t i = 0; i < sizeof flash; i++)
        hash = (hash ^ flash[i]) * 1099511628211U;
    return hash;
}

static void read_page(const struct kit *kit, uint32_t number, uint8_t *out)
{
    int fd = open(kit->flash, O_RDONLY | O_CLOEXEC);
    cr_assert_eq(pread(fd, out, PAGE, LOAD_FROM + (number - 1) * PAGE), (ssize_t)PAGE);
    close(fd);
}

bool kit_page_is(const struct kit *kit, uint32_t number)
{
    uint8_t page[PAGE], there[PAGE];
    read_page(kit, number, there);
    for (uint32_t i = 0; i < PAGE; i++)
        page[i] = (uint8_t)(i < 4 ? number >> 8 * i : number * 7 + i);
    return !memcmp(page, there, PAGE);
}

bool kit_page_is_blank(const struct kit *kit, uint32_t number)
{
    uint8_t there[PAGE];
    read_page(kit, number, there);
    for (uint32_t i = 0; i < PAGE; i++)
        if (there[i] != 0xFF)
            return false;
    return true;
}

uint32_t kit_pages(const struct kit *kit)
{
    uint32_t number = 1;
    while (LOAD_FROM + number * PAGE <= BOARD_NOR_BYTES && kit_page_is(kit, number))
        number++;
    return number - 1;
}

unsigned kit_descriptors(void)
{
    unsigned count = 0;
    DIR *folder = opendir("/proc/self/fd");
    cr_assert(folder);
    while (readdir(folder))
        count++;
    closedir(folder);
    return count;
}

double kit_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}
