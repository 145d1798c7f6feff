/*
 * The reset record: 32 bytes beside the flash that stand for a controller's reset-cause register,
 * which a process does not have. It says "running" while the process runs; who ends in order writes
 * how, so that "running" at the next start means a sudden end: a power loss. Also counts the
 * faults, and those that telemetry has not told yet. Drawn in agent/flash_file/FORMAT.md.
 *
 * agent_reset_write is safe in a signal handler. NULL is misuse. Survives SIGKILL (page cache); if
 * synced, a power cut of the machine too.
 */
#ifndef FLASH_FILE_RESET_H
#define FLASH_FILE_RESET_H

#include "boot/config.h"

enum { AGENT_RESET_BYTES = 32 };

enum agent_end {
    AGENT_END_RUNNING,    /* the next start is a power-on */
    AGENT_END_SOFTWARE,   /* the agent asked for a reboot */
    AGENT_END_STOPPED,    /* SIGTERM or SIGINT */
    AGENT_END_WATCHDOG,   /* the watchdog bit */
    AGENT_END_HARD_FAULT, /* a crash */
    AGENT_ENDS
};
const char *agent_end_name(int end);                 /* "running"; never NULL */
enum boot_reset agent_end_reset(enum agent_end end); /* what the bootloader is told */

struct agent_reset {
    enum agent_end end;
    uint32_t faults; /* watchdog resets and hard faults that no telemetry has told yet */
    uint32_t boots;  /* starts since the record was made */
    uint32_t total;  /* watchdog resets and hard faults since then, told or not */
};

/* One more fault. */
void agent_reset_count(struct agent_reset *reset);

void agent_reset_encode(uint8_t out[AGENT_RESET_BYTES], const struct agent_reset *reset);
/* Any 32 bytes. False (out zeroed) unless magic, end and CRC are right. */
bool agent_reset_decode(struct agent_reset *out, const uint8_t in[AGENT_RESET_BYTES]);

/* Opens or makes the record; *fd stays open and is the caller's. No valid record: all zero (a
 * power-on). synced: what is written is on the medium before the write ends. -1 with errno. */
int agent_reset_open(const char *path, bool synced, int *fd, struct agent_reset *out);
int agent_reset_write(int fd, const struct agent_reset *reset); /* -1: failed */

#endif
