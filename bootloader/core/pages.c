#include "pages.h"
#include "boot/error.h"
#include "boot/image.h"
#include "bytes.h"
#include "mem.h"

static uint32_t body_end(const struct boot_layout *layout, uint32_t body_bytes)
{
    return (body_bytes + layout->page_bytes - 1) & ~(layout->page_bytes - 1);
}

uint32_t boot_mark_pages(const struct boot_layout *layout, uint32_t body_bytes)
{
    uint32_t end = body_end(layout, body_bytes);
    if (end >= layout->sector_bytes)
        return 0;
    uint32_t pages = (layout->sector_bytes - end) / layout->page_bytes;
    return pages < BOOT_MARK_PAGES_MAX ? pages : BOOT_MARK_PAGES_MAX;
}

uint32_t boot_mark_offset(const struct boot_layout *layout, uint32_t body_bytes, uint32_t index)
{
    return body_end(layout, body_bytes) + index * layout->page_bytes;
}

int boot_program(const struct boot_flash *flash, const struct boot_layout *layout, uint32_t addr,
                 const uint8_t *data, uint32_t len)
{
    uint8_t page[BOOT_PAGE_MAX];
    uint32_t padded = body_end(layout, len);
    if (padded > sizeof page)
        return BOOT_ERANGE;
    memcpy(page, data, len);
    memset(page + len, 0xFF, padded - len);
    return flash->program(flash->ctx, addr, page, padded) < 0 ? BOOT_EFLASH : BOOT_OK;
}

void boot_mark_encode(uint8_t out[BOOT_MARK_SIZE], const char magic[4], uint32_t a, uint32_t b)
{
    memcpy(out, magic, 4);
    boot_put32(out + 4, a);
    boot_put32(out + 8, b);
    boot_put32(out + 12, boot_crc32(0, out, 12));
}

bool boot_mark_decode(const uint8_t in[BOOT_MARK_SIZE], const char magic[4], uint32_t *a,
                      uint32_t *b)
{
    if (memcmp(in, magic, 4) != 0 || boot_get32(in + 12) != boot_crc32(0, in, 12))
        return false;
    *a = boot_get32(in + 4);
    *b = boot_get32(in + 8);
    return true;
}

bool boot_mark_fits(const uint8_t read[BOOT_MARK_SIZE], const uint8_t mark[BOOT_MARK_SIZE])
{
    for (uint32_t i = 0; i < BOOT_MARK_SIZE; i++)
        if ((read[i] & mark[i]) != mark[i])
            return false;
    return true;
}
