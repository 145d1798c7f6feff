/*
 * The trailers' part. Of bootloader/core/trailer.c, state.c and stage.c:
 *
 * - A body that decodes is kept as it is: it comes from an image that was offered. One that does
 *   not decode reads as nothing, and boot_stage_finish erases before it programs another.
 * - Confirmed numbers are compared with each other; the next is the highest plus one, and whether
 * it is odd decides its page. So they are told by rank among both trailers, each with its parity.
 * - A mark page is blank or not (the next mark goes behind the last that is not), valid or not.
 * With no page left, a mark is programmed over the last page whose bits it fits. A valid mark fits
 * over itself only, as new numbers are higher than all others of their trailer. Over a torn page
 * that says no more than the magic, every mark fits; of any other its bytes are kept, and the
 * numbers then as they are.
 */
#include "canon.h"
#include <string.h>

enum { MARK_BLANK, MARK_TORN, MARK_BYTES, MARK_RANK };
enum { NUMBERS_MAX = 2 * CANON_MARK_PAGES_MAX };

/* Numbers that a device comes to never; next to them they no longer rise. */
#define NUMBER_MAX 0xFFFF0000u

struct trailer {
    bool sound;
    uint8_t body[BOOT_TRAILER_BODY_BYTES];
    uint8_t mark[CANON_MARK_PAGES_MAX][CANON_MARK_BYTES];
    uint32_t number[CANON_MARK_PAGES_MAX]; /* 0: no valid mark */
};

struct numbers {
    uint32_t count, number[NUMBERS_MAX]; /* rising */
};

static void add(struct numbers *numbers, uint32_t number)
{
    uint32_t at = 0;
    while (at < numbers->count && numbers->number[at] < number)
        at++;
    if (at < numbers->count && numbers->number[at] == number)
        return;
    memmove(&numbers->number[at + 1], &numbers->number[at],
            (numbers->count - at) * sizeof numbers->number[0]);
    numbers->number[at] = number;
    numbers->count++;
}

static uint32_t rank(const struct numbers *numbers, uint32_t number)
{
    uint32_t at = 0;
    while (numbers->number[at] != number)
        at++;
    return at;
}

static uint32_t number_of(const uint8_t mark[CANON_MARK_BYTES])
{
    uint8_t expected[CANON_MARK_BYTES];
    if (memcmp(mark, "BYM1", 4))
        return 0;
    canon_mark(expected, "BYM1", canon_get_u32(mark + 4), BOOT_MARK_CONFIRMED);
    return memcmp(mark, expected, sizeof expected) ? 0 : canon_get_u32(mark + 4);
}

static bool read_trailer(const struct own_env *env, int slot, struct trailer *out,
                         struct numbers *numbers)
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
        if (out->number[i])
            add(numbers, out->number[i]);
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
                        const struct numbers *numbers)
{
    bool kept = false;
    canon_put_u8(text, trailer->sound);
    if (trailer->sound)
        canon_put(text, trailer->body, sizeof trailer->body);
    for (uint32_t i = 0; i < pages; i++) {
        if (trailer->number[i]) {
            canon_put_u8(text, MARK_RANK + rank(numbers, trailer->number[i]));
        } else if (canon_is_blank(trailer->mark[i])) {
            canon_put_u8(text, MARK_BLANK);
        } else if (says_nothing(trailer->mark[i])) {
            canon_put_u8(text, MARK_TORN);
        } else {
            canon_put_u8(text, MARK_BYTES);
            canon_put(text, trailer->mark[i], CANON_MARK_BYTES);
            kept = true;
        }
    }
    return kept;
}

bool canon_trailers(struct canon_text *text, const struct own_env *env)
{
    struct trailer trailer[BOOT_SLOTS];
    struct numbers numbers = {.count = 0};
    const uint32_t pages = canon_mark_pages(&env->layout, BOOT_TRAILER_BODY_BYTES);
    bool kept = false;
    for (int slot = 0; slot < BOOT_SLOTS; slot++)
        if (!read_trailer(env, slot, &trailer[slot], &numbers))
            return false;
    for (int slot = 0; slot < BOOT_SLOTS; slot++)
        kept |= put_trailer(text, &trailer[slot], pages, &numbers);
    for (uint32_t i = 0; i < numbers.count; i++)
        canon_put_u32(text, kept ? numbers.number[i] : numbers.number[i] & 1);
    return true;
}
