/* One line per event: time=2026-03-19T10:00:00.123Z level=info event=phase text="canary begins" */
#include "service.h"
#include <stdio.h>
#include <time.h>

void svc_time_text(char out[SVC_TIME_TEXT], int64_t at_us)
{
    char day[24];
    struct tm utc;
    time_t seconds = (time_t)(at_us / 1000000);
    gmtime_r(&seconds, &utc);
    strftime(day, sizeof day, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(out, SVC_TIME_TEXT, "%s.%03dZ", day, (int)(at_us / 1000 % 1000));
}

static bool is_bare(const char *text)
{
    for (const char *c = text; *c; c++)
        if (*c <= ' ' || *c > '~' || *c == '"' || *c == '\\' || *c == '=')
            return false;
    return *text != '\0';
}

/* A line stays a line, whatever a server or a device sent. */
static void put_text(FILE *out, const char *text)
{
    if (is_bare(text)) {
        fputs(text, out);
        return;
    }
    fputc('"', out);
    for (const char *c = text; *c; c++) {
        if (*c == '"' || *c == '\\')
            fputc('\\', out);
        fputc(*c >= ' ' && *c <= '~' ? *c : '?', out);
    }
    fputc('"', out);
}

void svc_log_write(enum svc_level level, const char *event, const struct svc_field *fields)
{
    static const char *const names[] = {"info", "warn", "error"};
    struct timespec now;
    char at[SVC_TIME_TEXT];
    clock_gettime(CLOCK_REALTIME, &now);
    svc_time_text(at, (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000);
    flockfile(stderr);
    fprintf(stderr, "time=%s level=%s event=%s", at, names[level], event);
    for (; fields->key; fields++) {
        fprintf(stderr, " %s=", fields->key);
        if (fields->text)
            put_text(stderr, fields->text);
        else
            fprintf(stderr, "%lld", fields->number);
    }
    fputc('\n', stderr);
    fflush(stderr);
    funlockfile(stderr);
}
