/*
 * The tree of a parsed YAML text: scalars, lists and mappings, each with the place where it was
 * written. It is this room's own, not libfyaml's, so that overrides can be put into it and a
 * message can name the line of anything at any time. All nodes and texts belong to the tree; NULL
 * from a maker means no memory.
 */
#ifndef SCN_TREE_H
#define SCN_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SCN_DEPTH_MAX = 64, SCN_NODES_MAX = 10000, SCN_KEYS_MAX = 256 };
enum scn_node_kind { SCN_NODE_SCALAR, SCN_NODE_LIST, SCN_NODE_MAP };

struct scn_node {
    enum scn_node_kind kind;
    bool plain;         /* a scalar without quotes */
    const char *text;   /* of a scalar, without NUL bytes inside */
    const char *origin; /* the override it came from ("--set a=b"), NULL: the file */
    int line, column;   /* from 1 */
    const char *key;    /* in a mapping */
    int key_line, key_column;
    struct scn_node *next, *first, *last;
    uint32_t children;
};

struct scn_tree_block;
struct scn_tree {
    struct scn_node *root; /* NULL: nothing was written */
    struct scn_tree_block *blocks;
    uint32_t nodes;
};

void scn_tree_free(struct scn_tree *tree);
struct scn_node *scn_tree_node(struct scn_tree *tree, enum scn_node_kind kind);
char *scn_tree_text(struct scn_tree *tree, const char *text, size_t len);
void scn_node_append(struct scn_node *parent, struct scn_node *child);

/* The value of a key of a mapping (len bytes of key), or entry of a list; NULL: none. */
struct scn_node *scn_node_get(const struct scn_node *map, const char *key);
struct scn_node *scn_node_get_n(const struct scn_node *map, const char *key, size_t len);
struct scn_node *scn_node_at(const struct scn_node *list, uint32_t index);

/*
 * One step along a dotted path ("firmware.2.4.0.size", "faults.0.kind"): the child that the path's
 * first component names, and in *used how many bytes of the path it took. Keys may hold dots
 * themselves, so the longest key of the mapping that fits is taken. NULL when there is none; *used
 * is then the component up to the next dot.
 */
struct scn_node *scn_node_step(const struct scn_node *node, const char *path, size_t *used);

/* The node at the path, or the deepest on the way to it that exists. NULL only without a root. */
const struct scn_node *scn_node_near(const struct scn_tree *tree, const char *path);

/* "a scalar" and so on, for messages. */
const char *scn_node_kind_name(const struct scn_node *node);

#endif
