/*
 * Inside of the canonical form: a writer, and its parts. A part returns false when the flash holds
 * what it does not understand.
 */
#ifndef DUT_OWN_CANON_H
#define DUT_OWN_CANON_H

#include "own.h"

struct canon_text {
    uint8_t *out;
    uint32_t at, max;
    bool full;
};
void canon_put(struct canon_text *text, const void *bytes, uint32_t len);
void canon_put_u8(struct canon_text *text, uint32_t value);
void canon_put_u32(struct canon_text *text, uint32_t value);
void canon_put_i64(struct canon_text *text, int64_t value);
/* With its NUL, so that no two texts look like two others. */
void canon_put_string(struct canon_text *text, const char *string);

/* Mark pages of a proof sector (bootloader/FORMAT.md), and where they are. */
enum { CANON_MARK_BYTES = 16, CANON_MARK_PAGES_MAX = 16 };
uint32_t canon_mark_pages(const struct boot_layout *layout, uint32_t body_bytes);
uint32_t canon_mark_offset(const struct boot_layout *layout, uint32_t body_bytes, uint32_t index);
/* The bytes of a mark: magic, two numbers, CRC. */
void canon_mark(uint8_t out[CANON_MARK_BYTES], const char magic[4], uint32_t a, uint32_t b);
bool canon_is_blank(const uint8_t mark[CANON_MARK_BYTES]);
/* No bit would have to rise to program mark over what was read. */
bool canon_mark_fits(const uint8_t read[CANON_MARK_BYTES], const uint8_t mark[CANON_MARK_BYTES]);

static inline uint32_t canon_get_u32(const uint8_t *in)
{
    return (uint32_t)in[0] | (uint32_t)in[1] << 8 | (uint32_t)in[2] << 16 | (uint32_t)in[3] << 24;
}

bool canon_config(struct canon_text *text, const struct own_env *env);
bool canon_trailers(struct canon_text *text, const struct own_env *env);
bool canon_journal(struct canon_text *text, const struct own_env *env, struct agent_journal *work);

#endif
