/*
 * The operation record: a small file beside a flash file, mapped shared, that names each program
 * and erase before it begins and says when it has ended. It is page cache and outlives SIGKILL, so
 * that whoever kills the process knows which operation was cut, and with which bytes. Drawn in
 * agent/flash_file/FORMAT.md. No state, no I/O; NULL is misuse.
 */
#ifndef FLASH_FILE_OP_H
#define FLASH_FILE_OP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    AGENT_OP_HEAD_BYTES = 64,
    AGENT_OP_DATA_MAX = 4096, /* bytes of one program; a longer one is several operations */
    AGENT_OP_BYTES = AGENT_OP_HEAD_BYTES + AGENT_OP_DATA_MAX,
    AGENT_OP_AT_KIND = 4,
    AGENT_OP_AT_ADDR = 8,
    AGENT_OP_AT_LEN = 12,
    AGENT_OP_AT_BEGUN = 16,
    AGENT_OP_AT_ENDED = 24,
    AGENT_OP_AT_ZERO = 32,
};

/* Both records on a medium of their own (FORMAT.md): the reset record is at 0. */
enum { AGENT_RECORDS_AT_OP = 65536, AGENT_RECORDS_BYTES = 131072 };

enum agent_op_kind { AGENT_OP_NONE, AGENT_OP_PROGRAM, AGENT_OP_ERASE, AGENT_OP_KINDS };
const char *agent_op_kind_name(int kind); /* "program"; never NULL */

struct agent_op {
    bool in_progress;        /* begun, not ended */
    enum agent_op_kind kind; /* of the operation in progress; else of the last one noted */
    uint32_t addr, len;      /* bytes from the flash's start; an erase's len is its sector */
    uint64_t number;         /* operations begun since the record was created; 0: none yet */
};

/* A record of number operations; the members are in range, or it is misuse. */
void agent_op_encode(uint8_t out[AGENT_OP_HEAD_BYTES], const struct agent_op *op);

/* Any 64 bytes. False (out zeroed) unless magic, kind, length and numbers fit each other. */
bool agent_op_decode(struct agent_op *out, const uint8_t in[AGENT_OP_HEAD_BYTES]);

#endif
