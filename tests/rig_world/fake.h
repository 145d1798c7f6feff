/* A board and a gateway that do what the test says, and what the ground is told of them. */
#ifndef TESTS_RIG_WORLD_FAKE_H
#define TESTS_RIG_WORLD_FAKE_H

#include "world_internal.h"

struct fake {
    struct sim_body *body;
    bool on, ended, any;
    bool stopped;
    int64_t owes_ms;
    struct rig_op op;
    unsigned offs, go_ons, ended_told, asks;
    bool deaf; /* QEMU does not answer */
    const char *halted, *given_up, *qemu_said;
    unsigned restarts;
    bool no_restart;
    uint64_t unclean, answers;
    bool no_boot, clean;
    char said[4096], how[128], lost[600];
    unsigned stands, heard;
    struct sim_body_run run;
    struct sim_unit unit;
    struct sim_body_device device;
    char flash[64];
    int fd;
};

extern struct fake fake;
extern struct rig_world world;

/* For TestSuite: a body that is on; one for each test. */
void fake_open(void);
void fake_close(void);
void fake_says_lost(const char *needle); /* the ground was told so */

#endif
