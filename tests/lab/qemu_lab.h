/* A lab on QEMU in a folder of its own, for tests; a failure ends the test. */
#ifndef TESTS_LAB_QEMU_LAB_H
#define TESTS_LAB_QEMU_LAB_H

#include "rig/lab.h"

struct qemu_lab {
    char folder[64];
    struct rig_lab_qemu *board;
    struct rig_lab *lab;
};
/* program: "lab.elf", below the build's board folder. */
void qemu_lab_start(struct qemu_lab *out, const char *program);
void qemu_lab_end(struct qemu_lab *out);

#endif
