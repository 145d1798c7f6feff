/* One transfer's answers: headers, the body, and how it ended. */
#include "http_core.h"
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Reads decimal digits up to a limit far below an overflow; false: none, or too large. */
static bool number(const char **at, const char *end, uint64_t *out)
{
    const char *begin = *at;
    *out = 0;
    while (*at < end && **at >= '0' && **at <= '9') {
        *out = *out * 10 + (uint64_t)(**at - '0');
        if (*out > INT64_MAX / 16)
            return false;
        ++*at;
    }
    return *at > begin;
}

static bool literal(const char **at, const char *end, const char *text)
{
    size_t len = strlen(text);
    if ((size_t)(end - *at) < len || strncasecmp(*at, text, len))
        return false;
    *at += len;
    return true;
}

/* RFC 9110, 14.4: "bytes first-last/total", total or "*"; "bytes * /total" in a refusal. */
bool http_range_parse(struct http_answer *answer, const char *value, size_t len)
{
    const char *at = value, *end = value + len;
    if (!literal(&at, end, "bytes "))
        return false;
    if (!literal(&at, end, "*")) {
        if (!number(&at, end, &answer->first) || !literal(&at, end, "-") ||
            !number(&at, end, &answer->last) || answer->last < answer->first)
            return false;
        answer->ranged = true;
    }
    if (!literal(&at, end, "/"))
        return false;
    if (!literal(&at, end, "*")) {
        if (!number(&at, end, &answer->total))
            return false;
        answer->total_known = true;
        if (answer->ranged && answer->last >= answer->total)
            return false;
    }
    return at == end && (answer->ranged || answer->total_known);
}

static bool break_off(struct agent_transfer *transfer, const char *fault)
{
    if (!transfer->fault)
        transfer->fault = fault;
    return false;
}

/* The value of the header of this name, without the blanks around it; false: another header. */
static bool header(const char *line, size_t len, const char *name, const char **value,
                   size_t *value_len)
{
    const char *at = line, *end = line + len;
    if (!literal(&at, end, name) || !literal(&at, end, ":"))
        return false;
    while (at < end && (*at == ' ' || *at == '\t'))
        at++;
    while (end > at && strchr(" \t\r\n", end[-1]))
        end--;
    *value = at;
    *value_len = (size_t)(end - at);
    return true;
}

static bool take_header(struct agent_transfer *transfer, const char *line, size_t len)
{
    struct http_answer *answer = &transfer->answer;
    const char *value;
    size_t value_len;
    if (len >= 5 && !memcmp(line, "HTTP/", 5)) {
        *answer = (struct http_answer){0}; /* of a redirect, or an interim answer */
    } else if (header(line, len, "Content-Range", &value, &value_len)) {
        if (answer->ranged || answer->total_known || !http_range_parse(answer, value, value_len))
            return break_off(transfer, "the Content-Range can't be understood");
    } else if (header(line, len, "Transfer-Encoding", &value, &value_len)) {
        /* libcurl would unpack gzip here, though nobody asked for it. */
        if (value_len != 7 || strncasecmp(value, "chunked", 7))
            return break_off(transfer, "a Transfer-Encoding other than chunked");
    }
    return true;
}

size_t http_on_header(char *bytes, size_t size, size_t count, void *ctx)
{
    struct agent_transfer *transfer = ctx;
    size_t len = size * count;
    (void)size;
    if (transfer->cancelled)
        return CURL_WRITEFUNC_ERROR;
    transfer->last_byte = ev_now(transfer->http->loop);
    transfer->header_bytes += (uint32_t)len; /* len: at most 100 KiB */
    if (transfer->header_bytes > transfer->http->config.header_bytes_max) {
        break_off(transfer, "the headers are too long");
        return CURL_WRITEFUNC_ERROR;
    }
    if (!transfer->head_told && !take_header(transfer, bytes, len)) /* after it: trailers */
        return CURL_WRITEFUNC_ERROR;
    return len;
}

