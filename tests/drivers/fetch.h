/* A download with a memory of what it was told. */
#ifndef TEST_DRIVERS_FETCH_H
#define TEST_DRIVERS_FETCH_H

#include "drivers/http.h"
#include "world.h"

enum fetch_event { FETCH_HEAD, FETCH_DATA, FETCH_END, FETCH_ERROR, FETCH_EVENTS };

struct fetch {
    struct agent_http *http;
    struct agent_http_config config; /* of fetch_open */
    struct agent_transfer *transfer; /* NULL after the end */
    struct agent_request request;
    char url[200];
    int count[FETCH_EVENTS];
    char why[300];
    uint16_t status;
    uint32_t offset, total, len;
    char body[WORLD_IMAGE_BYTES];                              /* the first bytes of it */
    void (*hook)(struct fetch *fetch, enum fetch_event event); /* inside the event */
    enum fetch_event strike_at;
    int strike;
};

void fetch_open(struct fetch *fetch, uint16_t port, const char *path);
void fetch_close(struct fetch *fetch);
void fetch_start(struct fetch *fetch);
void fetch_run(struct fetch *fetch); /* starts it, and waits for the end or the error */

#endif
