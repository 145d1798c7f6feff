/* Any text as a token of the sweep: what is read is written again as the same token. */
#include "sim/sweep.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct sim_sweep_token token, again;
    static char written[4 * SIM_SWEEP_TOKEN_MAX];
    char *text = calloc(1, size + 1);
    if (!text)
        return 0;
    memcpy(text, data, size);
    bool right = sim_sweep_token_read(&token, text);
    if (right && !sim_sweep_is_token(text))
        abort();
    free(text);
    if (!right)
        return 0;
    sim_sweep_token_write(written, sizeof written, &token);
    if (!sim_sweep_token_read(&again, written) || strcmp(token.hash, again.hash) ||
        strcmp(token.scenario, again.scenario) || strcmp(token.dut, again.dut) ||
        strcmp(token.history, again.history))
        abort();
    return 0;
}
