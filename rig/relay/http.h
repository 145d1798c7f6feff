/*
 * HTTP to a device on the bench's network, by libcurl: one request at a time, within one deadline,
 * plain HTTP/1.1, no redirects, no proxy (not from the environment either), bodies of 64 KiB at
 * most. The path and what is posted never stand in a message, because passwords may be in them.
 * A connection is kept for the next request; libcurl opens it anew if the device closed it.
 */
#ifndef RIG_RELAY_HTTP_H
#define RIG_RELAY_HTTP_H

#include "rig/relay.h"

enum { RIG_HTTP_BODY_MAX = 64 * 1024 };

struct rig_http;

struct rig_http_config { /* copied */
    const char *host;    /* name or address, also a bare IPv6 one */
    uint16_t port;
    uint32_t timeout_ms;
    const char *digest_user, *digest_password; /* NULL: none */
    const char *bearer;                        /* NULL: none */
};

/* RIG_OK, RIG_EOPEN (no host's name), RIG_EMEMORY. Nothing is sent yet. */
int rig_http_open(struct rig_http **out, const struct rig_http_config *config, char *message,
                  size_t len);
void rig_http_close(struct rig_http *http);             /* NULL allowed */
const char *rig_http_peer(const struct rig_http *http); /* "plug-3:80" */

/* A driver's struct of `bytes`, zeroed, whose first member is its struct rig_http *, with that
 * opened. What rig_http_open returns; *out NULL then. */
int rig_http_relay_open(struct rig_relay **out, size_t bytes, const struct rig_http_config *config,
                        char *message, size_t len);
/* A driver's close: the client and the struct. NULL allowed. */
void rig_http_relay_close(struct rig_relay *relay);

struct rig_http_answer { /* valid until the next request */
    long status;
    const char *body; /* NUL-terminated, NULs within are possible */
    size_t len;
};

/* path: "/cm?cmnd=Power1%20Off", already escaped. json: posted; NULL: GET. `what` names the request
 * in messages. RIG_OK with any status but 401 and 403, which are RIG_EREFUSED; RIG_EOPEN: nobody
 * listens; RIG_ESILENT; RIG_EANSWER: not HTTP, or a body of more than 64 KiB; RIG_EGONE. */
int rig_http_ask(struct rig_http *http, struct rig_http_answer *answer, const char *path,
                 const char *json, const char *what, char *message, size_t len);

/* Percent-encodes all but letters, digits and -._~ into out. false: no room. */
bool rig_http_escape(char *out, size_t room, const char *text);

#endif
