#include "outlet.h"
#include <stdio.h>
#include <string.h>

static int32_t controller_of(const struct rig_bench *bench, const char *name)
{
    for (uint32_t i = 0; i < bench->controllers; i++)
        if (!strcmp(bench->controller[i].name, name))
            return (int32_t)i;
    return -1;
}

static bool power_of(struct rig_outlet *out, const struct rig_bench_board *board, char *message,
                     size_t len)
{
    if (board->power.controller < 0) {
        snprintf(message, len, "%s has no power contact in the bench file", board->name);
        return false;
    }
    *out = (struct rig_outlet){board, RIG_FUNCTION_POWER, 0, (uint32_t)board->power.controller,
                               board->power.channel};
    return true;
}

/* Whether the contact that is asked for in `out` is this one, of this board. */
static bool claim(struct rig_outlet *out, const struct rig_bench_contact *contact,
                  const struct rig_bench_board *board, enum rig_function function, uint32_t strap)
{
    if (contact->controller != (int32_t)out->controller || contact->channel != out->channel)
        return false;
    out->board = board;
    out->function = function;
    out->strap = strap;
    return true;
}

static bool claimed_by(struct rig_outlet *out, const struct rig_bench_board *board)
{
    if (claim(out, &board->power, board, RIG_FUNCTION_POWER, 0) ||
        claim(out, &board->reset, board, RIG_FUNCTION_RESET, 0))
        return true;
    for (uint32_t i = 0; i < board->straps; i++)
        if (claim(out, &board->strap[i].contact, board, RIG_FUNCTION_STRAP, i))
            return true;
    return false;
}

static bool channel_of(struct rig_outlet *out, const struct rig_bench *bench, uint32_t controller,
                       const struct rig_query *q, char *message, size_t len)
{
    const struct rig_relay_driver *driver = bench->controller[controller].driver;
    if (!q->port_given || q->port < driver->channel_first || q->port > driver->channel_last) {
        snprintf(message, len, "port: %s; accepted: %u to %u, the channels of %s",
                 q->port_given ? "no such channel" : "missing", driver->channel_first,
                 driver->channel_last, q->hostname);
        return false;
    }
    *out = (struct rig_outlet){.controller = controller, .channel = q->port};
    for (uint32_t i = 0; i < bench->boards; i++)
        if (claimed_by(out, &bench->board[i]))
            break;
    return true;
}

static bool row_of(struct rig_outlet *out, const struct rig_bench *bench, const struct rig_query *q,
                   char *message, size_t len)
{
    if (!q->port_given || !q->port || q->port > bench->boards) {
        snprintf(message, len, "port: %s; accepted: 1 to %u, the boards of %s in its file's order",
                 q->port_given ? "no such board" : "missing", bench->boards, bench->name);
        return false;
    }
    return power_of(out, &bench->board[q->port - 1], message, len);
}

bool rig_outlet_find(struct rig_outlet *out, const struct rig_bench *bench,
                     const struct rig_query *query, char *message, size_t len)
{
    const char *name = *query->alias ? query->alias : query->hostname;
    const struct rig_bench_board *board = rig_bench_board(bench, name);
    int32_t controller = controller_of(bench, name);
    if (board && query->port_given && query->port) {
        snprintf(message, len, "port: %s is a board and has one outlet; accepted: 0, or none",
                 name);
        return false;
    }
    if (board)
        return power_of(out, board, message, len);
    if (!*query->alias && controller >= 0)
        return channel_of(out, bench, (uint32_t)controller, query, message, len);
    if (!*query->alias && !strcmp(bench->name, name))
        return row_of(out, bench, query, message, len);
    snprintf(message, len, "%s: \"%s\" is %s", *query->alias ? "alias" : "hostname", name,
             *query->alias ? "no board of the bench"
                           : "no controller and no board of the bench, nor the bench's name");
    return false;
}

bool rig_outlet_names(const struct rig_bench *bench, char *message, size_t len)
{
    const char *both = NULL;
    for (uint32_t i = 0; i < bench->boards; i++)
        if (controller_of(bench, bench->board[i].name) >= 0)
            both = bench->board[i].name;
    if (rig_bench_board(bench, bench->name) || controller_of(bench, bench->name) >= 0)
        both = bench->name;
    if (both)
        snprintf(message, len,
                 "%s: \"%s\" names two of board, controller and bench, and a client could mean "
                 "either; give one of them another name",
                 bench->file, both);
    return !both;
}

void rig_outlet_text(const struct rig_outlet *outlet, const struct rig_bench *bench, char *out,
                     size_t len)
{
    if (!outlet->board)
        snprintf(out, len, "%s channel %u", bench->controller[outlet->controller].name,
                 outlet->channel);
    else if (outlet->function == RIG_FUNCTION_STRAP)
        snprintf(out, len, "%s strap %s", outlet->board->name,
                 outlet->board->strap[outlet->strap].name);
    else
        snprintf(out, len, "%s %s", outlet->board->name,
                 outlet->function == RIG_FUNCTION_POWER ? "power" : "reset");
}
