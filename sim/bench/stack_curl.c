/* The same downloads by libcurl alone: its own loop, its own defaults, a new connection for each.
 */
#include "stack.h"
#include <curl/curl.h>
#include <stdio.h>
#include <time.h>

struct plain {
    struct bench_stack *stack;
    CURLM *multi;
    struct curl_slist *connect_to;
    char url[SIM_URL_MAX];
    uint32_t to_begin, ended;
    uint64_t bytes;
};

static size_t on_body(char *bytes, size_t size, size_t count, void *ctx)
{
    struct plain *plain = ctx;
    (void)bytes;
    plain->bytes += size * count;
    return size * count;
}

static void begin(struct plain *plain)
{
    if (!plain->to_begin)
        return;
    plain->to_begin--;
    CURL *easy = curl_easy_init();
    if (!easy || curl_easy_setopt(easy, CURLOPT_URL, plain->url) ||
        curl_easy_setopt(easy, CURLOPT_CONNECT_TO, plain->connect_to) ||
        curl_easy_setopt(easy, CURLOPT_CAINFO, plain->stack->ca) ||
        curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L) ||
        curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L) ||
        curl_easy_setopt(easy, CURLOPT_SSL_SESSIONID_CACHE, 0L) ||
        curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body) ||
        curl_easy_setopt(easy, CURLOPT_WRITEDATA, plain) ||
        curl_multi_add_handle(plain->multi, easy)) {
        curl_easy_cleanup(easy);
        bench_fail(plain->stack, "a plain download could not be begun");
    }
}

static void take_ended(struct plain *plain)
{
    CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(plain->multi, &left))) {
        CURL *easy = message->easy_handle;
        if (message->data.result)
            bench_fail(plain->stack, "a plain download: %s",
                       curl_easy_strerror(message->data.result));
        curl_multi_remove_handle(plain->multi, easy);
        curl_easy_cleanup(easy);
        plain->ended++;
        begin(plain);
    }
}

static void run(struct plain *plain, uint32_t count)
{
    int running = 0, ready;
    for (int i = 0; i < BENCH_UNDER_WAY; i++)
        begin(plain);
    while (plain->ended < count && !plain->stack->why[0]) {
        if (curl_multi_perform(plain->multi, &running) ||
            curl_multi_poll(plain->multi, NULL, 0, 100, &ready))
            bench_fail(plain->stack, "libcurl's loop failed");
        take_ended(plain);
    }
}

int bench_plain_downloads(struct bench_stack *stack, struct bench_cost *cost, uint32_t count)
{
    char to[64];
    struct plain plain = {.stack = stack, .multi = curl_multi_init(), .to_begin = count};
    sim_store_url(&stack->servers.store, plain.url, SIM_CERT_GOOD, BENCH_IMAGE, time(NULL) + 3600);
    snprintf(to, sizeof to, "::127.0.0.1:%u", stack->servers.store.port[SIM_CERT_GOOD]);
    plain.connect_to = curl_slist_append(NULL, to);
    bench_begin(cost);
    run(&plain, count);
    bench_end(cost, count);
    curl_multi_cleanup(plain.multi);
    curl_slist_free_all(plain.connect_to);
    if (!stack->why[0] && plain.bytes != (uint64_t)count * BENCH_IMAGE_BYTES)
        bench_fail(stack, "plain downloads of %u files had %llu bytes", count,
                   (unsigned long long)plain.bytes);
    return stack->why[0] ? -1 : 0;
}
