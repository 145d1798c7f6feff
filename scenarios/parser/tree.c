#include "tree.h"
#include <stdlib.h>
#include <string.h>

struct scn_tree_block {
    struct scn_tree_block *next;
    max_align_t bytes[];
};

static void *tree_alloc(struct scn_tree *tree, size_t bytes)
{
    struct scn_tree_block *block = calloc(1, sizeof *block + bytes);
    if (!block)
        return NULL;
    block->next = tree->blocks;
    tree->blocks = block;
    return block->bytes;
}

void scn_tree_free(struct scn_tree *tree)
{
    while (tree->blocks) {
        struct scn_tree_block *block = tree->blocks;
        tree->blocks = block->next;
        free(block);
    }
    memset(tree, 0, sizeof *tree);
}

struct scn_node *scn_tree_node(struct scn_tree *tree, enum scn_node_kind kind)
{
    struct scn_node *node = tree_alloc(tree, sizeof *node);
    if (node) {
        node->kind = kind;
        tree->nodes++;
    }
    return node;
}

char *scn_tree_text(struct scn_tree *tree, const char *text, size_t len)
{
    char *copy = tree_alloc(tree, len + 1);
    if (copy && len)
        memcpy(copy, text, len);
    return copy;
}

void scn_node_append(struct scn_node *parent, struct scn_node *child)
{
    child->next = NULL;
    if (parent->last)
        parent->last->next = child;
    else
        parent->first = child;
    parent->last = child;
    parent->children++;
}

struct scn_node *scn_node_get_n(const struct scn_node *map, const char *key, size_t len)
{
    if (!map || map->kind != SCN_NODE_MAP)
        return NULL;
    for (struct scn_node *child = map->first; child; child = child->next)
        if (strlen(child->key) == len && !memcmp(child->key, key, len))
            return child;
    return NULL;
}

struct scn_node *scn_node_get(const struct scn_node *map, const char *key)
{
    return scn_node_get_n(map, key, strlen(key));
}

struct scn_node *scn_node_at(const struct scn_node *list, uint32_t index)
{
    if (!list || list->kind != SCN_NODE_LIST)
        return NULL;
    struct scn_node *child = list->first;
    while (child && index--)
        child = child->next;
    return child;
}

static struct scn_node *step_into_map(const struct scn_node *map, const char *path, size_t *used)
{
    struct scn_node *found = NULL;
    for (struct scn_node *child = map->first; child; child = child->next) {
        size_t len = strlen(child->key);
        bool fits = !strncmp(path, child->key, len) && (path[len] == '.' || !path[len]);
        if (fits && (!found || len > *used)) {
            found = child;
            *used = len;
        }
    }
    return found;
}

struct scn_node *scn_node_step(const struct scn_node *node, const char *path, size_t *used)
{
    *used = strcspn(path, ".");
    if (node->kind == SCN_NODE_MAP)
        return step_into_map(node, path, used);
    if (node->kind != SCN_NODE_LIST || !*used || *used > 6)
        return NULL;
    uint32_t index = 0;
    for (size_t i = 0; i < *used; i++) {
        if (path[i] < '0' || path[i] > '9')
            return NULL;
        index = index * 10 + (uint32_t)(path[i] - '0');
    }
    return scn_node_at(node, index);
}

const struct scn_node *scn_node_near(const struct scn_tree *tree, const char *path)
{
    const struct scn_node *node = tree->root;
    while (node && *path) {
        size_t used;
        const struct scn_node *child = scn_node_step(node, path, &used);
        if (!child)
            break;
        node = child;
        path += used;
        path += *path == '.';
    }
    return node;
}

const char *scn_node_kind_name(const struct scn_node *node)
{
    static const char *const names[] = {"a single value", "a list", "a mapping"};
    return names[node->kind];
}
