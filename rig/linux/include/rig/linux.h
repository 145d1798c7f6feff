/*
 * The Linux board: QEMU's arm64 `virt` with Debian's kernel, busybox and ota-agent
 * (rig/linux/make.sh), its flash and its records on virtio disks, an i6300esb watchdog and a
 * network that reaches the host's loopback at 10.0.2.2. Its process, power, console, planned cuts
 * and torn forms, on the caller's libev loop; several in a process, one thread. After SIGKILL of
 * the caller no QEMU is left. NULL is misuse unless a line allows it. Functions that return int: 0,
 * or -1 with the reason in message.
 *
 * Power off is QMP `stop` (what the guest submitted to a disk is drained into its file), SIGKILL,
 * wait. The guest's page cache goes with its power. What survives: the two files, and the log of
 * writes that QEMU keeps of the flash for as long as power is on, from which rig_linux_tear knows
 * what an operation has overwritten.
 */
#ifndef RIG_LINUX_H
#define RIG_LINUX_H

#include "boot/flash.h"
#include "rig/board.h"
#include "scn/scenario.h"

struct rig_linux;

/* A planned cut has come. */
struct rig_linux_cut {
    int64_t asked_us,
        got_us; /* from the line, or from the plan, to the cut: as asked, as it came */
    bool clean; /* QEMU stopped in time, so that nothing submitted is lost */
};

/* Called from the loop; console also from rig_linux_power_off, for what was said before. May call
 * every function but rig_linux_free. */
struct rig_linux_events {
    void (*console)(void *ctx, const char *line); /* as rig_board_events.console */
    void (*reset)(void *ctx, enum rig_reset reset);
    void (*cut)(void *ctx, const struct rig_linux_cut *cut); /* it is off, nothing is torn yet */
    void (*ended)(void *ctx,
                  int status); /* QEMU ended by itself (the guest powered off): wait status */
};

struct rig_linux_config { /* borrowed until rig_linux_free */
    struct ev_loop *loop;
    const char *qemu; /* NULL: qemu-system-aarch64, by PATH */
    const char *kernel, *initramfs;
    const char *flash;   /* file of the layout's size, a multiple of 512 */
    const char *records; /* file of AGENT_RECORDS_BYTES (flash_file/op.h) */
    const char *config;  /* a tar archive: the guest's /etc/ota; agent.yaml in it is the agent's */
    const char *folder;  /* there, for the log of writes and the flash as it was at power on */
    const struct boot_layout *layout;
    /* To the flash, at most: a medium as slow as a real one, so that a cut hits operations. An
     * erase or a program of 4 KiB is one write. 0: as fast as the host is. */
    uint32_t writes_per_s;
    uint32_t memory_mb; /* 0: 192 */
    struct rig_linux_events events;
    void *ctx;
};

int rig_linux_create(struct rig_linux **out, const struct rig_linux_config *config, char *message,
                     size_t len);
void rig_linux_free(struct rig_linux *board); /* powers off; NULL allowed */

int rig_linux_power_on(struct rig_linux *board, char *message, size_t len);
/* Abrupt; a planned cut is forgotten. Everything that it said before is delivered before this
 * returns. False: QEMU did not stop in time, and what the guest submitted may be lost. */
bool rig_linux_power_off(struct rig_linux *board);
bool rig_linux_is_on(const struct rig_linux *board);
pid_t rig_linux_pid(const struct rig_linux *board); /* 0: off */
int rig_linux_reset(struct rig_linux *board);       /* the reset line. -1: it is off */

/* Power off so long after the next console line that holds marker (copied, at most 127 bytes; NULL:
 * after now), once. Replaces the plan before it; one marker, one cut. */
void rig_linux_plan(struct rig_linux *board, const char *marker, uint32_t delay_us);

/*
 * While it is off: the operation that the agent last noted on the records' disk. False: none. Not
 * ended: it was in progress, as far as its device is concerned: all, a part or nothing of it may be
 * in the flash file, and the agent has built nothing on it.
 */
bool rig_linux_last_op(const struct rig_linux *board, struct rig_op *op, bool *ended);

/* What was done to the operation that power went in. */
struct rig_linux_torn {
    bool hit;         /* one was in progress; the rest is about it */
    bool rewound;     /* its writes had come to the disk; what they overwrote was put back before */
    bool changed;     /* the file holds something else than before this call */
    struct rig_op op; /* data NULL */
    enum scn_torn form;
};
/* After a power off, once, before the next power on: the operation in progress is left in the flash
 * file as this form leaves it in the simulator's cells, unstable bits as one reading. ANY is drawn.
 * Chance is drawn from (seed, operation). */
int rig_linux_tear(struct rig_linux *board, enum scn_torn form, uint64_t seed,
                   struct rig_linux_torn *out, char *message, size_t len);

#endif
