/*
 * The boot config's part. Of bootloader/core/config_store.c:
 *
 * - A record is believed when its body decodes and one of its marks fits. A body without a mark is
 *   looked at once more, in is_settled: whether it is newer than the newest record. So of such a
 *   sector only that is told, and nothing when there is no record at all.
 * - write_record erases a sector before it programs anything there, and mark_again programs only
 *   into the sector of the newest record. So what a sector without a record holds, page by page,
 *   is never read or built upon.
 * - Of a record's two mark pages: how many fit (both: settled). heal_mark programs the first again
 *   whatever it holds. Bytes behind the marks, and pages behind them, are never read.
 * - Of the older record nothing is told: it is erased before the next is written, and read only
 *   when the newest is lost. A mark that is torn reads otherwise in another view; one that fits
 * here stays, as only damage takes it away.
 * - Which of the two sectors it is makes no difference. (With a sector that can't be erased it
 * does; the sweep merges no states with bad sectors.)
 * - Sequences are compared by is_newer only, and the next one is the newest plus one.
 * - last_reset and rollback_on_fail are written, but no code reads them.
 */
#include "canon.h"
#include <string.h>

enum { MARKS = 2 };

struct record {
    bool sound;
    uint32_t marks; /* that fit */
    struct boot_config config;
};

static bool read_record(const struct own_env *env, uint32_t sector, struct record *out)
{
    const struct boot_layout *layout = &env->layout;
    const uint32_t addr = layout->config_addr + sector * layout->sector_bytes;
    uint8_t body[BOOT_CONFIG_BODY_BYTES], mark[CANON_MARK_BYTES], read[CANON_MARK_BYTES];
    out->marks = 0;
    if (env->flash.read(env->flash.ctx, addr, body, sizeof body))
        return false;
    out->sound = !boot_config_decode(&out->config, body);
    if (!out->sound)
        return true;
    canon_mark(mark, "BYD1", out->config.sequence, canon_get_u32(body + sizeof body - 4));
    for (uint32_t i = 0; i < MARKS; i++) {
        const uint32_t at = addr + canon_mark_offset(layout, BOOT_CONFIG_BODY_BYTES, i);
        if (env->flash.read(env->flash.ctx, at, read, sizeof read))
            return false;
        out->marks += !memcmp(read, mark, sizeof read);
    }
    return true;
}

static bool is_newer(const struct record *b, const struct record *a)
{
    return (int32_t)(b->config.sequence - a->config.sequence) > 0;
}

static void put_record(struct canon_text *text, const struct record *record)
{
    const struct boot_config *config = &record->config;
    const uint8_t fields[] = {config->active,        config->next,           config->trial_left,
                              config->trial_total,   config->faulty_boots,   config->cause,
                              config->revoked_count, config->revoked_at_boot};
    canon_put(text, fields, sizeof fields);
    canon_put_u32(text, config->security_counter);
    for (uint32_t i = 0; i < config->revoked_count; i++)
        canon_put_string(text, config->revoked[i]);
    canon_put_u8(text, record->marks);
}

/* What the other sector may still be taken for: nothing that counts, or the newest. */
enum other { OTHER_OLDER_OR_NOTHING, OTHER_NEWER_BODY, OTHER_NOT_OLDER };

static enum other class_of_other(const struct record *other, const struct record *newest)
{
    if (!other->sound || is_newer(newest, other))
        return OTHER_OLDER_OR_NOTHING;
    return is_newer(other, newest) ? OTHER_NEWER_BODY : OTHER_NOT_OLDER;
}

bool canon_config(struct canon_text *text, const struct own_env *env)
{
    struct record record[2];
    if (!read_record(env, 0, &record[0]) || !read_record(env, 1, &record[1]))
        return false;
    if (!record[0].marks && !record[1].marks) {
        canon_put_u8(text, UINT8_MAX);
        return true;
    }
    const uint32_t newest =
        record[1].marks && (!record[0].marks || is_newer(&record[1], &record[0]));
    const enum other other = class_of_other(&record[!newest], &record[newest]);
    canon_put_u8(text, other);
    put_record(text, &record[newest]);
    return true;
}
