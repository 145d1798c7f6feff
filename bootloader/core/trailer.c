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

/* Where the next mark may go, as one pass over the mark pages finds it. */
struct place {
    uint32_t free;    /* first page behind the last one in use */
    int32_t again;    /* page that holds this very mark, or remains of it: heals; -1: none */
    int32_t fits;     /* last page over which the mark can be programmed at all; -1: none */
    uint32_t highest; /* highest number seen */
};

static int find_place(const struct boot_flash *flash, const struct boot_layout *layout, int slot,
                      const uint8_t mark[BOOT_MARK_BYTES], struct place *out)
{
    *out = (struct place){.again = -1, .fits = -1};
    uint32_t pages = boot_mark_pages(layout, BOOT_TRAILER_BODY_BYTES);
    bool held = false;
    for (uint32_t i = 0; i < pages; i++) {
        uint8_t read[BOOT_MARK_BYTES];
        if (flash->read(flash->ctx, mark_addr(layout, slot, i), read, sizeof read) < 0)
            return BOOT_EFLASH;
        uint32_t number = mark_number(read);
        bool fits = boot_mark_fits(read, mark);
        bool same = memcmp(read, mark, sizeof read) == 0;
        out->highest = number > out->highest ? number : out->highest;
        if (fits)
            out->fits = (int32_t)i;
        if (boot_bytes_are(read, sizeof read, 0xFF))
            continue;
        out->free = i + 1;
        if (!held)
            out->again = fits ? (int32_t)i : -1;
        held |= same;
    }
    /* Remains of another number may read like anything. Before the first mark there is none. */
    if (!held && out->highest)
        out->again = -1;
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

/*
 * The page that holds this mark is programmed again, or, for a trailer's first, the last one in
 * use, which can only hold torn remains of it: so interrupted confirmations use up no pages. A page
 * that was torn may also read FF. To program it again with the same bytes heals it; with another
 * number in it, it would stay unreadable. So where a trailer is marked already, a new number goes
 * on the next free page if it is even, and leaves one out if it is odd: a torn mark with the number
 * before it lies on the other.
 */
int boot_trailer_mark(const struct boot_flash *flash, const struct boot_layout *layout, int slot,
                      uint32_t number)
{
    uint8_t mark[BOOT_MARK_BYTES];
    struct place place;
    boot_mark_encode(mark, mark_magic, number, BOOT_MARK_CONFIRMED);
    int error = find_place(flash, layout, slot, mark, &place);
    if (error)
        return error;
    uint32_t pages = boot_mark_pages(layout, BOOT_TRAILER_BODY_BYTES);
    int32_t index = place.again;
    if (index < 0) {
        bool skip = place.highest && place.free + 1 < pages && number & 1;
        index = (int32_t)place.free + skip;
    }
    if ((uint32_t)index >= pages)
        index = place.fits;
    return index < 0 ? BOOT_ESTATE
                     : put_mark(flash, layout, mark_addr(layout, slot, (uint32_t)index), mark);
}
