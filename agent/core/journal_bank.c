#include "journal_core.h"

/*
 * A bank is half of the journal's sectors: its header alone in the first page, records from the
 * second on, each at the start of a page. The rules that make two banks safe for any number of
 * cuts, also with pages which were torn and read differently each time, are in agent/FORMAT.md;
 * here they are (1) to (4).
 */

static uint32_t bank_bytes(const struct agent_journal *journal)
{
    return journal->layout->journal_bytes / 2;
}

static uint32_t bank_addr(const struct agent_journal *journal, int bank)
{
    return journal->layout->data_addr + (uint32_t)bank * bank_bytes(journal);
}

static uint32_t to_page(const struct agent_journal *journal, uint32_t bytes)
{
    uint32_t page = journal->layout->page_bytes;
    return (bytes + page - 1) / page * page;
}

static void head_encode(uint8_t out[AGENT_BANK_HEAD], uint32_t sequence)
{
    memcpy(out, "BYJ1", 4);
    agent_put_u32(out + 4, sequence);
    agent_put_u32(out + 8, 0);
    agent_put_u32(out + 12, boot_crc32(0, out, 12));
}

enum head { HEAD_VALID, HEAD_ERASED, HEAD_BROKEN };

static int head_read(const struct agent_journal *journal, int bank, uint32_t *sequence,
                     enum head *out)
{
    uint8_t head[AGENT_BANK_HEAD], expected[AGENT_BANK_HEAD];
    uint32_t erased = 0;
    if (journal->flash->read(journal->flash->ctx, bank_addr(journal, bank), head, sizeof head))
        return AGENT_EFLASH;
    *sequence = agent_get_u32(head + 4);
    head_encode(expected, *sequence);
    for (uint32_t i = 0; i < sizeof head; i++)
        erased += head[i] == 0xff;
    *out = !memcmp(head, expected, sizeof head) ? HEAD_VALID
           : erased == sizeof head              ? HEAD_ERASED
                                                : HEAD_BROKEN;
    return AGENT_OK;
}

/* Each byte is the next one's equal, and the first is FF: memcmp is much faster than a loop. */
static bool all_erased(const uint8_t *bytes, uint32_t len)
{
    return bytes[0] == 0xff && !memcmp(bytes, bytes + 1, len - 1);
}

/* Programs len bytes, padded to a page with FF, and reads them back: a page may hold torn bits. */
enum put { PUT_OK, PUT_DIFFERS, PUT_FAILED };

static enum put put(const struct agent_journal *journal, uint32_t addr,
                    uint8_t bytes[AGENT_RECORD_MAX], uint32_t len)
{
    const struct boot_flash *flash = journal->flash;
    uint8_t back[64];
    uint32_t padded = to_page(journal, len);
    memset(bytes + len, 0xff, padded - len);
    if (flash->program(flash->ctx, addr, bytes, padded))
        return PUT_FAILED;
    for (uint32_t at = 0; at < len; at += (uint32_t)sizeof back) {
        uint32_t n = len - at < sizeof back ? len - at : (uint32_t)sizeof back;
        if (flash->read(flash->ctx, addr + at, back, n))
            return PUT_FAILED;
        if (memcmp(back, bytes + at, n))
            return PUT_DIFFERS;
    }
    return PUT_OK;
}

/* A page that does not read FF is left alone: a worn or stuck sector keeps what it holds. */
static enum put put_blank(const struct agent_journal *journal, uint32_t addr,
                          uint8_t bytes[AGENT_RECORD_MAX], uint32_t len)
{
    uint8_t there[64];
    uint32_t padded = to_page(journal, len);
    for (uint32_t at = 0; at < padded; at += (uint32_t)sizeof there) {
        uint32_t n = padded - at < sizeof there ? padded - at : (uint32_t)sizeof there;
        if (journal->flash->read(journal->flash->ctx, addr + at, there, n))
            return PUT_FAILED;
        if (!all_erased(there, n))
            return PUT_DIFFERS;
    }
    return put(journal, addr, bytes, len);
}

/* The first place from *at on that takes the record; *at becomes the end of it. */
static int put_record(const struct agent_journal *journal, int bank, uint32_t *at,
                      uint8_t bytes[AGENT_RECORD_MAX], uint32_t len)
{
    uint32_t padded = to_page(journal, len);
    while (padded <= bank_bytes(journal) - *at) {
        uint32_t addr = bank_addr(journal, bank) + *at;
        *at += padded;
        if (put_blank(journal, addr, bytes, len) == PUT_OK)
            return AGENT_OK;
    }
    return AGENT_EFLASH;
}

