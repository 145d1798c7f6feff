/*
 * A TCP proxy that spoils connections by rule: it listens on 127.0.0.1, knows each device by its
 * source address, and passes bytes on to an upstream server, late, slowly, in slices, up to a
 * limit, or not at all. Towards the server it binds the device's own address, so that servers see
 * who it is.
 *
 * Bytes are never changed and never change their order: what comes late comes behind what came
 * before, a FIN or RST too. Two descriptors for each connection, and at most queue_bytes for each
 * direction: when a queue is full its sender is not read. Times are as exact as the loop's timers
 * (1 ms) and never too short. A rule counts as told by `effect` when it has changed what passes,
 * not when it was set.
 */
#ifndef SIM_CHAOS_PROXY_H
#define SIM_CHAOS_PROXY_H

#include "sim/chaos.h"
#include <ev.h>
#include <netinet/in.h>

enum sim_proxy_side {
    SIM_PROXY_UP,   /* device to server */
    SIM_PROXY_DOWN, /* server to device */
    SIM_PROXY_SIDES
};

/* What becomes of a new connection. */
enum sim_proxy_entry {
    SIM_PROXY_PASS,
    SIM_PROXY_REFUSE, /* RST right after accept; TCP leaves no way to refuse one source sooner */
    SIM_PROXY_SILENT  /* accepted, read, never answered; no connection to the server is made */
};

/* How a connection ends. Both sides are meant, but for SLOW_CLOSE. */
enum sim_proxy_ending {
    SIM_PROXY_END_NONE,
    SIM_PROXY_END_CLOSE,      /* FIN both ways; what still comes is read and thrown away */
    SIM_PROXY_END_SLOW_CLOSE, /* FIN to the device, whose bytes still pass; CLOSE after slow_us */
    SIM_PROXY_END_RESET,      /* RST both ways; what is queued is lost */
    SIM_PROXY_END_BLACK_HOLE, /* nothing passes any more, nothing is closed before both have left */
    SIM_PROXY_END_FREEZE      /* nothing passes until sim_proxy_thaw, then all that was held does */
};

/* The rules of one connection; all zero: a plain proxy. Rates and times hold for each direction. */
struct sim_proxy_plan {
    enum sim_proxy_entry entry;
    uint32_t latency_us;     /* one way */
    uint32_t jitter_us;      /* added to it: uniform in [0, jitter_us], drawn for each read */
    uint32_t bytes_per_s;    /* 0: unlimited */
    uint32_t slice_bytes;    /* at most so many in one write (TCP_NODELAY is on); 0: no limit */
    uint32_t slice_delay_us; /* between two writes */
    enum sim_proxy_ending ending; /* carried out when `limit_bytes` have passed on `limit_side`; */
    enum sim_proxy_side limit_side;
    uint64_t limit_bytes;        /* no byte more passes; 0: as soon as the server has accepted */
    uint32_t slow_us;            /* SLOW_CLOSE: from the FIN to the rest */
    struct sockaddr_in upstream; /* led there instead; sin_family 0: to the proxy's upstream */
    uint32_t mark;               /* the caller's, comes back in effects: which fault this is */
};

enum sim_proxy_effect_kind {
    SIM_PROXY_DELAYED,     /* the first byte that latency held back has passed */
    SIM_PROXY_THROTTLED,   /* bandwidth has made a byte wait, the first time */
    SIM_PROXY_SLICED,      /* the first write that was cut into slices */
    SIM_PROXY_CLOSED,      /* FIN sent both ways by rule */
    SIM_PROXY_HALF_CLOSED, /* FIN sent to the device by rule */
    SIM_PROXY_RESET,       /* RST sent both ways by rule */
    SIM_PROXY_HOLED,       /* the first byte fell into a black hole */
    SIM_PROXY_FROZEN,      /* the first byte is being held */
    SIM_PROXY_THAWED,      /* the first byte that was held has passed */
    SIM_PROXY_REFUSED,     /* RST sent to a new connection */
    SIM_PROXY_SILENCED,    /* the first byte of a silent connection came and was swallowed */
    SIM_PROXY_LED,         /* connected to another upstream than the proxy's own */
    /* Not rules but trouble. */
    SIM_PROXY_UPSTREAM_LOST, /* the server could not be reached; the device gets an RST */
    SIM_PROXY_PAUSED,        /* no descriptor left: accepting rests for 100 ms; device NOBODY */
    SIM_PROXY_NO_MEMORY,     /* the connection was reset */
    SIM_PROXY_EFFECTS
};
const char *sim_proxy_effect_name(int kind); /* "delayed"; never NULL */

