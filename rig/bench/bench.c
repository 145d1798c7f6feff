/*
 * brickyard-bench-boards: what the QEMU boards' programs take, and how long a board takes to its
 * first line, to its firmware, for its verification, and to lose its power. Prints; asserts
 * nothing. Times are the host's while it emulates; they say nothing of silicon.
 */
#include "flash.h"
#include "rig/board.h"
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ROUNDS = 20, WAIT_S = 10 };
enum { FOLDER_MAX = 1024, FILE_MAX = FOLDER_MAX + 64 };

enum moment { FIRST_LINE, BOOTED, FIRMWARE, MOMENTS };

struct boots {
    struct ev_loop *loop;
    struct rig_board *board;
    double begin_s, at_s[MOMENTS];
    double verify_s, copy_s;
    bool ended;
};

static void timed_out(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)events, (void)timer;
    ev_break(loop, EVBREAK_ONE);
}

static double number_in(const char *line, const char *key)
{
    const char *at = strstr(line, key);
    return at ? strtod(at + strlen(key), NULL) : 0;
}

static void console(void *ctx, const char *line)
{
    static const char *const mark[MOMENTS] = {" event=rom", " event=boot", " event=firmware"};
    struct boots *boots = ctx;
    for (int m = 0; m < MOMENTS; m++)
        if (!boots->at_s[m] && strstr(line, mark[m]))
            boots->at_s[m] = ev_time() - boots->begin_s;
    if (strstr(line, mark[BOOTED])) {
        boots->verify_s = number_in(line, "verify_us=") / 1e6;
        boots->copy_s = number_in(line, "copy_us=") / 1e6;
    }
    if (boots->at_s[FIRMWARE])
        ev_break(boots->loop, EVBREAK_ONE);
}

static void nothing(void *ctx, const void *bytes, size_t len)
{
    (void)ctx, (void)bytes, (void)len;
}

static void ended(void *ctx, int status)
{
    struct boots *boots = ctx;
    (void)status;
    boots->ended = true;
    ev_break(boots->loop, EVBREAK_ONE);
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void print_ms(double value[ROUNDS])
{
    qsort(value, ROUNDS, sizeof *value, by_size);
    printf("  %5.0f /%5.0f /%5.0f", value[0] * 1e3, value[ROUNDS / 2] * 1e3,
           value[ROUNDS - 1] * 1e3);
}

/* One boot, and its power taken away again. */
static int one_boot(struct boots *boots, char *message, size_t len)
{
    struct ev_timer guard;
    memset(boots->at_s, 0, sizeof boots->at_s);
    boots->begin_s = ev_time();
    if (rig_board_power_on(boots->board, message, len))
        return -1;
    ev_timer_init(&guard, timed_out, WAIT_S, 0);
    ev_now_update(boots->loop);
    ev_timer_start(boots->loop, &guard);
    ev_run(boots->loop, 0);
    ev_timer_stop(boots->loop, &guard);
    rig_board_power_off(boots->board);
    if (boots->at_s[FIRMWARE])
        return 0;
    snprintf(message, len, "the firmware did not start within %d s%s%s", WAIT_S,
             boots->ended ? "; QEMU said: " : "", boots->ended ? rig_board_said(boots->board) : "");
    return -1;
}

static int put_file(const char *path, const struct bench_flash *flash)
{
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool whole = fd >= 0 && write(fd, flash->nor, sizeof flash->nor) == (ssize_t)sizeof flash->nor;
    return (fd >= 0 && close(fd)) || !whole ? -1 : 0;
}

static int measure(struct boots *boots, const struct bench_flash *flash, char *message, size_t len)
{
    double moment[MOMENTS][ROUNDS], verify[ROUNDS], copy[ROUNDS], off[ROUNDS];
    struct rig_board_facts facts;
    double begin_s = ev_time();
    for (int round = 0; round < ROUNDS; round++) {
        if (one_boot(boots, message, len))
            return -1;
        rig_board_facts(boots->board, &facts);
        for (int m = 0; m < MOMENTS; m++)
            moment[m][round] = boots->at_s[m];
        verify[round] = boots->verify_s;
        copy[round] = boots->copy_s;
        off[round] = (double)facts.power_off_us / 1e6;
    }
    double cycles = ROUNDS / (ev_time() - begin_s);
    printf("%7u", flash->image_bytes);
    print_ms(moment[FIRST_LINE]);
    print_ms(moment[FIRMWARE]);
    print_ms(verify);
    print_ms(copy);
    print_ms(off);
    printf("  %6.1f  %7.2f  %6.1f\n", cycles, flash->host_verify_s * 1e3,
           verify[ROUNDS / 2] / flash->host_verify_s);
    return 0;
}

static int run_size(const char *folder, const char *name)
{
    char path[FILE_MAX];
    int status;
    snprintf(path, sizeof path, "%s/%s.elf", folder, name);
    fflush(stdout);
    pid_t pid = fork();
    if (!pid) {
        execlp("arm-none-eabi-size", "arm-none-eabi-size", path, (char *)NULL);
        _exit(127);
    }
    return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status)
                                                                           : -1;
}

