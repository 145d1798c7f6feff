/* From a request's bytes to an answer in the socket, and the proof that it was there. */
#include "edge_internal.h"
#include <openssl/err.h>
#include <string.h>

enum { RECORDS_PER_ROUND = 4 }; /* then it is the others' turn */

static const struct sim_edge_file *find(const struct sim_edge_config *config, const char *path)
{
    for (uint32_t i = 0; i < config->files; i++)
        if (!strcmp(config->file[i].path, path))
            return &config->file[i];
    return NULL;
}

void edge_answer_begin(struct edge_conn *conn, int parsed)
{
    struct sim_edge *edge = conn->edge;
    conn->requested = true;
    conn->resting = false;
    conn->out_len = conn->out_at = 0;
    edge->stats.requests++;
    if (parsed < 0) {
        edge_reply_error(&conn->reply, (uint16_t)-parsed);
        return;
    }
    conn->have -= (uint32_t)parsed;
    memmove(conn->in, conn->in + parsed, conn->have);
    edge_reply_plan(&conn->reply, &conn->request, find(&edge->config, conn->request.path),
                    &edge->config, &conn->source);
}

static void tell(const struct edge_conn *conn, enum sim_edge_effect_kind kind, uint32_t at)
{
    const struct sim_edge_plan *plan = &conn->reply.plan;
    edge_tell(conn, &(struct sim_edge_effect){.kind = kind,
                                              .how = plan->how,
                                              .trick = plan->how ? SIM_EDGE_NO_TRICK : plan->trick,
                                              .device = plan->device,
                                              .mark = plan->mark,
                                              .at = at,
                                              .status = conn->reply.status});
}

static void tell_spoiled(struct edge_conn *conn, uint32_t at)
{
    if (conn->reply.told)
        return;
    conn->reply.told = true;
    tell(conn, SIM_EDGE_SPOILED, at);
}

static bool is_dripping(const struct edge_reply *reply)
{
    return reply->plan.trick == SIM_EDGE_DRIP && !reply->plan.how && reply->phase != EDGE_HEAD &&
           reply->phase != EDGE_PAD;
}

static void wrote(struct edge_conn *conn, uint32_t len)
{
    struct edge_reply *reply = &conn->reply;
    conn->out_at += len;
    reply->written += len;
    conn->edge->stats.bytes += len;
    if (reply->proof_known && reply->written > reply->proof)
        tell_spoiled(conn, reply->proof_at);
}

enum edge_write edge_answer_write(struct edge_conn *conn)
{
    for (int i = 0; i < RECORDS_PER_ROUND; i++) {
        if (conn->out_at == conn->out_len) {
            if (conn->resting)
                return EDGE_PACED;
            conn->out_at = 0;
            conn->out_len = edge_reply_fill(&conn->reply, &conn->request, conn->out);
            conn->resting = conn->out_len && is_dripping(&conn->reply);
        }
        if (conn->out_len == 0)
            return EDGE_WROTE_ALL;
        ERR_clear_error();
        int sent =
            SSL_write(conn->ssl, conn->out + conn->out_at, (int)(conn->out_len - conn->out_at));
        /* Without renegotiation no write waits for a read. */
        if (sent <= 0 && SSL_get_error(conn->ssl, sent) != SSL_ERROR_WANT_WRITE)
            return EDGE_BROKEN;
        if (sent <= 0)
            return i ? EDGE_WROTE_SOME : EDGE_BLOCKED;
        wrote(conn, (uint32_t)sent);
    }
    return EDGE_WROTE_SOME;
}

void edge_answer_ended(struct edge_conn *conn)
{
    const struct edge_reply *reply = &conn->reply;
    if (reply->finish == EDGE_RESET || reply->finish == EDGE_CLOSE_EARLY ||
        reply->plan.how == SCN_HOW_TRUNCATED)
        tell_spoiled(conn, reply->spoil_at);
    if (reply->finish == EDGE_KEEP || reply->finish == EDGE_CLOSE)
        tell(conn, reply->bad ? SIM_EDGE_BAD_REQUEST : SIM_EDGE_SERVED, 0);
}
