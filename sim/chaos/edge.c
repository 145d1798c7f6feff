/* The edge itself: listeners with their certificates, and who comes. */
#include "edge_internal.h"
#include "sim/chaos_edge.h"
#include <assert.h>
#include <errno.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    ACCEPTS_PER_ROUND = 16, /* handshakes are dear */
    REST_US = 100000,
    CONNECTIONS = 1024,
    REQUEST_MS = 10000,
    IDLE_MS = 60000
};

const char *sim_edge_trick_name(int trick)
{
    static const char *const names[SIM_EDGE_TRICKS] = {
        [SIM_EDGE_NO_TRICK] = "no_trick",
        [SIM_EDGE_HTTP_416] = "http_416",
        [SIM_EDGE_EARLY_CLOSE] = "early_close",
        [SIM_EDGE_SHORT_LENGTH] = "short_length",
        [SIM_EDGE_REDIRECT_LOOP] = "redirect_loop",
        [SIM_EDGE_REDIRECT_HTTP] = "redirect_http",
        [SIM_EDGE_SILENCE] = "silence",
        [SIM_EDGE_HUGE_HEAD] = "huge_head",
        [SIM_EDGE_RANGE_LIES] = "range_lies",
        [SIM_EDGE_DRIP] = "drip",
    };
    return trick >= 0 && trick < SIM_EDGE_TRICKS ? names[trick] : "unknown";
}

const char *sim_edge_effect_name(int kind)
{
    static const char *const names[SIM_EDGE_EFFECTS] = {
        [SIM_EDGE_SPOILED] = "spoiled",
        [SIM_EDGE_SERVED] = "served",
        [SIM_EDGE_CERT_TAKEN] = "cert_taken",
        [SIM_EDGE_CERT_REFUSED] = "cert_refused",
        [SIM_EDGE_LEFT] = "left",
        [SIM_EDGE_BAD_REQUEST] = "bad_request",
        [SIM_EDGE_TIMED_OUT] = "timed_out",
        [SIM_EDGE_PAUSED] = "paused",
    };
    return kind >= 0 && kind < SIM_EDGE_EFFECTS ? names[kind] : "unknown";
}

static void count_and_call(struct sim_edge *edge, struct sim_edge_effect *effect)
{
    effect->at_us = sim_chaos_now_us();
    edge->stats.effects[effect->kind]++;
    if (effect->kind == SIM_EDGE_SPOILED) {
        edge->stats.how[effect->how]++;
        edge->stats.trick[effect->trick]++;
    }
    if (edge->config.effect)
        edge->config.effect(edge->config.ctx, effect);
}

void edge_tell(const struct edge_conn *conn, struct sim_edge_effect *effect)
{
    effect->listener = conn->listener;
    effect->source = conn->source;
    count_and_call(conn->edge, effect);
}

static void rest(struct sim_edge *edge, uint32_t listener)
{
    if (edge->resting)
        return;
    edge->resting = true;
    for (uint32_t i = 0; i < edge->listeners; i++)
        ev_io_stop(edge->config.loop, &edge->listener[i].accept);
    count_and_call(edge, &(struct sim_edge_effect){.kind = SIM_EDGE_PAUSED,
                                                   .listener = listener,
                                                   .device = SIM_CHAOS_NOBODY});
}

void edge_accept_again(struct sim_edge *edge)
{
    if (!edge->resting || edge->stats.live >= edge->config.connections_max ||
        ev_is_active(&edge->rested))
        return;
    edge->resting = false;
    for (uint32_t i = 0; i < edge->listeners; i++)
        ev_io_start(edge->config.loop, &edge->listener[i].accept);
}

static void on_rested(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop;
    (void)events;
    edge_accept_again(timer->data);
}

/* What comes next will be accepted when there is a descriptor, or memory. */
static void rest_a_while(struct sim_edge *edge, uint32_t listener)
{
    chaos_timer_start(edge->config.loop, &edge->rested, REST_US);
    rest(edge, listener);
}

