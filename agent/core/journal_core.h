/*
 * Inside of the journal: records to bytes and back (journal_record.c), and banks on flash
 * (journal_bank.c). agent/FORMAT.md draws the bytes.
 */
#ifndef AGENT_JOURNAL_CORE_H
#define AGENT_JOURNAL_CORE_H

#include "agent/journal.h"
#include "boot/error.h"
#include "core.h"

enum {
    AGENT_RECORD_MAX = 4096, /* the largest page, and more than the largest snapshot */
    AGENT_RECORD_HEAD = 12,
    AGENT_RECORD_CRC = 4,
    AGENT_BANK_HEAD = 16,
    AGENT_RECORD_SNAPSHOT = 1 /* flag: forget what came before */
};

/* What a record has to hold: a bit for each kind of item, and everything at once. */
enum {
    AGENT_DIRTY_UPDATE = 1 << 0,
    AGENT_DIRTY_STEP = 1 << 1,
    AGENT_DIRTY_PROGRESS = 1 << 2,
    AGENT_DIRTY_ROLLED_BACK = 1 << 3,
    AGENT_DIRTY_INSTALLED = 1 << 4,
    AGENT_DIRTY_ACK = 1 << 5,
    AGENT_DIRTY_STATUS = 1 << 6,
    AGENT_DIRTY_ALL = 1 << 7
};

/* Writes a record of what is dirty, or of everything; returns its bytes, CRC included. */
uint32_t agent_record_encode(uint8_t out[AGENT_RECORD_MAX], const struct agent_journal *journal,
                             bool snapshot, uint32_t bank_sequence);
/* Bytes of the record whose head this is, 0 when it is none of this bank. */
uint32_t agent_record_bytes(const uint8_t head[AGENT_RECORD_HEAD], uint32_t bank_sequence);
bool agent_record_valid(const uint8_t *record, uint32_t bytes);
/* Applies a valid record to what is known in RAM. */
void agent_record_apply(struct agent_journal *journal, const uint8_t *record, uint32_t bytes);

/* Forgets everything that records hold. */
void agent_journal_clear(struct agent_journal *journal);
/* Gives the statuses that no record holds numbers by the clock, once the journal is broken. */
void agent_journal_renumber(struct agent_journal *journal);
/* Writes what is dirty. AGENT_EFLASH sets broken. */
int agent_bank_write(struct agent_journal *journal);

static inline void agent_put_u16(uint8_t *out, uint32_t value)
{
    out[0] = (uint8_t)value;
    out[1] = (uint8_t)(value >> 8);
}

static inline void agent_put_u32(uint8_t *out, uint32_t value)
{
    agent_put_u16(out, value & 0xffff);
    agent_put_u16(out + 2, value >> 16);
}

static inline uint32_t agent_get_u16(const uint8_t *in)
{
    return (uint32_t)in[0] | (uint32_t)in[1] << 8;
}

static inline uint32_t agent_get_u32(const uint8_t *in)
{
    return agent_get_u16(in) | agent_get_u16(in + 2) << 16;
}

void agent_journal_forget_repeated(struct agent_journal *journal);

#endif
