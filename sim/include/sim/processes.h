/*
 * The process world: the stepped ground (stepped.h) on which every device is a real `ota-agent`
 * process with a flash file of its own. A power cut is SIGKILL. Each daemon stops itself before
 * each flash operation (flash.step) and is continued after the time that the part takes.
 *
 * One thread. NULL is misuse unless a line allows it. After SIGKILL of the caller no daemon and no
 * server is left (PR_SET_PDEATHSIG); the folder is.
 */
#ifndef SIM_PROCESSES_H
#define SIM_PROCESSES_H

#include "sim/stepped.h"

struct sim_processes;

/* program: the daemon; NULL: `ota-agent` beside the running program. Borrowed, with scn, until
 * sim_processes_free. 0 or -1 (no memory). */
int sim_processes_create(struct sim_processes **out, const struct scn *scn, const char *program);
void sim_processes_free(struct sim_processes *processes); /* NULL allowed */
const struct sim_ground *sim_processes_ground(struct sim_processes *processes);

/* The daemon as a body; ctx is a struct sim_processes. */
extern const struct sim_body_kind sim_processes_body;

/* What of a scenario can't be done to a process. 0, or -1 with where it stands, what it is, and
 * what is accepted. */
int sim_processes_refuse(const struct scn *scn, char *message, size_t len);

#endif
