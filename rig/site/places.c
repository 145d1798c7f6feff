/* Which device is on which board, and that nobody else has that one. */
#include "site_internal.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool fits(const struct rig_bench_board *board, const struct scn_group *group,
                 const struct sim_unit *unit)
{
    return (!board->device_type || !strcmp(board->device_type, group->device_type)) &&
           (!board->hw_revision || !strcmp(board->hw_revision, unit->hw_revision));
}

/* ---- Each device the first board that fits, unless another device would have none then ---- */

struct matching {
    const struct rig_bench *bench;
    const struct sim_world *world;
    uint32_t device_of[RIG_BENCH_BOARDS_MAX]; /* UINT32_MAX: free */
    bool tried[RIG_BENCH_BOARDS_MAX];
};

static bool may_have(const struct matching *m, uint32_t device, uint32_t board)
{
    const struct sim_unit *unit = &m->world->roster.unit[device];
    return fits(&m->bench->board[board], &m->world->scn->group[unit->group], unit);
}

/* Whoever has it already moves on to another one where that is possible; so deep, at the most, as
 * there are boards. */
static bool match(struct matching *m, uint32_t device)
{
    const struct rig_bench *bench = m->bench;
    for (uint32_t b = 0; b < bench->boards; b++)
        if (m->device_of[b] == UINT32_MAX && may_have(m, device, b)) {
            m->device_of[b] = device;
            return true;
        }
    for (uint32_t b = 0; b < bench->boards; b++) {
        if (m->tried[b] || !may_have(m, device, b))
            continue;
        m->tried[b] = true;
        if (!match(m, m->device_of[b]))
            continue;
        m->device_of[b] = device;
        return true;
    }
    return false;
}

static int none_left(const struct matching *m, uint32_t device, char *message, size_t len)
{
    const struct sim_unit *unit = &m->world->roster.unit[device];
    snprintf(message, len,
             "%s: no board of %s is left for %s (device type %s, %s); it has %u boards: take a "
             "smaller fleet (--devices), or add boards",
             m->world->scn->path, m->bench->file, unit->id,
             m->world->scn->group[unit->group].device_type, unit->hw_revision, m->bench->boards);
    return -1;
}

static int match_all(struct matching *m, const struct rig_bench *bench,
                     const struct sim_world *world, char *message, size_t len)
{
    *m = (struct matching){.bench = bench, .world = world};
    memset(m->device_of, 0xFF, sizeof m->device_of);
    for (uint32_t d = 0; d < world->roster.count; d++) {
        memset(m->tried, 0, sizeof m->tried);
        if (!match(m, d))
            return none_left(m, d, message, len);
    }
    return 0;
}

/* What a board needs to be driven by a campaign. */
static const char *lacks(const struct rig_bench_board *board)
{
    if (board->power.controller < 0)
        return "power: {controller, channel}";
    if (!board->console.path && !board->console.host)
        return "console: {serial, tcp or unix}";
    if (!board->line.path && !board->line.host)
        return "line: {serial, tcp or unix}, its OTA line";
    return board->flash ? NULL : "flash: [COMMAND, ...]";
}

static int check_equipped(const struct matching *m, char *message, size_t len)
{
    for (uint32_t b = 0; b < m->bench->boards; b++) {
        const struct rig_bench_board *board = &m->bench->board[b];
        const char *missing = m->device_of[b] == UINT32_MAX ? NULL : lacks(board);
        if (!missing)
            continue;
        snprintf(message, len, "%s:%d: board %s: a campaign also needs %s", m->bench->file,
                 board->row, board->name, missing);
        return -1;
    }
    return 0;
}

int rs_places_fit(const struct rig_bench *bench, const struct sim_world *world, char *message,
                  size_t len)
{
    struct matching m;
    return match_all(&m, bench, world, message, len) || check_equipped(&m, message, len) ? -1 : 0;
}

int rs_places_take(struct rig_site *site, const struct sim_world *world, char *message, size_t len)
{
    const struct rig_bench *bench = site->config.bench;
    struct matching m;
    site->place = calloc(world->roster.count, sizeof *site->place);
    if (!site->place) {
        snprintf(message, len, "no memory for the boards");
        return -1;
    }
    if (match_all(&m, bench, world, message, len) || check_equipped(&m, message, len))
        return -1;
    for (uint32_t b = 0; b < bench->boards; b++)
        if (m.device_of[b] != UINT32_MAX)
            site->place[m.device_of[b]].board = &bench->board[b];
    for (uint32_t d = 0; d < world->roster.count; d++) {
        if (rig_lock_take(&site->place[d].lock, bench, site->place[d].board, site->config.what_for,
                          message, len))
            return -1;
        site->places++;
    }
    return 0;
}

void rs_places_release(struct rig_site *site)
{
    for (uint32_t i = 0; i < site->places; i++)
        rig_lock_release(site->place[i].lock);
    free(site->place);
    site->place = NULL;
    site->places = 0;
}
