/*
 * A device on the loopback, played by one thread: it takes what comes, keeps it, and says what the
 * test's function says. Of the driver under test it knows nothing. One test, one server.
 */
#ifndef TESTS_NET_SERVER_H
#define TESTS_NET_SERVER_H

#include "rig/relay.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    NET_TAKEN_MAX = 64,
    NET_BYTES_MAX = 4096,
    NET_PATIENT_MS = 10000, /* for an answer that must come: a slow machine is given time */
    NET_SHORT_MS = 2000     /* where one of several answers does not come, and is waited for */
};

enum net_kind {
    NET_TCP,  /* what one read brings: a segment, because the driver waits for each answer */
    NET_HTTP, /* a whole request, body included */
    NET_UDP,
};

struct net_reply { /* preset to nothing */
    const void *bytes;
    size_t len;
    size_t repeat; /* this many times more */
    bool close;    /* then the connection is closed */
};
typedef void net_device(void *ctx, struct net_reply *reply, const uint8_t *bytes, size_t len);

struct net_server {
    enum net_kind kind;
    net_device *device;
    void *ctx;
    int connections_max; /* one more is closed at once; 0: no limit */
    /* By net_start: */
    char port[8];
    int taken_n;
    struct {
        uint8_t bytes[NET_BYTES_MAX]; /* NUL-terminated */
        size_t len;
    } taken[NET_TAKEN_MAX];
};

extern struct net_server net_server;
void net_start(enum net_kind kind, net_device *device, void *ctx);
/* A TCP port at which nobody listens; it is held until the test ends. */
const char *net_nobody(void);
/* A file with this secret; its path. */
const char *net_secret(const char *secret);
/* The relay, with pairs of settings; fails the test unless it opens. */
struct rig_relay *net_open(const struct rig_relay_driver *driver, const char *const *pairs,
                           uint32_t timeout_ms);
/* What opening says. */
int net_try(struct rig_relay **out, const struct rig_relay_driver *driver, const char *const *pairs,
            uint32_t timeout_ms);
/* What the driver said last. */
extern char net_message[200];
#define NET_SAID net_message, sizeof net_message

/* For NET_HTTP: a reply with this status line, type and body. */
void net_http(struct net_reply *reply, const char *status, const char *body);

#endif
