#include "nodes.h"

#include <stdlib.h>
#include <string.h>

void *sweep_must(void *memory)
{
    if (!memory) {
        fprintf(stderr, "sweep: no memory for more states\n");
        abort();
    }
    return memory;
}

int sweep_nodes_init(struct sweep_nodes *nodes)
{
    memset(nodes, 0, sizeof *nodes);
    pthread_mutex_init(&nodes->grow, NULL);
    for (uint32_t i = 0; i < SWEEP_SHARDS; i++) {
        pthread_mutex_init(&nodes->shard[i].lock, NULL);
        nodes->shard[i].room = 256;
        nodes->shard[i].slot = calloc(nodes->shard[i].room, sizeof *nodes->shard[i].slot);
        if (!nodes->shard[i].slot)
            return -1;
    }
    return 0;
}

void sweep_nodes_free(struct sweep_nodes *nodes)
{
    for (uint32_t i = 0; i < SWEEP_SHARDS; i++)
        free(nodes->shard[i].slot);
    for (uint32_t i = 0; i < SWEEP_CHUNKS; i++)
        free(nodes->chunk[i]);
    memset(nodes, 0, sizeof *nodes);
}

struct sweep_node *sweep_node(const struct sweep_nodes *nodes, uint32_t index)
{
    return &nodes->chunk[index / SWEEP_CHUNK][index % SWEEP_CHUNK];
}

static uint32_t allocate(struct sweep_nodes *nodes)
{
    pthread_mutex_lock(&nodes->grow);
    uint32_t index = atomic_load(&nodes->count);
    struct sweep_node **chunk = &nodes->chunk[index / SWEEP_CHUNK % SWEEP_CHUNKS];
    if (!*chunk)
        *chunk = sweep_must(calloc(SWEEP_CHUNK, sizeof **chunk));
    atomic_store(&nodes->count, index + 1);
    pthread_mutex_unlock(&nodes->grow);
    return index;
}

int sweep_order_compare(struct sweep_order a, struct sweep_order b)
{
    if (a.hi != b.hi)
        return a.hi < b.hi ? -1 : 1;
    return a.lo == b.lo ? 0 : a.lo < b.lo ? -1 : 1;
}

/*
 *   hi   rank of the parent 32 | operation 24 | sessions since the cut 8
 *   lo   form 8 | hash of choices and details 56
 * Without a blow it is the parent's, one session later: so a smaller order of the parent never
 * makes a greater one here.
 */
struct sweep_order sweep_order_of(const struct sweep_nodes *nodes,
                                  const struct sweep_origin *origin)
{
    uint64_t part[3] = {origin->choices, origin->boot_choices, origin->blow.at};
    if (origin->parent == SWEEP_NODE_NONE)
        return (struct sweep_order){origin->choices << 32, 0};
    const struct sweep_node *parent = sweep_node(nodes, origin->parent);
    if (origin->blow.form != SIM_SWEEP_FORMS)
        return (struct sweep_order){(uint64_t)parent->rank << 32 | (uint64_t)origin->blow.op << 8,
                                    (uint64_t)origin->blow.form << 56 |
                                        XXH3_64bits(part, sizeof part) >> 8};
    struct sweep_order order = parent->order;
    if ((order.hi & 0xFF) < 0xFF)
        order.hi++;
    return order;
}

/* True when a is the better way to a node; equal orders differ in choices or in the parent. */
static bool is_better(const struct sweep_nodes *nodes, struct sweep_order order_a,
                      const struct sweep_origin *a, const struct sweep_node *b)
{
    int by_place = sweep_order_compare(order_a, b->order);
    if (by_place || b->origin.parent == SWEEP_NODE_NONE || a->parent == SWEEP_NODE_NONE)
        return by_place < 0;
    if (a->choices != b->origin.choices)
        return a->choices < b->origin.choices;
    if (a->boot_choices != b->origin.boot_choices)
        return a->boot_choices < b->origin.boot_choices;
    return XXH128_cmp(&sweep_node(nodes, a->parent)->key,
                      &sweep_node(nodes, b->origin.parent)->key) < 0;
}

static bool is_entry(const struct sweep_origin *origin)
{
    return origin->parent == SWEEP_NODE_NONE || origin->blow.form != SIM_SWEEP_FORMS;
}

