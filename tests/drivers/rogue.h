/* A TLS server that says what no real one would: a thread with blocking calls, one connection at a
 * time, ended by rogue_stop. */
#ifndef TEST_DRIVERS_ROGUE_H
#define TEST_DRIVERS_ROGUE_H

#include "world.h"
#include <pthread.h>

struct rogue {
    int listener;
    uint16_t port;
    pthread_t thread;
    SSL_CTX *context;
    /* Serves connection nth; NULL context: the accepted socket is left alone. */
    void (*serve)(struct rogue *rogue, SSL *ssl, int nth);
    char request[4096]; /* the last one that rogue_request read */
};

void rogue_start(struct rogue *rogue, void (*serve)(struct rogue *, SSL *, int));
void rogue_stop(struct rogue *rogue); /* its clients must be gone */

/* For servers. False: the client went away. */
bool rogue_request(struct rogue *rogue, SSL *ssl); /* reads up to the empty line */
bool rogue_say(SSL *ssl, const char *text);
bool rogue_send(SSL *ssl, const void *bytes, size_t len);
bool rogue_read(SSL *ssl, unsigned char *bytes, size_t len);
void rogue_wait(SSL *ssl);  /* until the client goes away */
void rogue_reset(SSL *ssl); /* RST instead of FIN */

#endif
