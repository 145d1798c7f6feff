/* A desk for the whole way: an LCUS board on a pty that keeps what it was told, a bench file, and
 * `brickyard rig serve` as a process of its own; and other programs, run to their end. */
#ifndef TEST_RIG_SERVER_DESK_H
#define TEST_RIG_SERVER_DESK_H

#include "rig/server.h"
#include <sys/types.h>

struct desk {
    char folder[64], bench_file[96];
    int board; /* the pty's other side; -1: unplugged */
    pid_t server;
    uint16_t port;
};

/* Boards pump-1 (channel 1), pump-2 (channel 4, inverted); channel 7 is nobody's. controllers,
 * boards: more lines for the bench file, "" for nothing. No server yet. */
void desk_open(struct desk *desk, const char *controllers, const char *boards);
/* The server listens when it returns; arguments as of the command, NULL at the end. */
void desk_serve(struct desk *desk, const char *const *arguments);
/* One that is to end by itself: its exit code, and what it said. */
int desk_serve_ends(struct desk *desk, const char *const *arguments, char *said, size_t room);
void desk_end_server(struct desk *desk, int code); /* by SIGTERM; its exit code is this */
void desk_close(struct desk *desk);
void desk_unplug(struct desk *desk);

/* As many bytes as were sent to the relays since the last call, and no more, within 5 s. */
void desk_take(struct desk *desk, uint8_t *out, size_t n);
/* Exactly these bytes were sent to the relays since the last call, within 5 s. */
void desk_told(struct desk *desk, const uint8_t *bytes, size_t n);
#define TOLD(desk, ...)                                                                            \
    desk_told(desk, (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

/* A file of the desk's folder. */
void desk_write(const struct desk *desk, const char *name, const char *text, mode_t mode);
void desk_read(const struct desk *desk, const char *name, char *out, size_t room);

/* A program that dies with the test; what it says goes to out (NULL: to the test's). */
pid_t run_begin(const char *const *argv, const char *home, int *out);
/* Its exit code, 128 + signal, or -1 when it had to be killed after 60 s; all that it said. */
int run(const char *const *argv, const char *home, char *said, size_t room);
const char *brickyard(void); /* the command's path */
void wait_for_port(const char *address, uint16_t port); /* somebody listens there, within 60 s */

#endif
