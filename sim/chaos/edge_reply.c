/* The plan's meaning: sim/device/http.c, in terms of HTTP. Where the virtual device sees a total
 * size, that is Content-Range's for a 206 and Content-Length for a 200. */
#include "edge_internal.h"

enum { PIECE_BYTES = 4096, SHIFT_MAX = 4096 };

void edge_reply_error(struct edge_reply *reply, uint16_t status)
{
    *reply = (struct edge_reply){
        .status = status, .bad = true, .finish = EDGE_CLOSE, .plan.device = SIM_CHAOS_NOBODY};
}

/* What the request asks of a file: [at, end), or false: nothing of it. */
static bool range_of(struct edge_reply *reply, const struct edge_request *request, uint32_t len)
{
    uint64_t first = request->range == EDGE_WHOLE ? 0 : request->first, end = len;
    if (request->range == EDGE_FROM_TO && request->last < end)
        end = request->last + 1;
    if (request->range == EDGE_LAST) {
        if (request->first == 0)
            return false;
        first = request->first < len ? len - request->first : 0;
    }
    if (request->range != EDGE_WHOLE && first >= len)
        return false;
    reply->at = (uint32_t)first;
    reply->end = (uint32_t)end;
    return true;
}

/* An honest answer of this content. */
static void serve(struct edge_reply *reply, const struct edge_request *request,
                  const struct sim_edge_file *content)
{
    bool partial = request->range != EDGE_WHOLE;
    reply->content = content;
    if (!range_of(reply, request, content->len)) {
        reply->status = 416;
        reply->ranged = true;
        reply->range_total = content->len;
        reply->content = NULL;
        return;
    }
    reply->status = partial ? 206 : 200;
    reply->length = reply->end - reply->at;
    reply->ranged = partial;
    reply->range_first = reply->at;
    reply->range_last = reply->end ? reply->end - 1 : 0;
    reply->range_total = content->len;
}

static void fail(struct edge_reply *reply, uint16_t status)
{
    reply->status = status;
    reply->content = NULL;
    reply->length = 0;
    reply->ranged = status == 416;
    reply->proof_by_head = true;
}

static void redirect(struct edge_reply *reply, enum edge_location location)
{
    fail(reply, 302);
    reply->location = location;
}

/* Complete as it declares itself, and too short: as the virtual device's END before the size. A
 * 200 can't declare a total that differs from its length, so it declares none. */
static void truncate_body(struct edge_reply *reply)
{
    reply->end = reply->spoil_at;
    reply->length = reply->end - reply->at;
    reply->chunked = !reply->ranged;
    if (reply->end > reply->at)
        reply->range_last = reply->end - 1;
    else
        reply->range_last = reply->range_first;
}

static void lie_about_length(struct edge_reply *reply)
{
    uint32_t more = 1 + reply->plan.draw[1] % SHIFT_MAX;
    reply->proof_by_head = true;
    if (reply->ranged) {
        reply->range_total += more;
    } else {
        reply->length += more;
        reply->finish = EDGE_CLOSE;
    }
}

static void serve_stale(struct edge_reply *reply, const struct edge_request *request)
{
    /* What was there before may end before the range begins: the whole of it shows its size. */
    static const struct edge_request whole;
    uint32_t from = reply->at;
    serve(reply, from < reply->wrong->len ? request : &whole, reply->wrong);
    reply->proof_by_head = true;
}

static void spoil(struct edge_reply *reply, const struct edge_request *request)
{
    switch ((int)reply->plan.how) {
    case SCN_HOW_TRUNCATED:
        truncate_body(reply);
        break;
    case SCN_HOW_STALE_FILE:
        if (reply->wrong)
            serve_stale(reply, request);
        break;
    case SCN_HOW_WRONG_LENGTH:
        lie_about_length(reply);
        break;
    case SCN_HOW_HTTP_403:
        fail(reply, 403);
        break;
    case SCN_HOW_HTTP_404:
        fail(reply, 404);
        break;
    case SCN_HOW_HTTP_500:
        fail(reply, 500);
        break;
    case SCN_HOW_ENDLESS:
        reply->chunked = reply->endless = true;
        reply->range_total = 0;
        break;
    case SCN_HOW_DISCONNECT: /* between two pieces, as the virtual device sees them */
        reply->spoil_at -= reply->spoil_at % PIECE_BYTES;
        reply->end = reply->spoil_at > reply->at ? reply->spoil_at : reply->at;
        reply->finish = EDGE_RESET;
        break;
    default: /* the body's own: edge_body.c */
        break;
    }
}

static void lie_about_range(struct edge_reply *reply)
{
    uint32_t shift = 1 + reply->plan.draw[1] % SHIFT_MAX;
    reply->status = 206;
    reply->ranged = reply->proof_by_head = true;
    reply->range_first += shift;
    reply->range_last += shift;
}

static void trick(struct edge_reply *reply)
{
    switch (reply->plan.trick) {
    case SIM_EDGE_HTTP_416:
        fail(reply, 416);
        break;
    case SIM_EDGE_EARLY_CLOSE:
        reply->end = reply->spoil_at;
        reply->finish = EDGE_CLOSE_EARLY;
        break;
    case SIM_EDGE_SHORT_LENGTH:
        truncate_body(reply);
        reply->chunked = false;
        reply->range_total = reply->end ? reply->end : 1;
        reply->proof_by_head = true;
        break;
    case SIM_EDGE_REDIRECT_LOOP:
        redirect(reply, EDGE_SAME_PLACE);
        break;
    case SIM_EDGE_REDIRECT_HTTP:
        redirect(reply, EDGE_PLAIN_HTTP);
        break;
    case SIM_EDGE_SILENCE:
        reply->end = reply->at;
        reply->finish = EDGE_SILENT;
        reply->proof_by_head = true;
        break;
    case SIM_EDGE_HUGE_HEAD:
        reply->pad_left = EDGE_HUGE_BYTES;
        break;
    case SIM_EDGE_RANGE_LIES:
        lie_about_range(reply);
        break;
    case SIM_EDGE_DRIP:
    case SIM_EDGE_NO_TRICK:
    case SIM_EDGE_TRICKS:
        break;
    }
}

static const struct sim_edge_file *other(const struct sim_edge_config *config,
                                         const struct sim_edge_file *file)
{
    for (uint32_t i = 0; i < config->files; i++)
        if (&config->file[i] != file && config->file[i].len)
            return &config->file[i];
    return NULL;
}

void edge_reply_plan(struct edge_reply *reply, const struct edge_request *request,
                     const struct sim_edge_file *file, const struct sim_edge_config *config,
                     const struct sockaddr_in *source)
{
    *reply = (struct edge_reply){
        .status = 404, .file = file, .plan.device = SIM_CHAOS_NOBODY, .proof = EDGE_PROOF_NONE};
    reply->head_only = request->head_only;
    reply->finish = request->keep_alive ? EDGE_KEEP : EDGE_CLOSE;
    if (!file)
        return;
    serve(reply, request, file);
    if (reply->status == 416 || !config->plan)
        return;
    reply->plan.device = 0;
    config->plan(config->ctx, source, file, reply->at, &reply->plan);
    uint32_t left = reply->end - reply->at;
    reply->spoil_at = reply->at + (left ? reply->plan.draw[0] % left : 0);
    reply->wrong = reply->plan.other ? reply->plan.other : other(config, file);
    if (reply->plan.how != SCN_HOW_ANY)
        spoil(reply, request);
    else
        trick(reply);
}
