/*
 * The boot config on flash: two sectors in turn. A record counts when its body decodes and one of
 * its marks repeats sequence and CRC. A body is read once and judged from RAM, and so is each mark,
 * because torn bits may read differently the next time.
 *
 * Why no cut loses the record: a mark is programmed only after its body's program returned, so a
 * record with any readable mark has a stable body; and before the other sector is erased the first
 * mark of the newest record is programmed again in place, and that program returned in this very
 * call, so that record reads in every later session.
 */
#include "config_store.h"
#include "boot/error.h"
#include "boot/image.h"
#include "bytes.h"
#include "mem.h"
#include "pages.h"

/* The second mark is begun after the first one's program returned, and by nothing else. So where
 * the second reads, by luck or not, the first reads always; and one alone tells of a cut. */
enum { MARKS_OF_A_WRITE = 2 };

static const char mark_magic[4] = {'B', 'Y', 'D', '1'};

struct record {
    bool sound;     /* the body decodes */
    uint32_t marks; /* that were found to fit it, counted up to MARKS_OF_A_WRITE */
    uint32_t body_crc;
    struct boot_config config;
};

static uint32_t sector_addr(const struct boot_layout *layout, int sector)
{
    return layout->config_addr + (uint32_t)sector * layout->sector_bytes;
}

static uint32_t mark_addr(const struct boot_layout *layout, int sector, uint32_t index)
{
    return sector_addr(layout, sector) + boot_mark_offset(layout, BOOT_CONFIG_BODY_BYTES, index);
}

static int read_record(const struct boot_flash *flash, const struct boot_layout *layout, int sector,
                       struct record *out)
{
    uint8_t body[BOOT_CONFIG_BODY_BYTES];
    out->sound = false;
    out->marks = 0;
    if (flash->read(flash->ctx, sector_addr(layout, sector), body, sizeof body) < 0)
        return BOOT_EFLASH;
    out->sound = boot_config_decode(&out->config, body) == BOOT_OK;
    if (!out->sound)
        return BOOT_OK;
    out->body_crc = boot_get32(body + sizeof body - 4);
    for (uint32_t i = 0; i < MARKS_OF_A_WRITE; i++) {
        uint8_t mark[BOOT_CONFIG_MARK_BYTES];
        uint32_t sequence, crc;
        if (flash->read(flash->ctx, mark_addr(layout, sector, i), mark, sizeof mark) < 0)
            return BOOT_EFLASH;
        out->marks += boot_mark_decode(mark, mark_magic, &sequence, &crc) &&
                      sequence == out->config.sequence && crc == out->body_crc;
    }
    return BOOT_OK;
}

static bool is_newer(const struct record *b, const struct record *a)
{
    return (int32_t)(b->config.sequence - a->config.sequence) > 0;
}

/* Reads both; *newest is -1 when neither is complete. BOOT_EFLASH when either could not be read. */
static int read_both(const struct boot_flash *flash, const struct boot_layout *layout,
                     struct record record[2], int *newest)
{
    int error = BOOT_OK;
    *newest = -1;
    for (int i = 0; i < 2; i++) {
        if (read_record(flash, layout, i, &record[i]) != BOOT_OK) {
            record[i].sound = false;
            record[i].marks = 0;
            error = BOOT_EFLASH;
        }
        if (record[i].marks && (*newest < 0 || is_newer(&record[i], &record[*newest])))
            *newest = i;
    }
    return error;
}

/*
 * A cut in a mark leaves a record which counts at one read and does not at another. So it is
 * settled only when the newest record has all marks of a write, and the other copy holds no newer
 * body without any.
 */
static bool is_settled(const struct record record[2], int newest)
{
    const struct record *other = &record[!newest];
    return record[newest].marks == MARKS_OF_A_WRITE &&
           !(other->sound && is_newer(other, &record[newest]));
}

int boot_config_read_settled(const struct boot_flash *flash, const struct boot_layout *layout,
                             struct boot_config *out, int *sector, bool *settled)
{
    struct record record[2];
    memset(out, 0, sizeof *out);
    *settled = false;
    /* A copy that can't be read does not hide the other: booting on one record is better than on
     * none. */
    int error = read_both(flash, layout, record, sector);
    if (*sector < 0)
        return error ? error : BOOT_ENOTFOUND;
    *settled = error || is_settled(record, *sector);
    *out = record[*sector].config;
    return BOOT_OK;
}

