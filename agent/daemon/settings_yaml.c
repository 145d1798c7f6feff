/*
 * YAML to values, by libfyaml's events: the path of keys that leads to a value names its row. No
 * tree is built. Anchors, aliases and tags are refused: a configuration needs none.
 */
#include "settings_internal.h"
#include <libfyaml.h>
#include <stdarg.h>
#include <string.h>

/* libfyaml 0.7.12 exports these two, but its header names them only from 0.8 on. */
const struct fy_mark *fy_event_start_mark(struct fy_event *event);
struct fy_diag_error *fy_diag_errors_iterate(struct fy_diag *diag, void **prev);

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
    uint32_t depth, documents;
    int line, column, key_line, key_column;
    struct {
        const struct setting *row;
        uint32_t index;
    } seen[KEYS_SEEN_MAX];
    uint32_t seen_count;
};

static void put_message(struct settings_reader *r, int line, int column, const char *key,
                        const char *fmt, va_list args)
{
    size_t room = AGENT_MESSAGE_MAX, len;
    if (line)
        snprintf(r->message, room, "%.300s:%d:%d: ", r->file, line, column);
    else
        snprintf(r->message, room, "%.300s: ", r->file);
    len = strlen(r->message);
    if (key)
        snprintf(r->message + len, room - len, "%s: ", key);
    len = strlen(r->message);
    vsnprintf(r->message + len, room - len, fmt, args);
    for (char *c = r->message; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = '?';
}

int settings_fail(struct settings_reader *r, int line, int column, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    put_message(r, line, column, NULL, fmt, args);
    va_end(args);
    return -1;
}

int settings_fail_key(struct settings_reader *r, const char *path, const char *fmt, ...)
{
    const struct setting *row = settings_find(path);
    struct setting_place place = row ? r->place[row - settings_table] : (struct setting_place){0};
    va_list args;
    va_start(args, fmt);
    put_message(r, place.line, place.column, path, fmt, args);
    va_end(args);
    return -1;
}

static int refuse(struct walk *w, const char *what)
{
    return settings_fail(w->r, w->line, w->column, "%s", what);
}

static void find_place(struct walk *w, struct fy_event *event)
{
    const struct fy_mark *mark = fy_event_start_mark(event);
    if (mark && (mark->line > 0 || mark->column > 0 || mark->input_pos > 0 || !w->line)) {
        w->line = mark->line + 1;
        w->column = mark->column + 1;
    }
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
    return settings_fail(w->r, w->line, w->column, "%.60s: unknown key; accepted: %s", key, known);
}

/* Once in each mapping: the index tells the entries of a list apart. */
static int note_key(struct walk *w, const struct setting *row, uint32_t index)
{
    for (uint32_t i = 0; i < w->seen_count; i++)
        if (w->seen[i].row == row && w->seen[i].index == index)
            return settings_fail(w->r, w->line, w->column, "%s: this key is given twice", w->path);
    if (w->seen_count == KEYS_SEEN_MAX)
        return refuse(w, "too many keys");
    w->seen[w->seen_count].row = row;
    w->seen[w->seen_count++].index = index;
    w->key_line = w->line;
    w->key_column = w->column;
    return 0;
}

static int take_key(struct walk *w, const char *key)
{
    struct level *level = &w->level[w->depth - 1];
    size_t prefix = level->path_len + (level->path_len ? 1 : 0);
    if (strlen(key) + prefix >= sizeof w->path || strpbrk(key, ".[]"))
        return unknown_key(w, key, prefix);
    if (level->path_len)
        w->path[level->path_len] = '.';
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
            *error = settings_fail(w->r, w->line, w->column, "%s: too many entries; accepted: %s",
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
        return settings_fail(w->r, w->line, w->column, "%s where a mapping of keys belongs", got);
    return settings_fail(w->r, w->line, w->column,
                         "%s: %s where another form belongs; accepted: %s", row->path, got,
                         row->accepts);
}

static int on_open(struct walk *w, bool list)
{
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
        w->r->place[row - settings_table] = (struct setting_place){w->line, w->column};
    w->level[w->depth++] = (struct level){row, list, false, strlen(w->path), index};
    return 0;
}

static void on_close(struct walk *w)
{
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
    w->r->place[row - settings_table] = (struct setting_place){w->line, w->column};
    if (plain && (!*text || !strcmp(text, "~") || !strcmp(text, "null")))
        return settings_fail(w->r, w->key_line, w->key_column, "%s: no value; accepted: %s",
                             row->path, row->accepts);
    const char *wrong = settings_put(w->r, row, index, text);
    if (wrong)
        return settings_fail(w->r, w->line, w->column, "%s: '%.60s' %s; accepted: %s", row->path,
                             text, wrong, row->accepts);
    return 0;
}

static int on_scalar(struct walk *w, const struct fy_event_scalar_data *data)
{
    char text[1024];
    size_t len = 0;
    const char *bytes = fy_token_get_text(data->value, &len);
    enum fy_scalar_style style = fy_token_scalar_style(data->value);
    /* libfyaml's mark of a quoted text is behind the quote. */
    if ((style == FYSS_SINGLE_QUOTED || style == FYSS_DOUBLE_QUOTED) && w->column > 1)
        w->column--;
    if (!bytes)
        len = 0;
    if (len >= sizeof text || (len && memchr(bytes, 0, len)))
        return refuse(w, "a text that is too long, or holds a NUL; accepted: less than 1024 bytes");
    memcpy(text, len ? bytes : "", len);
    text[len] = '\0';
    bool key = w->depth && !w->level[w->depth - 1].list && !w->level[w->depth - 1].has_key;
    if (key)
        return take_key(w, text);
    return take_value(w, text, style == FYSS_PLAIN);
}

static int check_properties(struct walk *w, const struct fy_token *anchor,
                            const struct fy_token *tag)
{
    if (anchor)
        return refuse(w, "anchors (&name) are not accepted; write the value out");
    return tag ? refuse(w, "tags (!name) are not accepted; remove it") : 0;
}

static int on_event(struct walk *w, struct fy_event *event)
{
    int error = 0;
    find_place(w, event);
    switch (event->type) {
    case FYET_DOCUMENT_START:
        return w->documents++ ? refuse(w, "a second document; accepted: one") : 0;
    case FYET_ALIAS:
        return refuse(w, "aliases (*name) are not accepted; write the value out");
    case FYET_SCALAR:
        error = check_properties(w, event->scalar.anchor, event->scalar.tag);
        return error ? error : on_scalar(w, &event->scalar);
    case FYET_SEQUENCE_START:
        error = check_properties(w, event->sequence_start.anchor, event->sequence_start.tag);
        return error ? error : on_open(w, true);
    case FYET_MAPPING_START:
        error = check_properties(w, event->mapping_start.anchor, event->mapping_start.tag);
        return error ? error : on_open(w, false);
    case FYET_SEQUENCE_END:
    case FYET_MAPPING_END:
        on_close(w);
        return 0;
    default:
        return 0;
    }
}

static int refuse_syntax(struct walk *w, struct fy_diag *diag)
{
    void *prev = NULL;
    const struct fy_diag_error *error = fy_diag_errors_iterate(diag, &prev);
    if (!error || !error->msg)
        return refuse(w, "not YAML");
    return settings_fail(w->r, error->line, error->column, "not YAML: %.200s", error->msg);
}

static int pump(struct walk *w, struct fy_parser *parser, struct fy_diag *diag)
{
    struct fy_event *event;
    int error = 0;
    while (!error && (event = fy_parser_parse(parser))) {
        error = on_event(w, event);
        fy_parser_event_free(parser, event);
    }
    return !error && fy_parser_get_stream_error(parser) ? refuse_syntax(w, diag) : error;
}

/* Errors are collected, so nothing of the library's own reaches the terminal. */
static struct fy_diag *quiet_diag(void)
{
    struct fy_diag_cfg config;
    fy_diag_cfg_default(&config);
    config.fp = NULL;
    config.colorize = false;
    struct fy_diag *diag = fy_diag_create(&config);
    if (diag)
        fy_diag_set_collect_errors(diag, true);
    return diag;
}

int settings_parse(struct settings_reader *r, const char *bytes, size_t len)
{
    struct walk w = {.r = r};
    struct fy_diag *diag = quiet_diag();
    const struct fy_parse_cfg config = {
        .search_path = "",
        .flags = FYPCF_QUIET | FYPCF_COLLECT_DIAG | FYPCF_DISABLE_MMAP_OPT | FYPCF_JSON_NONE,
        .diag = diag,
    };
    struct fy_parser *parser = diag ? fy_parser_create(&config) : NULL;
    int error = 0;
    if (!parser || (len && fy_parser_set_string(parser, bytes, len)))
        error = settings_fail(r, 0, 0, "out of memory");
    else if (len)
        error = pump(&w, parser, diag);
    fy_parser_destroy(parser);
    fy_diag_destroy(diag);
    return error;
}
