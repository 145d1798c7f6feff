/*
 * What a device trusts and who it is. One struct agent_tls serves every connection of a process: it
 * holds one SSL_CTX (MQTT), whose store of CAs is that of HTTPS too. Nothing here can turn the
 * check of a server's certificate off: not a caller, not a server.
 *
 * Owned by the caller, constant after its creation, outlives every connection made with it. Not for
 * several threads. NULL is misuse unless a comment allows it. Nothing survives a power cut.
 */
#ifndef DRIVERS_TLS_H
#define DRIVERS_TLS_H

#include <openssl/ssl.h>
#include <stddef.h>
#include <stdint.h>

enum agent_drivers_error {
    AGENT_DRIVERS_OK = 0,
    AGENT_DRIVERS_EMEMORY = -1,
    AGENT_DRIVERS_EFILE = -2,   /* a file can't be read, or is not what it should be */
    AGENT_DRIVERS_ECONNECT = -3 /* the connection could not even be begun */
};
const char *agent_drivers_error_name(int error); /* never NULL */

struct agent_tls;

/* TLS 1.2 or newer; trusts the CAs of this PEM file and no others. On an error *out is NULL and why
 * (len bytes, may be NULL) tells the file and the reason. SIGPIPE is ignored from now on, for the
 * whole process: a broken connection is an error of its write. */
int agent_tls_create(struct agent_tls **out, const char *ca_file, char *why, size_t len);
void agent_tls_free(struct agent_tls *tls); /* NULL allowed */
/* Borrowed. A connection is made with it by the drivers only: any other is refused. */
SSL_CTX *agent_tls_context(const struct agent_tls *tls);

/* A client certificate with its key, for mutual TLS. */
struct agent_identity;
int agent_identity_load(struct agent_identity **out, const char *cert_file, const char *key_file,
                        char *why, size_t len);
void agent_identity_free(struct agent_identity *identity); /* NULL allowed */

/* The device's own clock, UTC milliseconds since 1970: validity of certificates is judged by it, as
 * a device whose clock is wrong does. utc_ms NULL: the system's clock. */
struct agent_clock {
    int64_t (*utc_ms)(void *ctx);
    void *ctx;
};

#endif
