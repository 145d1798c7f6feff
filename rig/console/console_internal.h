/*
 * The inside of a console.
 *
 *   fd ──► chunk ──► bytes event ──► line ──► transcript, markers, line event     (intake.c)
 *             └── over the limit: read, counted, thrown away; a line is dropped where it is broken
 *   fd ◄── outgoing                                                               (output.c)
 *   gone ── every second ──► connect ──► back                                     (connect.c)
 *
 * A chunk is worked through in slices of SLICE_US; between them the loop turns, and nothing is
 * read. The descriptor is closed only from the loop, never below a call of the user's.
 */
#ifndef RIG_CONSOLE_INTERNAL_H
#define RIG_CONSOLE_INTERNAL_H

#include "dial.h"
#include "line.h"
#include "pattern.h"
#include "rig/console.h"
#include "transcript.h"

enum { RIG_CONSOLE_CHUNK = 16384, RIG_CONSOLE_OUT = 1 << 20, RIG_CONSOLE_WHY = 256 };

struct rig_marker {
    struct rig_marker *next;
    struct rig_console *console;
    struct rig_pattern *pattern; /* NULL: removed, freed after the line */
    rig_marked *marked;
    void *ctx;
};

struct rig_console {
    struct rig_console_config config;
    int fd; /* -1: gone */
    ev_io in, out;
    ev_timer again; /* the next slice, or reading goes on */
    ev_timer retry;
    ev_async dialled;
    struct rig_dial *dial;

    char chunk[RIG_CONSOLE_CHUNK];
    size_t at, have;
    size_t gap;       /* thrown away behind the chunk */
    int64_t chunk_us; /* when it was read: monotonic, and UTC */
    int64_t chunk_utc_us;
    struct rig_line line;
    struct rig_transcript transcript;
    uint64_t flood; /* thrown away and not yet told in the transcript */

    int64_t tokens, tokens_us; /* bytes that may be looked at; when they were counted */
    bool flooded;              /* all is thrown away until there are enough tokens again */

    struct rig_marker *markers;
    unsigned calling; /* depth of marker callbacks */

    char *outgoing; /* RIG_CONSOLE_OUT, made by the first write */
    size_t out_at, out_have;

    /* Not empty: a write found out that the other side has gone. What it sent before is read first.
     */
    char lost[RIG_CONSOLE_WHY];
    int64_t heard_us;
    struct rig_console_facts facts;
};

/* connect.c */
int rig_console_connect(struct rig_console *console, char *message, size_t len);
void rig_console_lose(struct rig_console *console, const char *why); /* from the loop */
void rig_console_hang_up(struct rig_console *console);
void rig_console_watch_init(struct rig_console *console);
void rig_console_watch_stop(struct rig_console *console);

/* intake.c */
void rig_console_intake_start(struct rig_console *console);  /* a new stream */
void rig_console_intake_finish(struct rig_console *console); /* the stream is over */
void rig_console_on_readable(struct ev_loop *loop, ev_io *watcher, int events);
void rig_console_on_again(struct ev_loop *loop, ev_timer *watcher, int events);
void rig_console_again(struct rig_console *console, int64_t in_us);
void rig_console_say(struct rig_console *console, const char *sign, const char *text);

/* output.c */
void rig_console_on_writable(struct ev_loop *loop, ev_io *watcher, int events);

/* marker.c */
void rig_console_mark(struct rig_console *console, const struct rig_console_line *line);
void rig_console_markers_free(struct rig_console *console);
bool rig_console_has_markers(const struct rig_console *console);

#endif
