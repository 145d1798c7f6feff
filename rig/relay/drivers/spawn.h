/* Another program, run for a bounded time: for the driver `command`. */
#ifndef RIG_RELAY_SPAWN_H
#define RIG_RELAY_SPAWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rig_spawned {
    bool started, in_time;
    int exit_code; /* -1: ended by a signal */
    int signal;    /* 0: none */
    int start_errno;
    char line[160]; /* the last line that it wrote to stdout or stderr, printable, cut */
};

/* Runs argv (argv[0] looked up in PATH) in a process group of its own, with stdin from /dev/null
 * and no descriptor of ours; after timeout_ms the whole group is killed. Returns when the program
 * has ended, also when a child of it still holds its output. */
void rig_spawn(struct rig_spawned *out, char *const *argv, uint32_t timeout_ms);

#endif
