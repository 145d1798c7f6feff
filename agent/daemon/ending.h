/*
 * How the process ends as a device does: the software watchdog, crashes, and the reboot by exec.
 * Signal handlers have no argument, so that what they need is the one static of the daemon; there
 * is one device in a process. Everything a handler calls is async-signal-safe.
 */
#ifndef DAEMON_ENDING_H
#define DAEMON_ENDING_H

#include "flash_file/reset.h"

/*
 * reboot_code: what a reboot ends the process with, for who restarts the machine; -1: it executes
 * the program again. From here on a crash (SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT) is noted as a
 * hard fault and ends the process as it would have; argv is borrowed for ever. 0, or -1.
 */
int agent_ending_install(int reset_fd, const struct agent_reset *running, char **argv,
                         int reboot_code);
/* What is counted has changed. */
void agent_ending_update(const struct agent_reset *running);

/*
 * Opens a hardware watchdog, which runs from here on and is fed by the same kicks; it must be able
 * to wait so many milliseconds. *bit: it reset the machine before this boot. 0, or -1 with errno.
 */
int agent_watchdog_open(uint32_t within_ms, const char *device, bool *bit);
/*
 * Arms the watchdog of the process: unless kicked within so many milliseconds it notes a watchdog
 * reset and reboots. Where a reboot is the machine's and its hardware watchdog runs, that one is
 * left to bite alone. 0, or -1 with errno.
 */
int agent_watchdog_arm(uint32_t within_ms);
void agent_watchdog_kick(void);
/* A clean end: also tells the hardware that nobody will kick it any more. */
void agent_watchdog_disarm(void);

/* Notes this end and executes the program again, with nothing of RAM or open files kept, or exits
 * with reboot_code, the hardware watchdog running. Returns only when that fails. */
void agent_ending_reboot(enum agent_end end);
/* Notes this end. */
void agent_ending_note(enum agent_end end);

/* At the very start: what an exec inherits from a handler is set right, and orders are held. */
void agent_ending_inherit(void);
/* Holds SIGTERM, SIGINT, SIGHUP and SIGUSR1 back, also across an exec, or lets them come: they must
 * neither hit a boot's flash operation nor get lost between two images of the process. */
void agent_ending_hold(bool hold);

#endif
