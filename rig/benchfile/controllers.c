/* Controllers: what all have in common, and what each one's driver asks for. */
#include "reader.h"
#include <stddef.h>
#include <string.h>

#define AT(member) offsetof(struct rig_bench_controller, member)

static const struct bench_key common[] = {
    {.name = "timeout", .form = BENCH_DURATION, .at = AT(timeout_ms), .min = 10, .max = 60000},
    {.name = "retries", .form = BENCH_NUMBER, .at = AT(retries), .min = 0, .max = 20},
    {.name = "rated_cycles",
     .form = BENCH_BIG,
     .at = AT(rated_cycles),
     .min = 0,
     .max = 999999999999},
    {.name = NULL},
};

static int find_driver(struct bench_reader *r, struct rig_bench_controller *out,
                       const struct bench_node *map)
{
    char names[300] = "";
    const struct bench_node *node = bench_node_get(map, "driver");
    for (size_t i = 0; rig_relay_drivers[i]; i++)
        bench_add_name(names, sizeof names, rig_relay_drivers[i]->name);
    if (!node)
        return bench_fail(&r->tree, map, "driver is missing; accepted: %s", names);
    if (bench_must_be(r, node, BENCH_SCALAR))
        return -1;
    out->driver = rig_relay_driver(node->text);
    return out->driver ? 0 : bench_fail(&r->tree, node, "'%.40s'; accepted: %s", node->text, names);
}

static int unknown(struct bench_reader *r, const struct rig_bench_controller *controller,
                   const struct bench_node *node)
{
    char names[300] = "driver";
    for (const struct rig_setting *s = controller->driver->setting; s->key; s++)
        bench_add_name(names, sizeof names, s->key);
    for (const struct bench_key *key = common; key->name; key++)
        bench_add_name(names, sizeof names, key->name);
    return bench_fail_key(&r->tree, node, "unknown key of driver %s; accepted: %s",
                          controller->driver->name, names);
}

static int put(struct bench_reader *r, struct rig_setting_value *value,
               const struct rig_setting *setting, const struct bench_node *node)
{
    char why[300];
    if (bench_must_be(r, node, BENCH_SCALAR))
        return -1;
    return rig_setting_read(value, setting, node->text, r->bench->folder, why, sizeof why)
               ? bench_fail(&r->tree, node, "%s", why)
               : 0;
}

/* A setting of the driver's own. */
static int take_setting(struct bench_reader *r, struct rig_bench_controller *out,
                        const struct bench_node *node)
{
    const struct rig_setting *setting = out->driver->setting;
    size_t i = 0;
    while (setting[i].key && strcmp(setting[i].key, node->key))
        i++;
    if (!setting[i].key)
        return unknown(r, out, node);
    if (setting[i].kind != RIG_SETTING_LIST)
        return put(r, &out->value[i], &setting[i], node);
    const char *const *list;
    if (bench_list(r, &list, node))
        return -1;
    for (const struct bench_node *text = node->first; text; text = text->next)
        if (put(r, &out->value[i], &setting[i], text))
            return -1;
    return 0;
}

static int read_controller(struct bench_reader *r, struct rig_bench_controller *out,
                           const struct bench_node *node)
{
    char why[300];
    *out = (struct rig_bench_controller){.name = node->key,
                                         .timeout_ms = 500,
                                         .retries = 2,
                                         .rated_cycles = 100000,
                                         .line = node->key_at.line};
    struct bench_node name = {.kind = BENCH_SCALAR, .text = node->key, .at = node->key_at};
    if (bench_word(r, &out->name, &name) || bench_must_be(r, node, BENCH_MAP) ||
        find_driver(r, out, node))
        return -1;
    out->value = rig_setting_make(out->driver->setting);
    if (!out->value)
        return bench_fail(&r->tree, node, "out of memory");
    for (const struct bench_node *child = node->first; child; child = child->next) {
        const struct bench_key *key = bench_find_key(common, child->key);
        if (!strcmp(child->key, "driver"))
            continue;
        if (key ? bench_value(r, out, child, key) : take_setting(r, out, child))
            return -1;
    }
    return rig_setting_finish(out->value, out->driver->setting, why, sizeof why)
               ? bench_fail(&r->tree, node, "%s", why)
               : 0;
}

int bench_read_controllers(struct bench_reader *r, const struct bench_node *node)
{
    struct rig_bench *bench = r->bench;
    if (bench_must_be(r, node, BENCH_MAP))
        return -1;
    for (const struct bench_node *child = node->first; child; child = child->next) {
        if (bench->controllers == RIG_BENCH_CONTROLLERS_MAX)
            return bench_fail(&r->tree, child, "accepted: at most %d controllers",
                              RIG_BENCH_CONTROLLERS_MAX);
        /* Counted before it is read: what it holds is freed with the bench. */
        struct rig_bench_controller *next = &bench->controller[bench->controllers];
        next->driver = NULL;
        bench->controllers++;
        if (read_controller(r, next, child))
            return -1;
    }
    return 0;
}
