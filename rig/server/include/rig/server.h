/*
 * The rig as a server: answers pdudaemon's HTTP interface, so that labgrid, LAVA and whatever else
 * speaks it can switch the relays of a bench. Bytes and answers are drawn in rig/server/README.md.
 *
 * Owner: the caller; all of the config is borrowed until stop. Threads: one for each connection, at
 * most RIG_SERVER_CONNECTIONS_MAX; every op is called by them. NULL is misuse unless a line allows
 * it.
 */
#ifndef RIG_SERVER_H
#define RIG_SERVER_H

#include "rig/wiring.h"

enum {
    RIG_SERVER_PORT = 16421, /* pdudaemon's */
    RIG_SERVER_URL_MAX = 1024,
    RIG_SERVER_WAITERS_MAX = 128, /* requests that wait for their delay or their turn */
    RIG_SERVER_ADDRESS_MAX = 160, /* connections of one client's address */
    RIG_SERVER_CONNECTIONS_MAX = 192,
    RIG_SERVER_IDLE_S = 10, /* a connection that says nothing for so long is closed */
    RIG_SERVER_DELAY_S = 5, /* reboot without `delay`, as pdudaemon has it */
    RIG_SERVER_DELAY_MAX_S = 600,
    RIG_SERVER_MESSAGE_MAX = 512,
};

/* One contact as a client names it. board NULL: a channel that the bench gives to no board; then it
 * is the bare contact, and on is closed. */
struct rig_outlet {
    const struct rig_bench_board *board;
    enum rig_function function;
    uint32_t strap;
    uint32_t controller, channel;
};

/* What the server needs of a rig; NULL in none of them. */
struct rig_server_ops {
    /* The outlet's board and controller are this request's until they are let go. RIG_OK, RIG_EBUSY
     * (message: who has it), RIG_EUNSUPPORTED, or what keeps it from being taken. */
    int (*take)(void *ctx, void **held, const struct rig_outlet *outlet, char *message, size_t len);
    void (*let_go)(void *ctx, void *held);
    /* Done when it returns. RIG_OK, or enum rig_error with message. */
    int (*set)(void *ctx, const struct rig_outlet *outlet, bool on, char *message, size_t len);
};

struct rig_server_config {
    const struct rig_bench *bench;
    const char *listen; /* "ADDRESS:PORT", "[ADDRESS]:PORT"; NULL: 127.0.0.1:16421; port 0: any */
    const char *token_file; /* NULL: none, on loopback only */
    const struct rig_server_ops *ops;
    void *ctx;
    void (*say)(void *ctx, const char *line); /* each request and what came of it; NULL: unsaid */
};

struct rig_server;

/* Listening when it returns. 0, or -1 with message (RIG_SERVER_MESSAGE_MAX or more): an address
 * that is none or is taken, no token where one is needed, a name of the bench that means two
 * things. */
int rig_server_start(struct rig_server **out, const struct rig_server_config *config, char *message,
                     size_t len);
/* No new connection; what waits for a delay is answered 503 with what was left undone, what is
 * being switched is finished. Switches nothing. NULL allowed. */
void rig_server_stop(struct rig_server *server);
/* "http://127.0.0.1:16421" */
const char *rig_server_url(const struct rig_server *server);

/* The ops of a bench by rig/wiring.h; ctx is a struct rig_server_relays. Locks are taken for one
 * request, and a controller's hardware is closed when nobody uses it, so that `brickyard rig` and
 * runs on other boards of the same controller can have it in between. */
struct rig_server_relays;
extern const struct rig_server_ops rig_server_relays_ops;
/* RIG_OK, or an error with message. */
int rig_server_relays_open(struct rig_server_relays **out, const struct rig_bench *bench,
                           char *message, size_t len);
void rig_server_relays_close(struct rig_server_relays *relays); /* NULL allowed */

/* `brickyard rig serve`: argv[0] is its own name. The exit code of CONTRACT.md; ends at SIGTERM or
 * SIGINT with 0. */
int rig_serve_main(int argc, char **argv);

#endif
