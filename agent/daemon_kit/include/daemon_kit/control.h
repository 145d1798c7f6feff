/*
 * A control socket: a Unix stream socket of mode 0600 on a libev loop. A line is an order, answered
 * by a line of JSON; a connection without a line for 10 s is closed. What the orders are, the
 * caller knows.
 *
 * Ownership: config is copied, its path included; ctx outlives the socket. One thread. NULL is
 * misuse unless a comment allows it.
 */
#ifndef DAEMON_KIT_CONTROL_H
#define DAEMON_KIT_CONTROL_H

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    AGENT_KIT_CLIENTS_MAX = 8,
    AGENT_KIT_LINE_MAX = 128,   /* bytes of an order, with its newline */
    AGENT_KIT_ANSWER_MAX = 4096 /* bytes of an answer, with its NUL */
};

struct agent_kit_control_config {
    struct ev_loop *loop;
    const char *path;
    uint32_t clients;     /* at a time, 1 to AGENT_KIT_CLIENTS_MAX; who comes then is hung up on */
    uint32_t line_bytes;  /* of an order, with its newline; at most AGENT_KIT_LINE_MAX */
    const char *too_long; /* the answer to a longer one, before its sender is hung up on */
    /* Obeys a line of any bytes (len, without the newline; a NUL is behind it) and writes the
     * answer, without a newline. False: there is none, and the sender is hung up on. */
    bool (*obey)(void *ctx, char answer[AGENT_KIT_ANSWER_MAX], const char *line, size_t len);
    void *ctx;
};

struct agent_kit_control;
/* 0, or -1 with errno. An old socket at the path is replaced, any other file is not. */
int agent_kit_control_open(struct agent_kit_control **out,
                           const struct agent_kit_control_config *config);
void agent_kit_control_close(
    struct agent_kit_control *control); /* NULL allowed; removes the socket */

/* The other end: sends a line (without its newline) and waits for the answer, within_s seconds for
 * each part of it. 0, or -1 with errno; errno 0: hung up without an answer. */
int agent_kit_control_ask(char answer[AGENT_KIT_ANSWER_MAX], const char *path, const char *line,
                          uint32_t within_s);

#endif
