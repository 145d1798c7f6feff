#include "journal_core.h"

/* Numbers on flash: never reused, never given another meaning. An unknown one is skipped. */
enum {
    ITEM_UPDATE = 1,
    ITEM_STEP = 2,
    ITEM_PROGRESS = 3,
    ITEM_ROLLED_BACK = 4,
    ITEM_STATUS = 5,
    ITEM_ACK = 6,
    ITEM_NEXT_SEQ = 7,
    ITEM_INSTALLED = 8
};
enum { ITEM_HEAD = 3, RECORD_MAGIC = 0x524a /* "JR" */ };

/* Upper bounds of the items of a snapshot: the record buffer holds them all. */
enum {
    UPDATE_MAX = ITEM_HEAD + 1 + 8 + 2 * AGENT_ID_MAX + 3 * BOOT_VERSION_MAX +
                 BOOT_HW_REVISION_MAX + AGENT_URL_MAX + 4 + BOOT_SHA256_BYTES + 1 +
                 BOOT_SIGNATURE_MAX + BOOT_CERT_ID_MAX,
    STATUS_MAX = ITEM_HEAD + 15 + BOOT_VERSION_MAX + 2 * AGENT_ID_MAX,
    OTHERS_MAX = 4 * ITEM_HEAD + 12 + 4 + 4 + 3 * AGENT_ID_MAX + ITEM_HEAD + 2 * BOOT_VERSION_MAX
};
_Static_assert(AGENT_RECORD_HEAD + UPDATE_MAX + AGENT_OUTBOX_MAX * STATUS_MAX + OTHERS_MAX +
                       AGENT_RECORD_CRC <=
                   AGENT_RECORD_MAX,
               "a snapshot fits the record buffer");
_Static_assert((int)BOOT_DEVICE_TYPE_MAX == (int)BOOT_VERSION_MAX, "counted as one of three");

struct writer {
    uint8_t *out;
    uint32_t at, item;
};

struct reader {
    const uint8_t *in;
    uint32_t at, len;
    bool bad; /* the item is shorter than its fields, or a string too long */
};

static void item_begin(struct writer *w, uint8_t kind)
{
    w->item = w->at;
    w->out[w->at] = kind;
    w->at += ITEM_HEAD;
}

static void item_end(struct writer *w)
{
    agent_put_u16(w->out + w->item + 1, w->at - w->item - ITEM_HEAD);
}

static void put_u8(struct writer *w, uint8_t value)
{
    w->out[w->at++] = value;
}

static void put_u32(struct writer *w, uint32_t value)
{
    agent_put_u32(w->out + w->at, value);
    w->at += 4;
}

static void put_i64(struct writer *w, int64_t value)
{
    put_u32(w, (uint32_t)((uint64_t)value & 0xffffffff));
    put_u32(w, (uint32_t)((uint64_t)value >> 32));
}

static void put_bytes(struct writer *w, const void *bytes, uint32_t len)
{
    memcpy(w->out + w->at, bytes, len);
    w->at += len;
}

static void put_string(struct writer *w, const char *string)
{
    uint32_t len = 0;
    while (string[len] && len < UINT8_MAX)
        len++;
    put_u8(w, (uint8_t)len);
    put_bytes(w, string, len);
}

static const uint8_t *take(struct reader *r, uint32_t len)
{
    if (r->bad || len > r->len - r->at) {
        r->bad = true;
        return NULL;
    }
    r->at += len;
    return r->in + r->at - len;
}

static uint8_t get_u8(struct reader *r)
{
    const uint8_t *in = take(r, 1);
    return in ? *in : 0;
}

static uint32_t get_u32(struct reader *r)
{
    const uint8_t *in = take(r, 4);
    return in ? agent_get_u32(in) : 0;
}

static int64_t get_i64(struct reader *r)
{
    uint64_t low = get_u32(r);
    return (int64_t)(low | (uint64_t)get_u32(r) << 32);
}

static void get_bytes(struct reader *r, void *out, uint32_t len)
{
    const uint8_t *in = take(r, len);
    if (in)
        memcpy(out, in, len);
}

/* The field was zeroed by the caller; a string with a NUL inside ends there. */
static void get_string(struct reader *r, char *out, uint32_t max)
{
    uint32_t len = get_u8(r);
    if (len >= max)
        r->bad = true;
    get_bytes(r, out, len);
}

static void put_update(struct writer *w, const struct agent_notification *update)
{
    const struct agent_manifest *m = &update->manifest;
    item_begin(w, ITEM_UPDATE);
    put_u8(w, update->force);
    put_i64(w, update->deadline_ms);
    put_string(w, update->campaign_id);
    put_string(w, m->firmware_id);
    put_string(w, m->version);
    put_string(w, m->device_type);
    put_string(w, m->min_hw_revision);
    put_string(w, m->binary_url);
    put_u32(w, m->binary_size_bytes);
    put_bytes(w, m->checksum_sha256, BOOT_SHA256_BYTES);
    put_u8(w, (uint8_t)m->signature_bytes);
    put_bytes(w, m->signature, m->signature_bytes);
    put_string(w, m->signing_cert_id);
    put_string(w, m->rollback_version);
    item_end(w);
}

