/*
 * A child process of the rig: its own group, none of the caller's descriptors but those it is
 * given, signals as at first, and SIGKILL when the thread that started it ends. For any QEMU. One
 * that starts others (a script) can be guarded: then that holds for all of them.
 */
#ifndef RIG_CHILD_H
#define RIG_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { RIG_CHILD_FDS_MAX = 8, RIG_CHILD_FD_FIRST = 3 };

struct rig_child {
    pid_t pid;    /* 0: none */
    int pidfd;    /* readable when it has ended; -1: none */
    bool guarded; /* pid is the guard's */
};

/* With a guard the end of the thread that started the child (of the whole rig by SIGKILL, too) ends
 * also what the child started, whatever group or session that made itself; programs of another user
 * (sudo) excepted. pidfd becomes readable when all of it is gone. */
struct rig_child_guard {
    int hold; /* a descriptor that stays open until then (a lock's); -1: none */
};

struct rig_child_start {
    const char *const *argv; /* NULL at the end; argv[0] is looked for in PATH */
    const int *fds;          /* given to it as 3, 4, ..; the caller closes its own */
    size_t fds_count;
    int said;           /* its standard output and error; -1: /dev/null. Its input is /dev/null */
    const char *folder; /* where it runs; NULL: the caller's */
    const struct rig_child_guard *guard; /* NULL: none */
};

/* 0, or -1 with the reason (also when the program can't be executed). */
int rig_child_start(struct rig_child *child, const struct rig_child_start *start, char *message,
                    size_t len);
/* SIGKILL to its group (to all that it started, where it is guarded), and waits, 5 s for one that
 * the kernel can't end (a hung disk, a frozen cgroup): that one is left behind, and runs no more.
 * Wait status, which is the child's own in either case; 0 if there was none. */
int rig_child_kill(struct rig_child *child);
/* SIGSTOP, or whatever else holds it as a whole; it may go on. */
bool rig_child_is_stopped(const struct rig_child *child);
/* Waits for the end of a child that has ended or is about to; killed after timeout_ms. */
int rig_child_wait(struct rig_child *child, int timeout_ms);

#endif
