#include "override.h"
#include "check.h"
#include "key.h"
#include "source.h"
#include "yaml.h"
#include <string.h>

struct set {
    struct scn_reader *r;
    const char *origin;     /* "--set campaign.to" */
    const char *path;       /* whole */
    struct scn_node *value; /* what is put there */
};

/* Names of what a mapping holds, or the indices of a list. */
static void what_exists(const struct scn_node *node, char *out, size_t size)
{
    size_t len = 0;
    out[0] = '\0';
    if (node->kind == SCN_NODE_LIST && node->children)
        snprintf(out, size, "0..%u", node->children - 1);
    else if (node->kind == SCN_NODE_LIST)
        snprintf(out, size, "nothing, the list is empty");
    for (const struct scn_node *child = node->first;
         child && node->kind == SCN_NODE_MAP && len + 1 < size; child = child->next)
        len += (size_t)snprintf(out + len, size - len, "%s%s", len ? ", " : "", child->key);
}

static int no_such(const struct set *set, const struct scn_node *node, const char *at, size_t used)
{
    char exists[240];
    int before = (int)(at - set->path);
    if (node->kind == SCN_NODE_SCALAR)
        return scn_fail_option(set->r, set->origin, "'%.*s' is a single value, '%.*s' is not in it",
                               before ? before - 1 : 0, set->path, (int)used, at);
    what_exists(node, exists, sizeof exists);
    return scn_fail_option(set->r, set->origin, "there is no '%.*s' in %s%.*s; accepted: %s",
                           (int)used, at, before ? "" : "the scenario", before ? before - 1 : 0,
                           set->path, exists);
}

/* Whether a key of this name opens a mapping of its own somewhere: it may be left out in the file.
 */
static bool opens_mapping(const struct scn_map *map, const char *name, size_t len)
{
    for (size_t i = 0; i < map->keys; i++) {
        const struct scn_key *key = &map->key[i];
        if (key->type == SCN_T_MAP && strlen(key->name) == len && !memcmp(key->name, name, len))
            return true;
        if (key->map && opens_mapping(key->map, name, len))
            return true;
    }
    return false;
}

static struct scn_node *add_child(const struct set *set, struct scn_node *map, const char *key,
                                  size_t len)
{
    struct scn_node *child = scn_tree_node(set->r->tree, SCN_NODE_MAP);
    char *name = scn_tree_text(set->r->tree, key, len);
    if (!child || !name)
        return NULL;
    child->origin = set->origin;
    child->key = name;
    scn_node_append(map, child);
    return child;
}

static void replace(struct scn_node *node, const struct scn_node *value)
{
    struct scn_node old = *node;
    *node = *value;
    node->next = old.next;
    node->key = old.key;
    node->key_line = old.key_line;
    node->key_column = old.key_column;
}

static int put(const struct set *set)
{
    struct scn_node *node = set->r->tree->root;
    const char *at = set->path;
    for (;;) {
        size_t used;
        struct scn_node *child = scn_node_step(node, at, &used);
        bool last = !at[used];
        bool may_add = node->kind == SCN_NODE_MAP && used > 0 &&
                       (last || opens_mapping(&scn_map_scenario, at, used));
        if (!child && !may_add)
            return no_such(set, node, at, used);
        if (!child && !(child = add_child(set, node, at, used)))
            return scn_fail_memory(set->r);
        if (last) {
            replace(child, set->value);
            return SCN_OK;
        }
        node = child;
        at += used + 1;
    }
}

static int parse_value(struct set *set, const char *text)
{
    struct scn_reader option = *set->r;
    size_t len = strlen(text);
    option.file = set->origin;
    if (len > SCN_SOURCE_MAX)
        return scn_fail_option(set->r, set->origin, "the value is too long; accepted: 1MiB");
    int error = scn_source_check(&option, text, len);
    if (!error)
        error = scn_yaml_parse(set->r, &set->value, text, len, set->origin);
    if (error || set->value)
        return error;
    set->value = scn_tree_node(set->r->tree, SCN_NODE_SCALAR);
    char *empty = scn_tree_text(set->r->tree, "", 0);
    if (!set->value || !empty)
        return scn_fail_memory(set->r);
    set->value->text = empty;
    set->value->plain = true;
    set->value->origin = set->origin;
    return SCN_OK;
}

static int apply(struct scn_reader *r, const char *text)
{
    const char *equals = strchr(text, '=');
    if (!equals || equals == text)
        return scn_fail_option(r, "--set",
                               "'%.60s' has no path or no '='; accepted: "
                               "key.path=value, as campaign.on_trigger=rollback",
                               text);
    char origin[160];
    size_t path_len = (size_t)(equals - text);
    if (path_len > 140)
        return scn_fail_option(r, "--set", "'%.60s...' is too long; accepted: 140 bytes", text);
    snprintf(origin, sizeof origin, "--set %.*s", (int)path_len, text);
    struct set set = {.r = r};
    set.origin = scn_tree_text(r->tree, origin, strlen(origin));
    set.path = scn_tree_text(r->tree, text, path_len);
    if (!set.origin || !set.path)
        return scn_fail_memory(r);
    int error = parse_value(&set, equals + 1);
    return error ? error : put(&set);
}

int scn_override_tree(struct scn_reader *r, const struct scn_overrides *overrides)
{
    for (uint32_t i = 0; i < overrides->sets; i++) {
        int error = apply(r, overrides->set[i]);
        if (error)
            return error;
    }
    return SCN_OK;
}

static uint32_t index_of_largest(const uint64_t *of, uint32_t groups)
{
    uint32_t best = 0;
    for (uint32_t i = 1; i < groups; i++)
        if (of[i] > of[best])
            best = i;
    return best;
}

/*
 * In proportion, what is left over by largest remainder; then a group that came out empty takes one
 * device from the largest, so that no group vanishes. There are at least as many devices as groups.
 */
static void scale(struct scn *scn, bool labs, uint64_t devices, uint64_t total)
{
    uint64_t count[SCN_GROUPS_MAX] = {0}, rest[SCN_GROUPS_MAX] = {0}, left = devices;
    for (uint32_t i = 0; i < scn->groups; i++) {
        if (scn->group[i].lab != labs)
            continue;
        count[i] = devices * scn->group[i].count / total;
        rest[i] = devices * scn->group[i].count % total;
        left -= count[i];
    }
    for (; left; left--) {
        uint32_t i = index_of_largest(rest, scn->groups);
        count[i]++;
        rest[i] = 0;
    }
    for (uint32_t i = 0; i < scn->groups; i++)
        if (scn->group[i].lab == labs && !count[i]) {
            count[index_of_largest(count, scn->groups)]--;
            count[i] = 1;
        }
    for (uint32_t i = 0; i < scn->groups; i++)
        if (scn->group[i].lab == labs)
            scn->group[i].count = (uint32_t)count[i];
}

int scn_override_devices(struct scn_reader *r, uint32_t devices)
{
    bool labs = !scn_fleet_count(r->scn, false); /* they are the fleet */
    uint64_t total = 0;
    uint32_t groups = 0;
    for (uint32_t i = 0; i < r->scn->groups; i++)
        if (r->scn->group[i].lab == labs) {
            total += r->scn->group[i].count;
            groups++;
        }
    if (!devices || !groups)
        return SCN_OK;
    if (devices < groups || devices > SCN_DEVICES_MAX)
        return scn_fail_option(r, "--devices", "%u devices for %u groups; accepted: %u..%d",
                               devices, groups, groups, SCN_DEVICES_MAX);
    scale(r->scn, labs, devices, total);
    return SCN_OK;
}
