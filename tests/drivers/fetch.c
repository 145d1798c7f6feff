#include "fetch.h"
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static void tell(struct fetch *fetch, enum fetch_event event)
{
    fetch->count[event]++;
    if (event == FETCH_END || event == FETCH_ERROR)
        fetch->transfer = NULL;
    if (fetch->hook)
        fetch->hook(fetch, event);
}

static void on_head(void *ctx, uint16_t status, uint32_t offset, uint32_t total)
{
    struct fetch *fetch = ctx;
    fetch->status = status;
    fetch->offset = offset;
    fetch->total = total;
    tell(fetch, FETCH_HEAD);
}

static void on_data(void *ctx, const void *bytes, uint32_t len)
{
    struct fetch *fetch = ctx;
    cr_assert_eq(fetch->count[FETCH_HEAD], 1, "the head comes first");
    if (len && fetch->len + len <= sizeof fetch->body)
        memcpy(fetch->body + fetch->len, bytes, len);
    fetch->len += len;
    tell(fetch, FETCH_DATA);
}

static void on_end(void *ctx)
{
    tell(ctx, FETCH_END);
}

static void on_error(void *ctx, const char *why)
{
    struct fetch *fetch = ctx;
    snprintf(fetch->why, sizeof fetch->why, "%s", why);
    tell(fetch, FETCH_ERROR);
}

static const struct agent_transfer_events events = {on_head, on_data, on_end, on_error};

void fetch_open(struct fetch *fetch, uint16_t port, const char *path)
{
    memset(fetch, 0, sizeof *fetch);
    snprintf(fetch->url, sizeof fetch->url, "https://%s:%u%s", world.address, port, path);
    fetch->request.url = fetch->url;
    fetch->config = (struct agent_http_config){.tls = world.tls,
                                               .connect_within_s = 20,
                                               .stall_s = 20,
                                               .header_bytes_max = 65536,
                                               .buffer_bytes = 16384};
    cr_assert_eq(agent_http_create(&fetch->http, world.loop, &fetch->config), 0);
}

void fetch_close(struct fetch *fetch)
{
    agent_http_free(fetch->http);
}

void fetch_start(struct fetch *fetch)
{
    memset(fetch->count, 0, sizeof fetch->count);
    fetch->len = 0;
    fetch->transfer = agent_http_get(fetch->http, &fetch->request, &events, fetch);
    cr_assert(fetch->transfer, "%s", fetch->url);
}

void fetch_run(struct fetch *fetch)
{
    fetch_start(fetch);
    WORLD_UNTIL(fetch->count[FETCH_END] || fetch->count[FETCH_ERROR]);
    cr_assert_eq(fetch->count[FETCH_END] + fetch->count[FETCH_ERROR], 1);
}
