/*
 * Between the files of the HTTPS driver. All calls into libcurl's multi handle are made outside of
 * its callbacks: what an event's receiver starts or cancels inside of one waits until it returns.
 */
#ifndef AGENT_DRIVERS_HTTP_CORE_H
#define AGENT_DRIVERS_HTTP_CORE_H

#include "drivers/http.h"
#include <curl/curl.h>

/* What the headers of the present answer say. */
struct http_answer {
    bool ranged;      /* a Content-Range with a range came */
    bool total_known; /* a Content-Range with a total came */
    uint64_t first, last, total;
};

struct agent_transfer {
    struct agent_transfer *next, **at; /* in http->all */
    struct agent_http *http;
    CURL *easy;
    struct curl_slist *connect_to;
    const struct agent_transfer_events *events;
    void *ctx;
    const struct agent_identity *identity;
    struct agent_clock clock;
    ev_timer stall;
    ev_tstamp last_byte;
    struct http_answer answer;
    uint64_t body_bytes, body_declared; /* by Content-Range; UINT64_MAX: not */
    uint32_t header_bytes;              /* of all answers */
    bool added;                         /* libcurl has it */
    bool cancelled;                     /* no event any more; freed when libcurl has returned */
    bool head_told;
    bool paused;       /* as the receiver wants it */
    bool stopped;      /* as libcurl has it */
    const char *fault; /* why we broke it off, NULL: we did not */
    char error[CURL_ERROR_SIZE];
};

struct agent_http {
    struct ev_loop *loop;
    CURLM *multi;
    struct agent_http_config config;
    struct agent_transfer *all;
    ev_timer timer;           /* libcurl's */
    ev_timer kick;            /* there are transfers to be added */
    int busy;                 /* inside libcurl */
    uint32_t to_add, to_free; /* transfers not added yet, and cancelled inside libcurl */
    bool to_pause;            /* some are paused, or no more, and libcurl does not know yet */
};

/* http.c */
void http_transfer_free(struct agent_transfer *transfer);

/* http_answer.c: libcurl's callbacks for one transfer, and what its result means. */
size_t http_on_header(char *bytes, size_t size, size_t count, void *ctx);
size_t http_on_body(char *bytes, size_t size, size_t count, void *ctx);
bool http_range_parse(struct http_answer *answer, const char *value, size_t len);
/* Frees the transfer; then tells the end or the error. */
void http_finish(struct agent_transfer *transfer, CURLcode result);

/* http_loop.c */
int http_loop_init(struct agent_http *http);
void http_loop_stop(struct agent_http *http);
void http_loop_kick(struct agent_http *http);          /* soon: add what is not added yet */
void http_loop_stall(struct agent_transfer *transfer); /* from now on silence is counted */

#endif
