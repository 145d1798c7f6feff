/* Downloads by agent_http, as the loopback world makes them. */
#include "stack.h"
#include <stdio.h>
#include <time.h>

enum { URL_GOOD_FOR_S = 3600 };

struct downloads {
    struct bench_stack *stack;
    struct agent_http *http;
    char url[SIM_URL_MAX], connect_to[32];
    uint32_t to_begin, headed, ended;
    uint64_t bytes;
};

static void on_head(void *ctx, uint16_t code, uint32_t offset, uint32_t total_bytes)
{
    struct downloads *all = ctx;
    (void)offset, (void)total_bytes;
    all->headed++;
    if (code != 200)
        bench_fail(all->stack, "a download was answered by %u", code);
}

static void on_data(void *ctx, const void *bytes, uint32_t len)
{
    struct downloads *all = ctx;
    (void)bytes;
    all->bytes += len;
}

static void on_error(void *ctx, const char *why)
{
    struct downloads *all = ctx;
    bench_fail(all->stack, "a download: %s", why);
}

static void begin(struct downloads *all);

static void on_end(void *ctx)
{
    struct downloads *all = ctx;
    all->ended++;
    begin(all);
}

static const struct agent_transfer_events events = {
    .head = on_head, .data = on_data, .end = on_end, .error = on_error};

static void begin(struct downloads *all)
{
    const struct agent_request request = {.url = all->url, .connect_to = all->connect_to};
    if (!all->to_begin)
        return;
    all->to_begin--;
    if (!agent_http_get(all->http, &request, &events, all))
        bench_fail(all->stack, "a download could not be begun");
}

static int open_all(struct downloads *all, struct bench_stack *stack, const char *name)
{
    const struct agent_http_config config = {.tls = stack->tls,
                                             .connect_within_s = 30,
                                             .stall_s = 60,
                                             .header_bytes_max = 65536,
                                             .buffer_bytes = 8192};
    *all = (struct downloads){.stack = stack};
    sim_store_url(&stack->servers.store, all->url, SIM_CERT_GOOD, name,
                  time(NULL) + URL_GOOD_FOR_S);
    snprintf(all->connect_to, sizeof all->connect_to, "127.0.0.1:%u",
             stack->servers.store.port[SIM_CERT_GOOD]);
    if (!agent_http_create(&all->http, stack->loop, &config))
        return 0;
    bench_fail(stack, "no memory for downloads");
    return -1;
}

int bench_downloads(struct bench_stack *stack, struct bench_cost *cost, uint32_t count)
{
    struct downloads all;
    if (open_all(&all, stack, BENCH_IMAGE))
        return -1;
    all.to_begin = count;
    bench_begin(cost);
    for (int i = 0; i < BENCH_UNDER_WAY; i++)
        begin(&all);
    int error = bench_until(stack, &all.ended, count);
    bench_end(cost, count);
    agent_http_free(all.http);
    if (!error && all.bytes != (uint64_t)count * BENCH_IMAGE_BYTES)
        bench_fail(stack, "downloads of %u files had %llu bytes", count,
                   (unsigned long long)all.bytes);
    return stack->why[0] ? -1 : 0;
}

/* So slow that none ends before the last has begun: a line more in the store's configuration. */
static int slow_store(struct bench_stack *stack)
{
    static const char line[] = "limit_rate 24k;\n}\n";
    struct sim_store *store = &stack->servers.store;
    char path[SIM_PKI_PATH_MAX];
    snprintf(path, sizeof path, "%s/nginx.conf", store->folder);
    sim_store_stop(store);
    FILE *file = fopen(path, "r+");
    bool ok = file && !fseek(file, -2, SEEK_END) && fputs(line, file) >= 0; /* over its "}\n" */
    if (file && fclose(file))
        ok = false;
    if (!ok)
        bench_fail(stack, "%s: can't be written", path);
    return ok ? sim_store_start_again(store, stack->why, sizeof stack->why) : -1;
}

int bench_transfers_memory(struct bench_stack *stack, struct bench_memory *memory, uint32_t count)
{
    struct downloads all;
    if (slow_store(stack) || open_all(&all, stack, BENCH_IMAGE))
        return -1;
    bench_memory_mark(memory);
    all.to_begin = count;
    for (uint32_t i = 0; i < count; i++) {
        begin(&all);
        if (i >= BENCH_UNDER_WAY && bench_until(stack, &all.headed, i - BENCH_UNDER_WAY))
            break;
    }
    int error = bench_until(stack, &all.headed, count);
    bench_memory_grown(memory);
    if (!error && all.ended)
        bench_fail(stack, "%u of %u downloads ended before all had begun", all.ended, count);
    agent_http_free(all.http);
    return stack->why[0] ? -1 : 0;
}
