/* The operation record's bytes; agent/flash_file/FORMAT.md. */
#include "flash_file/op.h"
#include "bytes.h"
#include <assert.h>
#include <string.h>

static const char magic[4] = {'B', 'Y', 'O', '1'};

_Static_assert((int)AGENT_OP_AT_BEGUN % 8 == 0 && (int)AGENT_OP_AT_ENDED % 8 == 0,
               "the two numbers are stored by one aligned write each");
_Static_assert((int)AGENT_OP_AT_ZERO + 32 == (int)AGENT_OP_HEAD_BYTES, "the head is 64 bytes");
_Static_assert((int)AGENT_OP_BYTES == 4160, "head and data as FORMAT.md draws them");

const char *agent_op_kind_name(int kind)
{
    static const char *const name[AGENT_OP_KINDS] = {"none", "program", "erase"};
    return kind >= 0 && kind < AGENT_OP_KINDS ? name[kind] : "operation?";
}

void agent_op_encode(uint8_t out[AGENT_OP_HEAD_BYTES], const struct agent_op *op)
{
    assert(op->number || !op->in_progress);
    memset(out, 0, AGENT_OP_HEAD_BYTES);
    memcpy(out, magic, sizeof magic);
    put_u32(out + AGENT_OP_AT_KIND, (uint32_t)op->kind);
    put_u32(out + AGENT_OP_AT_ADDR, op->addr);
    put_u32(out + AGENT_OP_AT_LEN, op->len);
    put_u64(out + AGENT_OP_AT_BEGUN, op->number);
    put_u64(out + AGENT_OP_AT_ENDED, op->number - op->in_progress);
}

static bool is_sound(const struct agent_op *op, uint64_t ended)
{
    bool counts = op->number == ended || (op->number && op->number - 1 == ended);
    if (op->kind >= AGENT_OP_KINDS || !counts)
        return false;
    if (op->kind == AGENT_OP_NONE)
        return !op->number;
    return op->len && op->len <= UINT32_MAX - op->addr &&
           (op->kind != AGENT_OP_PROGRAM || op->len <= AGENT_OP_DATA_MAX);
}

bool agent_op_decode(struct agent_op *out, const uint8_t in[AGENT_OP_HEAD_BYTES])
{
    uint64_t ended = get_u64(in + AGENT_OP_AT_ENDED);
    uint32_t kind = get_u32(in + AGENT_OP_AT_KIND);
    *out = (struct agent_op){
        .kind = kind < AGENT_OP_KINDS ? (enum agent_op_kind)kind : AGENT_OP_KINDS,
        .addr = get_u32(in + AGENT_OP_AT_ADDR),
        .len = get_u32(in + AGENT_OP_AT_LEN),
        .number = get_u64(in + AGENT_OP_AT_BEGUN),
    };
    out->in_progress = out->number != ended;
    if (!memcmp(in, magic, sizeof magic) && is_sound(out, ended))
        return true;
    memset(out, 0, sizeof *out);
    return false;
}
