/*
 * YAML to values, by libfyaml's events. A configuration is a mapping with sections that are
 * mappings; there are no lists in it, no anchors, aliases and tags.
 */
#include "settings_internal.h"
#include <libfyaml.h>
#include <stdio.h>
#include <string.h>

/* libfyaml 0.7.12 exports these two, but its header names them only from 0.8 on. */
const struct fy_mark *fy_event_start_mark(struct fy_event *event);
struct fy_diag_error *fy_diag_errors_iterate(struct fy_diag *diag, void **prev);

enum { PATH_MAX_BYTES = 64, VALUE_BYTES = 1024 };

struct walk {
    struct svc_reader *reader;
    char section[PATH_MAX_BYTES], key[PATH_MAX_BYTES]; /* key: its whole path, "": none yet */
    uint32_t depth, documents;
    int line, column;
};

static int fail(struct walk *w, const char *what)
{
    return svc_settings_fail(w->reader, w->line, w->column, *w->key ? w->key : NULL, "%s", what);
}

static void find_place(struct walk *w, struct fy_event *event)
{
    const struct fy_mark *mark = fy_event_start_mark(event);
    if (mark && (mark->line > 0 || mark->column > 0 || mark->input_pos > 0 || !w->line)) {
        w->line = mark->line + 1;
        w->column = mark->column + 1;
    }
}

/* What would have been right here. */
static int unknown_key(struct walk *w, const char *key)
{
    char known[400] = "";
    size_t len = 0, prefix = strlen(w->section);
    for (uint32_t i = 0; i < svc_keys_count; i++) {
        const char *name = svc_keys[i].path;
        if (strncmp(name, w->section, prefix) || (prefix && name[prefix] != '.'))
            continue;
        name += prefix + (prefix > 0);
        if (!strchr(name, '.') && strcmp(name, "die_at"))
            len += (size_t)snprintf(known + len, sizeof known - len, "%s%s", len ? ", " : "", name);
    }
    return svc_settings_fail(w->reader, w->line, w->column, NULL,
                             "%.60s: unknown key; accepted: %s", key, known);
}

static int take_key(struct walk *w, const char *text)
{
    char path[2 * PATH_MAX_BYTES];
    snprintf(path, sizeof path, "%s%s%.60s", w->section, *w->section ? "." : "", text);
    int key = strchr(text, '.') || strlen(path) >= sizeof w->key ? -1 : svc_key_find(path);
    if (key < 0)
        return unknown_key(w, text);
    strcpy(w->key, path);
    if (w->reader->place[key].line)
        return fail(w, "is given twice");
    w->reader->place[key] = (struct svc_place){w->line, w->column};
    return 0;
}

static int take_value(struct walk *w, const char *text, bool plain)
{
    int at = svc_key_find(w->key);
    const struct svc_key *key = &svc_keys[at];
    if (plain && (!*text || !strcmp(text, "~") || !strcmp(text, "null")))
        return svc_settings_fail(w->reader, w->line, w->column, w->key, "no value; accepted: %s",
                                 key->accepts);
    w->reader->place[at] = (struct svc_place){w->line, w->column};
    const char *wrong = svc_settings_put(w->reader, key, text);
    if (wrong)
        return svc_settings_fail(w->reader, w->line, w->column, w->key, "'%.60s' %s; accepted: %s",
                                 text, wrong, key->accepts);
    w->key[0] = '\0';
    return 0;
}

static int on_scalar(struct walk *w, const struct fy_event_scalar_data *data)
{
    char text[VALUE_BYTES];
    size_t len = 0;
    if (data->anchor || data->tag)
        return fail(w, "anchors and tags are not accepted; write the value out");
    if (!w->depth)
        return fail(w, "a single value; accepted: a mapping of keys");
    const char *bytes = fy_token_get_text(data->value, &len);
    enum fy_scalar_style style = fy_token_scalar_style(data->value);
    /* libfyaml's mark of a quoted text is behind the quote. */
    if ((style == FYSS_SINGLE_QUOTED || style == FYSS_DOUBLE_QUOTED) && w->column > 1)
        w->column--;
    if (!bytes)
        len = 0;
    if (len >= sizeof text || (len && memchr(bytes, 0, len)))
        return fail(w, "too long, or with a NUL; accepted: less than 1024 bytes");
    memcpy(text, len ? bytes : "", len);
    text[len] = '\0';
    return *w->key ? take_value(w, text, style == FYSS_PLAIN) : take_key(w, text);
}

static int on_mapping(struct walk *w, const struct fy_event *event)
{
    if (event->mapping_start.anchor || event->mapping_start.tag)
        return fail(w, "anchors and tags are not accepted; write the value out");
    if (!w->depth) {
        w->depth = 1;
        return 0;
    }
    if (!*w->key)
        return fail(w, "a mapping where a key belongs");
    const struct svc_key *key = &svc_keys[svc_key_find(w->key)];
    if (key->form != SVC_SECTION)
        return svc_settings_fail(w->reader, w->line, w->column, w->key,
                                 "a mapping where a value belongs; accepted: %s", key->accepts);
    strcpy(w->section, w->key);
    w->key[0] = '\0';
    w->depth++;
    return 0;
}

static int on_event(struct walk *w, struct fy_event *event)
{
    find_place(w, event);
    switch (event->type) {
    case FYET_DOCUMENT_START:
        return w->documents++ ? fail(w, "a second document; accepted: one") : 0;
    case FYET_ALIAS:
        return fail(w, "aliases (*name) are not accepted; write the value out");
    case FYET_SEQUENCE_START:
        return fail(w, "a list; accepted: a single value or a mapping of keys");
    case FYET_SCALAR:
        return on_scalar(w, &event->scalar);
    case FYET_MAPPING_START:
        return on_mapping(w, event);
    case FYET_MAPPING_END:
        w->depth--;
        w->section[0] = '\0';
        return 0;
    default:
        return 0;
    }
}

static int refuse_syntax(struct walk *w, struct fy_diag *diag)
{
    void *prev = NULL;
    const struct fy_diag_error *error = fy_diag_errors_iterate(diag, &prev);
    w->key[0] = '\0';
    if (!error || !error->msg)
        return fail(w, "not YAML");
    return svc_settings_fail(w->reader, error->line, error->column, NULL, "not YAML: %.200s",
                             error->msg);
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

int svc_settings_parse(struct svc_reader *reader, const char *bytes, size_t len)
{
    struct walk w = {.reader = reader};
    struct fy_diag *diag = quiet_diag();
    const struct fy_parse_cfg config = {
        .search_path = "",
        .flags = FYPCF_QUIET | FYPCF_COLLECT_DIAG | FYPCF_DISABLE_MMAP_OPT | FYPCF_JSON_NONE,
        .diag = diag,
    };
    struct fy_parser *parser = diag ? fy_parser_create(&config) : NULL;
    int error = 0;
    if (!parser || (len && fy_parser_set_string(parser, bytes, len)))
        error = svc_settings_fail(reader, 0, 0, NULL, "no memory");
    else if (len)
        error = pump(&w, parser, diag);
    fy_parser_destroy(parser);
    fy_diag_destroy(diag);
    return error;
}
