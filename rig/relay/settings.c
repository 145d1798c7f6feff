/* Settings of drivers: texts to values. */
#include "daemon_kit/settings.h"
#include "rig/relay.h"
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { SECRET_BYTES_MAX = 4096 };

static size_t settings_of(const struct rig_setting *setting)
{
    size_t n = 0;
    while (setting[n].key)
        n++;
    return n;
}

static int keep(const char **to, const char *text)
{
    *to = strdup(text);
    return *to ? RIG_OK : RIG_EMEMORY;
}

static int read_path(const char **path, const char *text, const char *folder)
{
    char *joined;
    if (!folder || *text == '/')
        return keep(path, text);
    if (asprintf(&joined, "%s/%s", folder, text) < 0)
        return RIG_EMEMORY;
    *path = joined;
    return RIG_OK;
}

/* Nobody but its owner may use it. As with rig serve's --token-file, what is no regular file (a
 * pipe, say) may have any mode. */
static bool is_private(const char *path, char *message, size_t len)
{
    struct stat about;
    if (stat(path, &about) || !S_ISREG(about.st_mode) || !(about.st_mode & (S_IRWXG | S_IRWXO)))
        return true;
    rig_port_say(RIG_EOPEN, message, len, "%s holds a secret, and others may use it; chmod go= %s",
                 path, path);
    return false;
}

/* The first line of the file; an empty one is no secret. */
static int read_secret(const char **secret, const char *text, const char *folder, char *message,
                       size_t len)
{
    const char *path;
    size_t bytes;
    int error = read_path(&path, text, folder);
    if (error)
        return error;
    bool private = is_private(path, message, len);
    char *line = private ? agent_kit_read_file(path, SECRET_BYTES_MAX, &bytes) : NULL;
    if (!line && private) {
        rig_port_say(RIG_EOPEN, message, len, "%s can't be read: %s", path, strerror(errno));
    } else if (line) {
        line[strcspn(line, "\r\n")] = '\0';
        if (!*line)
            rig_port_say(RIG_EOPEN, message, len, "%s: its first line is empty", path);
    }
    free((char *)path);
    if (!line || !*line) {
        free(line);
        return RIG_EOPEN;
    }
    *secret = line;
    return RIG_OK;
}

static int read_number(int64_t *number, const struct rig_setting *setting, const char *text,
                       char *message, size_t len)
{
    const char *end = text + (*text == '-');
    int64_t n;
    bool whole = agent_kit_read_number(&end, &n) && !*end;
    if (whole && *text == '-')
        n = -n;
    if (!whole || n < setting->min || n > setting->max)
        return rig_port_say(RIG_EOPEN, message, len, "%s is not %lld to %lld", text,
                            (long long)setting->min, (long long)setting->max);
    *number = n;
    return RIG_OK;
}

static int read_duration(int64_t *ms, const struct rig_setting *setting, const char *text,
                         char *message, size_t len)
{
    int64_t n;
    if (!agent_kit_read_duration(text, &n) || n < setting->min || n > setting->max)
        return rig_port_say(RIG_EOPEN, message, len,
                            "%s is not a duration of %lldms to %lldms, as 500ms or 2s", text,
                            (long long)setting->min, (long long)setting->max);
    *ms = n;
    return RIG_OK;
}

static int read_choice(int64_t *index, const char *const *choice, const char *text, char *message,
                       size_t len)
{
    char all[160] = "";
    size_t used = 0;
    for (int64_t i = 0; choice[i]; i++) {
        if (!strcmp(text, choice[i])) {
            *index = i;
            return RIG_OK;
        }
        if (used < sizeof all)
            used +=
                (size_t)snprintf(all + used, sizeof all - used, "%s%s", i ? ", " : "", choice[i]);
    }
    return rig_port_say(RIG_EOPEN, message, len, "%s is none; accepted: %s", text, all);
}

static int grow(const char *const **list, const char *text)
{
    size_t n = 0;
    while (*list && (*list)[n])
        n++;
    const char **longer = realloc((void *)*list, (n + 2) * sizeof *longer);
    if (!longer)
        return RIG_EMEMORY;
    *list = longer;
    longer[n + 1] = NULL;
    return keep(&longer[n], text); /* NULL ends it where there was no memory */
}