/* Redirects have no body for us, so that the first byte of one, or the end, belongs to the final
 * answer. */
static bool tell_head(struct agent_transfer *transfer)
{
    const struct http_answer *answer = &transfer->answer;
    long status = 0;
    curl_off_t length = -1;
    uint64_t offset = 0, total = 0;
    curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(transfer->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    if (status == 206) {
        if (!answer->ranged)
            return break_off(transfer, "an answer of a range without Content-Range");
        offset = answer->first;
        transfer->body_declared = answer->last - answer->first + 1;
    }
    if (status == 206 || status == 416)
        total = answer->total_known ? answer->total : 0;
    else if (status == 200 && length > 0)
        total = (uint64_t)length;
    if (offset > UINT32_MAX)
        return break_off(transfer, "a range beyond 32 bits");
    transfer->head_told = true;
    transfer->events->head(transfer->ctx, (uint16_t)status, (uint32_t)offset,
                           total > UINT32_MAX ? 0 : (uint32_t)total);
    return !transfer->cancelled;
}

size_t http_on_body(char *bytes, size_t size, size_t count, void *ctx)
{
    struct agent_transfer *transfer = ctx;
    size_t len = size * count;
    if (transfer->paused &&
        !transfer->cancelled) { /* before libcurl could be told: it keeps them */
        transfer->stopped = true;
        return CURL_WRITEFUNC_PAUSE;
    }
    if (transfer->cancelled || (!transfer->head_told && !tell_head(transfer)))
        return CURL_WRITEFUNC_ERROR;
    transfer->last_byte = ev_now(transfer->http->loop);
    /* What was declared is good, whatever comes behind it. */
    uint64_t declared = transfer->body_declared - transfer->body_bytes;
    size_t good = len < declared ? len : (size_t)declared;
    transfer->body_bytes += good;
    if (good)
        transfer->events->data(transfer->ctx, bytes, (uint32_t)good);
    if (transfer->cancelled)
        return CURL_WRITEFUNC_ERROR;
    if (good < len)
        break_off(transfer, "more bytes than the Content-Range says");
    return good < len ? CURL_WRITEFUNC_ERROR : len;
}

static void phrase(const struct agent_transfer *transfer, CURLcode result, char *why, size_t len)
{
    long verdict = X509_V_OK, cause = 0;
    const char *text = transfer->error[0] ? transfer->error : curl_easy_strerror(result);
    curl_easy_getinfo(transfer->easy, CURLINFO_SSL_VERIFYRESULT, &verdict);
    curl_easy_getinfo(transfer->easy, CURLINFO_OS_ERRNO, &cause);
    if (transfer->fault)
        text = transfer->fault;
    else if (result == CURLE_PEER_FAILED_VERIFICATION && verdict > X509_V_ERR_UNSPECIFIED)
        text = X509_verify_cert_error_string(verdict); /* not libcurl's own: it stays at 1 */
    else if (result == CURLE_COULDNT_CONNECT && cause)
        text = strerror((int)cause);
    snprintf(why, len, "%s", text);
}

void http_finish(struct agent_transfer *transfer, CURLcode result)
{
    const struct agent_transfer_events *events = transfer->events;
    void *ctx = transfer->ctx;
    char why[CURL_ERROR_SIZE];
    bool good = result == CURLE_OK && !transfer->fault;
    if (good && !transfer->head_told) { /* an answer without a body */
        transfer->http->busy++;         /* it is freed here, not by a cancel inside the event */
        good = tell_head(transfer);
        transfer->http->busy--;
    }
    if (good && transfer->body_declared != UINT64_MAX &&
        transfer->body_bytes != transfer->body_declared)
        good = break_off(transfer, "fewer bytes than the Content-Range says");
    bool cancelled = transfer->cancelled;
    phrase(transfer, result, why, sizeof why);
    http_transfer_free(transfer);
    if (cancelled)
        return;
    if (good)
        events->end(ctx);
    else
        events->error(ctx, why);
}
