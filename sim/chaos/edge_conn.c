/* A connection: handshake, requests, answers, and the limits of time. */
#include "edge_internal.h"
#include <errno.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LINGER_US = 5000000, DRIP_US = 100000, REASON_OF_ALERT = SSL_AD_REASON_OFFSET };

static struct ev_loop *loop_of(const struct edge_conn *conn)
{
    return conn->edge->config.loop;
}

/* Always false: the step that waits is over. */
static bool wait_for(struct edge_conn *conn, int events)
{
    if (ev_is_active(&conn->io) && (conn->io.events & (EV_READ | EV_WRITE)) == events)
        return false;
    ev_io_stop(loop_of(conn), &conn->io);
    ev_io_set(&conn->io, conn->fd, events);
    ev_io_start(loop_of(conn), &conn->io);
    return false;
}

static bool die(struct edge_conn *conn)
{
    conn->state = EDGE_DEAD;
    return false;
}

static void within_ms(struct edge_conn *conn, uint32_t ms)
{
    chaos_timer_start(loop_of(conn), &conn->deadline, (int64_t)ms * 1000);
}

static void tell(const struct edge_conn *conn, enum sim_edge_effect_kind kind, uint8_t alert)
{
    edge_tell(conn,
              &(struct sim_edge_effect){.kind = kind, .device = SIM_CHAOS_NOBODY, .alert = alert});
}

/* An alert that says: this certificate is not accepted (RFC 8446, 6.2), else 0. */
static uint8_t refusal(void)
{
    unsigned long error = ERR_peek_error();
    int alert = ERR_GET_REASON(error) - REASON_OF_ALERT;
    bool refuses = (alert >= SSL_AD_BAD_CERTIFICATE && alert <= SSL_AD_CERTIFICATE_UNKNOWN) ||
                   alert == SSL_AD_UNKNOWN_CA;
    return ERR_GET_LIB(error) == ERR_LIB_SSL && refuses ? (uint8_t)alert : 0;
}

static bool shake_hands(struct edge_conn *conn)
{
    ERR_clear_error();
    int result = SSL_accept(conn->ssl);
    if (result == 1) {
        conn->state = EDGE_READING;
        tell(conn, SIM_EDGE_CERT_TAKEN, 0);
        return true;
    }
    switch (SSL_get_error(conn->ssl, result)) {
    case SSL_ERROR_WANT_READ:
        return wait_for(conn, EV_READ);
    case SSL_ERROR_WANT_WRITE:
        return wait_for(conn, EV_WRITE);
    default:
        if (refusal())
            tell(conn, SIM_EDGE_CERT_REFUSED, refusal());
        return die(conn);
    }
}

static bool read_more(struct edge_conn *conn)
{
    ERR_clear_error();
    int got = SSL_read(conn->ssl, conn->in + conn->have, (int)(sizeof conn->in - conn->have));
    if (got > 0) {
        if (conn->have == 0 && conn->requested)
            within_ms(conn, conn->edge->config.request_ms);
        conn->have += (uint32_t)got;
        return true;
    }
    switch (SSL_get_error(conn->ssl, got)) {
    case SSL_ERROR_WANT_READ:
        return wait_for(conn, EV_READ);
    case SSL_ERROR_WANT_WRITE:
        return wait_for(conn, EV_WRITE);
    default:
        if (!conn->requested)
            tell(conn, SIM_EDGE_LEFT, 0);
        return die(conn);
    }
}

static bool read_request(struct edge_conn *conn)
{
    int parsed = edge_request_parse(&conn->request, conn->in, conn->have);
    if (!parsed)
        return read_more(conn);
    edge_answer_begin(conn, parsed);
    conn->state = EDGE_WRITING;
    within_ms(conn, conn->edge->config.idle_ms);
    return true;
}

/* FIN by TLS and by TCP; closing at once would send an RST over what the client has not read. */
static bool linger(struct edge_conn *conn)
{
    conn->state = EDGE_LINGERING;
    ERR_clear_error();
    SSL_shutdown(conn->ssl);
    shutdown(conn->fd, SHUT_WR);
    chaos_timer_start(loop_of(conn), &conn->deadline, LINGER_US);
    return wait_for(conn, EV_READ);
}

static bool end_answer(struct edge_conn *conn)
{
    bool on = false;
    switch (conn->reply.finish) {
    case EDGE_KEEP:
        conn->state = EDGE_READING;
        within_ms(conn, conn->edge->config.idle_ms);
        on = true;
        break;
    case EDGE_CLOSE:
    case EDGE_CLOSE_EARLY:
        on = linger(conn);
        break;
    case EDGE_RESET:
        ev_io_stop(loop_of(conn), &conn->io);
        chaos_sock_reset(conn->fd);
        conn->fd = -1;
        on = die(conn);
        break;
    case EDGE_SILENT:
        conn->state = EDGE_IN_SILENCE;
        ev_timer_stop(loop_of(conn), &conn->deadline);
        on = wait_for(conn, EV_READ);
        break;
    }
    edge_answer_ended(conn);
    return on;
}

