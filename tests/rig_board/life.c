/* A board's life: start, straps, resets, ends; and that nothing is left of it. */
#include "../soak/soak.h"
#include "board_internal.h"
#include "kit.h"
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static struct kit kit;

Test(rig_board_life, says_its_first_line_soon_after_power_on)
{
    kit_open(&kit, 0, KIT_IDLE);
    double begun = kit_now_ms();
    kit_on(&kit);
    kit_until(&kit, "BOOT");
    cr_log_info("first line after %.1f ms", kit_now_ms() - begun);
    cr_assert_str_eq(kit.boot, "BOOT cold straps 32 boots 1 last 0");
    kit_close(&kit);
}

Test(rig_board_life, straps_are_seen_and_outlive_reset_and_power)
{
    kit_open(&kit, 0, KIT_IDLE);
    cr_assert_eq(rig_board_strap(kit.board, 0, true), 0);
    cr_assert_eq(rig_board_strap(kit.board, 2, true), 0);
    cr_assert_eq(rig_board_strap(kit.board, 1, true), -1, "the reset line's latch is the rig's");
    cr_assert_eq(rig_board_strap(kit.board, 8, true), -1);
    kit_on(&kit);
    kit_until(&kit, "BOOT");
    cr_assert_eq(kit.straps, 0x25);
    cr_assert_eq(rig_board_reset(kit.board), 0);
    kit_until(&kit, "BOOT");
    cr_assert_eq(kit.straps, 0x27, "the latch is up at a pin reset: %s", kit.boot);
    kit_off(&kit);
    cr_assert_eq(rig_board_strap(kit.board, 0, false), 0);
    kit_on(&kit);
    kit_until(&kit, "BOOT");
    cr_assert_eq(kit.straps, 0x24);
    kit_close(&kit);
}

static void resets_as(int what, enum kit_mode mode, enum rig_reset reset)
{
    kit_open(&kit, what, mode);
    kit_on(&kit);
    while (kit.boots < 6)
        kit_until(&kit, "BOOT");
    cr_assert(kit.warm);
    cr_assert_eq(kit.boots_warm, 6, "SRAM outlives a reset: %s", kit.boot);
    cr_assert_eq(kit.straps, (unsigned)mode << 4);
    cr_assert_eq(kit.resets[reset], 5);
    for (int other = 0; other < 3; other++)
        cr_assert(other == (int)reset || !kit.resets[other]);
    kit_off(&kit);
    kit_on(&kit);
    kit_until(&kit, "BOOT");
    cr_assert_not(kit.warm, "SRAM does not outlive a power cut");
    kit_close(&kit);
}

/* Five in a row, faster than QMP would tell of the watchdog. */
Test(rig_board_life, watchdog_resets_are_told_apart)
{
    resets_as(0, KIT_WATCHDOG, RIG_RESET_WATCHDOG);
}

Test(rig_board_life, watchdog_resets_are_told_apart_on_a_stepped_board)
{
    resets_as(KIT_STEPPED, KIT_WATCHDOG, RIG_RESET_WATCHDOG);
}

Test(rig_board_life, the_firmwares_own_resets_are_told_apart)
{
    resets_as(KIT_TRACED, KIT_RESETS, RIG_RESET_GUEST);
    resets_as(KIT_STEPPED, KIT_RESETS, RIG_RESET_GUEST);
}

Test(rig_board_life, pin_reset_latches_until_the_boot_is_seen)
{
    kit_open(&kit, 0, KIT_IDLE);
    cr_assert_eq(rig_board_reset(kit.board), -1, "it is off");
    kit_on(&kit);
    kit_until(&kit, "BOOT");
    for (uint32_t i = 1; i <= 10; i++) {
        cr_assert_eq(rig_board_reset(kit.board), 0);
        kit_until(&kit, "BOOT");
        cr_assert_eq(kit.straps, 0x22);
        cr_assert_eq(kit.resets[RIG_RESET_PIN], i);
    }
    cr_assert_eq(kit.boots_warm, 11);
    cr_assert_eq(kit.resets[RIG_RESET_GUEST] + kit.resets[RIG_RESET_WATCHDOG], 0);
    kit_close(&kit);
}

