/*
 * The canonical form of everything that bootloader and agent keep outside of the images: bytes
 * which are equal exactly when every future is, but for sequence numbers, times and wear. Each part
 * says what it leaves out, and which code makes that sound.
 */
#include "canon.h"
#include <string.h>

enum part { PART_CONFIG, PART_TRAILERS, PART_JOURNAL };

void canon_put(struct canon_text *text, const void *bytes, uint32_t len)
{
    if (len > text->max - text->at) {
        text->full = true;
        return;
    }
    memcpy(text->out + text->at, bytes, len);
    text->at += len;
}

void canon_put_u8(struct canon_text *text, uint32_t value)
{
    const uint8_t byte = (uint8_t)value;
    canon_put(text, &byte, 1);
}

void canon_put_u32(struct canon_text *text, uint32_t value)
{
    const uint8_t bytes[4] = {(uint8_t)value, (uint8_t)(value >> 8), (uint8_t)(value >> 16),
                              (uint8_t)(value >> 24)};
    canon_put(text, bytes, sizeof bytes);
}

void canon_put_i64(struct canon_text *text, int64_t value)
{
    canon_put_u32(text, (uint32_t)((uint64_t)value & UINT32_MAX));
    canon_put_u32(text, (uint32_t)((uint64_t)value >> 32));
}

void canon_put_string(struct canon_text *text, const char *string)
{
    canon_put(text, string, (uint32_t)strlen(string) + 1);
}

static uint32_t body_end(const struct boot_layout *layout, uint32_t body_bytes)
{
    return (body_bytes + layout->page_bytes - 1) & ~(layout->page_bytes - 1);
}

uint32_t canon_mark_pages(const struct boot_layout *layout, uint32_t body_bytes)
{
    uint32_t pages = (layout->sector_bytes - body_end(layout, body_bytes)) / layout->page_bytes;
    return pages < CANON_MARK_PAGES_MAX ? pages : CANON_MARK_PAGES_MAX;
}

uint32_t canon_mark_offset(const struct boot_layout *layout, uint32_t body_bytes, uint32_t index)
{
    return body_end(layout, body_bytes) + index * layout->page_bytes;
}

void canon_mark(uint8_t out[CANON_MARK_BYTES], const char magic[4], uint32_t a, uint32_t b)
{
    memcpy(out, magic, 4);
    own_put_u32(out + 4, a);
    own_put_u32(out + 8, b);
    own_put_u32(out + 12, boot_crc32(0, out, 12));
}

bool canon_is_blank(const uint8_t mark[CANON_MARK_BYTES])
{
    static const uint8_t blank[CANON_MARK_BYTES] = {255, 255, 255, 255, 255, 255, 255, 255,
                                                    255, 255, 255, 255, 255, 255, 255, 255};
    return !memcmp(mark, blank, sizeof blank);
}

bool canon_mark_fits(const uint8_t read[CANON_MARK_BYTES], const uint8_t mark[CANON_MARK_BYTES])
{
    for (uint32_t i = 0; i < CANON_MARK_BYTES; i++)
        if ((read[i] & mark[i]) != mark[i])
            return false;
    return true;
}

uint32_t own_ranges(const struct dut_unit *unit, struct dut_range *out, uint32_t max)
{
    const struct dut_layout *at = &unit->layout;
    const uint32_t trailer = at->slot_bytes - at->sector_bytes;
    const struct dut_range range[] = {
        {at->config_addr, 2 * at->sector_bytes, PART_CONFIG},
        {at->slot_addr[0] + trailer, at->sector_bytes, PART_TRAILERS},
        {at->slot_addr[1] + trailer, at->sector_bytes, PART_TRAILERS},
        {at->data_addr, at->journal_bytes, PART_JOURNAL},
    };
    const uint32_t count = sizeof range / sizeof range[0];
    for (uint32_t i = 0; i < count && i < max; i++)
        out[i] = range[i];
    return count <= max ? count : 0;
}

uint32_t own_canonical(struct own_canon *canon, const struct dut_port *view, uint32_t part,
                       uint8_t *out, uint32_t max)
{
    struct canon_text text = {.out = out, .max = max};
    own_env(&canon->env, view);
    bool known = part == PART_CONFIG     ? canon_config(&text, &canon->env)
                 : part == PART_TRAILERS ? canon_trailers(&text, &canon->env)
                                         : canon_journal(&text, &canon->env, &canon->journal);
    return known && !text.full ? text.at : 0;
}
