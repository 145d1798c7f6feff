/*
 * An HTTPS server that lies by plan: GET and HEAD with Range over HTTP/1.1, files from memory, and
 * for each request a plan that says what is to be wrong with the answer. What a value of enum
 * scn_how means, and how its details follow from draw[], is the same as in sim/device/http.c, so
 * that a device ends the same in both worlds.
 *
 * One listener for each certificate: a good one, an expired one, a wrong name, an unknown CA.
 * Memory is bounded (connections_max, about 90 KB each), slow and hostile clients are cut off by
 * limits, and nothing that a client sends ends the server. An effect is told when the bytes that
 * prove it were written to the socket.
 */
#ifndef SIM_CHAOS_EDGE_H
#define SIM_CHAOS_EDGE_H

#include "scn/scenario.h"
#include "sim/chaos.h"
#include <ev.h>
#include <netinet/in.h>

enum { SIM_EDGE_PATH_MAX = 256, SIM_EDGE_LISTENERS_MAX = 8, SIM_EDGE_HEAD_HUGE = 65536 };

/* What enum scn_how has no value for. */
enum sim_edge_trick {
    SIM_EDGE_NO_TRICK,
    SIM_EDGE_HTTP_416,
    SIM_EDGE_EARLY_CLOSE,   /* the full length is declared, the body ends at the spoiled byte */
    SIM_EDGE_SHORT_LENGTH,  /* a file that ends at the spoiled byte, declared so */
    SIM_EDGE_REDIRECT_LOOP, /* 302 to the same place, for ever */
    SIM_EDGE_REDIRECT_HTTP, /* 302 to http:// of the same host */
    SIM_EDGE_SILENCE,       /* an honest head, then nothing */
    SIM_EDGE_HUGE_HEAD,     /* 1 MB of header lines before the honest body */
    SIM_EDGE_RANGE_LIES,    /* 206 whose Content-Range begins 1 + draw[1] % 4096 too late */
    SIM_EDGE_DRIP,          /* honest, drip_bytes each drip_us */
    SIM_EDGE_TRICKS
};
const char *sim_edge_trick_name(int trick); /* "early_close"; never NULL */

struct sim_edge_file {
    const char *path; /* "/fw/2.0.bin", up to SIM_EDGE_PATH_MAX - 1 */
    const void *bytes;
    uint32_t len;
};

/* One answer; all zero: an honest one. The spoiled byte is offset + draw[0] % (rest of the file).
 */
struct sim_edge_plan {
    enum scn_how how; /* SCN_HOW_BIT_FLIP .. SCN_HOW_DISCONNECT; SCN_HOW_ANY: see trick */
    enum sim_edge_trick trick;
    uint32_t draw[2];
    const struct sim_edge_file *other; /* WRONG_FILE, STALE_FILE; NULL: the first other file */
    uint32_t drip_bytes, drip_us;      /* 0: 1 byte, 100,000 us */
    uint32_t device, mark;             /* the caller's, come back in effects */
};

enum sim_edge_effect_kind {
    SIM_EDGE_SPOILED,      /* how or trick was written to the socket */
    SIM_EDGE_SERVED,       /* an answer was written to its end, spoiled or not */
    SIM_EDGE_CERT_TAKEN,   /* a client finished the handshake on this certificate */
    SIM_EDGE_CERT_REFUSED, /* a client refused it by an alert */
    SIM_EDGE_LEFT,         /* a client finished the handshake and left without a request */
    SIM_EDGE_BAD_REQUEST,  /* answered by an error of its own: status tells */
    SIM_EDGE_TIMED_OUT,    /* a limit of time was reached, the connection is closed */
    SIM_EDGE_PAUSED,       /* connections_max, or no descriptor left: accepting rests */
    SIM_EDGE_EFFECTS
};
const char *sim_edge_effect_name(int kind); /* "spoiled"; never NULL */

struct sim_edge_effect {
    enum sim_edge_effect_kind kind;
    uint32_t listener;         /* as sim_edge_listen numbered it */
    struct sockaddr_in source; /* sin_family 0 for PAUSED */
    /* SPOILED and SERVED: from the plan. device is SIM_CHAOS_NOBODY elsewhere. */
    enum scn_how how;
    enum sim_edge_trick trick;
    uint32_t device, mark;
    uint32_t at;     /* SPOILED: byte of the file, 0 for heads */
    uint16_t status; /* of the answer */
    uint8_t alert;   /* CERT_REFUSED: RFC 8446 section 6, 45 = certificate_expired */
    int64_t at_us;   /* sim_chaos_now_us */
};

struct sim_edge_config {
    struct ev_loop *loop;
    const struct sim_edge_file *file; /* borrowed, with all bytes, until sim_edge_free */
    uint32_t files;
    uint32_t connections_max; /* 0: 1,024 */
    uint32_t request_ms; /* from the accept, or the first byte, to a whole request; 0: 10,000 */
    uint32_t idle_ms;    /* between two requests, and while a client reads nothing; 0: 60,000.
                            A connection that SILENCE holds stays until its client leaves */
    void *ctx;
    /* Asked for each request that names a file and a range of it; *plan is all zero before, source
     * is the client, file the one named. NULL: all is honest. */
    void (*plan)(void *ctx, const struct sockaddr_in *source, const struct sim_edge_file *file,
                 uint32_t offset, struct sim_edge_plan *plan);
    void (*effect)(void *ctx, const struct sim_edge_effect *effect); /* may be NULL */
};

struct sim_edge_stats {
    uint64_t accepted, requests, bytes; /* bytes: of answers, before TLS */
    uint32_t live, live_max;
    uint64_t effects[SIM_EDGE_EFFECTS];
    uint64_t how[SCN_HOWS], trick[SIM_EDGE_TRICKS]; /* of SPOILED */
};

struct sim_edge;

int sim_edge_create(struct sim_edge **out, const struct sim_edge_config *config);
void sim_edge_free(struct sim_edge *edge); /* not from a callback; NULL allowed */
/* Listens on 127.0.0.1 with this certificate (chain) and key, PEM, TLS 1.2 or newer. *out gets the
 * address. Returns the listener's number, from 0, or an error: ECERT, ESOCKET, EMEMORY (also when
 * there are SIM_EDGE_LISTENERS_MAX). */
int sim_edge_listen(struct sim_edge *edge, struct sockaddr_in *out, const char *cert_file,
                    const char *key_file);
void sim_edge_stats(const struct sim_edge *edge, struct sim_edge_stats *out);

#endif
