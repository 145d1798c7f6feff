/* The inside of the daemon as a body, shared by the files of this folder. */
#ifndef SIM_PROCESS_INTERNAL_H
#define SIM_PROCESS_INTERNAL_H

#include "flash_file/op.h"
#include "sim/processes.h"
#include "sim/servers.h"
#include <sys/resource.h>

enum { PW_LINE_MAX = 2048, PW_PATH_MAX = 700 };

struct sim_processes {
    const char *program_given;
    char program[PW_PATH_MAX];
    struct sim_stepped *stepped;
    uint64_t rss_max;
};

struct sim_body {
    struct sim_processes *ps;
    const struct sim_body_device *given;
    pid_t pid;  /* 0: off */
    bool asked; /* to end, since it was started */
    int output, record_fd;
    ev_io readable;
    char line[PW_LINE_MAX];
    uint32_t line_bytes;
    uint8_t record[AGENT_OP_BYTES]; /* as it was read last */
};

/* configure.c. -1: errno; with a message where one is asked for. */
int pw_put_keys(const struct sim_body_run *run, char *message, size_t len);
int pw_configure(struct sim_body *body, const uint32_t *ails);

/* child.c: the functions of struct sim_body_kind. */
int pw_on(struct sim_body *body, char *message, size_t len);
void pw_off(struct sim_body *body);
void pw_go_on(struct sim_body *body);
void pw_look(struct sim_body *body);
void pw_read(struct sim_body *body);
void pw_ask_to_end(struct sim_body *body);

#endif
