#include "qemu_lab.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void qemu_lab_start(struct qemu_lab *out, const char *program)
{
    char rom[512], message[256] = "";
    memset(out, 0, sizeof *out);
    snprintf(out->folder, sizeof out->folder, "/tmp/test-lab-XXXXXX");
    cr_assert(mkdtemp(out->folder));
    snprintf(rom, sizeof rom, "%s/%s", BOARD_PROGRAMS, program);
    cr_assert_eq(access(rom, R_OK), 0, "%s", rom);
    cr_assert_eq(rig_lab_qemu_create(&out->board, NULL, rom, out->folder, message, sizeof message),
                 0, "%s", message);
    cr_assert_eq(rig_lab_create(&out->lab, rig_lab_qemu_machine(out->board)), 0);
}

void qemu_lab_end(struct qemu_lab *out)
{
    rig_lab_free(out->lab);
    rig_lab_qemu_free(out->board);
    rmdir(out->folder);
    out->lab = NULL;
    out->board = NULL;
}