static void get_update(struct reader *r, struct agent_journal *journal)
{
    struct agent_notification update;
    struct agent_manifest *m = &update.manifest;
    memset(&update, 0, sizeof update);
    update.force = get_u8(r) != 0;
    update.deadline_ms = get_i64(r);
    get_string(r, update.campaign_id, AGENT_ID_MAX);
    get_string(r, m->firmware_id, AGENT_ID_MAX);
    get_string(r, m->version, BOOT_VERSION_MAX);
    get_string(r, m->device_type, BOOT_DEVICE_TYPE_MAX);
    get_string(r, m->min_hw_revision, BOOT_HW_REVISION_MAX);
    get_string(r, m->binary_url, AGENT_URL_MAX);
    m->binary_size_bytes = get_u32(r);
    get_bytes(r, m->checksum_sha256, BOOT_SHA256_BYTES);
    m->signature_bytes = get_u8(r);
    if (m->signature_bytes > BOOT_SIGNATURE_MAX)
        r->bad = true;
    get_bytes(r, m->signature, m->signature_bytes);
    get_string(r, m->signing_cert_id, BOOT_CERT_ID_MAX);
    get_string(r, m->rollback_version, BOOT_VERSION_MAX);
    if (r->bad)
        return;
    journal->update = update;
    journal->has_update = true;
}

static void put_step(struct writer *w, const struct agent_journal *journal)
{
    item_begin(w, ITEM_STEP);
    put_u8(w, journal->phase);
    put_u8(w, journal->why);
    put_u8(w, journal->attempts);
    put_u8(w, journal->approved);
    put_i64(w, journal->not_before_ms);
    item_end(w);
}

static void get_step(struct reader *r, struct agent_journal *journal)
{
    uint8_t phase = get_u8(r), why = get_u8(r), attempts = get_u8(r), approved = get_u8(r);
    int64_t not_before_ms = get_i64(r);
    if (r->bad || phase >= AGENT_STATES || why >= AGENT_WHYS)
        return;
    journal->phase = phase;
    journal->why = why;
    journal->attempts = attempts;
    journal->approved = approved != 0;
    journal->not_before_ms = not_before_ms;
}

static void put_number(struct writer *w, uint8_t kind, uint32_t value)
{
    item_begin(w, kind);
    put_u32(w, value);
    item_end(w);
}

static void put_rolled_back(struct writer *w, const struct agent_journal *journal)
{
    item_begin(w, ITEM_ROLLED_BACK);
    put_string(w, journal->rolled_back_id);
    item_end(w);
}

static void get_rolled_back(struct reader *r, struct agent_journal *journal)
{
    char id[AGENT_ID_MAX] = {0};
    get_string(r, id, sizeof id);
    if (!r->bad)
        memcpy(journal->rolled_back_id, id, sizeof id);
}

static void put_installed(struct writer *w, const struct agent_installed *installed)
{
    item_begin(w, ITEM_INSTALLED);
    put_string(w, installed->campaign_id);
    put_string(w, installed->firmware_id);
    put_string(w, installed->version);
    put_string(w, installed->rollback_version);
    item_end(w);
}

static void get_installed(struct reader *r, struct agent_journal *journal)
{
    struct agent_installed installed;
    memset(&installed, 0, sizeof installed);
    get_string(r, installed.campaign_id, AGENT_ID_MAX);
    get_string(r, installed.firmware_id, AGENT_ID_MAX);
    get_string(r, installed.version, BOOT_VERSION_MAX);
    get_string(r, installed.rollback_version, BOOT_VERSION_MAX);
    if (!r->bad)
        journal->installed = installed;
}

static void put_status(struct writer *w, const struct agent_status_record *record)
{
    item_begin(w, ITEM_STATUS);
    put_u32(w, record->seq);
    put_i64(w, record->at_ms);
    put_u8(w, record->status);
    put_u8(w, record->reason);
    put_u8(w, (uint8_t)record->slot);
    put_string(w, record->version);
    put_string(w, record->campaign_id);
    put_string(w, record->firmware_id);
    item_end(w);
}

