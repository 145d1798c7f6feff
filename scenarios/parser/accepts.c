#include "key.h"
#include "number.h"
#include <inttypes.h>
#include <string.h>

static void of_range(const struct scn_key *key, char *out, size_t size)
{
    char low[32], high[32];
    switch (key->type) {
    case SCN_T_U32:
        snprintf(out, size, "a whole number %" PRId64 "..%" PRId64, key->min, key->max);
        break;
    case SCN_T_SIZE:
        scn_size_text(low, sizeof low, key->min);
        scn_size_text(high, sizeof high, key->max);
        snprintf(out, size, "bytes %s..%s, as 256, 512KiB or 4MiB", low, high);
        break;
    case SCN_T_DURATION:
        scn_duration_text(low, sizeof low, key->min);
        scn_duration_text(high, sizeof high, key->max);
        snprintf(out, size, "a duration %s..%s, as 90s, 15m, 48h or 7d", low, high);
        break;
    default:
        snprintf(out, size, "a ratio %" PRId64 "%%..%" PRId64 "%%, as 2%%, 0.05%% or 1/5000",
                 key->min, key->max);
        break;
    }
}

static void of_names(const struct scn_key *key, char *out, size_t size)
{
    int len = snprintf(out, size, "one of ");
    scn_names_list(key->names, 0, (int)key->names->count - 1, out + len, size - (size_t)len);
}

static void of_shares(const struct scn_key *key, char *out, size_t size)
{
    char names[128];
    if (key->names) {
        scn_names_list(key->names, 0, (int)key->names->count - 1, names, sizeof names);
        snprintf(out, size, "shares that add up to 100%%, as {%s: 60%%, %s: 40%%}, of %s",
                 key->names->name[0], key->names->name[1], names);
    } else {
        snprintf(out, size, "shares that add up to 100%%, as {Rev-B: 60%%, Rev-C: 40%%}");
    }
}

static void of_struct(const struct scn_key *key, char *out, size_t size)
{
    if (key->type == SCN_T_MAP)
        snprintf(out, size, "a mapping, see %s", key->map->title);
    else if (key->type == SCN_T_LIST)
        snprintf(out, size, "a list of at most %" PRId64 " mappings, see %s", key->max,
                 key->map->title);
    else
        snprintf(out, size, "a mapping of at most %" PRId64 " names to mappings, see %s", key->max,
                 key->map->title);
}

void scn_key_accepts(const struct scn_key *key, char *out, size_t size)
{
    if (key->accepts) {
        snprintf(out, size, "%s", key->accepts);
        return;
    }
    switch (key->type) {
    case SCN_T_BOOL:
        snprintf(out, size, "true or false");
        break;
    case SCN_T_U64:
        snprintf(out, size, "a whole number 0..18446744073709551615");
        break;
    case SCN_T_TIME:
        snprintf(out, size, "ISO 8601, as 2026-03-19T10:00:00Z, years 1970..2199");
        break;
    case SCN_T_TEXT:
        snprintf(out, size, "text of at most %" PRId64 " bytes", key->max);
        break;
    case SCN_T_NAME:
        snprintf(out, size, "text of 1..%" PRId64 " bytes", key->max);
        break;
    case SCN_T_ENUM:
    case SCN_T_FLAG:
    case SCN_T_WORD:
        of_names(key, out, size);
        break;
    case SCN_T_SHARES:
        of_shares(key, out, size);
        break;
    case SCN_T_MAP:
    case SCN_T_LIST:
    case SCN_T_NAMED:
        of_struct(key, out, size);
        break;
    default:
        of_range(key, out, size);
        break;
    }
}