static enum put put_head(const struct agent_journal *journal, int bank, uint32_t sequence,
                         uint8_t buffer[AGENT_RECORD_MAX])
{
    head_encode(buffer, sequence);
    return put(journal, bank_addr(journal, bank), buffer, AGENT_BANK_HEAD);
}

/*
 * Clears the header before its sector is erased: else an erase that is cut may leave one readable
 * by luck that was torn itself and is newer, and the next session would trust it and erase the
 * stable bank.
 */
static int make_void(const struct agent_journal *journal, int bank)
{
    uint8_t page[AGENT_RECORD_MAX];
    const struct boot_flash *flash = journal->flash;
    /* The rest of the page stays FF: a header that is read again by luck is put over it. */
    memset(page, 0xff, journal->layout->page_bytes);
    memset(page, 0, AGENT_BANK_HEAD);
    return flash->program(flash->ctx, bank_addr(journal, bank), page, journal->layout->page_bytes);
}

/*
 * Rule (4): a page which reads FF may be a half-finished erase, so a bank is always erased first. A
 * bank whose header can't be erased is not touched further. Of the other sectors those that stay as
 * they are get found out page by page: records are put where they can be read back.
 */
static int erase_bank(const struct agent_journal *journal, int bank)
{
    const struct boot_flash *flash = journal->flash;
    uint32_t from = bank_addr(journal, bank);
    uint8_t head[AGENT_BANK_HEAD];
    if ((bank != journal->bank && make_void(journal, bank)) || flash->erase(flash->ctx, from) ||
        flash->read(flash->ctx, from, head, sizeof head) || !all_erased(head, sizeof head))
        return AGENT_EFLASH;
    for (uint32_t at = journal->layout->sector_bytes; at < bank_bytes(journal);
         at += journal->layout->sector_bytes)
        (void)flash->erase(flash->ctx, from + at);
    return AGENT_OK;
}

/*
 * Reads the record at `at` into buffer. *bytes is its length, 0 when there is none; *erased says
 * whether the page reads FF.
 */
static int record_read(const struct agent_journal *journal, uint32_t at,
                       uint8_t buffer[AGENT_RECORD_MAX], uint32_t *bytes, bool *erased)
{
    const struct boot_flash *flash = journal->flash;
    uint32_t addr = bank_addr(journal, journal->bank) + at, page = journal->layout->page_bytes;
    *bytes = 0;
    if (flash->read(flash->ctx, addr, buffer, page))
        return AGENT_EFLASH;
    *erased = all_erased(buffer, page);
    uint32_t len = agent_record_bytes(buffer, journal->bank_sequence);
    if (!len || len > bank_bytes(journal) - at)
        return AGENT_OK;
    if (len > page && flash->read(flash->ctx, addr + page, buffer + page, len - page))
        return AGENT_EFLASH;
    if (agent_record_valid(buffer, len))
        *bytes = len;
    return AGENT_OK;
}

/*
 * Applies every record of the active bank. A page that holds none is stepped over: records which
 * were written after a torn one still count. *found says whether a snapshot was among them.
 */
static int replay(struct agent_journal *journal, bool *found)
{
    uint8_t buffer[AGENT_RECORD_MAX];
    uint32_t page = journal->layout->page_bytes, bytes;
    bool erased;
    *found = false;
    agent_journal_clear(journal);
    journal->tail = page;
    for (uint32_t at = page; at < bank_bytes(journal);) {
        if (record_read(journal, at, buffer, &bytes, &erased))
            return AGENT_EFLASH;
        if (bytes) {
            *found |= (agent_get_u32(buffer + 8) & AGENT_RECORD_SNAPSHOT) != 0;
            agent_record_apply(journal, buffer, bytes);
        }
        at += bytes ? to_page(journal, bytes) : page;
        if (!erased)
            journal->tail = at;
    }
    return AGENT_OK;
}

static int open_bank(struct agent_journal *journal, int bank, uint32_t sequence, bool *found)
{
    journal->bank = bank;
    journal->bank_sequence = sequence;
    return replay(journal, found);
}

