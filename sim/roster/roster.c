#include "sim/roster.h"
#include "sim/rng.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PROPERTY_HW, PROPERTY_LINK, PROPERTY_CRITICALITY, PROPERTIES };

void sim_roster_shuffle(uint32_t *order, uint32_t n, uint64_t seed, uint32_t purpose,
                        uint32_t index)
{
    struct sim_rng rng;
    sim_rng_init(&rng, seed, 0, (enum sim_purpose)purpose, index);
    for (uint32_t i = 0; i < n; i++)
        order[i] = i;
    for (uint32_t i = n; i > 1; i--) {
        uint32_t j = sim_rng_below(&rng, i);
        uint32_t swap = order[i - 1];
        order[i - 1] = order[j];
        order[j] = swap;
    }
}

/* Hands the names of `shares` out to n units in a shuffled order; field is the offset of the
 * member. */
static void assign(struct sim_unit *unit, uint32_t n, uint32_t *order,
                   const struct scn_shares *shares, size_t field, uint64_t seed, uint32_t stream)
{
    uint32_t count[SCN_SHARES_MAX] = {0};
    scn_shares_apportion(shares, n, count);
    sim_roster_shuffle(order, n, seed, SIM_RNG_ROSTER, stream);
    uint32_t next = 0;
    for (uint32_t s = 0; s < shares->count; s++)
        for (uint32_t k = 0; k < count[s] && next < n; k++, next++) {
            const char *name = shares->share[s].name;
            memcpy((char *)&unit[order[next]] + field, &name, sizeof name);
        }
}

static void place(struct sim_unit *unit, const struct scn_group *group, uint32_t i)
{
    snprintf(unit->id, sizeof unit->id, "%.20s-%05u", group->name, i + 1);
    uint32_t site = group->sites > 0 ? i % group->sites : 0;
    if (group->lab)
        snprintf(unit->site, sizeof unit->site, "lab");
    else
        snprintf(unit->site, sizeof unit->site, "site-%02u", site + 1);
    unit->zone_posix = group->zones ? scn_zone_posix(group->zone[site % group->zones]) : "UTC0";
    if (!unit->zone_posix)
        unit->zone_posix = "UTC0";
}

static void build_group(struct sim_unit *unit, uint32_t *order, const struct scn *scn, uint32_t g)
{
    const struct scn_group *group = &scn->group[g];
    const struct {
        const struct scn_shares *shares;
        size_t field;
    } property[PROPERTIES] = {
        [PROPERTY_HW] = {&group->hw_revision, offsetof(struct sim_unit, hw_revision)},
        [PROPERTY_LINK] = {&group->link, offsetof(struct sim_unit, link)},
        [PROPERTY_CRITICALITY] = {&group->criticality, offsetof(struct sim_unit, criticality)},
    };
    for (uint32_t i = 0; i < group->count; i++) {
        unit[i].group = g;
        place(&unit[i], group, i);
    }
    for (uint32_t p = 0; p < PROPERTIES; p++)
        assign(unit, group->count, order, property[p].shares, property[p].field, scn->seed,
               g * PROPERTIES + p);
}

int sim_roster_build(struct sim_roster *out, const struct scn *scn)
{
    *out = (struct sim_roster){.scn = scn};
    for (uint32_t g = 0; g < scn->groups; g++)
        out->count += scn->group[g].count;
    out->unit = calloc(out->count ? out->count : 1, sizeof *out->unit);
    uint32_t *order = calloc(out->count ? out->count : 1, sizeof *order);
    if (!out->unit || !order) {
        free(order);
        sim_roster_free(out);
        return -1;
    }
    uint32_t first = 0;
    for (uint32_t g = 0; g < scn->groups; g++) {
        build_group(&out->unit[first], order, scn, g);
        first += scn->group[g].count;
    }
    for (uint32_t i = 0; i < out->count; i++)
        out->unit[i].number = i;
    free(order);
    return 0;
}

void sim_roster_free(struct sim_roster *roster)
{
    free(roster->unit);
    *roster = (struct sim_roster){0};
}

const struct sim_unit *sim_roster_find(const struct sim_roster *roster, const char *id_or_number)
{
    char *end = NULL;
    unsigned long number = strtoul(id_or_number, &end, 10);
    if (end != id_or_number && !*end && id_or_number[0] != '-')
        return number < roster->count ? &roster->unit[number] : NULL;
    for (uint32_t i = 0; i < roster->count; i++)
        if (!strcmp(roster->unit[i].id, id_or_number))
            return &roster->unit[i];
    return NULL;
}

static bool named(const char *want, const char *have)
{
    return !*want || !strcmp(want, have);
}

bool sim_roster_matches(const struct sim_roster *roster, const struct sim_unit *unit,
                        const struct scn_where *where)
{
    const struct scn_group *group = &roster->scn->group[unit->group];
    if (*where->device) {
        const struct sim_unit *one = sim_roster_find(roster, where->device);
        return one == unit;
    }
    if (group->lab && !*where->group)
        return false;
    return named(where->group, group->name) && named(where->site, unit->site) &&
           named(where->link, unit->link) && named(where->criticality, unit->criticality);
}
