/*
 * QMP, QEMU's machine protocol, on a socket and the caller's libev loop: for any QEMU machine. One
 * JSON object a line each way. What comes is not trusted: a line of more than RIG_QMP_LINE_MAX
 * bytes, or one that is no QMP, ends the connection and does no other harm.
 *
 * One thread. NULL is misuse unless a line allows it. Callbacks may call every function.
 */
#ifndef RIG_QMP_H
#define RIG_QMP_H

#include <ev.h>
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rig_qmp;

enum { RIG_QMP_LINE_MAX = 256 * 1024, RIG_QMP_WAITING_MAX = 256 };

struct rig_qmp_events {
    void (*ready)(void *ctx); /* greeting and capabilities are done; may be NULL */
    /* data: borrowed, NULL if there is none. at_us: QEMU's own wall clock time, 0 if not told. May
     * be NULL. */
    void (*event)(void *ctx, const char *name, const json_t *data, int64_t at_us);
    /* The connection is gone: it has ended, as with QEMU itself, or what came was no QMP, and QEMU
     * may live on. All waiting replies were called before with an error. Called once. May be NULL.
     */
    void (*lost)(void *ctx, const char *why, bool ended);
};

/* result: borrowed; NULL: it failed, and error says why (else NULL). */
typedef void rig_qmp_reply(void *ctx, const json_t *result, const char *error);

/* Takes a connected socket, which it owns (also when it fails) and makes non-blocking. Negotiates
 * by itself; commands may be given at once and are sent after it. 0, or -1: no memory. */
int rig_qmp_open(struct rig_qmp **out, struct ev_loop *loop, int fd,
                 const struct rig_qmp_events *events, void *ctx);
/* Closes the socket; no callback is called any more. NULL allowed. */
void rig_qmp_close(struct rig_qmp *qmp);

/* Sends a command. arguments: stolen, NULL: none. reply: called exactly once, from the loop or from
 * the functions below; NULL: not wanted. -1: the connection is lost, no memory, or too many replies
 * are outstanding (reply is not called, arguments are released). */
int rig_qmp_send(struct rig_qmp *qmp, const char *command, json_t *arguments, rig_qmp_reply *reply,
                 void *ctx);

/* Sends, and works this socket alone (other events of it are delivered) until the reply is there or
 * timeout_ms have passed. result: a new reference, NULL: not wanted. 0, or -1 with message. */
int rig_qmp_call(struct rig_qmp *qmp, const char *command, json_t *arguments, json_t **result,
                 int timeout_ms, char *message, size_t len);

/* For a caller with a poll() of its own: what to wait for (POLLIN, POLLOUT), and doing it. */
int rig_qmp_fd(const struct rig_qmp *qmp); /* -1: lost */
short rig_qmp_wants(const struct rig_qmp *qmp);
void rig_qmp_work(struct rig_qmp *qmp); /* reads and writes what is possible without blocking */

/* What came over the socket, as if read from it: for tests and fuzzing. */
void rig_qmp_feed(struct rig_qmp *qmp, const void *bytes, size_t len);

#endif
