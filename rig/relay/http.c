/* HTTP to devices on the bench's network. */
#include "http.h"
#include <assert.h>
#include <ctype.h>
#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HOST_MAX = 200, URL_MAX = 2048 };

struct rig_http {
    CURL *curl;
    struct curl_slist *headers;
    uint32_t timeout_ms;
    char base[HOST_MAX + 24]; /* "http://[::1]:80" */
    bool secret, overflow;    /* it has a password or token */
    size_t len;
    char body[RIG_HTTP_BODY_MAX + 1];
};

static void start_curl(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

static bool host_is_plain(const char *host)
{
    size_t n = strlen(host);
    for (size_t i = 0; i < n; i++)
        if (!isalnum((unsigned char)host[i]) && !strchr("-._:", host[i]))
            return false;
    return n && n <= HOST_MAX;
}

static size_t take_body(char *bytes, size_t one, size_t n, void *ctx)
{
    struct rig_http *http = ctx;
    if (n > RIG_HTTP_BODY_MAX - http->len) {
        http->overflow = true;
        return 0;
    }
    memcpy(http->body + http->len, bytes, one * n);
    http->len += n;
    return n;
}

static bool configure(struct rig_http *http, const struct rig_http_config *config)
{
    CURL *curl = http->curl;
    http->secret = config->digest_password || config->bearer;
    bool ok = !curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http") &&
              !curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L) &&
              !curl_easy_setopt(curl, CURLOPT_PROXY, "") &&
              !curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1) &&
              !curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L) &&
              !curl_easy_setopt(curl, CURLOPT_TCP_NODELAY, 1L) &&
              !curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body) &&
              !curl_easy_setopt(curl, CURLOPT_WRITEDATA, http);
    if (config->digest_password) {
        ok = ok && !curl_easy_setopt(curl, CURLOPT_HTTPAUTH, (long)CURLAUTH_DIGEST) &&
             !curl_easy_setopt(curl, CURLOPT_USERNAME, config->digest_user) &&
             !curl_easy_setopt(curl, CURLOPT_PASSWORD, config->digest_password);
    }
    if (config->bearer)
        ok = ok && !curl_easy_setopt(curl, CURLOPT_HTTPAUTH, (long)CURLAUTH_BEARER) &&
             !curl_easy_setopt(curl, CURLOPT_XOAUTH2_BEARER, config->bearer);
    /* "Expect:": without it, an odd device that knows no 100 Continue costs a second. */
    http->headers = curl_slist_append(NULL, "Content-Type: application/json");
    struct curl_slist *more = curl_slist_append(http->headers, "Expect:");
    return ok && http->headers && more;
}

int rig_http_open(struct rig_http **out, const struct rig_http_config *config, char *message,
                  size_t len)
{
    assert(out && config && config->host && message);
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    *out = NULL;
    if (!host_is_plain(config->host))
        return rig_port_say(RIG_EOPEN, message, len, "host: no name or address of a device");
    pthread_once(&once, start_curl);
    struct rig_http *http = calloc(1, sizeof *http);
    if (!http || !(http->curl = curl_easy_init()) || !configure(http, config)) {
        rig_http_close(http);
        return rig_port_say(RIG_EMEMORY, message, len, "no memory");
    }
    bool colons = strchr(config->host, ':') != NULL;
    snprintf(http->base, sizeof http->base, "http://%s%s%s:%u", colons ? "[" : "", config->host,
             colons ? "]" : "", config->port);
    http->timeout_ms = config->timeout_ms;
    *out = http;
    return RIG_OK;
}

void rig_http_close(struct rig_http *http)
{
    if (!http)
        return;
    if (http->curl)
        curl_easy_cleanup(http->curl);
    curl_slist_free_all(http->headers);
    free(http);
}

int rig_http_relay_open(struct rig_relay **out, size_t bytes, const struct rig_http_config *config,
                        char *message, size_t len)
{
    *out = NULL;
    struct rig_http **relay = calloc(1, bytes);
    if (!relay)
        return rig_port_say(RIG_EMEMORY, message, len, "no memory");
    int error = rig_http_open(relay, config, message, len);
    if (error)
        free(relay);
    else
        *out = (struct rig_relay *)relay;
    return error;
}

