/* Texts of the bench file to members. */
#include "value.h"
#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { WORD_MAX = 63, NAMES_SHOWN = 200 };

static const char *const kind_name[] = {"a single value", "a list", "a mapping of keys"};

int bench_must_be(struct bench_reader *r, const struct bench_node *node, enum bench_node_kind kind)
{
    return node->kind == kind ? 0
                              : bench_fail(&r->tree, node, "%s; accepted: %s",
                                           kind_name[node->kind], kind_name[kind]);
}

void bench_add_name(char *out, size_t len, const char *name)
{
    static const char more[] = ", ...";
    size_t used = strlen(out), need = strlen(name) + (used ? 2 : 0);
    if (used >= sizeof more && !strcmp(out + used - (sizeof more - 1), more))
        return;
    if (used + need + sizeof more <= len)
        snprintf(out + used, len - used, "%s%s", used ? ", " : "", name);
    else if (used + sizeof more <= len)
        memcpy(out + used, more, sizeof more);
}

/* A single value that holds something, and nothing that a terminal would act upon. */
static int check_text(struct bench_reader *r, const struct bench_node *node)
{
    if (bench_must_be(r, node, BENCH_SCALAR))
        return -1;
    if (!*node->text)
        return bench_fail(&r->tree, node, "is empty");
    for (const char *c = node->text; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            return bench_fail(&r->tree, node, "holds a control character");
    return 0;
}

int bench_text(struct bench_reader *r, const char **out, const struct bench_node *node)
{
    if (check_text(r, node))
        return -1;
    *out = node->text;
    return 0;
}

int bench_word(struct bench_reader *r, const char **out, const struct bench_node *node)
{
    static const char accepted[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                   "._-";
    if (check_text(r, node))
        return -1;
    if (node->text[strspn(node->text, accepted)] || strlen(node->text) > WORD_MAX ||
        !isalnum((unsigned char)*node->text))
        return bench_fail(&r->tree, node,
                          "'%.60s' is no name; accepted: up to %d letters, digits, '.', '_' and "
                          "'-', a letter or a digit first",
                          node->text, WORD_MAX);
    *out = node->text;
    return 0;
}

int bench_path(struct bench_reader *r, const char **out, const struct bench_node *node)
{
    if (check_text(r, node))
        return -1;
    *out = node->text;
    if (*node->text == '/')
        return 0;
    size_t len = strlen(r->bench->folder) + strlen(node->text) + 2;
    char *path = bench_take(r->tree.memory, len);
    if (!path)
        return bench_fail(&r->tree, node, "out of memory");
    snprintf(path, len, "%s/%s", r->bench->folder, node->text);
    *out = path;
    return 0;
}

int bench_number(struct bench_reader *r, int64_t *out, int64_t min, int64_t max,
                 const struct bench_node *node)
{
    if (bench_must_be(r, node, BENCH_SCALAR))
        return -1;
    const char *rest = node->text;
    if (agent_kit_read_number(&rest, out) && !*rest && *out >= min && *out <= max)
        return 0;
    return bench_fail(&r->tree, node, "'%.60s'; accepted: a whole number from %lld to %lld",
                      node->text, (long long)min, (long long)max);
}

/* As one would write it. */
static void write_duration(char out[32], int64_t ms)
{
    static const struct {
        int64_t ms;
        const char *unit;
    } units[] = {{86400000, "d"}, {3600000, "h"}, {60000, "m"}, {1000, "s"}, {1, "ms"}};
    size_t i = 0;
    while (i < 4 && (ms < units[i].ms || ms % units[i].ms))
        i++;
    snprintf(out, 32, "%lld%s", (long long)(ms / units[i].ms), units[i].unit);
}

int bench_duration(struct bench_reader *r, int64_t *out_ms, int64_t min, int64_t max,
                   const struct bench_node *node)
{
    char least[32], most[32];
    if (bench_must_be(r, node, BENCH_SCALAR))
        return -1;
    if (agent_kit_read_duration(node->text, out_ms) && *out_ms >= min && *out_ms <= max)
        return 0;
    write_duration(least, min);
    write_duration(most, max);
    return bench_fail(&r->tree, node, "'%.60s'; accepted: a duration from %s to %s", node->text,
                      least, most);
}

int bench_flag(struct bench_reader *r, bool *out, const struct bench_node *node)
{
    if (bench_must_be(r, node, BENCH_SCALAR))
        return -1;
    *out = !strcmp(node->text, "true");
    return *out || !strcmp(node->text, "false")
               ? 0
               : bench_fail(&r->tree, node, "'%.60s'; accepted: true, false", node->text);
}

int bench_list(struct bench_reader *r, const char *const **out, const struct bench_node *node)
{
    if (bench_must_be(r, node, BENCH_LIST))
        return -1;
    if (!node->children)
        return bench_fail(&r->tree, node, "is empty");
    const char **list = bench_take(r->tree.memory, (node->children + 1) * sizeof *list);
    if (!list)
        return bench_fail(&r->tree, node, "out of memory");
    for (const struct bench_node *child = node->first; child; child = child->next) {
        if (bench_must_be(r, child, BENCH_SCALAR))
            return -1;
        list[child->index] = child->text;
    }
    *out = list;
    return 0;
}

/* ---- Mappings ---- */

const struct bench_key *bench_find_key(const struct bench_key *keys, const char *name)
{
    for (; keys->name; keys++)
        if (!strcmp(keys->name, name))
            return keys;
    return NULL;
}

int bench_value(struct bench_reader *r, void *out, const struct bench_node *node,
                const struct bench_key *key)
{
    void *member = (char *)out + key->at;
    int64_t value = 0;
    int error;
    switch (key->form) {
    case BENCH_WORD:
        return bench_word(r, member, node);
    case BENCH_TEXT:
        return bench_text(r, member, node);
    case BENCH_PATH:
        return bench_path(r, member, node);
    case BENCH_ARGV:
        return bench_list(r, member, node);
    case BENCH_FLAG:
        return bench_flag(r, member, node);
    case BENCH_OWN:
        return key->own(r, out, node);
    case BENCH_BIG:
        error = bench_number(r, &value, key->min, key->max, node);
        if (!error)
            memcpy(member, &(uint64_t){(uint64_t)value}, sizeof(uint64_t));
        return error;
    default:
        error = key->form == BENCH_NUMBER ? bench_number(r, &value, key->min, key->max, node)
                                          : bench_duration(r, &value, key->min, key->max, node);
        if (!error)
            memcpy(member, &(uint32_t){(uint32_t)value}, sizeof(uint32_t));
        return error;
    }
}

static int unknown(struct bench_reader *r, const struct bench_node *node,
                   const struct bench_key *keys)
{
    char names[NAMES_SHOWN] = "";
    for (; keys->name; keys++)
        bench_add_name(names, sizeof names, keys->name);
    return bench_fail_key(&r->tree, node, "unknown key; accepted: %s", names);
}

int bench_mapping(struct bench_reader *r, void *out, const struct bench_node *map,
                  const struct bench_key *keys)
{
    if (bench_must_be(r, map, BENCH_MAP))
        return -1;
    for (const struct bench_node *child = map->first; child; child = child->next) {
        const struct bench_key *key = bench_find_key(keys, child->key);
        if (!key)
            return unknown(r, child, keys);
        if (bench_value(r, out, child, key))
            return -1;
    }
    for (const struct bench_key *key = keys; key->name; key++)
        if (key->required && !bench_node_get(map, key->name))
            return bench_fail(&r->tree, map, "%s is missing", key->name);
    return 0;
}