static bool write_answer(struct edge_conn *conn)
{
    uint32_t drip_us = conn->reply.plan.drip_us;
    switch (edge_answer_write(conn)) {
    case EDGE_WROTE_ALL:
        return end_answer(conn);
    case EDGE_WROTE_SOME:
        within_ms(conn, conn->edge->config.idle_ms);
        return wait_for(conn, EV_WRITE);
    case EDGE_BLOCKED:
        return wait_for(conn, EV_WRITE);
    case EDGE_PACED:
        ev_io_stop(loop_of(conn), &conn->io);
        ev_timer_stop(loop_of(conn), &conn->deadline);
        chaos_timer_start(loop_of(conn), &conn->pace, drip_us ? drip_us : DRIP_US);
        return false;
    case EDGE_BROKEN:
        break;
    }
    return die(conn);
}

/* Reads only to see the client leave. */
static bool drain(struct edge_conn *conn)
{
    uint8_t bytes[4096];
    ssize_t got = recv(conn->fd, bytes, sizeof bytes, MSG_DONTWAIT);
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
        return die(conn);
    return wait_for(conn, EV_READ);
}

static bool step(struct edge_conn *conn)
{
    switch (conn->state) {
    case EDGE_HANDSHAKE:
        return shake_hands(conn);
    case EDGE_READING:
        return read_request(conn);
    case EDGE_WRITING:
        return write_answer(conn);
    case EDGE_IN_SILENCE:
    case EDGE_LINGERING:
        return drain(conn);
    case EDGE_DEAD:
        break;
    }
    return false;
}

static void run(struct edge_conn *conn)
{
    while (step(conn))
        ;
    /* The queue is the thread's: a foreign error in it would be taken for the next user's. */
    ERR_clear_error();
    if (conn->state == EDGE_DEAD)
        edge_conn_free(conn);
}

static void on_io(struct ev_loop *loop, ev_io *io, int events)
{
    (void)loop;
    (void)events;
    run(io->data);
}

static void on_pace(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct edge_conn *conn = timer->data;
    (void)loop;
    (void)events;
    conn->resting = false;
    within_ms(conn, conn->edge->config.idle_ms);
    run(conn);
}

static void on_deadline(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct edge_conn *conn = timer->data;
    (void)loop;
    (void)events;
    if (conn->state != EDGE_LINGERING)
        tell(conn, SIM_EDGE_TIMED_OUT, 0);
    edge_conn_free(conn);
}

static SSL *new_session(struct sim_edge *edge, uint32_t listener, int fd)
{
    SSL *ssl = SSL_new(edge->listener[listener].context);
    BIO *bio = ssl ? edge_bio_new(edge->socket_method, fd) : NULL;
    if (!bio) {
        SSL_free(ssl);
        return NULL;
    }
    SSL_set_bio(ssl, bio, bio);
    return ssl;
}

bool edge_conn_begin(struct sim_edge *edge, uint32_t listener, int fd,
                     const struct sockaddr_in *source)
{
    SSL *ssl = new_session(edge, listener, fd);
    struct edge_conn *conn = ssl ? malloc(sizeof *conn) : NULL;
    if (!conn) {
        SSL_free(ssl);
        close(fd);
        return false;
    }
    /* Not the buffers at the end. */
    conn->edge = edge;
    conn->listener = listener;
    conn->source = *source;
    conn->state = EDGE_HANDSHAKE;
    conn->fd = fd;
    conn->ssl = ssl;
    conn->requested = conn->resting = false;
    conn->have = conn->out_len = conn->out_at = 0;
    conn->link = &edge->conns;
    conn->next = edge->conns;
    if (conn->next)
        conn->next->link = &conn->next;
    edge->conns = conn;
    ev_init(&conn->io, on_io);
    ev_init(&conn->deadline, on_deadline);
    ev_init(&conn->pace, on_pace);
    conn->io.data = conn->deadline.data = conn->pace.data = conn;
    if (++edge->stats.live > edge->stats.live_max)
        edge->stats.live_max = edge->stats.live;
    within_ms(conn, edge->config.request_ms);
    wait_for(conn, EV_READ);
    return true;
}

void edge_conn_free(struct edge_conn *conn)
{
    struct sim_edge *edge = conn->edge;
    ev_io_stop(edge->config.loop, &conn->io);
    ev_timer_stop(edge->config.loop, &conn->deadline);
    ev_timer_stop(edge->config.loop, &conn->pace);
    SSL_free(conn->ssl);
    if (conn->fd >= 0)
        close(conn->fd);
    *conn->link = conn->next;
    if (conn->next)
        conn->next->link = conn->link;
    free(conn);
    edge->stats.live--;
    edge_accept_again(edge);
}
