/* Mappings, lists and shares of a scenario: keys are looked up in their table, defaults filled in.
 */
#include "key.h"
#include "number.h"
#include "share.h"
#include <assert.h>
#include <string.h>

static const struct scn_key *key_find(const struct scn_map *map, const char *name)
{
    for (size_t i = 0; i < map->keys; i++)
        if (!strcmp(map->key[i].name, name))
            return &map->key[i];
    return NULL;
}

enum { NAMES_MAX = 24 };

static int unknown_key(struct scn_reader *r, const struct scn_path *path,
                       const struct scn_node *node, const struct scn_map *map)
{
    const char *names[NAMES_MAX];
    char list[300];
    size_t count = map->keys;
    assert(count <= NAMES_MAX);
    for (size_t i = 0; i < count; i++)
        names[i] = map->key[i].name;
    const struct scn_names table = {(uint32_t)count, names};
    scn_names_list(&table, 0, (int)count - 1, list, sizeof list);
    const char *meant = scn_nearest(node->key, names, count);
    if (meant)
        return scn_fail_key(r, path, node, "unknown key '%.60s'; did you mean '%s'? accepted: %s",
                            node->key, meant, list);
    return scn_fail_key(r, path, node, "unknown key '%.60s'; accepted: %s", node->key, list);
}

static int read_written(struct scn_reader *r, const struct scn_path *path,
                        const struct scn_node *node, const struct scn_map *map, void *object)
{
    for (const struct scn_node *child = node->first; child; child = child->next) {
        const struct scn_path below = {path, child->key, 0};
        const struct scn_key *key = key_find(map, child->key);
        int error =
            key ? scn_read_key(r, &below, child, key, object) : unknown_key(r, path, child, map);
        if (error)
            return error;
    }
    return SCN_OK;
}

static int read_default(struct scn_reader *r, const struct scn_path *path,
                        const struct scn_node *at, const struct scn_key *key, void *object)
{
    struct scn_node value = {.plain = true, .text = key->fallback, .origin = at->origin};
    value.kind = key->type == SCN_T_MAP ? SCN_NODE_MAP : SCN_NODE_SCALAR;
    value.line = at->line;
    value.column = at->column;
    const struct scn_path below = {path, key->name, 0};
    return scn_read_key(r, &below, &value, key, object);
}

static int read_missing(struct scn_reader *r, const struct scn_path *path,
                        const struct scn_node *node, const struct scn_map *map, void *object)
{
    for (size_t i = 0; i < map->keys; i++) {
        const struct scn_key *key = &map->key[i];
        int error = SCN_OK;
        if (scn_node_get(node, key->name))
            continue;
        if (key->required) {
            char accepts[SCN_ACCEPTS_MAX];
            scn_key_accepts(key, accepts, sizeof accepts);
            return scn_fail(r, path, node, "'%s' is missing; accepted: %s", key->name, accepts);
        }
        if (key->fallback || key->type == SCN_T_MAP)
            error = read_default(r, path, node, key, object);
        if (error)
            return error;
    }
    return SCN_OK;
}

int scn_read_map(struct scn_reader *r, const struct scn_path *path, const struct scn_node *node,
                 const struct scn_map *map, void *object)
{
    if (node->kind != SCN_NODE_MAP)
        return scn_fail(r, path, node, "%s where a mapping belongs; accepted: the keys of %s",
                        scn_node_kind_name(node), map->title);
    int error = read_written(r, path, node, map, object);
    if (!error)
        error = read_missing(r, path, node, map, object);
    if (!error && map->finish)
        error = map->finish(r, path, node, object);
    return error;
}

static int list_name(struct scn_reader *r, const struct scn_path *path, const struct scn_node *node,
                     void *name, size_t room)
{
    size_t len = strlen(node->key);
    if (len >= room)
        return scn_fail_key(r, path, node, "'%.60s' is too long; accepted: at most %zu bytes",
                            node->key, room - 1);
    memcpy(name, node->key, len + 1);
    return SCN_OK;
}

int scn_read_list(struct scn_reader *r, const struct scn_path *path, const struct scn_node *node,
                  const struct scn_key *key, void *object)
{
    char accepts[SCN_ACCEPTS_MAX];
    bool named = key->type == SCN_T_NAMED;
    scn_key_accepts(key, accepts, sizeof accepts);
    if (node->kind != (named ? SCN_NODE_MAP : SCN_NODE_LIST))
        return scn_fail(r, path, node, "%s is not accepted; accepted: %s", scn_node_kind_name(node),
                        accepts);
    if (node->children > (uint64_t)key->max || (key->required && !node->children))
        return scn_fail(r, path, node, "%u entries; accepted: %s", node->children, accepts);
    char *element = (char *)object + key->offset;
    struct scn_path below = {path, NULL, 0};
    for (const struct scn_node *child = node->first; child; child = child->next) {
        below.key = child->key;
        int error = named ? list_name(r, &below, child, element, 32) : SCN_OK;
        if (!error)
            error = scn_read_map(r, &below, child, key->map, element);
        if (error)
            return error;
        element += key->stride;
        below.index++;
    }
    memcpy((char *)object + key->count_offset, &below.index, sizeof below.index);
    return SCN_OK;
}

static int read_share(struct scn_reader *r, const struct scn_path *path,
                      const struct scn_node *node, const struct scn_key *key, const char *name,
                      struct scn_share *out)
{
    static const struct scn_key ratio = {.type = SCN_T_RATIO, .max = 100};
    char accepts[SCN_ACCEPTS_MAX];
    scn_key_accepts(key, accepts, sizeof accepts);
    bool known = key->names ? scn_names_find(key->names, name) >= 0
                            : name[0] && strlen(name) <= (size_t)key->max;
    if (!known)
        return scn_fail(r, path, node, "'%.60s' is not known; accepted: %s", name, accepts);
    snprintf(out->name, sizeof out->name, "%s", name);
    out->share = (struct scn_ratio){1, 1};
    return node->key && !strcmp(node->key, name) ? scn_read_key(r, path, node, &ratio, &out->share)
                                                 : SCN_OK;
}

/* A mapping from names to shares, or one name alone, which then has all. */
int scn_read_shares(struct scn_reader *r, const struct scn_path *path, const struct scn_node *node,
                    const struct scn_key *key, void *object)
{
    struct scn_shares *shares = (void *)((char *)object + key->offset);
    char accepts[SCN_ACCEPTS_MAX];
    scn_key_accepts(key, accepts, sizeof accepts);
    if (node->kind == SCN_NODE_SCALAR) {
        int error = scn_need_scalar(r, path, node, accepts);
        shares->count = 1;
        return error ? error : read_share(r, path, node, key, node->text, &shares->share[0]);
    }
    if (node->kind != SCN_NODE_MAP || !node->children || node->children > SCN_SHARES_MAX)
        return scn_fail(r, path, node, "%s of %u entries; accepted: 1..%d %s",
                        scn_node_kind_name(node), node->children, SCN_SHARES_MAX, accepts);
    for (const struct scn_node *child = node->first; child; child = child->next) {
        const struct scn_path below = {path, child->key, 0};
        struct scn_share *share = &shares->share[shares->count++];
        int error = read_share(r, &below, child, key, child->key, share);
        if (error)
            return error;
    }
    if (!scn_shares_are_whole(shares))
        return scn_fail(r, path, node, "the shares do not add up to 100%%; accepted: %s", accepts);
    return SCN_OK;
}
