/*
 * The edge's inside. A connection goes
 *
 *   HANDSHAKE -> READING <-> WRITING -> LINGERING (closed by us, waits for the client's end)
 *                               |  `--> SILENT    (nothing more comes)
 *                               `-----> DEAD      (RST)
 *
 * and from everywhere to DEAD when the client leaves. One SSL_write holds one buffer, one record:
 * when it returns, all of that is in the socket, which is what effects count by.
 */
#ifndef CHAOS_EDGE_INTERNAL_H
#define CHAOS_EDGE_INTERNAL_H

#include "edge_request.h"
#include "sock.h"
#include <openssl/ssl.h>

enum { EDGE_BODY_BYTES = 16000, EDGE_OUT_BYTES = 16384, EDGE_HUGE_BYTES = 1 << 20 };
_Static_assert(EDGE_BODY_BYTES + 64 <= EDGE_OUT_BYTES, "a chunk's frame fits");

enum edge_phase { EDGE_HEAD, EDGE_PAD, EDGE_BODY, EDGE_DONE };
enum edge_finish { EDGE_KEEP, EDGE_CLOSE, EDGE_CLOSE_EARLY, EDGE_RESET, EDGE_SILENT };
enum edge_location { EDGE_NO_LOCATION, EDGE_SAME_PLACE, EDGE_PLAIN_HTTP };

/* An answer: what its head says, what its body is, and how far it has come. */
struct edge_reply {
    struct sim_edge_plan plan;
    const struct sim_edge_file *file, *content; /* asked for; sent. NULL: no body */
    const struct sim_edge_file *wrong;
    uint16_t status;
    bool bad, chunked, endless, head_only;
    bool ranged;                                   /* Content-Range is sent: */
    uint32_t range_first, range_last, range_total; /* total 0: "*"; for 416 only total */
    uint64_t length;                               /* Content-Length, unless chunked */
    enum edge_location location;
    enum edge_finish finish;

    enum edge_phase phase;
    uint32_t at, end;  /* next byte of content; where the body ends */
    uint32_t spoil_at; /* the spoiled byte */
    uint32_t pad_left;
    uint64_t made, written; /* bytes of the whole answer */
    uint64_t proof;         /* SPOILED is told when this byte of it has been written */
    uint32_t proof_at;      /* and that is this byte of the file */
    bool proof_known, proof_by_head, told;
};
#define EDGE_PROOF_NONE UINT64_MAX

/* edge_reply.c: what the plan makes of the request. */
void edge_reply_error(struct edge_reply *reply, uint16_t status);
/* file NULL: 404. Asks the plan when file and range are there. */
void edge_reply_plan(struct edge_reply *reply, const struct edge_request *request,
                     const struct sim_edge_file *file, const struct sim_edge_config *config,
                     const struct sockaddr_in *source);

/* edge_body.c: the answer's next bytes, at most EDGE_OUT_BYTES; 0: it is complete. */
uint32_t edge_reply_fill(struct edge_reply *reply, const struct edge_request *request,
                         uint8_t *out);

enum edge_state {
    EDGE_HANDSHAKE,
    EDGE_READING,
    EDGE_WRITING,
    EDGE_IN_SILENCE,
    EDGE_LINGERING,
    EDGE_DEAD
};

struct edge_conn {
    struct sim_edge *edge;
    struct edge_conn *next, **link;
    uint32_t listener;
    struct sockaddr_in source;
    enum edge_state state;
    int fd;
    SSL *ssl;
    ev_io io;
    ev_timer deadline, pace;
    bool requested; /* a request has come, whole or not */
    bool resting;   /* a slow drip waits for `pace` */
    struct edge_request request;
    struct edge_reply reply;
    uint32_t have, out_len, out_at;
    char in[EDGE_REQUEST_BYTES];
    uint8_t out[EDGE_OUT_BYTES];
};

struct edge_listener {
    struct sim_edge *edge;
    int fd;
    SSL_CTX *context;
    ev_io accept;
};

struct sim_edge {
    struct sim_edge_config config;
    struct edge_listener listener[SIM_EDGE_LISTENERS_MAX];
    uint32_t listeners;
    struct edge_conn *conns;
    ev_timer rested;
    bool resting; /* no listener accepts */
    BIO_METHOD *socket_method;
    struct sim_edge_stats stats;
};

/* edge_bio.c: a socket as OpenSSL sees it, without SIGPIPE. */
BIO_METHOD *edge_bio_method(void);
BIO *edge_bio_new(BIO_METHOD *method, int fd); /* does not own fd */

/* edge_conn.c */
/* Takes the descriptor over; false: no memory, and it is closed. */
bool edge_conn_begin(struct sim_edge *edge, uint32_t listener, int fd,
                     const struct sockaddr_in *source);
void edge_conn_free(struct edge_conn *conn); /* closes what is open */

/* edge_answer.c: writes the answer on, as far as the socket takes it. */
enum edge_write { EDGE_WROTE_ALL, EDGE_WROTE_SOME, EDGE_BLOCKED, EDGE_PACED, EDGE_BROKEN };
void edge_answer_begin(struct edge_conn *conn, int parsed);
enum edge_write edge_answer_write(struct edge_conn *conn);
/* SPOILED for an effect that is a way to end, and SERVED or BAD_REQUEST. */
void edge_answer_ended(struct edge_conn *conn);

/* edge.c */
void edge_tell(const struct edge_conn *conn, struct sim_edge_effect *effect);
void edge_accept_again(struct sim_edge *edge);

#endif
