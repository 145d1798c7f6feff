/* Text to members, a whole file, and messages. Integer arithmetic only. */
#include "daemon_kit/log.h"
#include "daemon_kit/settings.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct unit {
    const char *name;
    int64_t factor;
};
static const struct unit durations[] = {{"ms", 1},      {"s", 1000},     {"m", 60000},
                                        {"h", 3600000}, {"d", 86400000}, {NULL, 0}};
static const struct unit sizes[] = {
    {"", 1}, {"KiB", 1024}, {"MiB", 1048576}, {"GiB", 1073741824}, {NULL, 0}};

int agent_kit_fail(const struct agent_kit_source *source, struct agent_kit_place at,
                   const char *key, const char *fmt, va_list args)
{
    char place[48] = "";
    if (at.line)
        snprintf(place, sizeof place, ":%d:%d", at.line, at.column);
    int len = snprintf(source->message, source->message_bytes, "%.300s%s: %s%s", source->file,
                       place, key ? key : "", key ? ": " : "");
    vsnprintf(source->message + len, source->message_bytes - (size_t)len, fmt, args);
    for (char *c = source->message; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = '?';
    return -1;
}

char *agent_kit_read_file(const char *path, size_t max, size_t *len)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return NULL;
    char *bytes = malloc(max + 1);
    ssize_t got = 1;
    for (*len = 0; bytes && got > 0 && *len <= max; *len += got > 0 ? (size_t)got : 0)
        got = read(fd, bytes + *len, max + 1 - *len);
    int error = got < 0 ? errno : *len > max ? EFBIG : 0;
    close(fd);
    if (bytes && !error) {
        bytes[*len] = '\0';
        return bytes;
    }
    free(bytes);
    errno = error ? error : ENOMEM;
    return NULL;
}

bool agent_kit_read_number(const char **text, int64_t *out)
{
    size_t len = strspn(*text, "0123456789");
    int64_t value = 0;
    if (!len || len > 12)
        return false;
    for (size_t i = 0; i < len; i++)
        value = value * 10 + ((*text)[i] - '0');
    *text += len;
    *out = value;
    return true;
}

static bool read_with_unit(const char *text, const struct unit *units, int64_t *out)
{
    int64_t digits;
    if (!agent_kit_read_number(&text, &digits))
        return false;
    for (; units->name; units++)
        if (!strcmp(text, units->name))
            return !__builtin_mul_overflow(digits, units->factor, out);
    return false;
}

bool agent_kit_read_size(const char *text, int64_t *out)
{
    return read_with_unit(text, sizes, out);
}

bool agent_kit_read_duration(const char *text, int64_t *out_ms)
{
    if (*text && !text[strspn(text, "0")]) /* zero needs no unit */
        text = "0s";
    return read_with_unit(text, durations, out_ms);
}

const char *agent_kit_put_number(void *member, bool read, int64_t value, int64_t min, int64_t max,
                                 const char *otherwise)
{
    uint32_t narrow = (uint32_t)value;
    if (!read)
        return otherwise;
    if (value < min || value > max)
        return "is out of range";
    memcpy(member, &narrow, sizeof narrow);
    return NULL;
}

const char *agent_kit_put_text(char *member, size_t bytes, bool may_be_empty, const char *text)
{
    size_t len = strlen(text);
    if (!len && !may_be_empty)
        return "is empty";
    if (len >= bytes)
        return "is too long";
    for (const char *c = text; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            return "holds a control character";
    memcpy(member, text, len + 1);
    return NULL;
}

const char *agent_kit_put_word(char *member, size_t bytes, bool may_be_empty, const char *text)
{
    static const char accepted[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                   "._-";
    if (text[strspn(text, accepted)])
        return "holds another character";
    return agent_kit_put_text(member, bytes, may_be_empty, text);
}

const char *agent_kit_put_level(void *member, const char *text)
{
    for (uint32_t level = 0; level < AGENT_LOG_LEVELS; level++) {
        if (strcmp(agent_log_level_name[level], text))
            continue;
        memcpy(member, &level, sizeof level);
        return NULL;
    }
    return "is no level";
}

const char *agent_kit_put_path(char *member, size_t bytes, bool may_be_empty,
                               const struct agent_kit_source *source, const char *text)
{
    char path[AGENT_KIT_PATH_MAX];
    const char *slash = strrchr(source->file, '/');
    int folder = slash && *text && *text != '/' ? (int)(slash + 1 - source->file) : 0;
    int len = snprintf(path, sizeof path, "%.*s%s", folder, source->file, text);
    if (len >= (int)sizeof path)
        return "is too long";
    return agent_kit_put_text(member, bytes, may_be_empty, path);
}