int agent_journal_open(struct agent_journal *journal, const struct boot_flash *flash,
                       const struct boot_layout *layout)
{
    uint32_t sequence[2] = {0, 0};
    enum head head[2] = {HEAD_BROKEN, HEAD_BROKEN};
    bool found = false;
    memset(journal, 0, sizeof *journal);
    journal->flash = flash;
    journal->layout = layout;
    journal->bank = -1;
    agent_journal_clear(journal);
    journal->broken = head_read(journal, 0, &sequence[0], &head[0]) ||
                      head_read(journal, 1, &sequence[1], &head[1]);
    int newest = head[1] == HEAD_VALID &&
                 (head[0] != HEAD_VALID || (int32_t)(sequence[1] - sequence[0]) > 0);
    for (int turn = 0; turn < 2 && !found && !journal->broken; turn++) {
        int bank = turn ? 1 - newest : newest;
        if (head[bank] == HEAD_VALID)
            journal->broken = open_bank(journal, bank, sequence[bank], &found) != AGENT_OK;
    }
    journal->dirty = 0;
    agent_journal_forget_repeated(journal);
    if (!found) {
        journal->bank = -1;
        journal->lost = head[0] != HEAD_ERASED || head[1] != HEAD_ERASED;
        agent_journal_clear(journal);
    }
    return journal->broken ? AGENT_EFLASH : AGENT_OK;
}

/* Everything into this bank, header last. */
static int fill(struct agent_journal *journal, int to, uint32_t sequence)
{
    uint8_t buffer[AGENT_RECORD_MAX];
    const struct boot_flash *flash = journal->flash;
    uint32_t tail = journal->layout->page_bytes;
    uint32_t bytes = agent_record_encode(buffer, journal, true, sequence);
    if (tail + to_page(journal, bytes) > bank_bytes(journal) || erase_bank(journal, to))
        return AGENT_EFLASH;
    /* Neither header was believed: the other one must not win later, by luck. */
    if (journal->bank < 0)
        (void)flash->erase(flash->ctx, bank_addr(journal, 1 - to));
    if (put_record(journal, to, &tail, buffer, bytes) ||
        put_head(journal, to, sequence, buffer) != PUT_OK)
        return AGENT_EFLASH;
    journal->bank = to;
    journal->bank_sequence = sequence;
    journal->tail = tail;
    journal->settled = true;
    return AGENT_OK;
}

static int fill_other(struct agent_journal *journal)
{
    return fill(journal, journal->bank == 0 ? 1 : 0, journal->bank_sequence + 1);
}

/*
 * Into the other bank, or, when that one takes nothing, into this one anew: a cut in between loses
 * the journal then, but the only other way is to write nothing any more. The number is one more,
 * because a header of the first attempt may be there after all.
 */
static int compact(struct agent_journal *journal)
{
    if (!fill_other(journal))
        return AGENT_OK;
    return fill(journal, journal->bank == 0 ? 0 : 1, journal->bank_sequence + 2);
}

/*
 * The first record of a session is a snapshot in the other bank (1): what a torn record says later
 * doesn't matter then, and nothing is programmed behind it, where a page may read blank by luck.
 * Before, the header that was believed is made sure of (2), for it may be a torn one too. A bank
 * that can't be written leaves this one alone, and it goes on behind what it holds.
 */
static int settle(struct agent_journal *journal)
{
    uint8_t buffer[AGENT_RECORD_MAX];
    if (put_head(journal, journal->bank, journal->bank_sequence, buffer) != PUT_OK)
        return compact(journal);
    if (!fill_other(journal))
        return AGENT_OK;
    uint32_t bytes = agent_record_encode(buffer, journal, true, journal->bank_sequence);
    if (put_record(journal, journal->bank, &journal->tail, buffer, bytes))
        return compact(journal);
    journal->settled = true;
    return AGENT_OK;
}

/* Appends one record; a bank without room moves. */
static int append(struct agent_journal *journal)
{
    uint8_t buffer[AGENT_RECORD_MAX];
    if (journal->bank < 0)
        return compact(journal);
    if (!journal->settled)
        return settle(journal);
    bool snapshot = journal->dirty & AGENT_DIRTY_ALL;
    uint32_t bytes = agent_record_encode(buffer, journal, snapshot, journal->bank_sequence);
    if (put_record(journal, journal->bank, &journal->tail, buffer, bytes))
        return compact(journal);
    return AGENT_OK;
}

int agent_bank_write(struct agent_journal *journal)
{
    if (journal->broken)
        return AGENT_EFLASH;
    int error = append(journal);
    if (error) {
        journal->broken = true;
        agent_journal_renumber(journal);
        return error;
    }
    journal->dirty = 0;
    journal->unsaved = 0;
    return AGENT_OK;
}
