/* What the command line changes in a scenario. */
#ifndef SCN_OVERRIDE_H
#define SCN_OVERRIDE_H

#include "report.h"

/* Puts every `--set path=value` into the tree, before any check. SCN_OK, SCN_EVALUE, SCN_ESYNTAX or
 * SCN_EMEMORY. */
int scn_override_tree(struct scn_reader *r, const struct scn_overrides *overrides);

/* Scales the groups outside labs to this many devices in all, by largest remainder, at least one
 * each. 0 devices: nothing. SCN_OK or SCN_EVALUE. */
int scn_override_devices(struct scn_reader *r, uint32_t devices);

#endif
