/*
 * A board's console: a serial port, a pty, a TCP server (ser2net) or a Unix socket on the caller's
 * libev loop. Cut into lines, time-stamped, kept as a transcript, and watched for markers. What
 * comes is not trusted: it may be rubbish, without end, and faster than anything can use it.
 *
 * One thread. A console that goes away is opened again by itself, every second. A line ends with LF
 * or CR LF, has no control characters when it is told (each is a '.'), and at most
 * RIG_CONSOLE_LINE_MAX bytes: what is longer is cut there and counted. Its text is valid UTF-8: any
 * other byte is a '.' too, and a tab is a space. A prompt without a line end is no line.
 *
 * Of a flood at most bytes_per_s are looked at (a quarter of that, and 2 KiB, at once), the rest is
 * counted and thrown away, so that the loop stays free; a line of which bytes are missing is not
 * told. But where there is neither events.line, nor a transcript, nor a marker, as on an OTA line,
 * nothing is thrown away: what is above bytes_per_s is not read until later.
 * NULL is misuse unless a line allows it.
 */
#ifndef RIG_CONSOLE_H
#define RIG_CONSOLE_H

#include "rig/port.h"
#include <ev.h>

struct rig_console;

enum { RIG_CONSOLE_LINE_MAX = 1023 };

enum rig_console_kind { RIG_CONSOLE_SERIAL, RIG_CONSOLE_TCP, RIG_CONSOLE_UNIX };

struct rig_console_at {
    enum rig_console_kind kind;
    const char *path; /* SERIAL (also a pty), UNIX */
    const char *host; /* TCP */
    uint16_t port;
    uint32_t baud; /* SERIAL */
};

struct rig_console_line {
    const char *text; /* NUL-terminated, valid during the call */
    int64_t at_us;    /* rig_port_now_us when its end was read */
    bool shortened;
};

struct rig_console_events { /* each may be NULL; from the loop; may call all but free */
    void (*line)(void *ctx, const struct rig_console_line *line);
    /* Raw, as they came: for an OTA line, which is no text. Before the lines that end in them. */
    void (*bytes)(void *ctx, const void *bytes, size_t len);
    void (*gone)(void *ctx, const char *why);
    void (*back)(void *ctx);
};

struct rig_console_config { /* borrowed until free */
    struct ev_loop *loop;
    struct rig_console_at at;
    /* File, appended to; NULL: none. Lines "2026-11-26T21:36:40.123456Z  TEXT"; whole ones, also
     * where the disk is full: what was not written is counted, and the console goes on. */
    const char *transcript;
    uint64_t transcript_max; /* bytes of it; then a last line says that it is full. 0: 64 MiB */
    uint32_t bytes_per_s;    /* 0: 1 MiB */
    struct rig_console_events events;
    void *ctx;
};

/* Opens at once (TCP: waits 3 s at most; later connections are made beside the loop). RIG_OK, or
 * enum rig_error with message: then there is no console. */
int rig_console_open(struct rig_console **out, const struct rig_console_config *config,
                     char *message, size_t len);
void rig_console_free(struct rig_console *console); /* NULL allowed. Its markers go with it */

/* Whole or not at all; waits in a buffer of 1 MiB. RIG_EGONE, RIG_ESILENT (buffer full). */
int rig_console_write(struct rig_console *console, const void *bytes, size_t len);
bool rig_console_is_there(const struct rig_console *console);
int64_t rig_console_heard_us(const struct rig_console *console); /* last byte; 0: never */
/* A remark of the rig's own in the transcript: "power off" becomes "-- power off". */
void rig_console_remark(struct rig_console *console, const char *text);
/* The board's power was cut: an unfinished line goes to the transcript as it is, so that the next
 * life's first line begins as one, and a marker with "^" sees it. Call it before power on. */
void rig_console_break(struct rig_console *console);

/* ---- Markers: regular expressions (PCRE2), with a bound on the work of each match ---- */

struct rig_marker;
typedef void rig_marked(void *ctx, const struct rig_console_line *line);
/* Called for each line that matches, before events.line. One that a callback adds sees the next
 * line. RIG_OK; RIG_EOPEN: no such expression, and message says where it is wrong; RIG_EMEMORY. A
 * match that takes about 1.5 ms is given up: the line is taken for one that does not match. */
int rig_marker_add(struct rig_marker **out, struct rig_console *console, const char *pattern,
                   rig_marked *marked, void *ctx, char *message, size_t len);
void rig_marker_remove(struct rig_marker *marker); /* also from its own callback; NULL allowed */
/* Whether it is an expression, without a console. As rig_marker_add. */
int rig_marker_check(const char *pattern, char *message, size_t len);

struct rig_console_facts {
    uint64_t bytes; /* all that were read, also those thrown away */
    uint64_t lines, shortened, thrown_away, gone;
    uint64_t match_limit; /* matches that were given up: the pattern is too costly for that line */
    uint64_t transcript_lost; /* lines and remarks that are not in it: full, or an error */
    int transcript_errno;     /* why nothing more is written; 0: no error */
    bool transcript_full;
};
void rig_console_facts(const struct rig_console *console, struct rig_console_facts *out);

/* A time as transcripts have it: "2026-11-26T21:36:40.123456Z". */
enum { RIG_TIME_TEXT = 40 };
void rig_transcript_time(char out[RIG_TIME_TEXT], int64_t utc_us);

#endif
