/* YAML to a tree, by the daemons' reader. */
#include "tree.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of a key's whole path, in messages: they have 512 bytes for all. */
enum { PATH_SHOWN = 96 };

void *bench_take(struct bench_memory *memory, size_t bytes)
{
    struct bench_block *block = calloc(1, sizeof *block + bytes);
    if (!block)
        return NULL;
    block->next = memory->blocks;
    memory->blocks = block;
    return block->bytes;
}

char *bench_take_text(struct bench_memory *memory, const char *text, size_t len)
{
    char *copy = bench_take(memory, len + 1);
    if (copy)
        memcpy(copy, text, len);
    return copy;
}

void bench_give_back(struct bench_memory *memory)
{
    while (memory->blocks) {
        struct bench_block *block = memory->blocks;
        memory->blocks = block->next;
        free(block);
    }
}

/* "boards.0.power.channel", its end if it is longer than there is room for. */
static void write_path(char out[PATH_SHOWN], const struct bench_node *node)
{
    char turned[PATH_SHOWN], part[PATH_SHOWN];
    size_t start = sizeof turned - 1;
    turned[start] = '\0';
    for (; node && node->parent; node = node->parent) {
        if (node->key)
            snprintf(part, sizeof part, "%s%s", node->key, turned[start] ? "." : "");
        else
            snprintf(part, sizeof part, "%u%s", node->index, turned[start] ? "." : "");
        size_t len = strlen(part);
        if (len > start)
            break;
        memcpy(turned + (start -= len), part, len);
    }
    memcpy(out, turned + start, sizeof turned - start);
}

static int fail_at(const struct bench_tree *tree, struct agent_kit_place at,
                   const struct bench_node *node, const char *fmt, va_list args)
{
    char path[PATH_SHOWN];
    write_path(path, node);
    return agent_kit_fail(&tree->source, at, *path ? path : NULL, fmt, args);
}

int bench_fail(const struct bench_tree *tree, const struct bench_node *node, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    fail_at(tree, node ? node->at : (struct agent_kit_place){0, 0}, node, fmt, args);
    va_end(args);
    return -1;
}

int bench_fail_key(const struct bench_tree *tree, const struct bench_node *node, const char *fmt,
                   ...)
{
    va_list args;
    va_start(args, fmt);
    fail_at(tree, node->key_at, node, fmt, args);
    va_end(args);
    return -1;
}

const struct bench_node *bench_node_get(const struct bench_node *map, const char *key)
{
    for (const struct bench_node *child = map->first; child; child = child->next)
        if (!strcmp(child->key, key))
            return child;
    return NULL;
}

/* ---- The reader's calls ---- */

__attribute__((format(printf, 2, 3))) static int fail_here(const struct bench_tree *tree,
                                                           const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    fail_at(tree, tree->at, tree->into, fmt, args);
    va_end(args);
    return -1;
}

static struct bench_node *add(struct bench_tree *tree, enum bench_node_kind kind)
{
    struct bench_node *node =
        tree->nodes < BENCH_NODES_MAX ? bench_take(tree->memory, sizeof *node) : NULL;
    if (!node) {
        fail_here(tree, "more values than a bench file may have, or no memory left for them");
        return NULL;
    }
    tree->nodes++;
    node->kind = kind;
    node->at = tree->at;
    node->key = tree->key;
    node->key_at = tree->key_at;
    node->parent = tree->into;
    tree->key = NULL;
    if (!tree->into) {
        tree->root = node;
        return node;
    }
    node->index = tree->into->children++;
    if (tree->into->last)
        tree->into->last->next = node;
    else
        tree->into->first = node;
    tree->into->last = node;
    return node;
}

static bool wants_key(const struct bench_tree *tree)
{
    return tree->into && tree->into->kind == BENCH_MAP && !tree->key;
}

static int on_open(void *ctx, bool list)
{
    struct bench_tree *tree = ctx;
    if (wants_key(tree))
        return fail_here(tree, "a %s where a key belongs", list ? "list" : "mapping");
    if (tree->depth == BENCH_DEPTH_MAX)
        return fail_here(tree, "nested too deeply");
    struct bench_node *node = add(tree, list ? BENCH_LIST : BENCH_MAP);
    if (!node)
        return -1;
    tree->into = node;
    tree->depth++;
    return 0;
}

static void on_close(void *ctx)
{
    struct bench_tree *tree = ctx;
    tree->into = tree->into->parent;
    tree->depth--;
}

static int take_key(struct bench_tree *tree, const char *text)
{
    if (!*text)
        return fail_here(tree, "an empty key");
    if (bench_node_get(tree->into, text))
        return fail_here(tree, "%.60s: given twice", text);
    tree->key = bench_take_text(tree->memory, text, strlen(text));
    tree->key_at = tree->at;
    return tree->key ? 0 : fail_here(tree, "out of memory");
}

static int on_text(void *ctx, const char *text, bool plain)
{
    struct bench_tree *tree = ctx;
    (void)plain;
    if (wants_key(tree))
        return take_key(tree, text);
    struct bench_node *node = add(tree, BENCH_SCALAR);
    if (!node)
        return -1;
    node->text = bench_take_text(tree->memory, text, strlen(text));
    return node->text ? 0 : fail_here(tree, "out of memory");
}

static int refuse(void *ctx, const char *what)
{
    return fail_here(ctx, "%s", what);
}

int bench_tree_parse(struct bench_tree *tree, const char *bytes, size_t len)
{
    static const struct agent_kit_yaml yaml = {
        .open = on_open,
        .close = on_close,
        .text = on_text,
        .refuse = refuse,
    };
    tree->root = tree->into = NULL;
    tree->key = NULL;
    tree->depth = tree->nodes = 0;
    return agent_kit_yaml_parse(&yaml, tree, &tree->at, &tree->source, bytes, len);
}