static void get_status(struct reader *r, struct agent_journal *journal)
{
    struct agent_status_record record;
    memset(&record, 0, sizeof record);
    record.seq = get_u32(r);
    record.at_ms = get_i64(r);
    record.status = get_u8(r);
    record.reason = get_u8(r);
    record.slot = get_u8(r) == BOOT_SLOT_B ? BOOT_SLOT_B : BOOT_SLOT_A;
    get_string(r, record.version, BOOT_VERSION_MAX);
    get_string(r, record.campaign_id, AGENT_ID_MAX);
    get_string(r, record.firmware_id, AGENT_ID_MAX);
    if (r->bad || record.status >= AGENT_STATUSES || record.reason >= AGENT_WHYS)
        return;
    if (journal->outbox_count < AGENT_OUTBOX_MAX)
        journal->outbox[journal->outbox_count++] = record;
    if (record.seq >= journal->next_seq)
        journal->next_seq = record.seq + 1;
}

static void apply_item(struct agent_journal *journal, uint8_t kind, struct reader *r)
{
    switch (kind) {
    case ITEM_UPDATE:
        get_update(r, journal);
        break;
    case ITEM_STEP:
        get_step(r, journal);
        break;
    case ITEM_PROGRESS:
        journal->durable_bytes = get_u32(r);
        break;
    case ITEM_ROLLED_BACK:
        get_rolled_back(r, journal);
        break;
    case ITEM_STATUS:
        get_status(r, journal);
        break;
    case ITEM_ACK:
        agent_journal_acknowledge(journal, get_u32(r));
        break;
    case ITEM_NEXT_SEQ:
        journal->next_seq = get_u32(r);
        break;
    case ITEM_INSTALLED:
        get_installed(r, journal);
        break;
    default: /* written by another version of the agent */
        break;
    }
}

static void put_items(struct writer *w, const struct agent_journal *journal, uint32_t what)
{
    bool all = what & AGENT_DIRTY_ALL;
    if (all)
        put_number(w, ITEM_NEXT_SEQ, journal->next_seq);
    if (journal->has_update && (all || what & AGENT_DIRTY_UPDATE))
        put_update(w, &journal->update);
    if (all || what & AGENT_DIRTY_STEP)
        put_step(w, journal);
    if (all || what & AGENT_DIRTY_PROGRESS)
        put_number(w, ITEM_PROGRESS, journal->durable_bytes);
    if (all || what & AGENT_DIRTY_ROLLED_BACK)
        put_rolled_back(w, journal);
    if (all || what & AGENT_DIRTY_INSTALLED)
        put_installed(w, &journal->installed);
    if (!all && what & AGENT_DIRTY_ACK)
        put_number(w, ITEM_ACK, journal->acked_seq);
    for (uint32_t i = all ? 0 : journal->outbox_count - journal->unsaved; i < journal->outbox_count;
         i++)
        put_status(w, &journal->outbox[i]);
}

uint32_t agent_record_encode(uint8_t out[AGENT_RECORD_MAX], const struct agent_journal *journal,
                             bool snapshot, uint32_t bank_sequence)
{
    struct writer w = {out, AGENT_RECORD_HEAD, 0};
    put_items(&w, journal, snapshot ? (uint32_t)AGENT_DIRTY_ALL : journal->dirty);
    agent_put_u16(out, RECORD_MAGIC);
    agent_put_u16(out + 2, w.at - AGENT_RECORD_HEAD);
    agent_put_u32(out + 4, bank_sequence);
    agent_put_u32(out + 8, snapshot ? AGENT_RECORD_SNAPSHOT : 0);
    put_u32(&w, boot_crc32(0, out, w.at));
    return w.at;
}

uint32_t agent_record_bytes(const uint8_t head[AGENT_RECORD_HEAD], uint32_t bank_sequence)
{
    uint32_t bytes = agent_get_u16(head + 2) + AGENT_RECORD_HEAD + AGENT_RECORD_CRC;
    if (agent_get_u16(head) != RECORD_MAGIC || agent_get_u32(head + 4) != bank_sequence)
        return 0;
    return bytes <= AGENT_RECORD_MAX ? bytes : 0;
}

bool agent_record_valid(const uint8_t *record, uint32_t bytes)
{
    uint32_t body = bytes - AGENT_RECORD_CRC;
    return boot_crc32(0, record, body) == agent_get_u32(record + body);
}

void agent_record_apply(struct agent_journal *journal, const uint8_t *record, uint32_t bytes)
{
    uint32_t end = bytes - AGENT_RECORD_CRC;
    if (agent_get_u32(record + 8) & AGENT_RECORD_SNAPSHOT)
        agent_journal_clear(journal);
    for (uint32_t at = AGENT_RECORD_HEAD; end - at >= ITEM_HEAD;) {
        uint32_t len = agent_get_u16(record + at + 1);
        struct reader r = {record + at + ITEM_HEAD, 0, len, false};
        if (len > end - at - ITEM_HEAD)
            return;
        apply_item(journal, record[at], &r);
        at += ITEM_HEAD + len;
    }
}
