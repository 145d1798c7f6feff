/*
 * Children: found, started, waited for, ended; and the loopback ports that they listen on. Errors
 * and messages as in files.h. Nothing is connected to while waiting, so that neither server's log
 * tells of a client that is none: who listens is read from /proc.
 */
#ifndef SIM_SERVERS_PROCESS_H
#define SIM_SERVERS_PROCESS_H

#include "sim/servers.h"

/* name: a path, or a name to be searched in PATH, then in the folders for daemons, which a normal
 * user's PATH lacks. _EPROGRAM: "<name>: not found; install the package <package>". */
int sim_program_find(char out[SIM_PKI_PATH_MAX], const char *name, const char *package,
                     char *message, size_t len);

struct sim_command {
    const char *name;    /* for messages; lives as long as the process */
    const char *program; /* its path */
    char *const *argv;   /* closed by NULL */
    const char *folder;  /* the child's working directory */
    int death_signal;    /* when the thread that starts it ends; a master takes its workers along */
};

/*
 * Starts a child in its own process group: standard output and error appended to folder/log,
 * input from nothing, no other descriptor, default signals, descriptors up to the hard limit.
 * Returns when the program is executed. _EIO, out->pid is then 0.
 */
int sim_process_start(struct sim_process *out, const struct sim_command *command, char *message,
                      size_t len);
/* Waits up to 30 s until the child itself listens on all ports of 127.0.0.1. _EEXITED, _EPORT,
 * _ETIME: it is ended. */
int sim_process_await_ports(struct sim_process *process, const uint16_t *ports, size_t count,
                            char *message, size_t len);
/* Waits up to 30 s until a line of its log since the last start holds text. _EEXITED, _ETIME: it is
 * ended. */
int sim_process_await_log(struct sim_process *process, const char *text, char *message, size_t len);
/* False when it has ended, by itself too; it is then reaped, what is left of its group is killed.
 */
bool sim_process_runs(struct sim_process *process);
/* The signal, 10 s, SIGKILL; returns when it is gone. Nothing to do when it does not run. */
void sim_process_stop(struct sim_process *process, int signal);

/* Distinct ports of 127.0.0.1 on which nobody listened just now. _EPORT. */
int sim_ports_pick(uint16_t *out, size_t count, char *message, size_t len);

enum sim_ports_owner {
    SIM_PORTS_FREE, /* at least one is not listened on, the others by pid */
    SIM_PORTS_OWN,  /* all by pid */
    SIM_PORTS_OTHER /* at least one by somebody else, *which */
};
enum sim_ports_owner sim_ports_owned(const uint16_t *ports, size_t count, uint16_t *which,
                                     pid_t pid);

/* A pause between two looks. */
void sim_process_pause(void);

#endif