static void grow(const struct sweep_nodes *nodes, uint32_t **slot, size_t *room)
{
    size_t bigger = *room * 2;
    uint32_t *next = sweep_must(calloc(bigger, sizeof *next));
    for (size_t i = 0; i < *room; i++) {
        if (!(*slot)[i])
            continue;
        size_t at = sweep_node(nodes, (*slot)[i] - 1)->key.high64 & (bigger - 1);
        while (next[at])
            at = (at + 1) & (bigger - 1);
        next[at] = (*slot)[i];
    }
    free(*slot);
    *slot = next;
    *room = bigger;
}

static uint32_t insert(struct sweep_nodes *nodes, XXH128_hash_t key,
                       const struct sweep_origin *origin, bool booted)
{
    uint32_t index = allocate(nodes);
    struct sweep_node *node = sweep_node(nodes, index);
    node->key = key;
    node->origin = *origin;
    /* In the last layer places along cut-free edges are given by sweep_nodes_relax alone. */
    node->order = is_entry(origin) || !nodes->leaves ? sweep_order_of(nodes, origin)
                                                     : (struct sweep_order){UINT64_MAX, UINT64_MAX};
    node->round = nodes->round;
    node->booted = booted;
    return index;
}

/* May this way still become the node's? */
static bool may_stand(const struct sweep_nodes *nodes, const struct sweep_node *node,
                      const struct sweep_origin *origin)
{
    return origin->layer == node->origin.layer &&
           (nodes->leaves ? is_entry(origin) : node->round == nodes->round);
}

uint32_t sweep_nodes_visit(struct sweep_nodes *nodes, XXH128_hash_t key,
                           const struct sweep_origin *origin, bool booted, bool *is_new,
                           bool *stands)
{
    uint32_t s = key.low64 % SWEEP_SHARDS;
    pthread_mutex_lock(&nodes->shard[s].lock);
    if (nodes->shard[s].used * 2 >= nodes->shard[s].room)
        grow(nodes, &nodes->shard[s].slot, &nodes->shard[s].room);
    uint32_t *slot = nodes->shard[s].slot;
    size_t mask = nodes->shard[s].room - 1, at = key.high64 & mask;
    while (slot[at] && !XXH128_isEqual(sweep_node(nodes, slot[at] - 1)->key, key))
        at = (at + 1) & mask;
    *is_new = *stands = slot[at] == 0;
    if (*is_new) {
        slot[at] = insert(nodes, key, origin, booted) + 1;
        nodes->shard[s].used++;
    } else if (may_stand(nodes, sweep_node(nodes, slot[at] - 1), origin)) {
        struct sweep_node *node = sweep_node(nodes, slot[at] - 1);
        struct sweep_order order = sweep_order_of(nodes, origin);
        *stands = is_better(nodes, order, origin, node);
        if (*stands) {
            node->order = order;
            node->origin = *origin;
        }
    }
    uint32_t index = slot[at] - 1;
    pthread_mutex_unlock(&nodes->shard[s].lock);
    return index;
}

uint32_t sweep_nodes_find(struct sweep_nodes *nodes, XXH128_hash_t key)
{
    uint32_t s = key.low64 % SWEEP_SHARDS;
    pthread_mutex_lock(&nodes->shard[s].lock);
    const uint32_t *slot = nodes->shard[s].slot;
    size_t mask = nodes->shard[s].room - 1, at = key.high64 & mask;
    while (slot[at] && !XXH128_isEqual(sweep_node(nodes, slot[at] - 1)->key, key))
        at = (at + 1) & mask;
    uint32_t index = slot[at] ? slot[at] - 1 : SWEEP_NODE_NONE;
    pthread_mutex_unlock(&nodes->shard[s].lock);
    return index;
}

void sweep_edges_add(struct sweep_edges *edges, const struct sweep_edge *edge)
{
    if (edges->count == edges->room) {
        edges->room = edges->room ? edges->room * 2 : 1024;
        edges->edge = sweep_must(realloc(edges->edge, edges->room * sizeof *edges->edge));
    }
    edges->edge[edges->count++] = *edge;
}

const struct sweep_edge **sweep_nodes_first_edges(const struct sweep_nodes *nodes,
                                                  const struct sweep_edges *edges, uint32_t sets)
{
    const struct sweep_edge **first =
        sweep_must(calloc(atomic_load(&nodes->count) + 1, sizeof *first));
    for (uint32_t set = 0; set < sets; set++)
        for (size_t i = 0; i < edges[set].count; i++)
            if (edges[set].edge[i].choices == 0 && edges[set].edge[i].boot_choices == 0)
                first[edges[set].edge[i].from] = &edges[set].edge[i];
    return first;
}

