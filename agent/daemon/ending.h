/*
 * How the process ends as a device does: the software watchdog, crashes, and the reboot by exec.
 * Signal handlers have no argument, so that what they need is the one static of the daemon; there
 * is one device in a process. Everything a handler calls is async-signal-safe.
 */
#ifndef DAEMON_ENDING_H
#define DAEMON_ENDING_H

#include "flash_file/reset.h"

/*
 * From here on a crash (SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT) is noted as a hard fault and ends
 * the process as it would have; argv is borrowed for ever. 0, or -1.
 */
int agent_ending_install(int reset_fd, const struct agent_reset *running, char **argv);
/* What is counted has changed. */
void agent_ending_update(const struct agent_reset *running);

/*
 * Arms the watchdog: unless kicked within so many milliseconds the process notes a watchdog reset
 * and starts itself anew. device: path of a hardware watchdog that is fed by the same kicks, "" for
 * none; it must be able to wait as long. 0, or -1 with errno.
 */
int agent_watchdog_arm(uint32_t within_ms, const char *device);
void agent_watchdog_kick(void);
/* A clean end: also tells the hardware that nobody will kick it any more. */
void agent_watchdog_disarm(void);

/* Notes this end and executes the program again, with nothing of RAM or open files kept. Returns
 * only when that fails. */
void agent_ending_reboot(enum agent_end end);
/* Notes this end. */
void agent_ending_note(enum agent_end end);

/* At the very start: what an exec inherits from a handler is set right, and orders are held. */
void agent_ending_inherit(void);
/* Holds SIGTERM, SIGINT, SIGHUP and SIGUSR1 back, also across an exec, or lets them come: they must
 * neither hit a boot's flash operation nor get lost between two images of the process. */
void agent_ending_hold(bool hold);

#endif
