/* The interface, and the options that each transfer is made with. */
#include "http_core.h"
#include "tls_peer.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int agent_http_create(struct agent_http **out, struct ev_loop *loop,
                      const struct agent_http_config *config)
{
    struct agent_http *http = calloc(1, sizeof *http);
    *out = NULL;
    if (!http || curl_global_init(CURL_GLOBAL_DEFAULT)) {
        free(http);
        return AGENT_DRIVERS_EMEMORY;
    }
    http->loop = loop;
    http->config = *config;
    if (http_loop_init(http)) {
        curl_global_cleanup();
        free(http);
        return AGENT_DRIVERS_EMEMORY;
    }
    *out = http;
    return AGENT_DRIVERS_OK;
}

void agent_http_free(struct agent_http *http)
{
    if (!http)
        return;
    assert(!http->busy); /* not inside an event */
    while (http->all)
        http_transfer_free(http->all);
    http_loop_stop(http);
    curl_global_cleanup();
    free(http);
}

void http_transfer_free(struct agent_transfer *transfer)
{
    struct agent_http *http = transfer->http;
    *transfer->at = transfer->next;
    if (transfer->next)
        transfer->next->at = transfer->at;
    ev_timer_stop(http->loop, &transfer->stall);
    transfer->cancelled = true; /* libcurl may call back while it closes */
    http->busy++;
    if (!transfer->added)
        http->to_add--;
    else
        curl_multi_remove_handle(http->multi, transfer->easy);
    curl_easy_cleanup(transfer->easy);
    http->busy--;
    curl_slist_free_all(transfer->connect_to);
    free(transfer);
}

void agent_http_cancel(struct agent_transfer *transfer)
{
    assert(!transfer->cancelled);
    transfer->cancelled = true;
    ev_timer_stop(transfer->http->loop, &transfer->stall);
    if (transfer->http->busy)
        transfer->http->to_free++;
    else
        http_transfer_free(transfer);
}

/* libcurl hands over what it has when it is told to go on: that is done by the loop. Inside its own
 * callback it may be told to stop. */
void agent_http_pause(struct agent_transfer *transfer, bool pause)
{
    assert(!transfer->cancelled);
    transfer->paused = pause;
    transfer->last_byte = ev_now(transfer->http->loop);
    if (pause && transfer->added && !transfer->stopped) {
        transfer->stopped = true;
        curl_easy_pause(transfer->easy, CURLPAUSE_RECV);
    } else if (pause != transfer->stopped) {
        transfer->http->to_pause = true;
        http_loop_kick(transfer->http);
    }
}

static CURLcode on_context(CURL *easy, void *context, void *ctx)
{
    const struct agent_transfer *transfer = ctx;
    (void)easy;
    return agent_tls_dress(transfer->http->config.tls, context, transfer->identity,
                           &transfer->clock)
               ? CURLE_OK
               : CURLE_OUT_OF_MEMORY;
}

/* Connected, and about to ask: the connection's timeout is over, the stall's begins. */
static int on_connected(void *ctx, char *ip, char *own_ip, int port, int own_port)
{
    (void)ip, (void)own_ip, (void)port, (void)own_port;
    http_loop_stall(ctx);
    return CURL_PREREQFUNC_OK;
}

/* The store of CAs is that of agent_tls, set in on_context, so that not every connection parses and
 * holds its own (CAINFO_BLOB has no cache). libcurl must add none: no file, no path, and no cache,
 * which would put a store of its own in its place. */
static bool set_trust(struct agent_transfer *transfer)
{
    CURL *easy = transfer->easy;
    return !curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L) &&
           !curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L) &&
           !curl_easy_setopt(easy, CURLOPT_CAINFO, NULL) &&
           !curl_easy_setopt(easy, CURLOPT_CAPATH, NULL) &&
           !curl_easy_setopt(easy, CURLOPT_CA_CACHE_TIMEOUT, 0L) &&
           !curl_easy_setopt(easy, CURLOPT_SSL_OPTIONS, (long)CURLSSLOPT_NO_PARTIALCHAIN) &&
           !curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) &&
           /* A resumed session would skip the certificate. */
           !curl_easy_setopt(easy, CURLOPT_SSL_SESSIONID_CACHE, 0L) &&
           !curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, on_context) &&
           !curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, transfer);
}

