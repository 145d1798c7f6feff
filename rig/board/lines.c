/* Lines out of a stream: the console, QEMU's trace, what QEMU says itself. */
#include "lines.h"
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int rig_lines_init(struct rig_lines *lines)
{
    *lines = (struct rig_lines){.chunk = malloc(RIG_LINES_CHUNK)};
    return lines->chunk ? 0 : -1;
}

void rig_lines_free(struct rig_lines *lines)
{
    free(lines->chunk);
    lines->chunk = NULL;
}

void rig_lines_reset(struct rig_lines *lines)
{
    lines->at = lines->have = lines->len = 0;
}

void rig_lines_put(struct rig_lines *lines, const void *bytes, size_t len)
{
    assert(lines->at == lines->have && len <= RIG_LINES_CHUNK);
    memcpy(lines->chunk, bytes, len);
    lines->at = 0;
    lines->have = len;
}

ssize_t rig_lines_read(struct rig_lines *lines, int fd)
{
    if (lines->at < lines->have)
        return 1;
    ssize_t got;
    while ((got = read(fd, lines->chunk, RIG_LINES_CHUNK)) < 0 && errno == EINTR)
        continue;
    lines->at = 0;
    lines->have = got > 0 ? (size_t)got : 0;
    return got;
}

/* The line's bytes, as far as there is room; what is behind is counted and left out. */
static void collect(struct rig_lines *lines, const char *from, size_t len)
{
    size_t room = RIG_LINE_MAX - 1 - (lines->len < RIG_LINE_MAX ? lines->len : RIG_LINE_MAX - 1);
    size_t taken = len < room ? len : room;
    memcpy(lines->line + lines->len, from, taken);
    lines->len += taken;
    if (taken < len && lines->len < RIG_LINE_MAX) {
        lines->shortened++;
        lines->len = RIG_LINE_MAX; /* full, and counted */
    }
}

static void hand_over(struct rig_lines *lines, char *out)
{
    size_t len = lines->len < RIG_LINE_MAX ? lines->len : RIG_LINE_MAX - 1;
    if (len && lines->len < RIG_LINE_MAX && lines->line[len - 1] == '\r')
        len--;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)lines->line[i];
        out[i] = (c < ' ' && c != '\t') || c == 0x7F ? '?' : (char)c;
    }
    out[len] = '\0';
    lines->len = 0;
}

bool rig_lines_next(struct rig_lines *lines, char out[RIG_LINE_MAX])
{
    const char *from = lines->chunk + lines->at;
    size_t left = lines->have - lines->at;
    if (!left)
        return false;
    const char *end = memchr(from, '\n', left);
    size_t len = end ? (size_t)(end - from) : left;
    if (lines->len < RIG_LINE_MAX)
        collect(lines, from, len);
    lines->at += end ? len + 1 : len;
    if (!end)
        return false;
    hand_over(lines, out);
    return true;
}
