/* A process between the rig and a program that must not outlive it, nor may anything that it
 * started. Not a public header: rig/child.h. */
#ifndef RIG_BOARD_GUARD_H
#define RIG_BOARD_GUARD_H

#include <sys/types.h>

/* In a fresh fork with all signals blocked. Returns only in the program's process, with the guard's
 * number, its parent; -1: it can't be guarded, errno says why. The guard itself ends everything,
 * and then as the program ended, when that has ended, when the thread that forked it has (rig is
 * its process), or at SIGTERM. It has none of the descriptors but `hold` (-1: none). */
pid_t rig_guard_become(int hold, pid_t rig);

#endif