int rig_setting_read(struct rig_setting_value *value, const struct rig_setting *setting,
                     const char *text, const char *folder, char *message, size_t len)
{
    static const char *const flags[] = {"false", "true", NULL};
    assert(value && setting && setting->key && text && message);
    int error = RIG_OK;
    if (!*text && setting->kind != RIG_SETTING_LIST)
        return rig_port_say(RIG_EOPEN, message, len, "is empty");
    switch (setting->kind) {
    case RIG_SETTING_TEXT:
        error = keep(&value->text, text);
        break;
    case RIG_SETTING_PATH:
        error = read_path(&value->text, text, folder);
        break;
    case RIG_SETTING_SECRET:
        error = read_secret(&value->text, text, folder, message, len);
        break;
    case RIG_SETTING_NUMBER:
        error = read_number(&value->number, setting, text, message, len);
        break;
    case RIG_SETTING_FLAG:
        error = read_choice(&value->number, flags, text, message, len);
        break;
    case RIG_SETTING_CHOICE:
        error = read_choice(&value->number, setting->choice, text, message, len);
        break;
    case RIG_SETTING_DURATION:
        error = read_duration(&value->number, setting, text, message, len);
        break;
    case RIG_SETTING_LIST:
        error = grow(&value->list, text);
        break;
    }
    if (error == RIG_EMEMORY)
        return rig_port_say(error, message, len, "out of memory");
    value->given = !error;
    return error;
}

struct rig_setting_value *rig_setting_make(const struct rig_setting *setting)
{
    assert(setting);
    return calloc(settings_of(setting) + 1, sizeof(struct rig_setting_value));
}

int rig_setting_finish(struct rig_setting_value *value, const struct rig_setting *setting,
                       char *message, size_t len)
{
    assert(value && setting && message);
    for (size_t i = 0; setting[i].key; i++) {
        if (value[i].given)
            continue;
        if (setting[i].required)
            return rig_port_say(RIG_EOPEN, message, len, "%s: is missing: %s", setting[i].key,
                                setting[i].help);
        char why[200];
        if (!setting[i].fallback)
            continue;
        int error =
            rig_setting_read(&value[i], &setting[i], setting[i].fallback, NULL, why, sizeof why);
        if (error)
            return rig_port_say(error, message, len, "%s: %s", setting[i].key, why);
    }
    return RIG_OK;
}

/* One pair. */
static int put(struct rig_setting_value *value, const struct rig_setting *setting, const char *key,
               const char *text, char *message, size_t len)
{
    char why[200];
    size_t i = 0;
    while (setting[i].key && strcmp(setting[i].key, key))
        i++;
    if (!setting[i].key)
        return rig_port_say(RIG_EOPEN, message, len, "%s: no such setting", key);
    if (value[i].given && setting[i].kind != RIG_SETTING_LIST)
        return rig_port_say(RIG_EOPEN, message, len, "%s: is given twice", key);
    int error = rig_setting_read(&value[i], &setting[i], text, NULL, why, sizeof why);
    return error ? rig_port_say(error, message, len, "%s: %s", key, why) : RIG_OK;
}

int rig_setting_values(struct rig_setting_value **out, const struct rig_setting *setting,
                       const char *const *pairs, char *message, size_t len)
{
    assert(out && setting && pairs && message);
    struct rig_setting_value *value = rig_setting_make(setting);
    *out = NULL;
    if (!value)
        return rig_port_say(RIG_EMEMORY, message, len, "out of memory");
    int error = RIG_OK;
    for (size_t i = 0; pairs[i] && !error; i += 2) {
        assert(pairs[i + 1]);
        error = put(value, setting, pairs[i], pairs[i + 1], message, len);
    }
    if (!error)
        error = rig_setting_finish(value, setting, message, len);
    if (error) {
        rig_setting_free(value, setting);
        return error;
    }
    *out = value;
    return RIG_OK;
}

void rig_setting_free(struct rig_setting_value *value, const struct rig_setting *setting)
{
    for (size_t i = 0; value && setting[i].key; i++) {
        if (value[i].text)
            explicit_bzero((char *)value[i].text, strlen(value[i].text)); /* may be a secret */
        free((char *)value[i].text);
        for (size_t n = 0; value[i].list && value[i].list[n]; n++)
            free((char *)value[i].list[n]);
        free((void *)value[i].list);
    }
    free(value);
}