static int print_sizes(const char *folder)
{
    static const char *const program[] = {"rom", "pump-2.3.1.app", "pump-2.4.0.app", "lab"};
    printf("\nQEMU boards (ast1030-evb): bytes by arm-none-eabi-size; the bootloader is `rom`, at "
           "most "
           "65536\n\n");
    for (size_t i = 0; i < sizeof program / sizeof *program; i++)
        if (run_size(folder, program[i])) {
            fprintf(stderr, "brickyard-bench-boards: %s/%s.elf: arm-none-eabi-size failed\n",
                    folder, program[i]);
            return -1;
        }
    return 0;
}

static int print_boots(const char *folder, const char *file, char *message, size_t len)
{
    static const uint32_t size[] = {0, 256 * 1024};
    static struct bench_flash flash;
    char rom[FILE_MAX], image[FILE_MAX];
    struct boots boots = {.loop = ev_loop_new(EVFLAG_AUTO)};
    snprintf(rom, sizeof rom, "%s/rom.elf", folder);
    snprintf(image, sizeof image, "%s/pump-2.3.1.bin", folder);
    const struct rig_board_config config = {
        .loop = boots.loop,
        .rom = rom,
        .flash = file,
        .events = {.console = console, .link = nothing, .ended = ended},
        .ctx = &boots};
    if (!boots.loop || rig_board_create(&boots.board, &config, message, len))
        return -1;
    printf("\n%d power cycles each; ms, least / median / most of this host's clock. ratio: the "
           "board's "
           "verification to the host's own by the same library (BearSSL)\n\n",
           ROUNDS);
    printf("%7s  %19s  %19s  %19s  %19s  %19s  %6s  %7s  %6s\n", "image", "first line", "firmware",
           "verify", "copy and proof", "power off", "cyc/s", "host ms", "ratio");
    int error = 0;
    for (size_t i = 0; i < sizeof size / sizeof *size && !error; i++)
        error = bench_flash_make(&flash, image, size[i], message, len) || put_file(file, &flash) ||
                measure(&boots, &flash, message, len);
    rig_board_free(boots.board);
    ev_loop_destroy(boots.loop);
    return error;
}

int main(void)
{
    char self[FOLDER_MAX - 16] = "", folder[FOLDER_MAX], message[512] = "",
                           file[] = "/tmp/bench-nor-XXXXXX";
    if (readlink("/proc/self/exe", self, sizeof self - 1) < 0)
        return 1;
    snprintf(folder, sizeof folder, "%s/../board", dirname(self));
    int fd = mkstemp(file);
    if (fd < 0 || close(fd)) {
        fprintf(stderr, "brickyard-bench-boards: %s: %s\n", file, strerror(errno));
        return 1;
    }
    int error = print_sizes(folder) || print_boots(folder, file, message, sizeof message);
    if (*message)
        fprintf(stderr, "brickyard-bench-boards: %s\n", message);
    unlink(file);
    return error ? 1 : 0;
}
