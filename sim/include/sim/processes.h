/*
 * The process world: the ground (ground.h) on which every device is a real `ota-agent` process with
 * a flash file of its own, which the campaign service reaches through the broker alone. A power cut
 * is SIGKILL; the operation that it hit is torn in the file before the device is started again.
 *
 * Each daemon stops itself before each flash operation (flash.step) and is continued after the time
 * that the part takes, so that every operation is seen before it is done: by the faults, which aim
 * at it, and by the oracle. The clock is the wall's, as in loopback.h; there is no digest.
 *
 * One thread. NULL is misuse unless a line allows it. After SIGKILL of the caller no daemon and no
 * server is left (PR_SET_PDEATHSIG); the folder is.
 */
#ifndef SIM_PROCESSES_H
#define SIM_PROCESSES_H

#include "sim/ground.h"

struct sim_processes;

/* program: the daemon; NULL: `ota-agent` beside the running program. Borrowed, with scn, until
 * sim_processes_free. 0 or -1 (no memory). */
int sim_processes_create(struct sim_processes **out, const struct scn *scn, const char *program);
void sim_processes_free(struct sim_processes *processes); /* NULL allowed */
const struct sim_ground *sim_processes_ground(struct sim_processes *processes);

/* What of a scenario can't be done to a process. 0, or -1 with where it stands, what it is, and
 * what is accepted. */
int sim_processes_refuse(const struct scn *scn, char *message, size_t len);

/* What this machine can carry; the sums of preflight.c. */
struct sim_processes_need {
    uint32_t devices;
    uint32_t through_proxy; /* of them, at the most */
    uint64_t flash_bytes;   /* of one device */
};
/* 0, or -1 with what is too small, the most devices that would do, and what to change. */
int sim_processes_preflight(const struct sim_processes_need *need, char *message, size_t len);

/*
 * Leaves this call, cut so, in flash (sim_flash_apply) and then in the file: the sectors that it
 * touches are written from flash. A file keeps no unstable bits: each is given one reading, drawn
 * from `reading`, in flash too. 0, or -1 with errno (the file can't be written).
 */
int sim_processes_tear(struct sim_flash *flash, int fd, const struct sim_flash_call *call,
                       const struct sim_flash_cut *cut, struct sim_rng *reading);

#endif