/* Nothing of the environment, no other protocol, and no connection of another device's. */
static bool set_conduct(CURL *easy, const struct agent_http_config *config)
{
    return !curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "https") &&
           !curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, "https") &&
           !curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 1L) &&
           !curl_easy_setopt(easy, CURLOPT_MAXREDIRS, 5L) &&
           !curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) &&
           !curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L) &&
           !curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L) &&
           !curl_easy_setopt(easy, CURLOPT_PROXY, "") &&
           !curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) &&
           /* Shared by all, with an entry for each address of ours, and every transfer looks
            * through the whole of it: the cost of a fleet's downloads would be their square. */
           !curl_easy_setopt(easy, CURLOPT_DNS_CACHE_TIMEOUT, 0L) &&
           !curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, (long)config->connect_within_s) &&
           /* A request is copied into it, 64 KiB unless told; this is the least. */
           !curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, 16384L) &&
           !curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, (long)config->buffer_bytes);
}

static bool set_calls(struct agent_transfer *transfer)
{
    CURL *easy = transfer->easy;
    return !curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer) &&
           !curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->error) &&
           !curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, http_on_header) &&
           !curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer) &&
           !curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, http_on_body) &&
           !curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer) &&
           !curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_connected) &&
           !curl_easy_setopt(easy, CURLOPT_PREREQDATA, transfer);
}

static bool set_connect_to(struct agent_transfer *transfer, CURLU *url, const char *connect_to)
{
    char *host = NULL, *port = NULL, entry[600];
    bool ok = !curl_url_get(url, CURLUPART_HOST, &host, 0) &&
              !curl_url_get(url, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT);
    if (ok) {
        int len = snprintf(entry, sizeof entry, "%s:%s:%s", host, port, connect_to);
        ok = len > 0 && (size_t)len < sizeof entry &&
             (transfer->connect_to = curl_slist_append(NULL, entry)) &&
             !curl_easy_setopt(transfer->easy, CURLOPT_CONNECT_TO, transfer->connect_to);
    }
    curl_free(host);
    curl_free(port);
    return ok;
}

static bool set_request(struct agent_transfer *transfer, const struct agent_request *request)
{
    CURL *easy = transfer->easy;
    char text[80], *scheme = NULL;
    CURLU *url = curl_url();
    bool ok = url && !curl_url_set(url, CURLUPART_URL, request->url, 0) &&
              !curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) && !strcmp(scheme, "https") &&
              !curl_easy_setopt(easy, CURLOPT_URL, request->url);
    if (ok && request->offset) {
        snprintf(text, sizeof text, "%u-", request->offset);
        ok = !curl_easy_setopt(easy, CURLOPT_RANGE, text);
    }
    if (ok && request->bind_address) {
        int len = snprintf(text, sizeof text, "host!%s", request->bind_address);
        ok = (size_t)len < sizeof text && !curl_easy_setopt(easy, CURLOPT_INTERFACE, text);
    }
    if (ok && request->connect_to)
        ok = set_connect_to(transfer, url, request->connect_to);
    curl_free(scheme);
    curl_url_cleanup(url);
    return ok;
}

static void link_in(struct agent_transfer *transfer, struct agent_http *http)
{
    transfer->http = http;
    http->to_add++;
    transfer->next = http->all;
    transfer->at = &http->all;
    if (http->all)
        http->all->at = &transfer->next;
    http->all = transfer;
}

struct agent_transfer *agent_http_get(struct agent_http *http, const struct agent_request *request,
                                      const struct agent_transfer_events *events, void *ctx)
{
    struct agent_transfer *transfer = calloc(1, sizeof *transfer);
    if (!transfer || !(transfer->easy = curl_easy_init())) {
        free(transfer);
        return NULL;
    }
    transfer->events = events;
    transfer->ctx = ctx;
    transfer->body_declared = UINT64_MAX;
    transfer->identity = request->identity;
    transfer->clock = request->clock;
    link_in(transfer, http);
    if (!set_trust(transfer) || !set_conduct(transfer->easy, &http->config) ||
        !set_calls(transfer) || !set_request(transfer, request)) {
        http_transfer_free(transfer);
        return NULL;
    }
    http_loop_kick(http);
    return transfer;
}
