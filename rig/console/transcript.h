/*
 * A console's transcript: a text file, appended to, that never holds half a line and never more
 * than max bytes:
 *
 *     2026-11-26T21:36:40.123456Z  boot: slot a          a line, at the time its end was read
 *     2026-11-26T21:36:40.130001Z  -- power off          a remark of the rig
 *     2026-11-26T21:36:41.000002Z  -- full: ...          the last line
 *
 * Written to the file when it is flushed, or 32 KiB wait. After the first error nothing more is
 * written; what is not written is counted.
 */
#ifndef RIG_CONSOLE_TRANSCRIPT_H
#define RIG_CONSOLE_TRANSCRIPT_H

#include "rig/console.h"

enum { RIG_TRANSCRIPT_WAITS = 32768 };

struct rig_transcript {
    int fd;             /* -1: none */
    uint64_t max, size; /* of the file, with what waits */
    bool full;
    int failed;    /* errno of the write that failed */
    uint64_t lost; /* lines that were not written */
    char *waiting; /* RIG_TRANSCRIPT_WAITS bytes */
    size_t waits;
};

/* path NULL: none. RIG_OK, or an error with message. */
int rig_transcript_open(struct rig_transcript *out, const char *path, uint64_t max, char *message,
                        size_t len);
void rig_transcript_close(struct rig_transcript *transcript); /* flushes */
/* text: clean, at most RIG_CONSOLE_LINE_MAX bytes. sign: before it, "" or "-- ". */
void rig_transcript_line(struct rig_transcript *transcript, int64_t utc_us, const char *sign,
                         const char *text);
void rig_transcript_flush(struct rig_transcript *transcript);

#endif
