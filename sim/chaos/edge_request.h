/* A request's head, from bytes. No memory, no state: what a fuzzer can hold. */
#ifndef CHAOS_EDGE_REQUEST_H
#define CHAOS_EDGE_REQUEST_H

#include "sim/chaos_edge.h"
#include <stdbool.h>
#include <stddef.h>

enum { EDGE_REQUEST_BYTES = 8192 }; /* of a head; longer ones are refused */

enum edge_range { EDGE_WHOLE, EDGE_FROM, EDGE_FROM_TO, EDGE_LAST };

struct edge_request {
    bool head_only, keep_alive;
    char path[SIM_EDGE_PATH_MAX]; /* from "/", without query */
    char host[SIM_EDGE_PATH_MAX]; /* letters, digits, ".-_:[]"; "" when there is none */
    enum edge_range range;        /* WHOLE too for what is no single range of bytes (RFC 9110,
                                     14.2: such a Range is ignored) */
    uint64_t first, last;         /* FROM: first; FROM_TO: both, in order; LAST: first = how many */
};

/* Length of the head, > 0; 0: incomplete; or minus the status to answer: 400, 405, 413, 414, 431,
 * 505 (then *out is not to be used). */
int edge_request_parse(struct edge_request *out, const char *bytes, size_t len);

#endif
