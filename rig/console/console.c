/* A console: made, freed, asked. */
#include "console_internal.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

int rig_console_open(struct rig_console **out, const struct rig_console_config *config,
                     char *message, size_t len)
{
    assert(out && config && config->loop && message);
    assert(config->at.kind == RIG_CONSOLE_TCP ? !!config->at.host : !!config->at.path);
    struct rig_console *console = calloc(1, sizeof *console);
    *out = NULL;
    if (!console)
        return rig_port_say(RIG_EMEMORY, message, len, "no memory");
    console->config = *config;
    console->fd = -1;
    int error = rig_transcript_open(&console->transcript, config->transcript,
                                    config->transcript_max, message, len);
    if (error) {
        free(console);
        return error;
    }
    rig_console_watch_init(console);
    error = rig_console_connect(console, message, len);
    if (error) {
        rig_console_free(console);
        return error;
    }
    *out = console;
    return RIG_OK;
}

void rig_console_free(struct rig_console *console)
{
    if (!console)
        return;
    assert(!console->calling);
    rig_console_watch_stop(console);
    rig_console_hang_up(console);
    rig_console_intake_finish(console);
    rig_console_markers_free(console);
    rig_transcript_close(&console->transcript);
    free(console->outgoing);
    free(console);
}

bool rig_console_is_there(const struct rig_console *console)
{
    return console->fd >= 0 && !console->lost[0];
}

int64_t rig_console_heard_us(const struct rig_console *console)
{
    return console->heard_us;
}

/* Whoever brings the sign "-- " along gets it once. Text of the rig may hold a board's: it is
 * cleaned like a line. */
void rig_console_remark(struct rig_console *console, const char *text)
{
    char clean[RIG_CONSOLE_LINE_MAX + 1];
    assert(console && text);
    size_t len = strnlen(text, RIG_CONSOLE_LINE_MAX);
    memcpy(clean, text, len);
    rig_line_clean(clean, len);
    rig_console_say(console, strncmp(clean, "-- ", 3) ? "-- " : "", clean);
    rig_transcript_flush(&console->transcript);
}

void rig_console_facts(const struct rig_console *console, struct rig_console_facts *out)
{
    assert(console && out);
    *out = console->facts;
    out->transcript_lost = console->transcript.lost;
    out->transcript_errno = console->transcript.failed;
    out->transcript_full = console->transcript.full;
}
