/*
 * Values of the bench file, checked, and tables of keys. Each function returns 0, or -1 with the
 * message in the tree's source; what it gives belongs to the tree's memory.
 */
#ifndef RIG_BENCHFILE_VALUE_H
#define RIG_BENCHFILE_VALUE_H

#include "rig/benchfile.h"
#include "tree.h"

struct bench_reader {
    struct bench_tree tree;
    struct rig_bench *bench;
};

/* Letters, digits and "._-", at most 63, the first a letter or a digit: it becomes a file's name.
 */
int bench_word(struct bench_reader *r, const char **out, const struct bench_node *node);
int bench_text(struct bench_reader *r, const char **out, const struct bench_node *node);
/* Absolute: a relative one is behind the bench file's folder. */
int bench_path(struct bench_reader *r, const char **out, const struct bench_node *node);
int bench_number(struct bench_reader *r, int64_t *out, int64_t min, int64_t max,
                 const struct bench_node *node);
int bench_duration(struct bench_reader *r, int64_t *out_ms, int64_t min, int64_t max,
                   const struct bench_node *node);
int bench_flag(struct bench_reader *r, bool *out, const struct bench_node *node);
int bench_list(struct bench_reader *r, const char *const **out, const struct bench_node *node);

enum bench_form {
    BENCH_WORD,     /* const char * */
    BENCH_TEXT,     /* const char * */
    BENCH_PATH,     /* const char * */
    BENCH_ARGV,     /* const char *const * */
    BENCH_NUMBER,   /* uint32_t, min to max */
    BENCH_BIG,      /* uint64_t, min to max */
    BENCH_DURATION, /* uint32_t of milliseconds, min to max */
    BENCH_FLAG,     /* bool */
    BENCH_OWN       /* by its function */
};

/* A key of a mapping, and the member that it fills. */
struct bench_key {
    const char *name; /* NULL: the end of the table */
    enum bench_form form;
    size_t at; /* offset of the member */
    int64_t min, max;
    bool required;
    int (*own)(struct bench_reader *r, void *out, const struct bench_node *node);
};

/* All of a mapping; out is the struct that the offsets are of. */
int bench_mapping(struct bench_reader *r, void *out, const struct bench_node *map,
                  const struct bench_key *keys);
/* NULL: no such key. */
const struct bench_key *bench_find_key(const struct bench_key *keys, const char *name);
int bench_value(struct bench_reader *r, void *out, const struct bench_node *node,
                const struct bench_key *key);
/* node is a mapping (or a list). */
int bench_must_be(struct bench_reader *r, const struct bench_node *node, enum bench_node_kind kind);
/* Adds ", name" to a row of names, "..." where it is full. */
void bench_add_name(char *out, size_t len, const char *name);

#endif
