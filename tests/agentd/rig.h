/*
 * A bench for the daemon as a program: a folder of its own, keys and images by `brickyard
 * firmware`, a broker (mosquitto) and a server (nginx or openssl s_server) with certificates of its
 * own CA, and processes whose standard error is read line by line. One rig per test; waiting is for
 * a line that must come, with a deadline, never for a time to pass.
 */
#ifndef AGENTD_RIG_H
#define AGENTD_RIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { RIG_WAIT_S = 120, RIG_OUTPUT_MAX = 1 << 18 };

/* A program that runs, and what it said so far. */
struct rig_process {
    pid_t pid;
    int fd;
    char said[RIG_OUTPUT_MAX];
    size_t len, seen; /* rig_wait looks behind seen */
};

struct rig {
    char dir[200];
    int mqtt_port, http_port;
    struct rig_process agent, broker, server, listener;
};

/* Makes the folder with keys (rel, other), images 1.0.0 and 1.1.0 and the configuration. */
void rig_init(struct rig *rig);
void rig_free(struct rig *rig); /* kills what runs, removes the folder */

/* A shell command in the folder; its exit code. */
int rig_run(const struct rig *rig, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void rig_write(const struct rig *rig, const char *name, const void *bytes, size_t len);
/* malloc'ed, NUL behind; NULL: no such file. */
char *rig_read(const struct rig *rig, const char *name, size_t *len);
/* agent.yaml; extra: lines at its end, flash: more keys of the flash. */
void rig_config(const struct rig *rig, const char *flash, const char *extra);
int rig_factory(const struct rig *rig, const char *version);

/* Starts a program (by PATH or absolute); merged standard output and error are read. */
void rig_spawn(const struct rig *rig, struct rig_process *out, const char *const argv[]);
void rig_agent(struct rig *rig);
/* True once text has come behind what was waited for before; false at the end or the deadline. */
bool rig_wait(struct rig_process *process, const char *text);
/* Sends a signal (0: none) and reaps: the wait status. */
int rig_end(struct rig_process *process, int signal);
/* Waits until the process has stopped itself. */
bool rig_stopped(const struct rig_process *process);

void rig_broker(struct rig *rig); /* with rig_certificates */
void rig_listen(struct rig *rig); /* mosquitto_sub on everything; rig->listener says it */
void rig_nginx(struct rig *rig);  /* serves the folder's files */
void rig_canned(struct rig *rig); /* serves files that are whole HTTP answers */
void rig_certificates(const struct rig *rig);
/* Notifies dev-1 of a version at an URL path. */
void rig_notify(const struct rig *rig, const char *version, const char *path, bool force);
void rig_publish(const struct rig *rig, const char *topic, const char *file);

long rig_memory_kb(const struct rig_process *process); /* VmHWM */
const char *rig_program(const char *name);             /* of this build */

#endif
