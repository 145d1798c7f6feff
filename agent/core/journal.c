#include "journal_core.h"

/* The journal's content in RAM, and what of it the next record has to hold. */

void agent_journal_clear(struct agent_journal *journal)
{
    journal->has_update = false;
    memset(&journal->update, 0, sizeof journal->update);
    journal->phase = AGENT_IDLE;
    journal->durable_bytes = 0;
    journal->attempts = 0;
    journal->why = AGENT_WHY_NONE;
    memset(journal->rolled_back_id, 0, sizeof journal->rolled_back_id);
    memset(&journal->installed, 0, sizeof journal->installed);
    journal->approved = false;
    journal->not_before_ms = 0;
    journal->next_seq = 1;
    journal->outbox_count = 0;
    journal->dirty = 0;
    journal->unsaved = 0;
    journal->acked_seq = 0;
}

static int changed(struct agent_journal *journal, uint32_t what)
{
    journal->dirty |= what;
    return journal->held ? AGENT_OK : agent_journal_commit(journal);
}

void agent_journal_hold(struct agent_journal *journal)
{
    journal->held = true;
}

bool agent_journal_dirty(const struct agent_journal *journal)
{
    return (journal->dirty & ~(uint32_t)AGENT_DIRTY_ACK) != 0 && !journal->broken;
}

int agent_journal_commit(struct agent_journal *journal)
{
    journal->held = false;
    if (!journal->dirty)
        return journal->broken ? AGENT_EFLASH : AGENT_OK;
    return agent_bank_write(journal);
}

int agent_journal_settle(struct agent_journal *journal)
{
    if (!journal->settled)
        journal->dirty |= AGENT_DIRTY_ALL;
    return agent_journal_commit(journal);
}

int agent_journal_begin_update(struct agent_journal *journal,
                               const struct agent_notification *update)
{
    journal->update = *update;
    journal->has_update = true;
    journal->phase = AGENT_NOTIFIED;
    journal->why = AGENT_WHY_NONE;
    journal->attempts = 0;
    journal->durable_bytes = 0;
    journal->approved = false;
    journal->not_before_ms = 0;
    return changed(journal, AGENT_DIRTY_UPDATE | AGENT_DIRTY_STEP | AGENT_DIRTY_PROGRESS);
}

int agent_journal_revise(struct agent_journal *journal, const struct agent_notification *update)
{
    journal->update = *update;
    journal->has_update = true;
    return changed(journal, AGENT_DIRTY_UPDATE);
}

int agent_journal_permit(struct agent_journal *journal, bool approved, int64_t not_before_ms)
{
    journal->approved = approved;
    journal->not_before_ms = not_before_ms;
    return changed(journal, AGENT_DIRTY_STEP);
}

int agent_journal_installed(struct agent_journal *journal, const struct agent_installed *installed)
{
    journal->installed = *installed;
    return changed(journal, AGENT_DIRTY_INSTALLED);
}

int agent_journal_step(struct agent_journal *journal, uint8_t phase, uint8_t why, uint8_t attempts)
{
    if (journal->phase == phase && journal->why == why && journal->attempts == attempts)
        return AGENT_OK;
    journal->phase = phase;
    journal->why = why;
    journal->attempts = attempts;
    return changed(journal, AGENT_DIRTY_STEP);
}

int agent_journal_progress(struct agent_journal *journal, uint32_t durable_bytes)
{
    if (journal->durable_bytes == durable_bytes)
        return AGENT_OK;
    journal->durable_bytes = durable_bytes;
    return changed(journal, AGENT_DIRTY_PROGRESS);
}

int agent_journal_rolled_back(struct agent_journal *journal, const char *firmware_id)
{
    agent_text_copy(journal->rolled_back_id, AGENT_ID_MAX, firmware_id);
    return changed(journal, AGENT_DIRTY_ROLLED_BACK);
}

static bool is_outcome(uint8_t status)
{
    return status == AGENT_ST_CONFIRMED || status == AGENT_ST_ROLLED_BACK ||
           status == AGENT_ST_REFUSED || status == AGENT_ST_VERIFY_FAILED ||
           status == AGENT_ST_DOWNLOAD_FAILED;
}

/* The oldest that is not an outcome, or the oldest. What the flash holds is rewritten whole. */
static void drop_one(struct agent_journal *journal)
{
    uint32_t at = 0;
    while (at < journal->outbox_count && is_outcome(journal->outbox[at].status))
        at++;
    if (at == journal->outbox_count)
        at = 0;
    journal->outbox_count--;
    memmove(&journal->outbox[at], &journal->outbox[at + 1],
            (journal->outbox_count - at) * sizeof journal->outbox[0]);
    journal->dirty |= AGENT_DIRTY_ALL;
}

/* A journal that can't be written would give the same numbers again after a boot: the clock gives
 * them then. */
static uint32_t next_number(struct agent_journal *journal, int64_t at_ms)
{
    int64_t second = at_ms / 1000 + 1;
    if (journal->broken && second > journal->next_seq && second < UINT32_MAX)
        journal->next_seq = (uint32_t)second;
    return journal->next_seq++;
}

void agent_journal_renumber(struct agent_journal *journal)
{
    for (uint32_t i = journal->outbox_count - journal->unsaved; i < journal->outbox_count; i++)
        journal->outbox[i].seq = next_number(journal, journal->outbox[i].at_ms);
}

int agent_journal_queue(struct agent_journal *journal, const struct agent_status_record *record)
{
    bool full = journal->outbox_count == AGENT_OUTBOX_MAX;
    if (full)
        drop_one(journal);
    struct agent_status_record *queued = &journal->outbox[journal->outbox_count++];
    *queued = *record;
    queued->seq = next_number(journal, record->at_ms);
    if (journal->unsaved < journal->outbox_count)
        journal->unsaved++;
    int error = changed(journal, AGENT_DIRTY_STATUS);
    return error ? error : full ? AGENT_EFULL : AGENT_OK;
}

static bool says_same(const struct agent_status_record *a, const struct agent_status_record *b)
{
    return a->status == b->status && a->reason == b->reason && a->slot == b->slot &&
           agent_text_equal(a->version, b->version) &&
           agent_text_equal(a->campaign_id, b->campaign_id) &&
           agent_text_equal(a->firmware_id, b->firmware_id);
}

/* A status that was queued again later is told then: a device that is cut again and again before it
 * connects would fill its outbox with the same few words. */
void agent_journal_forget_repeated(struct agent_journal *journal)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < journal->outbox_count; i++) {
        bool again = false;
        for (uint32_t later = i + 1; later < journal->outbox_count; later++)
            again |= says_same(&journal->outbox[i], &journal->outbox[later]);
        if (!again)
            journal->outbox[kept++] = journal->outbox[i];
    }
    journal->outbox_count = kept;
}

int agent_journal_acknowledge(struct agent_journal *journal, uint32_t seq)
{
    uint32_t gone = 0;
    while (gone < journal->outbox_count && journal->outbox[gone].seq <= seq)
        gone++;
    if (!gone)
        return AGENT_OK;
    journal->outbox_count -= gone;
    memmove(journal->outbox, journal->outbox + gone,
            journal->outbox_count * sizeof journal->outbox[0]);
    if (journal->unsaved > journal->outbox_count)
        journal->unsaved = journal->outbox_count;
    if (seq > journal->acked_seq)
        journal->acked_seq = seq;
    journal->dirty |= AGENT_DIRTY_ACK;
    return AGENT_OK;
}
