/*
 * The control socket: a Unix stream socket (mode 0600). A line is an order, each answered by one
 * line of JSON:
 *
 *     status | apply | defer SECONDS | retry | rollback | ping
 *
 * At most 4 connections at a time, each closed after 10 s without a line. NULL is misuse unless a
 * comment allows it.
 */
#ifndef DAEMON_CONTROL_H
#define DAEMON_CONTROL_H

#include "daemon/device.h"

enum { AGENT_ORDER_LINE_MAX = 128, AGENT_ORDER_JSON_MAX = 128 };

enum agent_order_kind { AGENT_ORDER_STATUS, AGENT_ORDER_COMMAND };
struct agent_order {
    enum agent_order_kind kind;
    char json[AGENT_ORDER_JSON_MAX]; /* of a command: payload as on ota/command */
};

/* Any bytes, without the newline. NULL, or what is wrong; number makes the command_id. */
const char *agent_order_parse(struct agent_order *out, const char *line, size_t len,
                              uint32_t number);

struct agent_control;
/* -1: message tells. An old socket at path is replaced, any other file is not. */
int agent_control_open(struct agent_control **out, struct ev_loop *loop, const char *path,
                       struct agent_device *device, const struct agent_log *log, char *message,
                       size_t len);
void agent_control_close(struct agent_control *control); /* NULL allowed; removes the socket */

/* The client: sends a line, prints the answer. The exit code: 0 done, 1 refused or not reached. */
int agent_control_ask(const char *path, const char *line);

#endif
