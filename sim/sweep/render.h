/* What the forms of a sweep's result have in common. */
#ifndef SIM_SWEEP_RENDER_H
#define SIM_SWEEP_RENDER_H

#include "sim/sweep.h"

/* Whether a form belongs into the result: it was asked for, or came anyway. */
bool sim_sweep_has_form(const struct sim_sweep_result *result, int form);
/* The kinds in which this promise was broken. */
uint32_t sim_sweep_kinds(const struct sim_sweep_result *result, const char *promise);
/* What is wrong with the sweep itself, so that its result proves nothing: states that were merged
 * and were not equal, cuts that did not fire, no cut at all. "" and false: nothing. */
bool sim_sweep_wrong(char *out, size_t len, const struct sim_sweep_result *result);
/* The command that replays a history, or why there is none. */
void sim_sweep_command(char *out, size_t len, const struct sim_sweep_broken *broken);
enum { SIM_SWEEP_COMMAND_MAX = SIM_SWEEP_TOKEN_MAX + 32 };

#endif
