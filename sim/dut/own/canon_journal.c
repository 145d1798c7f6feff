/*
 * The journal's part: what agent_journal_open reads of it. Of agent/core/journal_bank.c:
 *
 * - Records before the tail are read by a replay only, and a replay's result is told. The first
 *   record of a session is a snapshot (rule 1), so nothing that comes later is put together with
 *   single records of today.
 * - Every page from the tail on reads blank, or the tail would be behind it. A tail behind which no
 *   snapshot fits is not told apart from another: the journal moves to the other bank either way.
 * - The other bank is erased before it is written (rule 4), and read only when the header of the
 *   active one is lost. A torn header reads otherwise in another view; a header that reads here
 *   stays, as only damage takes it away. So of the other bank only that is told which makes the
 *   journal move there first (other_safe, rule 3). Without a bank, both are erased first.
 * - Which of the two banks it is makes no difference: no rule names one of them. (With a sector
 *   that can't be erased it does; the sweep merges no states with bad sectors.)
 * - Numbers of statuses only order them, and so do those of banks. A status keeps its place in the
 *   outbox; when it was made is of no consequence on the device.
 */
#include "canon.h"
#include <string.h>

/* Of a snapshot beside the update (agent/FORMAT.md): head and CRC. Strings of the next update may
 * be shorter than those of this one, by so much at the most. */
enum { SNAPSHOT_FRAME = 16, SNAPSHOT_SHORTER = 64 };

static void put_update(struct canon_text *text, const struct agent_notification *update)
{
    const struct agent_manifest *manifest = &update->manifest;
    canon_put_u8(text, update->force);
    canon_put_i64(text, update->deadline_ms);
    canon_put_string(text, update->campaign_id);
    canon_put_string(text, manifest->firmware_id);
    canon_put_string(text, manifest->version);
    canon_put_string(text, manifest->device_type);
    canon_put_string(text, manifest->min_hw_revision);
    canon_put_string(text, manifest->binary_url);
    canon_put_u32(text, manifest->binary_size_bytes);
    canon_put(text, manifest->checksum_sha256, sizeof manifest->checksum_sha256);
    canon_put_u8(text, manifest->signature_bytes);
    canon_put(text, manifest->signature, manifest->signature_bytes);
    canon_put_string(text, manifest->signing_cert_id);
    canon_put_string(text, manifest->rollback_version);
}

/* False when the statuses are not in the order of their numbers. */
static bool put_outbox(struct canon_text *text, const struct agent_journal *journal)
{
    uint32_t before = 0;
    canon_put_u8(text, journal->outbox_count);
    for (uint32_t i = 0; i < journal->outbox_count; i++) {
        const struct agent_status_record *record = &journal->outbox[i];
        if ((i && record->seq <= before) || record->seq >= journal->next_seq)
            return false;
        before = record->seq;
        canon_put_u8(text, record->status);
        canon_put_u8(text, record->reason);
        canon_put_u8(text, (uint8_t)record->slot);
        canon_put_string(text, record->version);
        canon_put_string(text, record->campaign_id);
        canon_put_string(text, record->firmware_id);
    }
    return true;
}

/* update_bytes: what the update takes in a snapshot, which holds it as it is told here. */
static void put_tail(struct canon_text *text, const struct agent_journal *journal,
                     uint32_t update_bytes)
{
    const uint32_t bank = journal->layout->journal_bytes / 2, page = journal->layout->page_bytes;
    uint32_t least = SNAPSHOT_FRAME + update_bytes;
    least = least > SNAPSHOT_SHORTER ? (least - SNAPSHOT_SHORTER + page - 1) / page * page : 0;
    canon_put_u32(text, journal->tail + least > bank ? UINT32_MAX : journal->tail / page);
}

static bool put_fold(struct canon_text *text, const struct agent_journal *journal)
{
    const struct agent_installed *installed = &journal->installed;
    canon_put_u8(text, journal->has_update);
    const uint32_t before = text->at;
    if (journal->has_update)
        put_update(text, &journal->update);
    put_tail(text, journal, text->at - before);
    canon_put_u8(text, journal->phase);
    canon_put_u8(text, journal->why);
    canon_put_u8(text, journal->attempts);
    canon_put_u8(text, journal->approved);
    canon_put_i64(text, journal->not_before_ms);
    canon_put_u32(text, journal->durable_bytes);
    canon_put_string(text, journal->rolled_back_id);
    canon_put_string(text, installed->campaign_id);
    canon_put_string(text, installed->firmware_id);
    canon_put_string(text, installed->version);
    canon_put_string(text, installed->rollback_version);
    return put_outbox(text, journal);
}

bool canon_journal(struct canon_text *text, const struct own_env *env, struct agent_journal *work)
{
    if (agent_journal_open(work, &env->flash, &env->layout))
        return false;
    canon_put_u8(text, work->bank >= 0);
    canon_put_u8(text, work->bank >= 0 ? work->other_safe : work->lost);
    return work->bank < 0 || put_fold(text, work);
}
