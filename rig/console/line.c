/* Lines: see line.h. */
#include "line.h"
#include "rep/text.h"
#include <string.h>

enum { REPLACEMENT = 0xFFFD };

static bool is_text(uint32_t code, size_t bytes)
{
    bool control = code < 0x20 || (code >= 0x7F && code < 0xA0);
    return !control && !(code == REPLACEMENT && bytes == 1);
}

size_t rig_line_clean(char *text, size_t len)
{
    const char *at = text, *end = text + len;
    size_t used = 0;
    while (at < end) {
        const char *from = at;
        uint32_t code = rep_text_next(&at, end);
        if (at == from) /* NUL */
            at++;
        size_t bytes = (size_t)(at - from);
        if (is_text(code, bytes)) {
            memmove(text + used, from, bytes);
            used += bytes;
        } else {
            text[used++] = code == '\t' ? ' ' : '.';
        }
    }
    text[used] = '\0';
    return used;
}

static void collect(struct rig_line *line, const char *from, size_t len)
{
    size_t room = sizeof line->text - 1 - line->len;
    size_t taken = len < room ? len : room;
    memcpy(line->text + line->len, from, taken);
    line->len += taken;
    if (taken < len)
        line->shortened = true;
}

static void start_over(struct rig_line *line, bool skip)
{
    line->len = 0;
    line->shortened = line->told = false;
    line->skip = skip;
}

static void finish(struct rig_line *line)
{
    while (line->len && line->text[line->len - 1] == '\r')
        line->len--;
    if (line->len > RIG_CONSOLE_LINE_MAX) {
        line->len = RIG_CONSOLE_LINE_MAX;
        line->shortened = true;
    }
    line->len = rig_line_clean(line->text, line->len);
}

size_t rig_line_take(struct rig_line *line, bool *whole, const char *bytes, size_t len)
{
    const char *end = memchr(bytes, '\n', len);
    size_t text = end ? (size_t)(end - bytes) : len;
    if (line->told)
        start_over(line, false);
    if (!line->skip)
        collect(line, bytes, text);
    *whole = end && !line->skip;
    if (*whole)
        finish(line);
    line->told = *whole;
    if (end)
        line->skip = false;
    return end ? text + 1 : text;
}

bool rig_line_end(struct rig_line *line, char out[RIG_CONSOLE_LINE_MAX + 1])
{
    bool some = line->len > 0 && !line->told;
    if (some) {
        finish(line);
        memcpy(out, line->text, line->len + 1);
    }
    start_over(line, false);
    return some;
}

void rig_line_gap(struct rig_line *line)
{
    start_over(line, true);
}
