/* Markers. One that is removed while a line is dealt with stays in the list until that is over, so
 * that a callback may remove any of them, and add others. */
#include "console_internal.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

int rig_marker_add(struct rig_marker **out, struct rig_console *console, const char *pattern,
                   rig_marked *marked, void *ctx, char *message, size_t len)
{
    assert(out && console && pattern && marked && message);
    struct rig_marker *marker = calloc(1, sizeof *marker);
    *out = NULL;
    if (!marker)
        return rig_port_say(RIG_EMEMORY, message, len, "no memory");
    *marker = (struct rig_marker){.console = console, .marked = marked, .ctx = ctx};
    int error = rig_pattern_open(&marker->pattern, pattern, message, len);
    if (error) {
        free(marker);
        return error;
    }
    struct rig_marker **end = &console->markers;
    while (*end)
        end = &(*end)->next;
    *end = marker;
    *out = marker;
    return RIG_OK;
}

int rig_marker_check(const char *pattern, char *message, size_t len)
{
    struct rig_pattern *made;
    assert(pattern && message);
    int error = rig_pattern_open(&made, pattern, message, len);
    if (!error)
        rig_pattern_close(made);
    return error;
}

static void sweep(struct rig_console *console)
{
    for (struct rig_marker **at = &console->markers; *at;) {
        struct rig_marker *marker = *at;
        if (marker->pattern) {
            at = &marker->next;
            continue;
        }
        *at = marker->next;
        free(marker);
    }
}

void rig_marker_remove(struct rig_marker *marker)
{
    if (!marker)
        return;
    rig_pattern_close(marker->pattern);
    marker->pattern = NULL;
    if (!marker->console->calling)
        sweep(marker->console);
}

/* One that is added by a callback sees the next line. */
void rig_console_mark(struct rig_console *console, const struct rig_console_line *line)
{
    size_t len = strlen(line->text);
    struct rig_marker *last = console->markers;
    while (last && last->next)
        last = last->next;
    console->calling++;
    for (struct rig_marker *marker = console->markers; marker; marker = marker->next) {
        enum rig_found found =
            marker->pattern ? rig_pattern_find(marker->pattern, line->text, len) : RIG_FOUND_NOT;
        if (found == RIG_FOUND_GIVEN_UP)
            console->facts.match_limit++;
        if (found == RIG_FOUND)
            marker->marked(marker->ctx, line);
        if (marker == last)
            break;
    }
    if (!--console->calling)
        sweep(console);
}

bool rig_console_has_markers(const struct rig_console *console)
{
    for (const struct rig_marker *marker = console->markers; marker; marker = marker->next)
        if (marker->pattern)
            return true;
    return false;
}

void rig_console_markers_free(struct rig_console *console)
{
    while (console->markers) {
        struct rig_marker *marker = console->markers;
        console->markers = marker->next;
        rig_pattern_close(marker->pattern);
        free(marker);
    }
}
