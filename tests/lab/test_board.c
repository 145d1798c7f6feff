/* The lab on QEMU's board: histories are the same in both worlds, and a faulty driver is found. */
#include "../soak/soak.h"
#include "histories.h"
#include "qemu_lab.h"
#include "replaying.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static struct qemu_lab at;

static void away(void)
{
    qemu_lab_end(&at);
}

TestSuite(lab_board, .fini = away);

/* Every third; in a soak all of them. Two tests, because two run at once. */
static void every(int from)
{
    int count = 0, step = 2 * (int)soak(3, 1);
    qemu_lab_start(&at, "lab.elf");
    for (int i = from; i < HISTORIES_ON_QEMU; i += step, count++)
        replaying_equal(at.lab, histories[i]);
    const struct rig_lab_counts *counts = rig_lab_counts(at.lab);
    fprintf(stderr, "lab: %d histories, %u sessions, %llu operations, %llu reads, %u power-ons\n",
            count, counts->sessions, (unsigned long long)counts->operations,
            (unsigned long long)counts->reads, counts->power_ons);
    cr_expect_gt(counts->sessions, (uint32_t)(4 * count));
    cr_expect_gt(counts->operations, (uint64_t)(100 * count));
    cr_expect_gt(counts->resets, (uint32_t)count / 2);
}

Test(lab_board, histories_are_the_same_in_both_worlds)
{
    every(0);
}

Test(lab_board, further_histories_are_the_same_in_both_worlds)
{
    every(1);
}

Test(lab_board, histories_by_seed_are_the_same_in_both_worlds)
{
    qemu_lab_start(&at, "lab.elf");
    replaying_by_seed(at.lab, 2);
}

Test(lab_board, a_faulty_driver_is_found)
{
    static const struct {
        const char *program, *says;
    } row[] = {
        {"lab_canary_1.elf", "the flash holds ff at 0x120ff on the board, ef in the simulator"},
        {"lab_canary_2.elf", "the flash holds ff at 0x15f00 on the board"},
        {"lab_canary_3.elf", "the board reads something else at 0xd2000"},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        char *told;
        qemu_lab_start(&at, row[i].program);
        int code = replaying(at.lab, "0.update/n1/nothing@1", &told);
        cr_expect_eq(code, 3, "%s: %d\n%s", row[i].program, code, told);
        cr_expect(strstr(told, row[i].says), "%s\n%s", row[i].program, told);
        free(told);
        qemu_lab_end(&at);
    }
}

/* QEMU locks its flash file for as long as it lives. */
static bool is_locked(const char *file)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int fd = open(file, O_RDWR | O_CLOEXEC);
    cr_assert_geq(fd, 0, "%s", file);
    cr_assert_eq(fcntl(fd, F_OFD_GETLK, &lock), 0);
    close(fd);
    return lock.l_type != F_UNLCK;
}

static bool becomes_locked(const char *file, bool wanted)
{
    for (int i = 0; i < 10000 && is_locked(file) != wanted; i++)
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    return is_locked(file) == wanted;
}

/* Switches a lab on, tells where, and waits to be killed. */
static _Noreturn void own_a_lab(int told)
{
    char what[128];
    struct qemu_lab mine;
    qemu_lab_start(&mine, "lab.elf");
    const struct rig_lab_machine *machine = rig_lab_qemu_machine(mine.board);
    if (machine->power_on(machine->ctx, what, sizeof what) ||
        write(told, mine.folder, sizeof mine.folder) != sizeof mine.folder)
        _exit(1);
    for (;;)
        machine->read(machine->ctx, what, sizeof what, 1000);
}

Test(lab_board, ends_with_its_owner)
{
    int line[2];
    char folder[sizeof at.folder], file[sizeof at.folder + 16];
    cr_assert_eq(pipe(line), 0);
    pid_t owner = fork();
    if (owner == 0)
        own_a_lab(line[1]);
    cr_assert_eq(read(line[0], folder, sizeof folder), sizeof folder);
    snprintf(file, sizeof file, "%s/flash.bin", folder);
    cr_expect(becomes_locked(file, true));
    kill(owner, SIGKILL);
    waitpid(owner, NULL, 0);
    cr_expect(becomes_locked(file, false));
    unlink(file);
    rmdir(folder);
    close(line[0]);
    close(line[1]);
}
