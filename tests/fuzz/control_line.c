/* Any bytes as a line of the control socket: what is taken as an order must be one for the core. */
#include "control.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct agent_order order;
    struct agent_command command;
    const char *wrong = agent_order_parse(&order, (const char *)data, size, UINT32_MAX);
    if (wrong || order.kind != AGENT_ORDER_COMMAND)
        return 0;
    if (agent_command_parse(&command, order.json, (uint32_t)strlen(order.json)))
        abort();
    return 0;
}
