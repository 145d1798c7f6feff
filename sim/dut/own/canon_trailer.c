/*
 * The trailers' part. Of bootloader/core/trailer.c, state.c and stage.c:
 *
 * - A body that decodes is kept as it is: it comes from an image that was offered. One that does
 *   not decode reads as nothing, and boot_stage_finish erases before it programs another.
 * - Confirmed numbers are compared with each other, the next is the highest plus one, and a number
 *   goes onto the page that it names, counted around. So a form that starts at the page of the
 *   highest number, and tells each number by how much lower it is, loses nothing: to add the same
 *   to all numbers turns both trailers by as many pages.
 * - A mark page is blank, valid or torn. Over a valid mark only the same one fits. Over a torn page
 *   that says no more than the magic every mark fits; of any other the bytes are kept, and the
 *   numbers then as they are.
 */
#include "canon.h"
#include <string.h>

enum { MARK_BLANK, MARK_TORN, MARK_BYTES, MARK_NUMBER };

/* Numbers that a device comes to never; next to them they no longer rise. */
#define NUMBER_MAX 0xFFFF0000u

struct trailer {
    bool sound;
    uint8_t body[BOOT_TRAILER_BODY_BYTES];
    uint8_t mark[CANON_MARK_PAGES_MAX][CANON_MARK_BYTES];
    uint32_t number[CANON_MARK_PAGES_MAX]; /* 0: no valid mark */
};

static uint32_t number_of(const uint8_t mark[CANON_MARK_BYTES])
{
    uint8_t expected[CANON_MARK_BYTES];
    if (memcmp(mark, "BYM1", 4))
        return 0;
    canon_mark(expected, "BYM1", canon_get_u32(mark + 4), BOOT_MARK_CONFIRMED);
    return memcmp(mark, expected, sizeof expected) ? 0 : canon_get_u32(mark + 4);
}

/* *highest grows to the trailer's highest number. */
static bool read_trailer(const struct own_env *env, int slot, struct trailer *out,
                         uint32_t *highest)
{
    const struct boot_layout *layout = &env->layout;
    const uint32_t addr = boot_layout_trailer(layout, slot);
    const uint32_t pages = canon_mark_pages(layout, BOOT_TRAILER_BODY_BYTES);
    struct boot_trailer decoded;
    if (env->flash.read(env->flash.ctx, addr, out->body, sizeof out->body))
        return false;
    out->sound = !boot_trailer_decode(&decoded, out->body);
    for (uint32_t i = 0; i < pages; i++) {
        const uint32_t at = addr + canon_mark_offset(layout, BOOT_TRAILER_BODY_BYTES, i);
        if (env->flash.read(env->flash.ctx, at, out->mark[i], CANON_MARK_BYTES))
            return false;
        out->number[i] = number_of(out->mark[i]);
        if (out->number[i] > NUMBER_MAX)
            return false;
        *highest = out->number[i] > *highest ? out->number[i] : *highest;
    }
    return true;
}

/* A torn page over which every mark fits: nothing of it was cleared but bits which the magic
 * clears. */
static bool says_nothing(const uint8_t mark[CANON_MARK_BYTES])
{
    uint8_t magic_only[CANON_MARK_BYTES];
    memcpy(magic_only, mark, sizeof magic_only);
    memset(magic_only, 0xff, 4);
    const uint8_t any[CANON_MARK_BYTES] = "BYM1";
    return canon_is_blank(magic_only) && canon_mark_fits(mark, any);
}

/* True when bytes were kept. */
static bool put_trailer(struct canon_text *text, const struct trailer *trailer, uint32_t pages,
                        uint32_t highest)
{
    bool kept = false;
    canon_put_u8(text, trailer->sound);
    if (trailer->sound)
        canon_put(text, trailer->body, sizeof trailer->body);
    for (uint32_t i = 0; i < pages; i++) {
        const uint32_t page = (highest % pages + i) % pages;
        if (trailer->number[page]) {
            canon_put_u8(text, MARK_NUMBER);
            canon_put_u32(text, highest - trailer->number[page]);
        } else if (canon_is_blank(trailer->mark[page])) {
            canon_put_u8(text, MARK_BLANK);
        } else if (says_nothing(trailer->mark[page])) {
            canon_put_u8(text, MARK_TORN);
        } else {
            canon_put_u8(text, MARK_BYTES);
            canon_put(text, trailer->mark[page], CANON_MARK_BYTES);
            kept = true;
        }
    }
    return kept;
}

bool canon_trailers(struct canon_text *text, const struct own_env *env)
{
    struct trailer trailer[BOOT_SLOTS];
    const uint32_t pages = canon_mark_pages(&env->layout, BOOT_TRAILER_BODY_BYTES);
    uint32_t highest = 0;
    bool kept = false;
    for (int slot = 0; slot < BOOT_SLOTS; slot++)
        if (!read_trailer(env, slot, &trailer[slot], &highest))
            return false;
    for (int slot = 0; slot < BOOT_SLOTS; slot++)
        kept |= put_trailer(text, &trailer[slot], pages, highest);
    canon_put_u32(text, kept ? highest : highest > 0);
    return true;
}
