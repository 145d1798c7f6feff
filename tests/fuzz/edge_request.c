/*
 * Any bytes as a request's head. What is accepted must be inside the bytes, closed and printable,
 * its range in order; more bytes behind a head change nothing, and a head cut short is incomplete
 * or refused, never accepted.
 */
#include "edge_request.h"
#include <stdlib.h>
#include <string.h>

static void check_text(const char *text, size_t size)
{
    const char *end = memchr(text, 0, size);
    if (!end)
        abort();
    for (; text < end; text++)
        if (*text <= ' ' || *text >= 0x7F)
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct edge_request request, again;
    int used = edge_request_parse(&request, (const char *)data, size);
    if (used <= 0)
        return 0;
    if ((size_t)used > size || used > EDGE_REQUEST_BYTES || request.path[0] != '/')
        abort();
    check_text(request.path, sizeof request.path);
    check_text(request.host, sizeof request.host);
    if (request.range == EDGE_FROM_TO && request.first > request.last)
        abort();
    if (edge_request_parse(&again, (const char *)data, (size_t)used) != used ||
        memcmp(&request, &again, sizeof request) != 0)
        abort();
    if (edge_request_parse(&again, (const char *)data, (size_t)used - 1) > 0)
        abort();
    return 0;
}
