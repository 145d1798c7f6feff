/* See sim/token_text.h. */
#include "sim/token_text.h"
#include <stdio.h>
#include <string.h>

bool sim_token_put(char *out, size_t len, const char *value)
{
    size_t at = strlen(out);
    for (; *value && at + 4 < len; value++) {
        if (*value == '%' || *value == ',' || *value == ' ') {
            at += (size_t)snprintf(out + at, len - at, "%%%02X", (unsigned)*value);
        } else {
            out[at++] = *value;
            out[at] = 0;
        }
    }
    return !*value;
}

static int hex(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Decodes %XX in place; false when one is broken, or would end the text. */
static bool decode(char *text)
{
    char *to = text;
    for (; *text; text++, to++) {
        *to = *text;
        if (*text != '%')
            continue;
        int high = hex(text[1]), low = high < 0 ? -1 : hex(text[2]);
        if (low < 0 || high + low == 0)
            return false;
        *to = (char)(high * 16 + low);
        text += 2;
    }
    *to = 0;
    return true;
}

void sim_token_begin(struct sim_token_parts *parts, char *text, const char *mark)
{
    parts->at = text;
    const char *first = strsep(&parts->at, ",");
    parts->bad = strcmp(first, mark) != 0;
}

bool sim_token_next(struct sim_token_parts *parts, const char **key, char **value)
{
    if (parts->bad || !parts->at)
        return false;
    char *part = strsep(&parts->at, ","), *equals = strchr(part, '=');
    if (!equals || !decode(equals + 1)) {
        parts->bad = true;
        return false;
    }
    *equals = 0;
    *key = part;
    *value = equals + 1;
    return true;
}

bool sim_token_copy(char *out, size_t len, const char *value)
{
    return *value && (size_t)snprintf(out, len, "%s", value) < len;
}
