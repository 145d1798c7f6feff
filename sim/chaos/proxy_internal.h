/*
 * The proxy's inside: one struct proxy_conn for each connection, with a pipe for each direction.
 *
 *   device == fd[UP] ==> pipe[UP] ==> fd[DOWN] == server       pipe[s] reads fd[s], writes fd[!s]
 *                   <== pipe[DOWN] <==
 *
 * A connection that dies stays in memory until the loop's next round (proxy_reap), as callbacks
 * may end any connection while the code of this one runs: whoever has told an effect looks at
 * `state` again.
 */
#ifndef CHAOS_PROXY_INTERNAL_H
#define CHAOS_PROXY_INTERNAL_H

#include "sim/chaos_proxy.h"
#include "sim/rng.h"
#include "sock.h"

enum { PROXY_READ_BYTES = 16384 };

enum proxy_item_kind { PROXY_BYTES, PROXY_FIN, PROXY_RST };

/* What was read, and when it may pass. */
struct proxy_item {
    struct proxy_item *next;
    int64_t due_us;
    uint32_t len, at; /* bytes, and how many of them have passed */
    enum proxy_item_kind kind;
    bool late; /* latency holds it back */
    uint8_t bytes[];
};

struct proxy_pipe {
    struct proxy_conn *conn;
    enum sim_proxy_side side;
    struct proxy_item *first, **last;
    uint32_t queued;           /* bytes of items, bookkeeping included */
    int64_t due_us;            /* of the last item: none passes before it */
    int64_t rate_us, slice_us; /* no byte passes before bandwidth, slicing allow it */
    uint64_t passed, limit;    /* limit: of passed, for the plan's ending */
    struct sim_rng rng;
    ev_io read, write;
    ev_timer wake;
    bool ended;    /* its source sends no more */
    bool finished; /* FIN went to its destination */
    bool deaf;     /* what comes is thrown away: its destination takes nothing more */
    bool lost;     /* and is gone, not only closed by rule */
};

enum proxy_state {
    PROXY_PASSING,
    PROXY_FROZEN,
    PROXY_SWALLOWING, /* black hole, silence, or closed by rule: what comes is thrown away */
    PROXY_DEAD
};

struct proxy_conn {
    struct sim_proxy *proxy;
    struct proxy_conn *next, **link; /* of the same device */
    struct proxy_conn *next_dead;
    uint32_t device, number, mark;
    enum proxy_state state;
    bool open;                          /* the server has accepted */
    enum sim_proxy_effect_kind swallow; /* what the first byte swallowed proves */
    uint32_t told;                      /* set of effect kinds */
    int fd[SIM_PROXY_SIDES];            /* -1: none, or closed */
    struct sim_proxy_plan plan;
    struct proxy_pipe pipe[SIM_PROXY_SIDES];
    ev_timer later; /* the rest of a slow close; the end of a close */
};

struct proxy_device {
    struct proxy_conn *conns;
    uint32_t connections; /* ever */
    enum sim_proxy_entry entry;
    uint32_t mark;
};

struct sim_proxy {
    struct sim_proxy_config config;
    struct sockaddr_in address;
    int listener;
    ev_io accept;
    ev_timer rested;
    ev_prepare reap;
    struct proxy_conn *dead;
    struct sim_proxy_stats stats;
    struct proxy_device *device;
    uint8_t scratch[PROXY_READ_BYTES];
};

/* proxy_pipe.c */
void proxy_pipe_init(struct proxy_conn *conn, enum sim_proxy_side side);
/* Sets the limit at which the plan's ending strikes, from what has passed. */
void proxy_pipe_limit(struct proxy_pipe *pipe);
void proxy_pipe_read_on(struct proxy_pipe *pipe);  /* unless it has ended or its queue is full */
void proxy_pipe_pump(struct proxy_pipe *pipe);     /* passes on what may pass now */
uint32_t proxy_pipe_drop(struct proxy_pipe *pipe); /* empties the queue; returns its bytes */
void proxy_pipe_stop(struct proxy_pipe *pipe);     /* all its watchers */

/* proxy_conn.c */
/* Takes the descriptor over. */
void proxy_conn_begin(struct sim_proxy *proxy, int fd, const struct sockaddr_in *source,
                      uint32_t device, uint32_t number, const struct sim_proxy_plan *plan);
void proxy_conn_opened(struct proxy_conn *conn); /* the server has accepted, or has not */
/* Ends it so; false when it is ending already. */
bool proxy_conn_strike(struct proxy_conn *conn, enum sim_proxy_ending ending, uint32_t mark);
void proxy_conn_thaw(struct proxy_conn *conn);
/* New rules; false when it is ending. */
bool proxy_conn_change(struct proxy_conn *conn, const struct sim_proxy_plan *plan);
void proxy_conn_limit(struct proxy_conn *conn); /* strikes if the limit has been reached */
void proxy_conn_swallowed(struct proxy_conn *conn, uint32_t bytes);
/* One side has ended while all is swallowed: closes the connection after the last. */
void proxy_conn_side_ended(struct proxy_conn *conn);
void proxy_conn_close(struct proxy_conn *conn, bool reset); /* now; tells nothing */
void proxy_conn_out_of_memory(struct proxy_conn *conn);
/* Tells an effect, each kind once for each connection. */
void proxy_conn_tell(struct proxy_conn *conn, enum sim_proxy_effect_kind kind, uint32_t mark);

/* proxy.c */
void proxy_tell(struct sim_proxy *proxy, struct sim_proxy_effect *effect);
void proxy_rest(struct sim_proxy *proxy); /* no descriptor left: accepts no more for a while */

#endif
