/*
 * A TCP connection made in a thread of its own, so that a host that does not answer, or a name
 * server, does not hold up the loop. One at a time; RIG_DIAL_MS at most, the look-up of the name
 * not counted in.
 */
#ifndef RIG_CONSOLE_DIAL_H
#define RIG_CONSOLE_DIAL_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

enum { RIG_DIAL_MS = 3000 };
struct rig_dial;

/* host is copied. wake is sent on loop when it is over. NULL: no memory or no thread. */
struct rig_dial *rig_dial_begin(const char *host, uint16_t port, struct ev_loop *loop,
                                ev_async *wake);
/* False: it still dials. True: it is over and freed; *fd is the caller's, or -1. */
bool rig_dial_take(struct rig_dial *dial, int *fd);
/* The thread ends by itself and touches neither loop nor wake any more. NULL allowed. */
void rig_dial_abandon(struct rig_dial *dial);

#endif
