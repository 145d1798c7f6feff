/*
 * HTTPS downloads by libcurl's multi socket interface on a libev loop: ranges, redirects (https
 * only, at most 5), timeouts, a certificate check that nothing turns off, bounded headers. One
 * struct agent_http serves all transfers of a process.
 *
 * Events are called from the loop only, never from agent_http_get or agent_http_cancel; both may be
 * called inside every event, of the same transfer too. After `end`, `error`, or agent_http_cancel
 * the transfer is gone: no event of it follows, and its pointer is not to be used.
 */
#ifndef DRIVERS_HTTP_H
#define DRIVERS_HTTP_H

#include "drivers/tls.h"
#include <ev.h>
#include <stdbool.h>

struct agent_http;
struct agent_transfer;

struct agent_http_config {
    const struct agent_tls *tls; /* borrowed */
    uint32_t connect_within_s;   /* TCP and TLS, 30 */
    uint32_t stall_s;            /* error after so long without a byte, 60 */
    uint32_t header_bytes_max;   /* of one answer with its redirects, 65,536: more is an error */
    uint32_t buffer_bytes;       /* for each transfer, 1,024 .. 65,536; 16,384 */
};

struct agent_request {        /* borrowed until agent_http_get returns */
    const char *url;          /* https only */
    uint32_t offset;          /* Range: bytes=offset-; 0: the whole object, without a range */
    const char *bind_address; /* address of ours; NULL: any */
    const char *connect_to;   /* "address:port" in place of the URL's own, not of a redirect's */
    const struct agent_identity *identity; /* NULL: none; lives as long as the transfer */
    struct agent_clock clock;
};

struct agent_transfer_events {
    /* The final answer's head, once. offset: where the body begins by Content-Range, 0 without;
     * total_bytes: of the whole object, 0 unknown or beyond 32 bits. */
    void (*head)(void *ctx, uint16_t status, uint32_t offset, uint32_t total_bytes);
    void (*data)(void *ctx, const void *bytes, uint32_t len); /* after head, in order */
    void (*end)(void *ctx);                    /* complete as the server declared it */
    void (*error)(void *ctx, const char *why); /* a phrase: "certificate has expired" */
};

int agent_http_create(struct agent_http **out, struct ev_loop *loop,
                      const struct agent_http_config *config);
/* Cancels every transfer. NULL allowed. Not inside an event. */
void agent_http_free(struct agent_http *http);
/* NULL: no memory, or no https URL. events is borrowed. */
struct agent_transfer *agent_http_get(struct agent_http *http, const struct agent_request *request,
                                      const struct agent_transfer_events *events, void *ctx);
void agent_http_cancel(struct agent_transfer *transfer);
/* Back-pressure: while paused no event of it comes but `error`, the socket is not read and silence
 * is not counted; libcurl keeps 16 KiB at most of what it has read. A server that loses its
 * patience meanwhile is an error afterwards. May be called inside `head` and `data`, and again with
 * the same value; the events that going on brings come from the loop. Paused in the head of an
 * answer without a body, `end` comes all the same. */
void agent_http_pause(struct agent_transfer *transfer, bool pause);

#endif
