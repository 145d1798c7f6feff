/* YAML to values: the path of keys that leads to a value names its row. */
#include "settings_internal.h"
#include <string.h>

enum { DEPTH_MAX = 6, KEYS_SEEN_MAX = 160 };

struct level {
    const struct setting *row; /* NULL: the outermost mapping */
    bool list, has_key;
    size_t path_len; /* of the path that leads here */
    uint32_t index;  /* of the entry of the list around it */
};

struct walk {
    struct settings_reader *r;
    char path[SETTINGS_ROW_PATH_MAX];
    struct level level[DEPTH_MAX];
    uint32_t depth;
    struct agent_kit_place at, key_at;
    struct {
        const struct setting *row;
        uint32_t index;
    } seen[KEYS_SEEN_MAX];
    uint32_t seen_count;
};

int settings_fail(struct settings_reader *r, int line, int column, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    agent_kit_fail(&r->source, (struct agent_kit_place){line, column}, NULL, fmt, args);
    va_end(args);
    return -1;
}

int settings_fail_key(struct settings_reader *r, const char *path, const char *fmt, ...)
{
    const struct setting *row = settings_find(path);
    struct agent_kit_place nowhere = {0, 0};
    va_list args;
    va_start(args, fmt);
    agent_kit_fail(&r->source, row ? r->place[row - settings_table] : nowhere, path, fmt, args);
    va_end(args);
    return -1;
}

static int refuse(void *ctx, const char *what)
{
    const struct walk *w = ctx;
    return settings_fail(w->r, w->at.line, w->at.column, "%s", what);
}

/* The keys that would have been right here, for the message. */
static void list_keys(char *out, size_t size, const char *path, size_t prefix)
{
    size_t len = 0;
    out[0] = '\0';
    for (uint32_t i = 0; i < settings_rows; i++) {
        const char *name = settings_table[i].path;
        if (strncmp(name, path, prefix) || strpbrk(name + prefix, ".["))
            continue;
        len += (size_t)snprintf(out + len, size - len, "%s%s", len ? ", " : "", name + prefix);
        if (len >= size)
            return;
    }
}

static int unknown_key(struct walk *w, const char *key, size_t prefix)
{
    char known[420];
    list_keys(known, sizeof known, w->path, prefix);
    return settings_fail(w->r, w->at.line, w->at.column, "%.60s: unknown key; accepted: %s", key,
                         known);
}

/* Once in each mapping: the index tells the entries of a list apart. */
static int note_key(struct walk *w, const struct setting *row, uint32_t index)
{
    for (uint32_t i = 0; i < w->seen_count; i++)
        if (w->seen[i].row == row && w->seen[i].index == index)
            return settings_fail(w->r, w->at.line, w->at.column, "%s: this key is given twice",
                                 w->path);
    if (w->seen_count == KEYS_SEEN_MAX)
        return refuse(w, "too many keys");
    w->seen[w->seen_count].row = row;
    w->seen[w->seen_count++].index = index;
    w->key_at = w->at;
    return 0;
}

static int take_key(struct walk *w, const char *key)
{
    struct level *level = &w->level[w->depth - 1];
    size_t prefix = level->path_len + (level->path_len ? 1 : 0);
    if (level->path_len)
        w->path[level->path_len] = '.'; /* before unknown_key, which compares prefix bytes */
    if (strlen(key) + prefix >= sizeof w->path || strpbrk(key, ".[]"))
        return unknown_key(w, key, prefix);
    strcpy(w->path + prefix, key);
    const struct setting *row = settings_find(w->path);
    if (!row)
        return unknown_key(w, key, prefix);
    level->has_key = true;
    return note_key(w, row, level->index);
}

/* The row of the value that comes now; NULL for the outermost mapping, or where none may be. */
static const struct setting *next_row(struct walk *w, uint32_t *index, int *error)
{
    struct level *level = w->depth ? &w->level[w->depth - 1] : NULL;
    *error = 0;
    *index = level ? level->index : 0;
    if (!level)
        return NULL;
    if (level->list) {
        uint32_t *entries = &w->r->entries[level->row - settings_table];
        if (*entries == (uint32_t)level->row->max) {
            *error =
                settings_fail(w->r, w->at.line, w->at.column, "%s: too many entries; accepted: %s",
                              level->row->path, level->row->accepts);
            return NULL;
        }
        *index = (*entries)++;
        strcpy(w->path + level->path_len, "[]");
    }
    level->has_key = false;
    return settings_find(w->path);
}

static int wrong_form(struct walk *w, const struct setting *row, const char *got)
{
    if (!row)
        return settings_fail(w->r, w->at.line, w->at.column, "%s where a mapping of keys belongs",
                             got);
    return settings_fail(w->r, w->at.line, w->at.column,
                         "%s: %s where another form belongs; accepted: %s", row->path, got,
                         row->accepts);
}

static int on_open(void *ctx, bool list)
{
    struct walk *w = ctx;
    int error;
    uint32_t index;
    const char *got = list ? "a list" : "a mapping";
    const struct setting *row = next_row(w, &index, &error);
    if (error)
        return error;
    if (w->depth && !list && w->level[w->depth - 1].list && !row)
        return wrong_form(w, w->level[w->depth - 1].row, got);
    if ((row && row->form != (list ? SETTING_LIST : SETTING_SECTION)) || (!row && list) ||
        w->depth == DEPTH_MAX)
        return wrong_form(w, row, got);
    if (row)
        w->r->place[row - settings_table] = w->at;
    w->level[w->depth++] = (struct level){row, list, false, strlen(w->path), index};
    return 0;
}

static void on_close(void *ctx)
{
    struct walk *w = ctx;
    w->depth--;
    if (w->depth)
        w->path[w->level[w->depth - 1].path_len] = '\0';
}

static int take_value(struct walk *w, const char *text, bool plain)
{
    int error;
    uint32_t index;
    const struct setting *row = next_row(w, &index, &error);
    if (error)
        return error;
    if (!row || row->form == SETTING_SECTION || row->form == SETTING_LIST)
        return wrong_form(w, row, "a single value");
    w->r->place[row - settings_table] = w->at;
    if (plain && (!*text || !strcmp(text, "~") || !strcmp(text, "null")))
        return settings_fail(w->r, w->key_at.line, w->key_at.column, "%s: no value; accepted: %s",
                             row->path, row->accepts);
    const char *wrong = settings_put(w->r, row, index, text);
    if (wrong)
        return settings_fail(w->r, w->at.line, w->at.column, "%s: '%.60s' %s; accepted: %s",
                             row->path, text, wrong, row->accepts);
    return 0;
}

static int on_text(void *ctx, const char *text, bool plain)
{
    struct walk *w = ctx;
    bool key = w->depth && !w->level[w->depth - 1].list && !w->level[w->depth - 1].has_key;
    return key ? take_key(w, text) : take_value(w, text, plain);
}

int settings_parse(struct settings_reader *r, const char *bytes, size_t len)
{
    static const struct agent_kit_yaml yaml = {
        .open = on_open,
        .close = on_close,
        .text = on_text,
        .refuse = refuse,
    };
    struct walk w = {.r = r};
    return agent_kit_yaml_parse(&yaml, &w, &w.at, &r->source, bytes, len);
}
