/* An answer as bytes: its head, its body, and in which byte of them the lie is. */
#include "edge_internal.h"
#include <stdio.h>
#include <string.h>

enum { PAST_THE_FILE = 0x1F, LINE_BYTES = 64 };

static const char *phrase(uint16_t status)
{
    static const struct {
        uint16_t status;
        const char *phrase;
    } phrases[] = {
        {200, "OK"},
        {206, "Partial Content"},
        {302, "Found"},
        {400, "Bad Request"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {413, "Content Too Large"},
        {414, "URI Too Long"},
        {416, "Range Not Satisfiable"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {505, "HTTP Version Not Supported"},
    };
    for (size_t i = 0; i < sizeof phrases / sizeof *phrases; i++)
        if (phrases[i].status == status)
            return phrases[i].phrase;
    return "Unknown";
}

/* Appends; what is longer than the buffer can't be: every text in a head is bounded. */
#define ADD(...) len += (uint32_t)snprintf(out + len, EDGE_OUT_BYTES - len, __VA_ARGS__)

static uint32_t add_range(const struct edge_reply *reply, char *out)
{
    uint32_t len = 0;
    if (reply->status == 416)
        ADD("Content-Range: bytes */%u\r\n", reply->range_total);
    else if (reply->range_total)
        ADD("Content-Range: bytes %u-%u/%u\r\n", reply->range_first, reply->range_last,
            reply->range_total);
    else
        ADD("Content-Range: bytes %u-%u/*\r\n", reply->range_first, reply->range_last);
    return len;
}

static uint32_t add_location(const struct edge_reply *reply, const struct edge_request *request,
                             char *out)
{
    uint32_t len = 0;
    if (reply->location == EDGE_SAME_PLACE)
        ADD("Location: %s\r\n", request->path);
    else
        ADD("Location: http://%s%s\r\n", request->host[0] ? request->host : "127.0.0.1",
            request->path);
    return len;
}

static uint32_t make_head(const struct edge_reply *reply, const struct edge_request *request,
                          char *out)
{
    uint32_t len = 0;
    ADD("HTTP/1.1 %u %s\r\nContent-Type: application/octet-stream\r\n", reply->status,
        phrase(reply->status));
    ADD("Accept-Ranges: bytes\r\n");
    if (reply->ranged)
        len += add_range(reply, out + len);
    if (reply->location)
        len += add_location(reply, request, out + len);
    if (reply->chunked)
        ADD("Transfer-Encoding: chunked\r\n");
    else
        ADD("Content-Length: %llu\r\n", (unsigned long long)reply->length);
    if (reply->finish == EDGE_CLOSE)
        ADD("Connection: close\r\n");
    if (!reply->pad_left)
        ADD("\r\n");
    return len;
}

static uint32_t make_pad(struct edge_reply *reply, uint8_t *out)
{
    uint32_t len = 0;
    for (; reply->pad_left && len < EDGE_BODY_BYTES; len += LINE_BYTES) {
        memset(out + len, 'a', LINE_BYTES);
        memcpy(out + len, "X-Pad: ", 7);
        memcpy(out + len + LINE_BYTES - 2, "\r\n", 2);
        reply->pad_left -= LINE_BYTES;
    }
    if (!reply->pad_left) {
        memcpy(out + len, "\r\n", 2);
        len += 2;
    }
    return len;
}

/* Byte i of what this fill makes is the proof, if none was before. */
static void prove(struct edge_reply *reply, uint32_t i, uint32_t at)
{
    if (reply->proof_known)
        return;
    reply->proof_known = true;
    reply->proof = reply->made + i;
    reply->proof_at = at;
}

static uint8_t lying_byte(const struct edge_reply *reply, uint32_t at, uint8_t honest)
{
    uint8_t flip = (uint8_t)(1u << reply->plan.draw[1] % 8);
    switch ((int)reply->plan.how) {
    case SCN_HOW_BIT_FLIP:
        return at == reply->spoil_at ? (uint8_t)(honest ^ flip) : honest;
    case SCN_HOW_GARBAGE:
        return at < reply->spoil_at ? honest : (uint8_t)(at * (reply->plan.draw[1] | 1) >> 11);
    case SCN_HOW_WRONG_FILE:
        return reply->wrong ? ((const uint8_t *)reply->wrong->bytes)[at % reply->wrong->len]
                            : (uint8_t)~honest;
    default:
        return honest;
    }
}

/* len bytes of content; `frame` is how many bytes of this fill come before them. */
static void make_content(struct edge_reply *reply, uint8_t *out, uint32_t len, uint32_t frame)
{
    const struct sim_edge_file *content = reply->content;
    uint32_t real = reply->at < content->len ? content->len - reply->at : 0;
    real = real < len ? real : len;
    if (real)
        memcpy(out, (const uint8_t *)content->bytes + reply->at, real);
    memset(out + real, PAST_THE_FILE, len - real);
    if (real < len)
        prove(reply, frame + real, reply->at + real);
    if (reply->plan.trick == SIM_EDGE_DRIP && !reply->plan.how)
        prove(reply, frame, reply->at);
    if (reply->plan.how != SCN_HOW_BIT_FLIP && reply->plan.how != SCN_HOW_GARBAGE &&
        reply->plan.how != SCN_HOW_WRONG_FILE)
        return;
    for (uint32_t i = 0; i < len; i++) {
        uint8_t lie = lying_byte(reply, reply->at + i, out[i]);
        if (lie != out[i])
            prove(reply, frame + i, reply->at + i);
        out[i] = lie;
    }
}

static uint32_t body_bytes(const struct edge_reply *reply)
{
    uint32_t most = EDGE_BODY_BYTES;
    if (reply->plan.trick == SIM_EDGE_DRIP && !reply->plan.how && reply->plan.drip_bytes < most)
        most = reply->plan.drip_bytes ? reply->plan.drip_bytes : 1;
    if (reply->endless && reply->at < UINT32_MAX - most)
        return most;
    return reply->end - reply->at < most ? reply->end - reply->at : most;
}

static uint32_t make_body(struct edge_reply *reply, uint8_t *out)
{
    uint32_t bytes = reply->content && reply->at < UINT32_MAX ? body_bytes(reply) : 0, len = 0;
    if (reply->chunked && bytes)
        len = (uint32_t)sprintf((char *)out, "%x\r\n", bytes);
    if (bytes)
        make_content(reply, out + len, bytes, len);
    len += bytes;
    reply->at += bytes;
    if (reply->chunked) {
        const char *tail = bytes ? "\r\n" : "0\r\n\r\n";
        memcpy(out + len, tail, strlen(tail));
        len += (uint32_t)strlen(tail);
    }
    if (!bytes)
        reply->phase = EDGE_DONE;
    return len;
}

static uint32_t fill_head(struct edge_reply *reply, const struct edge_request *request,
                          uint8_t *out)
{
    uint32_t len = make_head(reply, request, (char *)out);
    bool no_body = reply->head_only || (!reply->content && !reply->chunked);
    reply->phase = reply->pad_left ? EDGE_PAD : no_body ? EDGE_DONE : EDGE_BODY;
    if (reply->proof_by_head)
        prove(reply, len - 1, 0);
    return len;
}

uint32_t edge_reply_fill(struct edge_reply *reply, const struct edge_request *request, uint8_t *out)
{
    uint32_t len = 0;
    switch (reply->phase) {
    case EDGE_HEAD:
        len = fill_head(reply, request, out);
        break;
    case EDGE_PAD:
        len = make_pad(reply, out);
        if (reply->made + len > SIM_EDGE_HEAD_HUGE)
            prove(reply, len - 1, 0);
        if (!reply->pad_left)
            reply->phase = reply->head_only ? EDGE_DONE : EDGE_BODY;
        break;
    case EDGE_BODY:
        len = make_body(reply, out);
        break;
    case EDGE_DONE:
        break;
    }
    reply->made += len;
    return len;
}
