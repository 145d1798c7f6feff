/*
 * The burn-in, Phase 0: boards of a bench through one cycle after another (an update under power
 * cuts, a firmware that must roll back, ...), for a day or so, kept in a SQLite file so that no
 * cycle that ended is ever lost. Its result is a Phase 0 like a simulated one, and may take its
 * place in a campaign (`brickyard run --burn-in FILE`). NULL is misuse.
 */
#ifndef RIG_BURNIN_H
#define RIG_BURNIN_H

#include "sim/fleet.h"

/* `brickyard rig burnin`; argv[0] is "burnin". An exit code of CONTRACT.md. */
int rig_burnin_main(int argc, char **argv);

/* A finished burn-in from its file. 0, or -1 with the reason in message: no burn-in, damaged,
 * unfinished. rig_burnin_free in both cases. */
int rig_burnin_read(struct sim_burn_in *out, const char *path, char *message, size_t len);
void rig_burnin_free(struct sim_burn_in *burn_in);

#endif
