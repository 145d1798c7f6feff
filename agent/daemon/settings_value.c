/* One value: text to the member that its row names. Integer arithmetic only. */
#include "settings_internal.h"
#include <string.h>

static const char *put_number(const struct setting *row, void *member, bool read, int64_t value,
                              const char *otherwise)
{
    return agent_kit_put_number(member, read, value, row->min, row->max, otherwise);
}

static const char *put_text(const struct setting *row, char *member, const char *text)
{
    return agent_kit_put_text(member, (size_t)row->max, row->initial, text);
}

static const char *put_offset(const struct setting *row, void *member, const char *text)
{
    bool negative = *text == '-';
    int64_t value;
    if (!agent_kit_read_duration(text + (negative || *text == '+'), &value))
        return "is not a duration";
    if (negative)
        value = -value;
    if (value < row->min || value > row->max)
        return "is out of range";
    memcpy(member, &value, sizeof value);
    return NULL;
}

static const char *put_switch(void *member, const char *text)
{
    bool yes = !strcmp(text, "yes") || !strcmp(text, "true");
    if (!yes && strcmp(text, "no") && strcmp(text, "false"))
        return "is neither yes nor no";
    memcpy(member, &yes, sizeof yes);
    return NULL;
}

/* The sector's size is kept where the layout has the region's start, until the check. */
static const char *put_config_sectors(const struct setting *row, void *member, const char *text)
{
    int64_t value = 0;
    bool read = !strncmp(text, "2x", 2) && agent_kit_read_size(text + 2, &value);
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
        return agent_kit_put_word(member, (size_t)row->max, row->initial, text);
    case SETTING_FILE:
        return agent_kit_put_path(member, (size_t)row->max, row->initial, &r->source, text);
    case SETTING_NUMBER:
        read = agent_kit_read_number(&rest, &value) && !*rest;
        return put_number(row, member, read, value, "is not a whole number");
    case SETTING_SIZE:
        read = agent_kit_read_size(text, &value);
        return put_number(row, member, read, value, "is not a size");
    case SETTING_DURATION:
        read = agent_kit_read_duration(text, &value);
        return put_number(row, member, read, value, "is not a duration");
    case SETTING_OFFSET:
        return put_offset(row, member, text);
    case SETTING_SWITCH:
        return put_switch(member, text);
    case SETTING_LEVEL:
        return agent_kit_put_level(member, text);
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
