/*
 * At BOARD_KEEP_ADDR, which no start-up touches, the same in every version. A power cut
 * leaves zeros there, a reset the last whole record; the check word is written last, after the old
 * one was made wrong.
 *
 *   0 magic "BYK1" | 4 zero | 8 utc_ms i64 | 16 faults u32 | 20 session u32 | 24 CRC-32 of 0..23
 *  28 told u32 | 32 CRC-32 of 28..31
 *
 * `told` is a record of its own, because older versions know only the first, and leave it as it is.
 * Faults that were told leave the first before they come to the second: a reset between the two
 * makes their sum smaller for once, never larger, which whoever reads it takes for a lost record.
 */
#include "board/map.h"
#include "boot/image.h"
#include "device.h"
#include <string.h>

enum { KEEP_MAGIC = 0x314B5942 };

struct kept {
    uint32_t magic, zero;
    int64_t utc_ms;
    uint32_t faults, session;
    uint32_t crc;
    uint32_t told, told_crc;
};
_Static_assert(sizeof(struct kept) <= BOARD_KEEP_BYTES, "the region's room");
_Static_assert(offsetof(struct kept, told) == 28, "as drawn");
_Static_assert(offsetof(struct kept, crc) == 24, "the CRC covers 24 bytes");

static volatile struct kept *kept(void)
{
    return (volatile struct kept *)BOARD_KEEP_ADDR;
}

static uint32_t crc_of(const struct kept *record)
{
    return boot_crc32(0, record, offsetof(struct kept, crc));
}

void fw_keep_read(struct fw_keep *out)
{
    const struct kept record = *kept();
    bool told = record.told_crc == boot_crc32(0, &record.told, sizeof record.told);
    *out = (struct fw_keep){.told = told ? record.told : 0};
    if (record.magic != KEEP_MAGIC || record.zero || record.crc != crc_of(&record))
        return;
    out->utc_ms = record.utc_ms;
    out->faults = record.faults;
    out->session = record.session;
}

void fw_keep_write(const struct fw_keep *keep)
{
    struct kept record = {.magic = KEEP_MAGIC,
                          .utc_ms = keep->utc_ms,
                          .faults = keep->faults,
                          .session = keep->session};
    volatile struct kept *to = kept();
    record.crc = crc_of(&record);
    to->crc = ~record.crc;
    to->magic = record.magic;
    to->zero = 0;
    to->utc_ms = record.utc_ms;
    to->faults = record.faults;
    to->session = record.session;
    to->crc = record.crc;
    record.told = keep->told;
    record.told_crc = boot_crc32(0, &record.told, sizeof record.told);
    if (to->told == record.told && to->told_crc == record.told_crc)
        return;
    to->told_crc = ~record.told_crc;
    to->told = record.told;
    to->told_crc = record.told_crc;
}
