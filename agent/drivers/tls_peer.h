/*
 * Between the drivers: what one TLS connection expects of its server, and how it is told so.
 *
 * libmosquitto makes the SSL inside its connect call and begins the handshake there and then, so
 * that a fast server's certificate can be judged before the call returns. Whatever is to be checked
 * must therefore be set before the first byte is written: the context's info callback does it when
 * the handshake starts. A connection for which nothing is expected is refused.
 */
#ifndef AGENT_DRIVERS_TLS_PEER_H
#define AGENT_DRIVERS_TLS_PEER_H

#include "drivers/tls.h"
#include <stdbool.h>

struct agent_tls_peer {
    const char *name;                      /* DNS name or address that the certificate must hold */
    const struct agent_identity *identity; /* NULL: none */
    struct agent_clock clock;
    BIO_callback_fn_ex on_bio; /* of the socket's BIO, from the handshake's start on */
    void *ctx;                 /* its callback argument */
    SSL *ssl;      /* a reference of ours, from the handshake's start until agent_tls_forget */
    int alert;     /* what the server complained of, 0: nothing */
    bool prepared; /* name, time and identity are set on ssl */
};

/* The next handshake of the context is this peer's; NULL: nobody's. */
void agent_tls_expect(const struct agent_tls *tls, struct agent_tls_peer *peer);
void agent_tls_forget(struct agent_tls_peer *peer);

/* The phrase, when TLS is why the connection failed: our verdict on the certificate, or the
 * server's alert. NULL: neither. */
const char *agent_tls_refusal(const struct agent_tls_peer *peer);

/* For libcurl, which makes a context for each connection: trust, time and identity; the name is
 * checked by libcurl. False: no memory. */
bool agent_tls_dress(const struct agent_tls *tls, SSL_CTX *context,
                     const struct agent_identity *identity, const struct agent_clock *clock);

/* On either of the two. False: refused by OpenSSL, or no memory. */
bool agent_identity_use(const struct agent_identity *identity, SSL *ssl);
bool agent_identity_use_context(const struct agent_identity *identity, SSL_CTX *context);

#endif