static bool relax(struct sweep_nodes *nodes, const struct sweep_edge *edge, uint32_t layer)
{
    if (edge->to == SWEEP_NODE_NONE)
        return false;
    struct sweep_node *to = sweep_node(nodes, edge->to);
    struct sweep_origin origin = {.parent = edge->from,
                                  .layer = sweep_node(nodes, edge->from)->origin.layer,
                                  .choices = edge->choices,
                                  .blow = {.form = SIM_SWEEP_FORMS},
                                  .boot_choices = edge->boot_choices,
                                  .boots = edge->boots};
    struct sweep_order order = sweep_order_of(nodes, &origin);
    if (origin.layer != layer || to->origin.layer != layer || order.hi == UINT64_MAX ||
        !is_better(nodes, order, &origin, to))
        return false;
    to->order = order;
    to->origin = origin;
    return true;
}

void sweep_nodes_relax(struct sweep_nodes *nodes, const struct sweep_edges *edges, uint32_t sets,
                       uint32_t layer)
{
    bool changed = true;
    /* Each round settles one more session; a chain is never longer than its order can count. */
    for (int round = 0; changed && round < 256; round++) {
        changed = false;
        for (uint32_t set = 0; set < sets; set++)
            for (size_t i = 0; i < edges[set].count; i++)
                changed |= relax(nodes, &edges[set].edge[i], layer);
    }
}

static int by_order(const void *a, const void *b)
{
    const struct sweep_node *const *x = a, *const *y = b;
    int order = sweep_order_compare((*x)->order, (*y)->order);
    return order ? order : XXH128_cmp(&(*x)->key, &(*y)->key);
}

void sweep_nodes_rank(struct sweep_nodes *nodes, uint32_t layer)
{
    uint32_t all = atomic_load(&nodes->count), count = 0;
    struct sweep_node **list = sweep_must(malloc((all ? all : 1) * sizeof *list));
    for (uint32_t i = 0; i < all; i++)
        if (sweep_node(nodes, i)->origin.layer == layer)
            list[count++] = sweep_node(nodes, i);
    qsort(list, count, sizeof *list, by_order);
    for (uint32_t i = 0; i < count; i++)
        list[i]->rank = i;
    free(list);
}

/* Backwards from the end, along the edges grouped by where they lead. */
void sweep_nodes_endless(const struct sweep_nodes *nodes, const struct sweep_edges *edges,
                         uint32_t sets, void (*found)(void *ctx, uint32_t node), void *ctx)
{
    uint32_t all = atomic_load(&nodes->count), todo = 0;
    uint32_t *first = sweep_must(calloc((size_t)all + 2, sizeof *first));
    size_t total = 0;
    for (uint32_t set = 0; set < sets; set++)
        for (size_t i = 0; i < edges[set].count; i++, total++)
            if (edges[set].edge[i].to != SWEEP_NODE_NONE)
                first[edges[set].edge[i].to + 1]++;
    for (uint32_t i = 0; i < all; i++)
        first[i + 1] += first[i];
    uint32_t *from = sweep_must(malloc((total ? total : 1) * sizeof *from));
    uint32_t *place = sweep_must(malloc(((size_t)all + 1) * sizeof *place));
    uint32_t *queue = sweep_must(malloc(((size_t)all + 1) * sizeof *queue));
    bool *ends = sweep_must(calloc((size_t)all + 1, sizeof *ends));
    memcpy(place, first, ((size_t)all + 1) * sizeof *place);
    for (uint32_t set = 0; set < sets; set++)
        for (size_t i = 0; i < edges[set].count; i++) {
            const struct sweep_edge *edge = &edges[set].edge[i];
            if (edge->to != SWEEP_NODE_NONE) {
                from[place[edge->to]++] = edge->from;
            } else if (!ends[edge->from]) {
                ends[edge->from] = true;
                queue[todo++] = edge->from;
            }
        }
    while (todo > 0) {
        uint32_t node = queue[--todo];
        for (uint32_t i = first[node]; i < first[node + 1]; i++)
            if (!ends[from[i]]) {
                ends[from[i]] = true;
                queue[todo++] = from[i];
            }
    }
    for (uint32_t i = 0; i < all; i++)
        if (!ends[i])
            found(ctx, i);
    free(first);
    free(from);
    free(place);
    free(queue);
    free(ends);
}
