/*
 * YAML to values. A configuration is a mapping with sections that are mappings; there are no lists
 * in it.
 */
#include "settings_internal.h"
#include <stdio.h>
#include <string.h>

enum { PATH_MAX_BYTES = 64 };

struct walk {
    struct svc_reader *reader;
    char section[PATH_MAX_BYTES], key[PATH_MAX_BYTES]; /* key: its whole path, "": none yet */
    uint32_t depth;
    struct agent_kit_place at;
};

static int fail(void *ctx, const char *what)
{
    const struct walk *w = ctx;
    return svc_settings_fail(w->reader, w->at.line, w->at.column, *w->key ? w->key : NULL, "%s",
                             what);
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
    return svc_settings_fail(w->reader, w->at.line, w->at.column, NULL,
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
    w->reader->place[key] = w->at;
    return 0;
}

static int take_value(struct walk *w, const char *text, bool plain)
{
    int at = svc_key_find(w->key);
    const struct svc_key *key = &svc_keys[at];
    if (plain && (!*text || !strcmp(text, "~") || !strcmp(text, "null")))
        return svc_settings_fail(w->reader, w->at.line, w->at.column, w->key,
                                 "no value; accepted: %s", key->accepts);
    w->reader->place[at] = w->at;
    const char *wrong = svc_settings_put(w->reader, key, text);
    if (wrong)
        return svc_settings_fail(w->reader, w->at.line, w->at.column, w->key,
                                 "'%.60s' %s; accepted: %s", text, wrong, key->accepts);
    w->key[0] = '\0';
    return 0;
}

static int on_text(void *ctx, const char *text, bool plain)
{
    struct walk *w = ctx;
    if (!w->depth)
        return fail(w, "a single value; accepted: a mapping of keys");
    return *w->key ? take_value(w, text, plain) : take_key(w, text);
}

static int on_open(void *ctx, bool list)
{
    struct walk *w = ctx;
    if (list)
        return fail(w, "a list; accepted: a single value or a mapping of keys");
    if (!w->depth) {
        w->depth = 1;
        return 0;
    }
    if (!*w->key)
        return fail(w, "a mapping where a key belongs");
    const struct svc_key *key = &svc_keys[svc_key_find(w->key)];
    if (key->form != SVC_SECTION)
        return svc_settings_fail(w->reader, w->at.line, w->at.column, w->key,
                                 "a mapping where a value belongs; accepted: %s", key->accepts);
    strcpy(w->section, w->key);
    w->key[0] = '\0';
    w->depth++;
    return 0;
}

static void on_close(void *ctx)
{
    struct walk *w = ctx;
    w->depth--;
    w->section[0] = '\0';
}

int svc_settings_parse(struct svc_reader *reader, const char *bytes, size_t len)
{
    static const struct agent_kit_yaml yaml = {
        .open = on_open,
        .close = on_close,
        .text = on_text,
        .refuse = fail,
        .anchor = "anchors and tags are not accepted; write the value out",
        .tag = "anchors and tags are not accepted; write the value out",
        .too_long = "too long, or with a NUL; accepted: less than 1024 bytes",
    };
    struct walk w = {.reader = reader};
    return agent_kit_yaml_parse(&yaml, &w, &w.at, &reader->source, bytes, len);
}
