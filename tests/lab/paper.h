/*
 * A board of paper: the lab's program for the board (rig/lab/board) in a process of this host, its
 * NOR a mapped file with NOR's rules, its crypto OpenSSL. What is tested with it is the lab's host
 * side and the program's own code, under the sanitizers too; QEMU and the driver are not.
 */
#ifndef TESTS_LAB_PAPER_H
#define TESTS_LAB_PAPER_H

#include "rig/lab.h"
#include <sys/types.h>

enum paper_fault {
    PAPER_SOUND,
    PAPER_DROPS_LAST_BYTE, /* of each page */
    PAPER_SKIPS_LAST_PAGE, /* of a program of more than one */
    PAPER_ERASES_HALF,
    PAPER_WRITES_ON, /* one byte behind the page is cleared too */
    PAPER_READS_WRONG,
    PAPER_REFUSES,     /* the driver fails an operation */
    PAPER_ACCEPTS_ALL, /* every signature fits */
    PAPER_HANGS_UP,    /* the process ends in the middle */
    PAPER_RESETS,      /* by a fault, say, in the middle */
    PAPER_BABBLES,     /* no frames */
};

struct paper {
    struct rig_lab_machine machine;
    enum paper_fault fault;
    int line;
    pid_t pid;
    char last[32];
};
/* Aborts without memory. */
void paper_init(struct paper *paper, enum paper_fault fault);
void paper_free(struct paper *paper);

#endif
