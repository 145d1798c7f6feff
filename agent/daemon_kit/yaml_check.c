/*
 * libfyaml 0.7.12 runs for ever on a directive with bytes that are no UTF-8, and takes seconds and
 * hundreds of megabytes for a megabyte of open brackets. A configuration has none of these.
 */
#include "yaml_check.h"

enum { BRACKETS_MAX = 256 };

/* Bytes of the character at b, of at most len; 0: none of UTF-8 (RFC 3629). */
static size_t utf8_bytes(const unsigned char *b, size_t len)
{
    static const struct {
        unsigned char first, last, low, high; /* of the first byte, and of the second one */
        size_t bytes;
    } form[] = {
        {0x00, 0x7f, 0x00, 0xff, 1}, {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
        {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
        {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4}};
    size_t i = 0;
    while (i < sizeof form / sizeof *form && (*b < form[i].first || *b > form[i].last))
        i++;
    if (i == sizeof form / sizeof *form || form[i].bytes > len)
        return 0;
    if (form[i].bytes > 1 && (b[1] < form[i].low || b[1] > form[i].high))
        return 0;
    for (size_t rest = 2; rest < form[i].bytes; rest++)
        if ((b[rest] & 0xc0) != 0x80)
            return 0;
    return form[i].bytes;
}

/* Roughly: those in texts and comments too. */
static bool too_many_open(char c, int *open)
{
    if (c == '[' || c == '{')
        ++*open;
    else if ((c == ']' || c == '}') && *open)
        --*open;
    return *open > BRACKETS_MAX;
}

const char *agent_kit_yaml_check(struct agent_kit_place *at, const char *bytes, size_t len)
{
    int open = 0;
    *at = (struct agent_kit_place){1, 1};
    for (size_t i = 0, step; i < len; i += step) {
        unsigned char c = (unsigned char)bytes[i];
        step = utf8_bytes((const unsigned char *)bytes + i, len - i);
        if (!step)
            return "a byte that is no UTF-8; accepted: text";
        if ((c < ' ' && c != '\t' && c != '\n' && c != '\r') || c == 0x7f)
            return "a control character; accepted: text";
        if (c == '%' && at->column == 1)
            return "directives (%NAME) are not accepted; remove it";
        if (too_many_open((char)c, &open))
            return "nested too deeply";
        at->column++;
        if (c == '\n')
            *at = (struct agent_kit_place){at->line + 1, 1};
    }
    return NULL;
}
