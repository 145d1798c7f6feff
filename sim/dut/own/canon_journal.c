/*
 * The journal's part: what agent_journal_open reads of it. Of agent/core/journal_bank.c:
 *
 * - Records before the tail are read by a replay only, and a replay's result is told. The first
 *   record of a session is a snapshot (rule 1), so nothing that comes later is put together with
 *   single records of today.
 * - Every page from the tail on reads blank, or the tail would be behind it.
 * - The other bank is read only when the header of the active one is lost. What it would say then
 * is told too. It is erased before it is written (rule 4), and records carry the sequence of their
 *   bank, so nothing else of it is ever believed. Whether its header is blank or broken makes no
 *   difference once a bank was found: the journal moves there first either way (rule 3).
 * - Without a bank, both are erased before the first record, and their headers are all that is
 * told.
 * - A sector that can't be erased keeps what it holds, and a replay finds the tail behind it. So of
 *   each sector but the first (without which a bank is not used) the last page that is not blank is
 *   told, of both banks.
 * - Numbers of statuses only order them, and so do those of banks. A status keeps its place in the
 *   outbox; when it was made is of no consequence on the device.
 */
#include "canon.h"
#include <string.h>

enum { HEAD_BYTES = 16, PART_BYTES = 256 };

/* Reads through, with one bank's header shown as blank. */
struct veil {
    const struct boot_flash *flash;
    uint32_t addr; /* of the header */
};

static int read_veiled(void *ctx, uint32_t addr, void *out, uint32_t len)
{
    const struct veil *veil = ctx;
    if (addr == veil->addr) {
        memset(out, 0xff, len);
        return 0;
    }
    return veil->flash->read(veil->flash->ctx, addr, out, len);
}

static uint32_t bank_addr(const struct boot_layout *layout, int bank)
{
    return layout->data_addr + (uint32_t)bank * (layout->journal_bytes / 2);
}

enum head { HEAD_BROKEN, HEAD_BLANK, HEAD_VALID };

/* agent/FORMAT.md "header". */
static bool head_read(const struct own_env *env, int bank, enum head *out, uint32_t *sequence)
{
    uint8_t head[HEAD_BYTES], expected[HEAD_BYTES] = "BYJ1";
    if (env->flash.read(env->flash.ctx, bank_addr(&env->layout, bank), head, sizeof head))
        return false;
    *sequence = canon_get_u32(head + 4);
    own_put_u32(expected + 4, *sequence);
    own_put_u32(expected + 12, boot_crc32(0, expected, 12));
    *out = !memcmp(head, expected, sizeof head) ? HEAD_VALID
           : canon_is_blank(head)               ? HEAD_BLANK
                                                : HEAD_BROKEN;
    return true;
}

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
    canon_put_u32(text, journal->tail / journal->layout->page_bytes);
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

static bool page_is_blank(const struct own_env *env, uint32_t addr, bool *blank)
{
    uint8_t part[PART_BYTES];
    const uint32_t page = env->layout.page_bytes;
    *blank = true;
    for (uint32_t at = 0, len; at < page && *blank; at += len) {
        len = page - at < sizeof part ? page - at : (uint32_t)sizeof part;
        if (env->flash.read(env->flash.ctx, addr + at, part, len))
            return false;
        *blank = part[0] == 0xff && !memcmp(part, part + 1, len - 1);
    }
    return true;
}

/* Pages up to the last that is not blank, of each sector but the first. `end`: from there on all of
 * the bank is known to be blank. */
static bool put_used(struct canon_text *text, const struct own_env *env, int bank, uint32_t end)
{
    const uint32_t page = env->layout.page_bytes, sector = env->layout.sector_bytes;
    for (uint32_t at = sector; at < env->layout.journal_bytes / 2; at += sector) {
        uint32_t to = end < at + sector ? end : at + sector;
        for (bool blank = true; to > at && blank; to -= blank ? page : 0)
            if (!page_is_blank(env, bank_addr(&env->layout, bank) + to - page, &blank))
                return false;
        canon_put_u32(text, to > at ? (to - at) / page : 0);
    }
    return true;
}

static bool put_unread(struct canon_text *text, const struct own_env *env, int bank)
{
    return put_used(text, env, bank, env->layout.journal_bytes / 2);
}

/* The bank that is not active, which has a header. */
static bool put_other(struct canon_text *text, const struct own_env *env, int active,
                      struct agent_journal *work)
{
    struct veil veil = {&env->flash, bank_addr(&env->layout, active)};
    const struct boot_flash flash = {.ctx = &veil, .read = read_veiled};
    if (agent_journal_open(work, &flash, &env->layout))
        return false;
    canon_put_u8(text, work->bank >= 0);
    if (work->bank < 0)
        return put_unread(text, env, !active);
    return put_fold(text, work) && put_used(text, env, !active, work->tail);
}

/* Nothing that can be read. A header without a snapshot is no work of the agent's: its number would
 * matter. */
static bool put_nothing(struct canon_text *text, const struct own_env *env, const enum head head[2])
{
    canon_put_u8(text, UINT8_MAX);
    canon_put_u8(text, head[0]);
    canon_put_u8(text, head[1]);
    return head[0] != HEAD_VALID && head[1] != HEAD_VALID && put_unread(text, env, 0) &&
           put_unread(text, env, 1);
}

bool canon_journal(struct canon_text *text, const struct own_env *env, struct agent_journal *work)
{
    enum head head[2];
    uint32_t sequence[2];
    if (!head_read(env, 0, &head[0], &sequence[0]) || !head_read(env, 1, &head[1], &sequence[1]) ||
        agent_journal_open(work, &env->flash, &env->layout))
        return false;
    if (work->bank < 0)
        return put_nothing(text, env, head);
    const int active = work->bank, other = !active;
    canon_put_u8(text, (uint32_t)active);
    canon_put_u8(text, work->other_safe);
    canon_put_u8(text, head[other]);
    if (!put_fold(text, work) || !put_used(text, env, active, work->tail))
        return false;
    if (head[other] != HEAD_VALID)
        return put_unread(text, env, other);
    canon_put_u8(text, (int32_t)(sequence[active] - sequence[other]) > 0);
    return put_other(text, env, active, work);
}
