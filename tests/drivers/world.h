/*
 * What each test of the drivers has: a loop, a folder with certificates, an address of its own
 * (127.x.y.z by the process, so that tests at the same time never share a port), a struct agent_tls
 * that trusts ca.pem, and real servers as child processes. All of it goes at the end.
 */
#ifndef TEST_DRIVERS_WORLD_H
#define TEST_DRIVERS_WORLD_H

#include "drivers/tls.h"
#include <ev.h>
#include <stdbool.h>
#include <sys/types.h>

enum { WORLD_IMAGE_BYTES = 300000 };

struct world {
    struct ev_loop *loop;
    char folder[64];
    char address[32];
    struct agent_tls *tls;
    ev_timer guard;
    pid_t broker, web;
    uint16_t broker_port, web_port, mutual_port; /* mutual: HTTPS with a client certificate */
    char image[WORLD_IMAGE_BYTES];               /* what the web server has as /image.bin */
};
extern struct world world;

void world_open(void); /* for TestSuite(.init, .fini) */
void world_close(void);

/* Runs the loop until the condition holds. The guard fails a test that would hang. */
#define WORLD_UNTIL(condition)                                                                     \
    while (!(condition))                                                                           \
    world_turn()
void world_turn(void);
void world_turns(int turns); /* as many, without waiting for anything: what is due is done */

const char *world_path(const char *file); /* in the folder; one result at a time */
void world_write(const char *file, const void *bytes, size_t len);
int world_fds(void); /* open files of this process */
uint16_t world_free_port(void);

/* mosquitto with certificate.pem; settings: more lines of its configuration. */
void world_broker(const char *certificate, const char *settings);
void world_broker_stop(int signal);
void world_broker_again(void);                             /* the same port and settings */
void world_password(const char *user, const char *secret); /* for password_file */

void world_web(const char *certificate); /* nginx */

#endif
