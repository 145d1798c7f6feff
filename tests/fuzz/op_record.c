/*
 * Any bytes as an operation record's head, and behind it as a reset record. What is accepted must
 * encode to the same bytes, and name bytes that a program can have.
 */
#include "flash_file/op.h"
#include "flash_file/reset.h"
#include <stdlib.h>
#include <string.h>

static void check_op(const uint8_t *data)
{
    struct agent_op op;
    uint8_t head[AGENT_OP_HEAD_BYTES];
    if (!agent_op_decode(&op, data))
        return;
    agent_op_encode(head, &op);
    /* The bytes behind the numbers are not looked at. */
    if (memcmp(head, data, AGENT_OP_AT_ZERO) != 0)
        abort();
    if (op.kind == AGENT_OP_PROGRAM && op.len > AGENT_OP_DATA_MAX)
        abort();
    if (op.in_progress && op.kind == AGENT_OP_NONE)
        abort();
}

static void check_reset(const uint8_t *data)
{
    struct agent_reset reset;
    uint8_t bytes[AGENT_RESET_BYTES];
    if (!agent_reset_decode(&reset, data))
        return;
    agent_reset_encode(bytes, &reset);
    struct agent_reset again;
    if (!agent_reset_decode(&again, bytes) || memcmp(&again, &reset, sizeof reset) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size >= AGENT_OP_HEAD_BYTES)
        check_op(data);
    if (size >= AGENT_OP_HEAD_BYTES + AGENT_RESET_BYTES)
        check_reset(data + AGENT_OP_HEAD_BYTES);
    return 0;
}