int boot_config_read(const struct boot_flash *flash, const struct boot_layout *layout,
                     struct boot_config *out, int *sector)
{
    bool settled;
    return boot_config_read_settled(flash, layout, out, sector, &settled);
}

/*
 * Programs the first mark again in place. All marks of a sector have the same bytes, so no bit has
 * to rise, whether the page holds the mark, a torn one, or nothing; afterwards it reads always. A
 * page of its own for each further mark would not do: two torn ones look like a write that ran to
 * its end.
 */
static int heal_mark(const struct boot_flash *flash, const struct boot_layout *layout, int sector,
                     const struct record *record)
{
    uint8_t mark[BOOT_CONFIG_MARK_BYTES];
    boot_mark_encode(mark, mark_magic, record->config.sequence, record->body_crc);
    return boot_program(flash, layout, mark_addr(layout, sector, 0), mark, sizeof mark);
}

/*
 * Clears the mark pages of a record that could be taken for the newest, before its sector is
 * erased. Else an erase that is cut may leave it readable by luck, mark and body, and the next
 * write would make its mark sure and erase the record which is stable. While the marks are being
 * cleared the body is whole, so it does no harm that they still may read.
 */
static int clear_marks(const struct boot_flash *flash, const struct boot_layout *layout, int sector)
{
    static const uint8_t nothing[BOOT_CONFIG_MARK_BYTES];
    int error = BOOT_OK;
    /* The rest of the page stays FF: a mark that is read again by luck is healed over it. */
    for (uint32_t i = 0; i < MARKS_OF_A_WRITE && !error; i++)
        error = boot_program(flash, layout, mark_addr(layout, sector, i), nothing, sizeof nothing);
    return error;
}

/* True when the sector holds this record with all its marks: a stuck sector ignores what is
 * written, and reports success. */
static bool holds(const struct boot_flash *flash, const struct boot_layout *layout, int sector,
                  uint32_t sequence, uint32_t body_crc)
{
    struct record record;
    return read_record(flash, layout, sector, &record) == BOOT_OK &&
           record.marks == MARKS_OF_A_WRITE && record.config.sequence == sequence &&
           record.body_crc == body_crc;
}

/* Always erases first: a sector that reads FF is no proof of a finished erase. */
static int write_record(const struct boot_flash *flash, const struct boot_layout *layout,
                        int sector, const uint8_t body[BOOT_CONFIG_BODY_BYTES], uint32_t sequence)
{
    uint8_t mark[BOOT_CONFIG_MARK_BYTES];
    uint32_t addr = sector_addr(layout, sector);
    uint32_t body_crc = boot_get32(body + BOOT_CONFIG_BODY_BYTES - 4);
    if (flash->erase(flash->ctx, addr) < 0)
        return BOOT_EFLASH;
    boot_mark_encode(mark, mark_magic, sequence, body_crc);
    int error = boot_program(flash, layout, addr, body, BOOT_CONFIG_BODY_BYTES);
    for (uint32_t i = 0; i < MARKS_OF_A_WRITE && !error; i++)
        error = boot_program(flash, layout, mark_addr(layout, sector, i), mark, sizeof mark);
    if (!error && !holds(flash, layout, sector, sequence, body_crc))
        error = BOOT_EFLASH;
    return error;
}

int boot_config_write(const struct boot_flash *flash, const struct boot_layout *layout,
                      struct boot_config *config)
{
    struct record record[2];
    uint8_t body[BOOT_CONFIG_BODY_BYTES];
    int newest;
    /* But nothing is written then, because the unread copy may be the newer one. */
    int error = read_both(flash, layout, record, &newest);
    if (error)
        return error;
    config->sequence = newest < 0 ? 1 : record[newest].config.sequence + 1;
    error = boot_config_encode(body, config);
    if (error)
        return error;
    if (newest < 0) {
        for (int i = 0; i < 2; i++)
            if (record[i].sound)
                (void)clear_marks(flash, layout, i);
        error = write_record(flash, layout, 0, body, config->sequence);
        return error ? write_record(flash, layout, 1, body, config->sequence) : BOOT_OK;
    }
    error = heal_mark(flash, layout, newest, &record[newest]);
    if (!error && record[!newest].sound && !is_newer(&record[newest], &record[!newest]))
        error = clear_marks(flash, layout, !newest);
    return error ? error : write_record(flash, layout, !newest, body, config->sequence);
}