struct sim_proxy_effect {
    enum sim_proxy_effect_kind kind;
    uint32_t device;                  /* SIM_CHAOS_NOBODY: unknown source, or none */
    uint32_t connection;              /* number among the device's connections, from 0 */
    uint32_t mark;                    /* of the plan or the call that is the cause */
    uint64_t passed[SIM_PROXY_SIDES]; /* bytes written on so far */
    int64_t at_us;                    /* sim_chaos_now_us */
};

struct sim_proxy_config {
    struct ev_loop *loop;
    struct sockaddr_in upstream;
    uint64_t seed;
    uint32_t number;      /* of this proxy, below 16: several on one seed draw apart */
    uint32_t devices;     /* numbers 0 .. devices - 1 */
    uint32_t queue_bytes; /* for each direction, bookkeeping included; 0: 65,536; at least 4,096.
                             Latency bounds the rate: queue_bytes / latency */
    uint32_t linger_ms;   /* after CLOSE, until who stays is reset; 0: 5,000 */
    void *ctx;
    /* Which device a source address is; SIM_CHAOS_NOBODY or a number beyond: it is refused. */
    uint32_t (*device)(void *ctx, const struct sockaddr_in *source);
    /* Asked once for each accepted connection of a device that is not off the network; *plan is
     * all zero before. NULL: nothing is spoiled. */
    void (*plan)(void *ctx, uint32_t device, uint32_t connection, struct sim_proxy_plan *plan);
    void (*effect)(void *ctx, const struct sim_proxy_effect *effect); /* may be NULL */
};

struct sim_proxy_stats {
    uint64_t accepted;
    uint32_t live, live_max;                    /* connections */
    uint32_t descriptors;                       /* of connections, now */
    uint64_t passed[SIM_PROXY_SIDES], withheld; /* bytes: written on; swallowed or lost */
    uint32_t queue_bytes_max;                   /* the largest that any queue has been */
    uint64_t effects[SIM_PROXY_EFFECTS];
};

struct sim_proxy;

/* Listens from now on. The config is copied. On an error *out is NULL. */
int sim_proxy_create(struct sim_proxy **out, const struct sim_proxy_config *config);
/* Resets what lives, closes all. Not from a callback. NULL allowed. */
void sim_proxy_free(struct sim_proxy *proxy);
struct sockaddr_in sim_proxy_address(const struct sim_proxy *proxy); /* 127.0.0.1 and its port */
void sim_proxy_stats(const struct sim_proxy *proxy, struct sim_proxy_stats *out);

/* For each live connection of the device: it ends so, now. Returns how many were hit; one that is
 * ending already is not. CLOSE, RESET tell their effect in the call; BLACK_HOLE and FREEZE
 * with the first byte that they keep back, which may be in the call. */
uint32_t sim_proxy_cut(struct sim_proxy *proxy, uint32_t device, enum sim_proxy_ending ending,
                       uint32_t mark);
/* Takes FREEZE back on all connections of the device; what was queued passes from now on. */
uint32_t sim_proxy_thaw(struct sim_proxy *proxy, uint32_t device);
/* New rules for each live connection of the device (entry and upstream are not looked at); what is
 * queued keeps its times, the byte limit counts from now. Returns how many were changed. */
uint32_t sim_proxy_change(struct sim_proxy *proxy, uint32_t device,
                          const struct sim_proxy_plan *plan);
/* New connections of the device are refused or silent, whatever `plan` would say, until the next
 * call says PASS. Live ones are not touched: cut them too. */
void sim_proxy_link(struct sim_proxy *proxy, uint32_t device, enum sim_proxy_entry entry,
                    uint32_t mark);

#endif