Test(rig_board_life, killed_from_outside_is_an_end_with_its_status)
{
    kit_open(&kit, 0, KIT_IDLE);
    for (int i = 0; i < 2; i++) {
        int number = i ? SIGTERM : SIGKILL;
        kit_on(&kit);
        kit_until(&kit, "BOOT");
        kill(rig_board_pid(kit.board), number);
        kit_run(&kit);
        cr_assert_eq(kit.ends, (unsigned)i + 1);
        cr_assert(WIFSIGNALED(kit.status));
        cr_assert_eq(rig_board_pid(kit.board), 0);
    }
    kit_close(&kit);
}

Test(rig_board_life, one_that_is_stopped_from_outside_is_seen_to_be)
{
    kit_open(&kit, 0, KIT_IDLE);
    cr_assert_not(rig_board_is_stopped(kit.board), "it is off");
    kit_on(&kit);
    kit_until(&kit, "BOOT");
    cr_assert_not(rig_board_is_stopped(kit.board));
    kill(rig_board_pid(kit.board), SIGSTOP);
    for (int i = 0; i < 60000 && !rig_board_is_stopped(kit.board); i++)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    cr_assert(rig_board_is_stopped(kit.board));
    kill(rig_board_pid(kit.board), SIGCONT);
    for (int i = 0; i < 60000 && rig_board_is_stopped(kit.board); i++)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    cr_assert_not(rig_board_is_stopped(kit.board));
    kit_close(&kit);
}

static bool put(const char *folder, const char *name, const char *text)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "we");
    return file && fputs(text, file) >= 0 && !fclose(file);
}

/* As one that waits for a hung disk. Where there is such a cgroup (version 1), and we may. */
Test(rig_board_life, one_that_the_kernel_can_not_end_holds_nobody_up)
{
    char folder[64], pid[16];
    snprintf(folder, sizeof folder, "/sys/fs/cgroup/freezer/brickyard-%d", (int)getpid());
    if (mkdir(folder, 0700))
        cr_skip_test("no freezer");
    kit_open(&kit, 0, KIT_IDLE);
    kit_on(&kit);
    kit_until(&kit, "BOOT");
    pid_t qemu = rig_board_pid(kit.board);
    snprintf(pid, sizeof pid, "%d", (int)qemu);
    bool frozen = put(folder, "cgroup.procs", pid) && put(folder, "freezer.state", "FROZEN");
    if (!frozen) {
        put(folder, "freezer.state", "THAWED");
        kit_close(&kit);
        rmdir(folder);
        cr_skip_test("no freezer");
    }
    kit.board->config.stop_within_ms = 500;
    kit_off(&kit);
    put(folder, "freezer.state", "THAWED");
    cr_assert_eq(waitpid(qemu, NULL, 0), qemu, "it was left behind, and ends now");
    rmdir(folder);
    kit_on(&kit);
    kit_until(&kit, "BOOT");
    kit_close(&kit);
}

Test(rig_board_life, what_is_missing_is_named)
{
    char message[256];
    struct rig_board *board;
    kit_open(&kit, 0, KIT_IDLE);
    struct rig_board_config config = {.loop = kit.loop, .rom = LOAD_ELF, .flash = "/nowhere/nor"};
    cr_assert_eq(rig_board_create(&board, &config, message, sizeof message), 0);
    cr_assert_eq(rig_board_power_on(board, message, sizeof message), -1);
    cr_assert(strstr(message, "/nowhere/nor"), "%s", message);
    rig_board_free(board);
    config.flash = kit.flash, config.qemu = "qemu-system-nowhere";
    cr_assert_eq(rig_board_create(&board, &config, message, sizeof message), 0);
    cr_assert_eq(rig_board_power_on(board, message, sizeof message), -1);
    cr_assert(strstr(message, "qemu-system-nowhere can't be started"), "%s", message);
    rig_board_free(board);
    config.qemu = NULL, config.rom = kit.flash; /* no ELF: QEMU ends by itself, or runs nothing */
    cr_assert_eq(truncate(kit.flash, BOARD_NOR_BYTES - 1), 0);
    cr_assert_eq(rig_board_create(&board, &config, message, sizeof message), 0);
    cr_assert_eq(rig_board_power_on(board, message, sizeof message), -1);
    cr_assert(strstr(message, "exactly 1048576 bytes"), "%s", message);
    rig_board_free(board);
    kit_close(&kit);
}