void rig_http_relay_close(struct rig_relay *relay)
{
    if (relay)
        rig_http_close(*(struct rig_http **)relay);
    free(relay);
}

const char *rig_http_peer(const struct rig_http *http)
{
    return http->base + strlen("http://");
}

static int failed(const struct rig_http *http, CURLcode code, const char *what, char *message,
                  size_t len)
{
    const char *peer = rig_http_peer(http);
    if (http->overflow)
        return rig_port_say(RIG_EANSWER, message, len, "%s: answer to %s of more than %d KiB", peer,
                            what, RIG_HTTP_BODY_MAX / 1024);
    switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
        return rig_port_say(RIG_EOPEN, message, len, "%s: %s: %s", peer, what,
                            curl_easy_strerror(code));
    case CURLE_OPERATION_TIMEDOUT:
        return rig_port_say(RIG_ESILENT, message, len, "%s: no answer to %s within %u ms", peer,
                            what, http->timeout_ms);
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_PARTIAL_FILE:
        return rig_port_say(RIG_EGONE, message, len, "%s: closed the connection at %s", peer, what);
    case CURLE_OUT_OF_MEMORY:
        return rig_port_say(RIG_EMEMORY, message, len, "no memory");
    default:
        return rig_port_say(RIG_EANSWER, message, len, "%s: no HTTP in answer to %s: %s", peer,
                            what, curl_easy_strerror(code));
    }
}

static bool prepare(struct rig_http *http, const char *path, const char *json)
{
    CURL *curl = http->curl;
    char url[sizeof http->base + URL_MAX];
    snprintf(url, sizeof url, "%s%s", http->base, path);
    http->len = 0;
    http->overflow = false;
    bool ok = !curl_easy_setopt(curl, CURLOPT_URL, url) &&
              !curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)http->timeout_ms) &&
              !curl_easy_setopt(curl, CURLOPT_HTTPHEADER, json ? http->headers : NULL);
    if (json)
        ok = ok && !curl_easy_setopt(curl, CURLOPT_POST, 1L) &&
             !curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)strlen(json)) &&
             !curl_easy_setopt(curl, CURLOPT_COPYPOSTFIELDS, json);
    else
        ok = ok && !curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L);
    explicit_bzero(url, sizeof url);
    return ok;
}

int rig_http_ask(struct rig_http *http, struct rig_http_answer *answer, const char *path,
                 const char *json, const char *what, char *message, size_t len)
{
    assert(http && answer && path && what && message);
    if (strlen(path) >= URL_MAX)
        return rig_port_say(RIG_EOPEN, message, len, "%s: a request of more than %d bytes", what,
                            URL_MAX);
    if (!prepare(http, path, json))
        return rig_port_say(RIG_EMEMORY, message, len, "no memory");
    CURLcode code = curl_easy_perform(http->curl);
    if (code)
        return failed(http, code, what, message, len);
    http->body[http->len] = '\0';
    *answer = (struct rig_http_answer){.body = http->body, .len = http->len};
    curl_easy_getinfo(http->curl, CURLINFO_RESPONSE_CODE, &answer->status);
    if (answer->status == 401 || answer->status == 403)
        return rig_port_say(RIG_EREFUSED, message, len, "%s: %s: HTTP %ld: %s", rig_http_peer(http),
                            what, answer->status,
                            http->secret ? "the password is wrong" : "it wants a password");
    return RIG_OK;
}

bool rig_http_escape(char *out, size_t room, const char *text)
{
    assert(out && text);
    size_t n = 0;
    for (; *text; text++) {
        bool plain = isalnum((unsigned char)*text) || strchr("-._~", *text);
        if (n + 4 > room)
            return false;
        if (plain)
            out[n++] = *text;
        else
            n += (size_t)snprintf(out + n, 4, "%%%02X", (unsigned char)*text);
    }
    out[n] = '\0';
    return true;
}