static void on_accept(struct ev_loop *loop, ev_io *io, int events)
{
    struct edge_listener *listener = io->data;
    struct sim_edge *edge = listener->edge;
    uint32_t number = (uint32_t)(listener - edge->listener);
    (void)loop;
    (void)events;
    for (int i = 0; i < ACCEPTS_PER_ROUND; i++) {
        struct sockaddr_in source;
        if (edge->stats.live >= edge->config.connections_max) {
            rest(edge, number);
            return;
        }
        int fd = chaos_sock_accept(listener->fd, &source);
        if (fd < 0 && chaos_sock_exhausted(errno)) {
            rest_a_while(edge, number);
            return;
        }
        if (fd < 0 && errno == EAGAIN)
            return;
        if (fd < 0)
            continue; /* one that left before it was accepted */
        edge->stats.accepted++;
        if (!edge_conn_begin(edge, number, fd, &source)) {
            rest_a_while(edge, number);
            return;
        }
    }
}

static SSL_CTX *context_of(const char *cert_file, const char *key_file)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    if (!context)
        return NULL;
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    /* Each connection shows its certificate: none is resumed. */
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
    SSL_CTX_set_num_tickets(context, 0);
    if (SSL_CTX_use_certificate_chain_file(context, cert_file) == 1 &&
        SSL_CTX_use_PrivateKey_file(context, key_file, SSL_FILETYPE_PEM) == 1 &&
        SSL_CTX_check_private_key(context) == 1)
        return context;
    SSL_CTX_free(context);
    ERR_clear_error();
    return NULL;
}

int sim_edge_listen(struct sim_edge *edge, struct sockaddr_in *out, const char *cert_file,
                    const char *key_file)
{
    if (edge->listeners == SIM_EDGE_LISTENERS_MAX)
        return SIM_CHAOS_EMEMORY;
    struct edge_listener *listener = &edge->listener[edge->listeners];
    SSL_CTX *context = context_of(cert_file, key_file);
    if (!context)
        return SIM_CHAOS_ECERT;
    int fd = chaos_sock_listen(out);
    if (fd < 0) {
        SSL_CTX_free(context);
        return SIM_CHAOS_ESOCKET;
    }
    *listener = (struct edge_listener){.edge = edge, .fd = fd, .context = context};
    ev_io_init(&listener->accept, on_accept, fd, EV_READ);
    listener->accept.data = listener;
    if (!edge->resting)
        ev_io_start(edge->config.loop, &listener->accept);
    return (int)edge->listeners++;
}

int sim_edge_create(struct sim_edge **out, const struct sim_edge_config *config)
{
    assert(config->loop && (config->file || !config->files));
    *out = NULL;
    struct sim_edge *edge = calloc(1, sizeof *edge);
    BIO_METHOD *method = edge ? edge_bio_method() : NULL;
    if (!method) {
        free(edge);
        return SIM_CHAOS_EMEMORY;
    }
    edge->config = *config;
    if (!edge->config.connections_max)
        edge->config.connections_max = CONNECTIONS;
    if (!edge->config.request_ms)
        edge->config.request_ms = REQUEST_MS;
    if (!edge->config.idle_ms)
        edge->config.idle_ms = IDLE_MS;
    edge->socket_method = method;
    ev_init(&edge->rested, on_rested);
    edge->rested.data = edge;
    *out = edge;
    return SIM_CHAOS_OK;
}

void sim_edge_free(struct sim_edge *edge)
{
    if (!edge)
        return;
    edge->resting = false; /* none is accepted again */
    while (edge->conns)
        edge_conn_free(edge->conns);
    ev_timer_stop(edge->config.loop, &edge->rested);
    for (uint32_t i = 0; i < edge->listeners; i++) {
        ev_io_stop(edge->config.loop, &edge->listener[i].accept);
        close(edge->listener[i].fd);
        SSL_CTX_free(edge->listener[i].context);
    }
    BIO_meth_free(edge->socket_method);
    free(edge);
}

void sim_edge_stats(const struct sim_edge *edge, struct sim_edge_stats *out)
{
    *out = edge->stats;
}
