/*
 * States that were seen, by key, and how each was reached first. Order is by (cuts, place in the
 * search), so what is remembered does not depend on threads: whoever comes later with a smaller
 * place takes the entry over: in layers that are kept, as long as the round lasts in which the node
 * was found (keep.c); in the last layer at any time, and sweep_nodes_relax carries that on along
 * cut-free edges.
 */
#ifndef SIM_SWEEP_NODES_H
#define SIM_SWEEP_NODES_H

#include "internal.h"

#include <stdatomic.h>

#define SWEEP_NODE_NONE UINT32_MAX

/* How a state was reached: from a parent's session with these choices, by a blow or without, and
 * (into a booted state whose off state is not kept) through a boot with those choices. */
struct sweep_origin {
    uint32_t parent;
    uint32_t layer; /* cuts so far */
    uint64_t choices;
    struct sweep_blow blow; /* form SIM_SWEEP_FORMS: none */
    uint64_t boot_choices;
    bool boots; /* a boot followed */
};

struct sweep_order {
    uint64_t hi, lo;
};

struct sweep_node {
    XXH128_hash_t key;
    struct sweep_origin origin;
    struct sweep_order order;
    uint32_t rank;  /* among the nodes of its layer, once that is complete */
    uint32_t round; /* sessions since the cut, in a layer that is kept */
    uint64_t face;  /* of a booted one: hash of what is to be the same of each state equal to it */
    bool booted;
};

struct sweep_edge {
    uint32_t from, to; /* to NONE: the end */
    uint64_t choices, boot_choices;
    bool boots;
    uint8_t end; /* to NONE: enum sweep_end */
};

struct sweep_edges {
    struct sweep_edge *edge;
    size_t count, room;
};

enum { SWEEP_SHARDS = 64, SWEEP_CHUNK = 1 << 14, SWEEP_CHUNKS = 1 << 14 };

struct sweep_nodes {
    struct {
        pthread_mutex_t lock;
        uint32_t *slot; /* node + 1 */
        size_t room, used;
    } shard[SWEEP_SHARDS];
    struct sweep_node *chunk[SWEEP_CHUNKS];
    pthread_mutex_t grow;
    atomic_uint count;
    /* Changed between rounds only. */
    uint32_t round;
    bool leaves; /* the last layer: not kept */
};

/* memory, or the end of the program. */
void *sweep_must(void *memory);
int sweep_nodes_init(struct sweep_nodes *nodes);
void sweep_nodes_free(struct sweep_nodes *nodes);
struct sweep_node *sweep_node(const struct sweep_nodes *nodes, uint32_t index);
/* The node with this key, made when new (*is_new); a smaller order than it had replaces its origin.
 * *stands: the origin is the node's now. */
uint32_t sweep_nodes_visit(struct sweep_nodes *nodes, XXH128_hash_t key,
                           const struct sweep_origin *origin, bool booted, bool *is_new,
                           bool *stands);
/* The node with this key, or NONE. */
uint32_t sweep_nodes_find(struct sweep_nodes *nodes, XXH128_hash_t key);
/* Where an origin stands in the search. */
struct sweep_order sweep_order_of(const struct sweep_nodes *nodes,
                                  const struct sweep_origin *origin);
int sweep_order_compare(struct sweep_order a, struct sweep_order b);
/* In this layer smaller orders go along cut-free edges until nothing changes. */
void sweep_nodes_relax(struct sweep_nodes *nodes, const struct sweep_edges *edges, uint32_t sets,
                       uint32_t layer);
/* Gives the nodes of a layer their ranks. from: the first node that may be of it. */
void sweep_nodes_rank(struct sweep_nodes *nodes, uint32_t layer);
void sweep_edges_add(struct sweep_edges *edges, const struct sweep_edge *edge);
/* Of each node, the edge with the first choices; NULL where it has none. To be freed. */
const struct sweep_edge **sweep_nodes_first_edges(const struct sweep_nodes *nodes,
                                                  const struct sweep_edges *edges, uint32_t sets);
/*
 * Nodes from which no cut-free way leads to the end: a device which, from there on, never comes to
 * rest. found(ctx, node) for each.
 */
void sweep_nodes_endless(const struct sweep_nodes *nodes, const struct sweep_edges *edges,
                         uint32_t sets, void (*found)(void *ctx, uint32_t node), void *ctx);

#endif
