/* One value: text to the member that its key names. */
#include "settings_internal.h"
#include <stdio.h>
#include <string.h>

static bool read_number(const char *text, const char **rest, int64_t *out)
{
    size_t len = strspn(text, "0123456789");
    *out = 0;
    if (!len || len > 12)
        return false;
    for (size_t i = 0; i < len; i++)
        *out = *out * 10 + (text[i] - '0');
    *rest = text + len;
    return true;
}

static bool read_duration(const char *text, int64_t *out_ms)
{
    static const struct {
        const char *name;
        int64_t ms;
    } unit[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};
    const char *rest;
    if (!read_number(text, &rest, out_ms))
        return false;
    for (size_t i = 0; i < sizeof unit / sizeof *unit; i++)
        if (!strcmp(rest, unit[i].name))
            return !__builtin_mul_overflow(*out_ms, unit[i].ms, out_ms);
    return !*rest && *out_ms == 0;
}

static const char *put_number(const struct svc_key *key, void *member, bool read, int64_t value,
                              const char *otherwise)
{
    uint32_t narrow = (uint32_t)value;
    if (!read)
        return otherwise;
    if (value < key->min || value > key->max)
        return "is out of range";
    memcpy(member, &narrow, sizeof narrow);
    return NULL;
}

static const char *put_text(const struct svc_key *key, char *member, const char *text)
{
    if (!*text && !key->initial)
        return "is empty";
    if (strlen(text) >= (size_t)key->max)
        return "is too long";
    for (const char *c = text; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            return "holds a control character";
    strcpy(member, text);
    return NULL;
}

static const char *put_path(const struct svc_reader *reader, const struct svc_key *key,
                            char *member, const char *text)
{
    char path[SIM_SERVICE_PATH_MAX];
    const char *slash = strrchr(reader->file, '/');
    int folder = slash && *text && *text != '/' ? (int)(slash + 1 - reader->file) : 0;
    int len = snprintf(path, sizeof path, "%.*s%s", folder, reader->file, text);
    return len < (int)sizeof path ? put_text(key, member, path) : "is too long";
}

static const char *put_wait(void *member, const char *text)
{
    bool wait = !strcmp(text, "wait");
    if (!wait && strcmp(text, "exit"))
        return "is neither exit nor wait";
    memcpy(member, &wait, sizeof wait);
    return NULL;
}

const char *svc_settings_put(struct svc_reader *reader, const struct svc_key *key, const char *text)
{
    char *member = (char *)reader->out + key->at;
    const char *rest = text;
    int64_t value = 0;
    bool read;
    switch (key->form) {
    case SVC_TEXT:
        return put_text(key, member, text);
    case SVC_OUTPUT:
        if (!strcmp(text, "-"))
            return put_text(key, member, text);
        return put_path(reader, key, member, text);
    case SVC_FILE:
        return put_path(reader, key, member, text);
    case SVC_NUMBER:
        read = read_number(text, &rest, &value) && !*rest;
        return put_number(key, member, read, value, "is not a whole number");
    case SVC_DURATION:
        read = read_duration(text, &value);
        return put_number(key, member, read, value, "is not a duration");
    case SVC_WAIT:
        return put_wait(member, text);
    default:
        return "is not a single value";
    }
}
