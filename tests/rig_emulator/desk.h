/*
 * A test's bench without hardware: brickyard-emulator in a folder of its own, its ports opened as a
 * rig opens them. The emulator dies with the test, its QEMUs with it.
 */
#ifndef RIG_EMULATOR_DESK_H
#define RIG_EMULATOR_DESK_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
    DESK_PATH_MAX = 160,
    DESK_SAID_MAX = 1 << 16,
    DESK_ANSWER_MAX = 4096,
    DESK_WITHIN_MS = 120000
};
enum { DESK_NOR_BYTES = 1024 * 1024 };

struct desk {
    char folder[64];
    pid_t pid; /* 0: not running */
    int pidfd;
};

/* What came from a console; text: NUL-terminated, rubbish as '?'. */
struct desk_heard {
    char text[DESK_SAID_MAX];
    size_t len, seen;
    uint64_t bytes;
};

void desk_folder(struct desk *desk); /* made, empty */
/* Starts it with these (NULL at the end) besides --folder, and waits until it is ready. */
void desk_start(struct desk *desk, const char *const *options);
/* The same, but it must end at once: its exit code, and what it said on standard error. */
int desk_refused(const struct desk *desk, const char *const *options, char *said, size_t len);
void desk_kill(struct desk *desk, int signal); /* and waits; a SIGTERM's exit code must be 0 */
void desk_close(struct desk *desk);            /* ends it, removes the folder */

/* build/board's pump monitor of that version, fresh from the factory, into these boards' flash
 * files. */
void desk_flash(const struct desk *desk, int first, int last, const char *version);
const char *desk_load(void); /* tests/rig_board/load: programs, echoes, floods by straps */

char *desk_path(const struct desk *desk, const char *name); /* one at a time */
int desk_port(const struct desk *desk, const char *name);   /* opened, non-blocking */
void desk_send(int fd, const void *bytes, size_t len);
/* Waits until text comes behind what was waited for before. */
void desk_says(int fd, struct desk_heard *heard, const char *text);
void desk_listen(int fd, struct desk_heard *heard, int ms); /* takes what comes */

/* One line to the control socket and its answer; one at a time. */
const char *desk_ask(const struct desk *desk, const char *line);
void desk_order(const struct desk *desk, const char *line);             /* must be "ok" */
json_t *desk_facts(const struct desk *desk, int board);                 /* 0: of the whole bench */
int64_t desk_fact(const struct desk *desk, int board, const char *key); /* a number or a truth */
void desk_wait_fact(const struct desk *desk, int board, const char *key, int64_t value);
json_t *desk_cuts(const struct desk *desk, int board); /* an array of its records */

/* Its one loop has seen what happened before this call. */
void desk_settle(const struct desk *desk);
void desk_pass(int ms);
int64_t desk_now_us(void);
bool desk_lives(pid_t pid);

#endif
