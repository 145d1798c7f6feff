/*
 * The journal's part: what agent_journal_open reads of it. Of agent/core/journal_bank.c:
 *
 * - The first record of a session is a snapshot in the other bank, which is erased before (rules 1
 *   and 4). So of what both banks hold only the result of the replay has a future: not where the
 *   records end, not what is behind them, not the other bank. That is read only when the header of
 *   the active one is lost: a torn header reads otherwise in another view; one that reads here
 *   stays, as only damage takes it away. Without a bank, both are erased first.
 * - Which of the two banks it is makes no difference: no rule names one of them. (With a sector
 *   that can't be erased it does; the sweep merges no states with bad sectors.)
 * - Numbers of statuses only order them, and so do those of banks. A status keeps its place in the
 *   outbox; when it was made is of no consequence on the device.
 */
#include "canon.h"
#include <string.h>

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

static bool put_fold(struct canon_text *text, const struct agent_journal *journal)
{
    const struct agent_installed *installed = &journal->installed;
    canon_put_u8(text, journal->has_update);
    if (journal->has_update)
        put_update(text, &journal->update);
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
    canon_put_u8(text, work->bank < 0 && work->lost);
    return work->bank < 0 || put_fold(text, work);
}
