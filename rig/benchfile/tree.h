/*
 * The bench file's text as a tree of scalars, lists and mappings, each with its place, so that a
 * key may stand before or after what it depends on. Nodes and texts belong to the reader's memory.
 */
#ifndef RIG_BENCHFILE_TREE_H
#define RIG_BENCHFILE_TREE_H

#include "daemon_kit/settings.h"

enum { BENCH_DEPTH_MAX = 8, BENCH_NODES_MAX = 20000, BENCH_FILE_BYTES_MAX = 1 << 20 };

enum bench_node_kind { BENCH_SCALAR, BENCH_LIST, BENCH_MAP };

struct bench_node {
    enum bench_node_kind kind;
    const char *text; /* of a scalar */
    const char *key;  /* in a mapping; else NULL */
    struct agent_kit_place at, key_at;
    struct bench_node *parent, *next, *first, *last;
    uint32_t children, index; /* index: in its parent */
};

/* Everything of a bench, freed together. */
struct bench_block {
    struct bench_block *next;
    max_align_t bytes[];
};
struct bench_memory {
    struct bench_block *blocks;
};
void *bench_take(struct bench_memory *memory, size_t bytes); /* zeroed; NULL: none left */
char *bench_take_text(struct bench_memory *memory, const char *text, size_t len);
void bench_give_back(struct bench_memory *memory);

struct bench_tree {
    struct bench_memory *memory;
    struct agent_kit_source source;
    struct agent_kit_place at;
    struct bench_node *root, *into; /* into: what is open */
    const char *key;                /* of the value to come */
    struct agent_kit_place key_at;
    uint32_t depth, nodes;
};

/* 0, or -1 with the message. tree->memory and tree->source are the caller's; root NULL: empty. */
int bench_tree_parse(struct bench_tree *tree, const char *bytes, size_t len);

/* The value of a key of a mapping; NULL: none. */
const struct bench_node *bench_node_get(const struct bench_node *map, const char *key);

/* "FILE:LINE:COLUMN: boards.0.power.channel: what". node NULL: of the whole file. Returns -1. */
int bench_fail(const struct bench_tree *tree, const struct bench_node *node, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* The same, at the key instead of its value. */
int bench_fail_key(const struct bench_tree *tree, const struct bench_node *node, const char *fmt,
                   ...) __attribute__((format(printf, 3, 4)));

#endif
