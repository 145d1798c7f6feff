/*
 * The names of the scenario's enumerations in YAML: one table each, used for reading, for messages,
 * for the reference and for the public scn_*_name functions.
 */
#ifndef SCN_NAMES_H
#define SCN_NAMES_H

#include "scn/scenario.h"

struct scn_names {
    uint32_t count;
    const char *const *name; /* by value; NULL: the value can't be written */
};

extern const struct scn_names scn_names_fault_kind, scn_names_during, scn_names_torn, scn_names_how,
    scn_names_region, scn_names_server, scn_names_metric, scn_names_compare, scn_names_verdict,
    scn_names_signing, scn_names_delta, scn_names_trigger, scn_names_credentials,
    scn_names_approval, scn_names_of, scn_names_link, scn_names_criticality, scn_names_alert,
    scn_names_health, scn_names_order;

/* The name of a value, NULL out of range. The value of a name, -1 when there is none. */
const char *scn_names_get(const struct scn_names *names, int value);
int scn_names_find(const struct scn_names *names, const char *name);
/* "a, b, c" from value `from` to `to`, both included. */
void scn_names_list(const struct scn_names *names, int from, int to, char *out, size_t size);

/*
 * Of `count` candidates the one nearest to the word that was written, if near enough to be meant
 * (two letters wrong at most, and fewer than half); else NULL.
 */
const char *scn_nearest(const char *word, const char *const *candidate, size_t count);

#endif
