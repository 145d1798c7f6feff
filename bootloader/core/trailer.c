/* The slot's trailer: its body as bytes, and body and marks on flash. */
#include "boot/trailer.h"
#include "boot/error.h"
#include "boot/image.h"
#include "bytes.h"
#include "mem.h"
#include "pages.h"

enum {
    AT_IMAGE_BYTES = 4,
    AT_SIGNATURE_BYTES = 8,
    AT_ZERO = 10,
    AT_CERT_ID = 12,
    AT_SIGNATURE = 36,
    AT_RESERVED = 108,
    AT_CRC = 124
};

static const char body_magic[4] = {'B', 'Y', 'T', '1'};
static const char mark_magic[4] = {'B', 'Y', 'M', '1'};

int boot_trailer_encode(uint8_t out[BOOT_TRAILER_BODY_BYTES], const struct boot_trailer *trailer)
{
    if (trailer->signature_bytes == 0 || trailer->signature_bytes > BOOT_SIGNATURE_MAX)
        return BOOT_ERANGE;
    memset(out, 0, BOOT_TRAILER_BODY_BYTES);
    memcpy(out, body_magic, sizeof body_magic);
    boot_put32(out + AT_IMAGE_BYTES, trailer->image_bytes);
    boot_put16(out + AT_SIGNATURE_BYTES, trailer->signature_bytes);
    if (boot_text_encode(out + AT_CERT_ID, BOOT_CERT_ID_MAX, trailer->cert_id))
        return BOOT_ERANGE;
    memcpy(out + AT_SIGNATURE, trailer->signature, trailer->signature_bytes);
    boot_put32(out + AT_CRC, boot_crc32(0, out, AT_CRC));
    return BOOT_OK;
}

static bool frame_is_sound(const uint8_t *in)
{
    uint16_t bytes = boot_get16(in + AT_SIGNATURE_BYTES);
    return memcmp(in, body_magic, sizeof body_magic) == 0 &&
           boot_get32(in + AT_CRC) == boot_crc32(0, in, AT_CRC) && bytes > 0 &&
           bytes <= BOOT_SIGNATURE_MAX && boot_get16(in + AT_ZERO) == 0 &&
           boot_bytes_are(in + AT_SIGNATURE + bytes, (size_t)(AT_CRC - AT_SIGNATURE - bytes), 0);
}

int boot_trailer_decode(struct boot_trailer *out, const uint8_t in[BOOT_TRAILER_BODY_BYTES])
{
    out->signed_image = false;
    out->image_bytes = 0;
    out->signature_bytes = 0;
    memset(out->cert_id, 0, sizeof out->cert_id);
    memset(out->signature, 0, sizeof out->signature);
    if (!frame_is_sound(in) ||
        boot_text_decode(out->cert_id, sizeof out->cert_id, in + AT_CERT_ID) != BOOT_OK)
        return BOOT_EFORMAT;
    out->signed_image = true;
    out->image_bytes = boot_get32(in + AT_IMAGE_BYTES);
    out->signature_bytes = boot_get16(in + AT_SIGNATURE_BYTES);
    memcpy(out->signature, in + AT_SIGNATURE, sizeof out->signature);
    return BOOT_OK;
}

static uint32_t mark_addr(const struct boot_layout *layout, int slot, uint32_t index)
{
    return boot_layout_trailer(layout, slot) +
           boot_mark_offset(layout, BOOT_TRAILER_BODY_BYTES, index);
}

/* Number of the mark, 0 when it is none. */
static uint32_t mark_number(const uint8_t mark[BOOT_MARK_BYTES])
{
    uint32_t number, kind;
    bool valid = boot_mark_decode(mark, mark_magic, &number, &kind) && kind == BOOT_MARK_CONFIRMED;
    return valid ? number : 0;
}

/*
 * Every mark page is read: to stop at the first that reads FF would overlook the marks behind a
 * torn page which reads FF by luck.
 */
int boot_trailer_read(const struct boot_flash *flash, const struct boot_layout *layout, int slot,
                      struct boot_trailer *out)
{
    uint8_t body[BOOT_TRAILER_BODY_BYTES];
    memset(out, 0, sizeof *out);
    if (flash->read(flash->ctx, boot_layout_trailer(layout, slot), body, sizeof body) < 0)
        return BOOT_EFLASH;
    boot_trailer_decode(out, body);
    uint32_t pages = boot_mark_pages(layout, BOOT_TRAILER_BODY_BYTES);
    for (uint32_t i = 0; i < pages; i++) {
        uint8_t mark[BOOT_MARK_BYTES];
        if (flash->read(flash->ctx, mark_addr(layout, slot, i), mark, sizeof mark) < 0)
            return BOOT_EFLASH;
        uint32_t number = mark_number(mark);
        out->marks += !boot_bytes_are(mark, sizeof mark, 0xFF);
        out->confirmed = number > out->confirmed ? number : out->confirmed;
    }
    return BOOT_OK;
}

int boot_trailer_write(const struct boot_flash *flash, const struct boot_layout *layout, int slot,
                       const struct boot_trailer *trailer)
{
    uint8_t body[BOOT_TRAILER_BODY_BYTES];
    int error = boot_trailer_encode(body, trailer);
    if (error)
        return error;
    return boot_program(flash, layout, boot_layout_trailer(layout, slot), body, sizeof body);
}

/*
 * The page of a number: each has its own, as far as there are pages. So the remains of a mark that
 * was torn, which may read like anything, FF too, lie where only the same number is programmed
 * again: the same bits, which heals them. A page that is taken (by a number so much older) is
 * passed over. *index is -1 when no page takes the mark.
 */
static int find_page(const struct boot_flash *flash, const struct boot_layout *layout, int slot,
                     uint32_t number, const uint8_t mark[BOOT_MARK_BYTES], int32_t *index)
{
    uint32_t pages = boot_mark_pages(layout, BOOT_TRAILER_BODY_BYTES);
    *index = -1;
    for (uint32_t i = 0; i < pages && *index < 0; i++) {
        uint32_t page = (number % pages + i) % pages;
        uint8_t read[BOOT_MARK_BYTES];
        if (flash->read(flash->ctx, mark_addr(layout, slot, page), read, sizeof read) < 0)
            return BOOT_EFLASH;
        if (boot_mark_fits(read, mark))
            *index = (int32_t)page;
    }
    return BOOT_OK;
}

/* Programs the mark and reads it back: a stuck sector ignores it, and a page whose torn bits read
 * FF may not take it. */
static int put_mark(const struct boot_flash *flash, const struct boot_layout *layout, uint32_t addr,
                    const uint8_t mark[BOOT_MARK_BYTES])
{
    uint8_t read[BOOT_MARK_BYTES];
    int error = boot_program(flash, layout, addr, mark, BOOT_MARK_BYTES);
    if (error)
        return error;
    if (flash->read(flash->ctx, addr, read, sizeof read) < 0)
        return BOOT_EFLASH;
    return memcmp(read, mark, sizeof read) ? BOOT_EFLASH : BOOT_OK;
}

int boot_trailer_mark(const struct boot_flash *flash, const struct boot_layout *layout, int slot,
                      uint32_t number)
{
    uint8_t mark[BOOT_MARK_BYTES];
    int32_t index;
    boot_mark_encode(mark, mark_magic, number, BOOT_MARK_CONFIRMED);
    int error = find_page(flash, layout, slot, number, mark, &index);
    if (error)
        return error;
    return index < 0 ? BOOT_ESTATE
                     : put_mark(flash, layout, mark_addr(layout, slot, (uint32_t)index), mark);
}
