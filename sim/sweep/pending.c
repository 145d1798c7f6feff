/* Stands in for the engine until it is merged. */
#include "sim/sweep.h"

int sim_sweep_run(const struct sim_sweep_options *options, struct sim_sweep_result *out,
                  char *message, size_t len)
{
    (void)options;
    (void)out;
    snprintf(message, len, "sweep: not built yet");
    return -1;
}

int sim_sweep_replay(const struct sim_sweep_options *options, const struct sim_sweep_token *token,
                     FILE *out, char *message, size_t len)
{
    (void)options;
    (void)token;
    (void)out;
    snprintf(message, len, "replay of a sweep: not built yet");
    return -1;
}