Test(rig_board_life, what_qemu_says_before_it_ends_is_kept)
{
    kit_open(&kit, 0, KIT_IDLE);
    struct rig_board *own = kit.board;
    struct rig_board_config config = {.loop = kit.loop, .rom = "/bin/sh", .flash = kit.flash};
    char message[256];
    config.qemu = "/bin/false";
    cr_assert_eq(rig_board_create(&kit.board, &config, message, sizeof message), 0);
    cr_assert_eq(rig_board_power_on(kit.board, message, sizeof message), 0, "%s", message);
    for (int i = 0; i < 1200 && rig_board_is_on(kit.board); i++)
        kit_run_ms(&kit, 50);
    cr_assert_not(rig_board_is_on(kit.board));
    rig_board_free(kit.board);
    config.qemu = NULL, config.rom = "/etc/passwd";
    cr_assert_eq(rig_board_create(&kit.board, &config, message, sizeof message), 0);
    cr_assert_eq(rig_board_power_on(kit.board, message, sizeof message), 0, "%s", message);
    kit_run_ms(&kit, 500);
    cr_log_info("qemu said: %s", rig_board_said(kit.board));
    rig_board_free(kit.board);
    kit.board = own;
    kit_close(&kit);
}

Test(rig_board_life, no_descriptor_is_lost_over_cycles)
{
    kit_open(&kit, KIT_STEPPED | KIT_TRACED, KIT_IDLE);
    unsigned before = kit_descriptors();
    for (int i = 0; i < (int)soak(10, 50); i++) {
        kit_on(&kit);
        if (i % 5 == 0) /* at every moment of a start, too */
            kit_until(&kit, "BOOT");
        else
            kit_run_ms(&kit, (uint32_t)i % 5 * 12);
        kit_off(&kit);
        cr_assert_eq(kit_descriptors(), before);
    }
    kit_close(&kit);
}

/* The caller's descriptors are none of QEMU's. */
Test(rig_board_life, inherits_nothing)
{
    char path[64];
    kit_open(&kit, KIT_STEPPED | KIT_TRACED, KIT_IDLE);
    int leaky = dup(0); /* without close-on-exec */
    cr_assert_geq(leaky, 0);
    cr_assert_eq(dup2(leaky, 200), 200);
    kit_on(&kit);
    kit_until(&kit, "BOOT");
    snprintf(path, sizeof path, "/proc/%d/fd/200", (int)rig_board_pid(kit.board));
    cr_assert_neq(access(path, F_OK), 0);
    kit_close(&kit);
}

Test(rig_board_life, qemu_dies_with_whoever_started_it)
{
    int told[2];
    pid_t qemu = 0;
    cr_assert_eq(pipe(told), 0);
    prctl(PR_SET_CHILD_SUBREAPER, 1); /* before QEMU can lose who started it */
    pid_t child = fork();
    if (!child) {
        kit_open(&kit, 0, KIT_IDLE);
        kit_on(&kit);
        kit_until(&kit, "BOOT");
        qemu = rig_board_pid(kit.board);
        if (write(told[1], &qemu, sizeof qemu) != sizeof qemu)
            _exit(1);
        kill(getpid(), SIGKILL); /* as a failing test ends */
    }
    cr_assert_eq(read(told[0], &qemu, sizeof qemu), (ssize_t)sizeof qemu);
    int status;
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert_eq(waitpid(qemu, &status, 0), qemu); /* ours now, and ended */
    cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

Test(rig_board_life, two_boards_live_at_once)
{
    static struct kit other;
    kit_open(&kit, KIT_TRACED, KIT_PAGES_FAST);
    kit_open(&other, KIT_STEPPED, KIT_PAGES_FAST);
    struct ev_loop *own = other.loop;
    kit_on(&kit);
    kit_on(&other);
    for (int i = 0; i < 20 || (i < 1000 && (kit.done <= 10 || other.done <= 10)); i++) {
        kit_run_ms(&kit, 20);
        kit_run_ms(&other, 20);
    }
    cr_assert_eq(other.loop, own);
    kit_off(&kit);
    kit_off(&other);
    cr_assert_gt(kit.done, 10);
    cr_assert_gt(other.done, 10);
    cr_assert_geq(kit_pages(&kit), kit.done);
    cr_assert_geq(kit_pages(&other), other.done);
    kit_close(&other);
    kit_close(&kit);
}
