/* What belongs to one board must not belong to a second one: names, contacts, ports, flash; nor a
 * controller's serial port to a board or another controller, which would find it busy. */
#include "reader.h"
#include <string.h>

struct claim {
    const struct rig_bench_board *board;
    const struct bench_node *node;           /* where it is written */
    const struct rig_bench_contact *contact; /* or */
    const struct rig_console_at *port;
    const char *flash_file;
    const struct rig_bench_controller *controller; /* instead of the board */
    const char *device;
};
enum { CLAIMS_OF_A_BOARD = 5 + RIG_BENCH_STRAPS_MAX };

/* What one board lays claim to; returns how many. */
static uint32_t claims_of(struct claim out[CLAIMS_OF_A_BOARD], const struct rig_bench_board *board,
                          const struct bench_node *node)
{
    const struct bench_node *straps = bench_node_get(node, "straps");
    const struct bench_node *strap = straps ? straps->first : NULL;
    uint32_t n = 0;
    if (board->power.controller >= 0)
        out[n++] = (struct claim){.node = bench_node_get(node, "power"), .contact = &board->power};
    if (board->reset.controller >= 0)
        out[n++] = (struct claim){.node = bench_node_get(node, "reset"), .contact = &board->reset};
    for (uint32_t i = 0; i < board->straps; i++, strap = strap->next)
        out[n++] = (struct claim){.node = strap, .contact = &board->strap[i].contact};
    if (board->console.path || board->console.host)
        out[n++] = (struct claim){.node = bench_node_get(node, "console"), .port = &board->console};
    if (board->line.path || board->line.host)
        out[n++] = (struct claim){.node = bench_node_get(node, "line"), .port = &board->line};
    if (board->flash_file)
        out[n++] = (struct claim){.node = bench_node_get(node, "flash_file"),
                                  .flash_file = board->flash_file};
    for (uint32_t i = 0; i < n; i++)
        out[i].board = board;
    return n;
}

static bool same_port(const struct rig_console_at *a, const struct rig_console_at *b)
{
    if (a->path && b->path)
        return !strcmp(a->path, b->path);
    return a->host && b->host && a->port == b->port && !strcmp(a->host, b->host);
}

/* NULL: it is reached otherwise. */
static const char *device_of(const struct rig_bench_controller *controller)
{
    const struct rig_setting *setting = controller->driver->setting;
    for (size_t i = 0; setting[i].key; i++)
        if (setting[i].kind == RIG_SETTING_PATH && !strcmp(setting[i].key, "device"))
            return controller->value[i].text;
    return NULL;
}

static uint32_t claims_of_controllers(struct claim *out, const struct bench_reader *r)
{
    const struct bench_node *all = bench_node_get(r->tree.root, "controllers");
    const struct bench_node *node = all ? all->first : NULL;
    uint32_t n = 0;
    for (uint32_t i = 0; i < r->bench->controllers; i++, node = node->next) {
        const struct rig_bench_controller *controller = &r->bench->controller[i];
        const char *device = device_of(controller);
        if (device)
            out[n++] = (struct claim){
                .node = bench_node_get(node, "device"), .controller = controller, .device = device};
    }
    return n;
}

static const char *path_of(const struct claim *claim)
{
    return claim->port ? claim->port->path : claim->device;
}

static bool same(const struct claim *a, const struct claim *b)
{
    if ((a->device || b->device) && path_of(a) && path_of(b))
        return !strcmp(path_of(a), path_of(b));
    if (a->contact && b->contact)
        return a->contact->controller == b->contact->controller &&
               a->contact->channel == b->contact->channel;
    if (a->port && b->port)
        return same_port(a->port, b->port);
    return a->flash_file && b->flash_file && !strcmp(a->flash_file, b->flash_file);
}

static int refuse(struct bench_reader *r, const struct claim *again, const struct claim *first)
{
    if (again->contact)
        return bench_fail(
            &r->tree, again->node, "channel %u of %s is used twice; line %d has it for %s",
            again->contact->channel, r->bench->controller[again->contact->controller].name,
            first->node->key_at.line, first->board->name);
    return bench_fail(&r->tree, again->node, "is used twice; line %d has it for %s",
                      first->node->key_at.line,
                      first->controller ? first->controller->name : first->board->name);
}

/* None of the claims from n on is one of those before it. */
static int check(struct bench_reader *r, const struct claim *claim, uint32_t n, uint32_t more)
{
    for (uint32_t i = n; i < n + more; i++)
        for (uint32_t j = 0; j < i; j++)
            if (same(&claim[i], &claim[j]))
                return refuse(r, &claim[i], &claim[j]);
    return 0;
}

static int check_names(struct bench_reader *r, const struct bench_node *node, uint32_t i)
{
    for (uint32_t j = 0; j < i; j++)
        if (!strcmp(r->bench->board[i].name, r->bench->board[j].name))
            return bench_fail(&r->tree, bench_node_get(node, "name"),
                              "a second board '%s'; the first is in line %d",
                              r->bench->board[i].name, r->bench->board[j].row);
    return 0;
}

int bench_check_boards(struct bench_reader *r, const struct bench_node *boards)
{
    uint32_t room = r->bench->boards * CLAIMS_OF_A_BOARD + r->bench->controllers;
    struct claim *claim = bench_take(r->tree.memory, room * sizeof *claim);
    if (!claim)
        return bench_fail(&r->tree, boards, "out of memory");
    uint32_t n = claims_of_controllers(claim, r);
    if (check(r, claim, 0, n))
        return -1;
    for (const struct bench_node *node = boards->first; node; node = node->next) {
        if (check_names(r, node, node->index))
            return -1;
        uint32_t more = claims_of(claim + n, &r->bench->board[node->index], node);
        if (check(r, claim, n, more))
            return -1;
        n += more;
    }
    return 0;
}
