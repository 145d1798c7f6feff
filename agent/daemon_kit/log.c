#include "daemon_kit/log.h"
#include <string.h>
#include <time.h>

const char *const agent_log_level_name[AGENT_LOG_LEVELS + 1] = {"debug", "info", "warn", "error"};

int64_t agent_time_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t agent_time_since_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void agent_time_text(char out[AGENT_TIME_TEXT], int64_t utc_ms)
{
    struct tm tm;
    int64_t ms = utc_ms % 1000;
    time_t seconds = (time_t)(utc_ms / 1000);
    char day[24];
    gmtime_r(&seconds, &tm);
    strftime(day, sizeof day, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(out, AGENT_TIME_TEXT, "%s.%03dZ", day, (int)ms);
}

static bool is_bare(const char *text)
{
    for (const char *c = text; *c; c++)
        if (*c <= ' ' || *c > '~' || *c == '"' || *c == '\\' || *c == '=')
            return false;
    return *text != '\0';
}

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

void agent_log_write(const struct agent_log *log, enum agent_log_level level, const char *event,
                     const struct agent_log_field *fields)
{
    char at[AGENT_TIME_TEXT];
    if (level < log->level)
        return;
    agent_time_text(at, agent_time_now_ms());
    fprintf(log->out, "time=%s level=%s", at, agent_log_level_name[level]);
    if (log->device)
        fprintf(log->out, " device=%s", log->device);
    fprintf(log->out, " event=%s", event);
    for (; fields->key; fields++) {
        fprintf(log->out, " %s=", fields->key);
        if (fields->text)
            put_text(log->out, fields->text);
        else
            fprintf(log->out, "%lld", fields->number);
    }
    fputc('\n', log->out);
    fflush(log->out);
}
