/* One value: text to the member that its row names. Integer arithmetic only. */
#include "settings_internal.h"
#include <string.h>

struct unit {
    const char *name;
    int64_t factor;
};
static const struct unit durations[] = {{"ms", 1},      {"s", 1000},     {"m", 60000},
                                        {"h", 3600000}, {"d", 86400000}, {NULL, 0}};
static const struct unit sizes[] = {
    {"", 1}, {"KiB", 1024}, {"MiB", 1048576}, {"GiB", 1073741824}, {NULL, 0}};

static const char not_in_range[] = "is out of range";

static bool read_digits(const char **text, int64_t *out)
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

/* A whole number with one of these units; at most 12 digits, so that no product overflows. */
static bool read_with_unit(const char *text, const struct unit *units, int64_t *out)
{
    int64_t digits;
    if (!read_digits(&text, &digits))
        return false;
    for (; units->name; units++)
        if (!strcmp(text, units->name))
            return !__builtin_mul_overflow(digits, units->factor, out);
    return false;
}

static bool read_duration(const char *text, int64_t *out)
{
    if (!strcmp(text, "0")) {
        *out = 0;
        return true;
    }
    return read_with_unit(text, durations, out);
}

static const char *put_number(const struct setting *row, void *member, bool read, int64_t value,
                              const char *otherwise)
{
    uint32_t narrow = (uint32_t)value;
    if (!read)
        return otherwise;
    if (value < row->min || value > row->max)
        return not_in_range;
    memcpy(member, &narrow, sizeof narrow);
    return NULL;
}

static const char *put_offset(const struct setting *row, void *member, const char *text)
{
    bool negative = *text == '-';
    int64_t value;
    if (!read_duration(text + (negative || *text == '+'), &value))
        return "is not a duration";
    if (negative)
        value = -value;
    if (value < row->min || value > row->max)
        return not_in_range;
    memcpy(member, &value, sizeof value);
    return NULL;
}

static const char *put_text(const struct setting *row, char *member, const char *text)
{
    size_t len = strlen(text);
    if (!len && !row->initial)
        return "is empty";
    if (len >= (size_t)row->max)
        return "is too long";
    for (const char *c = text; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            return "holds a control character";
    memcpy(member, text, len + 1);
    return NULL;
}

/* MQTT's wildcards and separators must not come into a topic. */
static const char *put_word(const struct setting *row, char *member, const char *text)
{
    static const char accepted[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                   "._-";
    if (text[strspn(text, accepted)])
        return "holds another character";
    return put_text(row, member, text);
}

static const char *put_path(const struct settings_reader *r, const struct setting *row,
                            char *member, const char *text)
{
    char path[AGENT_PATH_MAX];
    const char *slash = strrchr(r->file, '/');
    int folder = slash && *text && *text != '/' ? (int)(slash + 1 - r->file) : 0;
    int len = snprintf(path, sizeof path, "%.*s%s", folder, r->file, text);
    return len < (int)sizeof path ? put_text(row, member, path) : "is too long";
}

static const char *put_switch(void *member, const char *text)
{
    bool yes = !strcmp(text, "yes") || !strcmp(text, "true");
    if (!yes && strcmp(text, "no") && strcmp(text, "false"))
        return "is neither yes nor no";
    memcpy(member, &yes, sizeof yes);
    return NULL;
}

static const char *put_level(void *member, const char *text)
{
    for (uint32_t level = 0; level < AGENT_LOG_LEVELS; level++) {
        if (strcmp(agent_log_level_name[level], text))
            continue;
        memcpy(member, &level, sizeof level);
        return NULL;
    }
    return "is no level";
}

/* The sector's size is kept where the layout has the region's start, until the check. */
static const char *put_config_sectors(const struct setting *row, void *member, const char *text)
{
    int64_t value = 0;
    bool read = !strncmp(text, "2x", 2) && read_with_unit(text + 2, sizes, &value);
    return put_number(row, member, read, value, "is not two sectors");
}

const char *settings_put(struct settings_reader *r, const struct setting *row, uint32_t index,
                         const char *text)
{
    char *member = (char *)r->out + row->at + index * row->stride;
    int64_t value = 0;
    const char *rest = text;
    bool read;
    switch (row->form) {
    case SETTING_TEXT:
        return put_text(row, member, text);
    case SETTING_WORD:
        return put_word(row, member, text);
    case SETTING_FILE:
        return put_path(r, row, member, text);
    case SETTING_NUMBER:
        read = read_digits(&rest, &value) && !*rest;
        return put_number(row, member, read, value, "is not a whole number");
    case SETTING_SIZE:
        read = read_with_unit(text, sizes, &value);
        return put_number(row, member, read, value, "is not a size");
    case SETTING_DURATION:
        read = read_duration(text, &value);
        return put_number(row, member, read, value, "is not a duration");
    case SETTING_OFFSET:
        return put_offset(row, member, text);
    case SETTING_SWITCH:
        return put_switch(member, text);
    case SETTING_LEVEL:
        return put_level(member, text);
    case SETTING_WINDOW:
        return agent_window_parse((void *)member, text) ? "is no window" : NULL;
    case SETTING_ZONE:
        return agent_zone_parse((void *)member, text) ? "is no zone" : NULL;
    case SETTING_CONFIG_SECTORS:
        return put_config_sectors(row, member, text);
    default:
        return "is not a single value";
    }
}
