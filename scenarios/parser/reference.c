/* The reference of every key, written out of the tables that the parser reads by. */
#include "key.h"
#include "scn/scenario.h"
#include <string.h>

struct type_text {
    const char *type, *unit;
};

static struct type_text type_text(const struct scn_key *key)
{
    static const struct type_text texts[] = {
        [SCN_T_BOOL] = {"yes or no", "-"},
        [SCN_T_U32] = {"whole number", "-"},
        [SCN_T_U64] = {"whole number", "-"},
        [SCN_T_SIZE] = {"size", "B, KiB, MiB, GiB"},
        [SCN_T_DURATION] = {"duration", "us, ms, s, m, h, d"},
        [SCN_T_TIME] = {"time", "ISO 8601"},
        [SCN_T_RATIO] = {"ratio", "% or n/m"},
        [SCN_T_TEXT] = {"text", "-"},
        [SCN_T_NAME] = {"text", "-"},
        [SCN_T_ENUM] = {"word", "-"},
        [SCN_T_FLAG] = {"word", "-"},
        [SCN_T_WORD] = {"word", "-"},
        [SCN_T_MAP] = {"mapping", "-"},
        [SCN_T_LIST] = {"list", "-"},
        [SCN_T_NAMED] = {"mapping", "-"},
        [SCN_T_SHARES] = {"shares", "% or n/m"},
        [SCN_T_CUSTOM] = {"its own form", "-"},
    };
    return texts[key->type];
}

static void write_default(FILE *out, const struct scn_key *key)
{
    if (key->required)
        fputs("**required**", out);
    else if (key->computed)
        fputs(key->computed, out);
    else if (key->fallback)
        fprintf(out, "`%s`", key->fallback);
    else
        fputs(key->type == SCN_T_MAP ? "its keys' defaults" : "none", out);
}

static void write_key(FILE *out, const struct scn_key *key)
{
    char accepts[SCN_ACCEPTS_MAX];
    struct type_text text = type_text(key);
    scn_key_accepts(key, accepts, sizeof accepts);
    fprintf(out, "| `%s` | %s | %s | ", key->name, text.type, text.unit);
    write_default(out, key);
    fprintf(out, " | %s | %s |\n", accepts, key->means);
}

static void write_map(FILE *out, const struct scn_map *map)
{
    fprintf(out, "### %s\n\n", map->title);
    fputs("| key | type | unit | default | accepted | what it means |\n", out);
    fputs("| --- | --- | --- | --- | --- | --- |\n", out);
    for (size_t i = 0; i < map->keys; i++)
        write_key(out, &map->key[i]);
    fputc('\n', out);
    for (size_t i = 0; i < map->keys; i++)
        if (map->key[i].map)
            write_map(out, map->key[i].map);
}

static void write_faults(FILE *out)
{
    char row[512];
    fputs("### kinds of faults\n\n| kind | keys it takes | `how` |\n| --- | --- | --- |\n", out);
    for (int kind = 0; kind < SCN_FAULT_KINDS; kind++) {
        scn_fault_takes(kind, row, sizeof row);
        fprintf(out, "%s\n", row);
    }
}

int scn_reference_write(FILE *out)
{
    write_map(out, &scn_map_scenario);
    write_faults(out);
    return ferror(out) ? SCN_EFILE : SCN_OK;
}
