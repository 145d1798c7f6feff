/*
 * Who is in the fleet: one unit for each device, with its place and properties, as a pure function
 * of the scenario and its seed. Shares are exact counts (largest remainder), handed out in an order
 * that is shuffled for each property, so that properties are independent of each other.
 */
#ifndef SIM_ROSTER_H
#define SIM_ROSTER_H

#include "scn/scenario.h"

enum { SIM_UNIT_ID_MAX = 32 };

struct sim_unit {
    uint32_t number;                              /* place in the roster, from 0 */
    char id[SIM_UNIT_ID_MAX];                     /* "pumps-00017" */
    char site[16];                                /* "site-07", "lab" */
    uint32_t group;                               /* index in scn->group */
    const char *zone_posix;                       /* POSIX TZ string */
    const char *link, *criticality, *hw_revision; /* names, owned by the scenario */
};

struct sim_roster {
    const struct scn *scn; /* borrowed */
    uint32_t count;
    struct sim_unit *unit;
};

/* 0 or -1 (no memory). */
int sim_roster_build(struct sim_roster *out, const struct scn *scn);
void sim_roster_free(struct sim_roster *roster);

/* The unit with this id or number in decimal, or NULL. */
const struct sim_unit *sim_roster_find(const struct sim_roster *roster, const char *id_or_number);

/* True when the unit is in `where`. Lab units match only when their group is named. */
bool sim_roster_matches(const struct sim_roster *roster, const struct sim_unit *unit,
                        const struct scn_where *where);

/* Fisher-Yates over order[0..n) by the stream (seed, device, purpose, index). */
void sim_roster_shuffle(uint32_t *order, uint32_t n, uint64_t seed, uint32_t purpose,
                        uint32_t index);

#endif
