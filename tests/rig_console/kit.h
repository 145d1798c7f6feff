/* A console on a loop, the other side of it, and what it told. */
#ifndef TEST_RIG_CONSOLE_KIT_H
#define TEST_RIG_CONSOLE_KIT_H

#include "rig/console.h"
#include <criterion/criterion.h>
#include <pthread.h>

enum { HEARD_LINES = 64 };

struct heard {
    struct rig_console *console;
    struct ev_loop *loop;
    uint64_t lines, shortened, bytes, gone, back;
    char line[HEARD_LINES]
             [RIG_CONSOLE_LINE_MAX + 1]; /* the last ones; number n at n % HEARD_LINES */
    int64_t at_us;
    char why[256];
    uint64_t sum; /* of the bytes, with their places */
    /* Of one turn of the loop: time in callbacks, and this thread's CPU time in them. */
    int64_t longest_us, longest_cpu_us;
    int64_t turn_us, turn_cpu_us;
    ev_check check;
    ev_prepare prepare;
    ev_timer end;
    bool over;
};

struct feeder { /* writes into fd from a thread of its own */
    pthread_t thread;
    int fd;
    const char *bytes;
    size_t len, times;
    uint64_t written;
    bool close;
};

void heard_init(struct heard *heard);
void heard_end(struct heard *heard); /* frees console and loop */
/* Line, bytes, gone and back into heard; kind SERIAL at path, 115200. */
struct rig_console_config heard_config(struct heard *heard, const char *path);
void heard_open(struct heard *heard, const struct rig_console_config *config);
const char *heard_last(const struct heard *heard);
/* Turns the loop until it is so; fails the test after 120 s. */
void heard_wait(struct heard *heard, const char *what, bool (*so)(const struct heard *));
void heard_wait_lines(struct heard *heard, uint64_t lines);
void heard_wait_bytes(struct heard *heard, uint64_t bytes);
void heard_turn(struct heard *heard, int64_t for_ms);
struct rig_console_facts heard_facts(const struct heard *heard);

/* The master of a new pty; its name. */
int pty_make(char *name, size_t len);
void say(int fd, const char *text);
void say_bytes(int fd, const void *bytes, size_t len);
void feeder_start(struct feeder *feeder);
void feeder_join(struct feeder *feeder);
/* A folder of this test's own. */
void folder_make(char *path, size_t len);
void folder_remove(const char *path);
unsigned descriptors(void);
/* backlog -1: bound alone, and calls are refused. */
int listen_tcp(uint16_t *port, int backlog);
int listen_unix(const char *path);
size_t file_read(const char *path, char *out, size_t room);
uint64_t sum_bytes(uint64_t sum, uint64_t at, const void *bytes, size_t len);

#endif
