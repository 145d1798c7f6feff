/* The transcript: see transcript.h. */
#include "transcript.h"
#include "rig/console.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const uint64_t max_default = 64 << 20;
static const char full[] = "full: nothing more is written";
/* What the last line needs, its time included. */
enum { FULL_BYTES = 64, LINE_BYTES = RIG_TIME_TEXT + RIG_CONSOLE_LINE_MAX + 8 };
_Static_assert(sizeof full + 34 <= FULL_BYTES, "27 of time, 2 spaces, the sign, a line end");

/* O_NONBLOCK: a pipe that nobody reads is an error and no standstill. */
int rig_transcript_open(struct rig_transcript *out, const char *path, uint64_t max, char *message,
                        size_t len)
{
    struct stat st;
    *out = (struct rig_transcript){.fd = -1, .max = max ? max : max_default};
    if (!path)
        return RIG_OK;
    out->fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0644);
    if (out->fd < 0 || fstat(out->fd, &st)) {
        int error = rig_port_say(RIG_EOPEN, message, len, "%s: %s", path, strerror(errno));
        rig_transcript_close(out);
        return error;
    }
    out->size = S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
    out->full = out->size + FULL_BYTES >= out->max;
    out->waiting = malloc(RIG_TRANSCRIPT_WAITS);
    if (!out->waiting) {
        rig_transcript_close(out);
        return rig_port_say(RIG_EMEMORY, message, len, "%s: no memory", path);
    }
    return RIG_OK;
}

void rig_transcript_close(struct rig_transcript *transcript)
{
    if (transcript->fd < 0)
        return;
    if (transcript->waiting)
        rig_transcript_flush(transcript);
    close(transcript->fd);
    free(transcript->waiting);
    transcript->waiting = NULL;
    transcript->fd = -1;
}

/* The disk took `done` of what waits: whole lines stay, the beginning of one is cut off again. */
static void give_up(struct rig_transcript *transcript, size_t done)
{
    size_t kept = done;
    while (kept && transcript->waiting[kept - 1] != '\n')
        kept--;
    for (size_t i = kept; i < transcript->waits; i++)
        transcript->lost += transcript->waiting[i] == '\n';
    transcript->size -= transcript->waits - kept;
    if (kept < done && ftruncate(transcript->fd, (off_t)transcript->size))
        transcript->size += done - kept; /* no file that can be cut */
}

void rig_transcript_flush(struct rig_transcript *transcript)
{
    size_t done = 0;
    while (transcript->fd >= 0 && !transcript->failed && done < transcript->waits) {
        ssize_t n = write(transcript->fd, transcript->waiting + done, transcript->waits - done);
        if (n >= 0)
            done += (size_t)n;
        else if (errno != EINTR)
            transcript->failed = errno;
    }
    if (done < transcript->waits)
        give_up(transcript, done);
    transcript->waits = 0;
}

void rig_transcript_time(char out[RIG_TIME_TEXT], int64_t utc_us)
{
    time_t seconds = (time_t)(utc_us / 1000000);
    struct tm tm = {0};
    char day[RIG_TIME_TEXT / 2 + 4];
    gmtime_r(&seconds, &tm);
    strftime(day, sizeof day, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(out, RIG_TIME_TEXT, "%s.%06dZ", day, (int)(utc_us % 1000000));
}

static void put(struct rig_transcript *transcript, const char *line, size_t len)
{
    if (transcript->waits + len > RIG_TRANSCRIPT_WAITS)
        rig_transcript_flush(transcript);
    memcpy(transcript->waiting + transcript->waits, line, len);
    transcript->waits += len;
    transcript->size += len;
}

static size_t form(char line[LINE_BYTES], int64_t utc_us, const char *sign, const char *text)
{
    char at[RIG_TIME_TEXT];
    rig_transcript_time(at, utc_us);
    int len = snprintf(line, LINE_BYTES, "%s  %s%.*s\n", at, sign, RIG_CONSOLE_LINE_MAX, text);
    return (size_t)len;
}

void rig_transcript_line(struct rig_transcript *transcript, int64_t utc_us, const char *sign,
                         const char *text)
{
    char line[LINE_BYTES];
    if (transcript->fd < 0)
        return;
    if (transcript->full || transcript->failed) {
        transcript->lost++;
        return;
    }
    size_t len = form(line, utc_us, sign, text);
    if (transcript->size + len + FULL_BYTES > transcript->max) {
        transcript->full = true;
        transcript->lost++;
        len = form(line, utc_us, "-- ", full);
    }
    put(transcript, line, len);
}
