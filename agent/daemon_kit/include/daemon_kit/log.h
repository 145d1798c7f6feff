/*
 * The log: one line per event, key=value, to a stream (standard error for the daemons):
 *
 *     time=2026-03-19T10:00:00.123Z level=info device=pump-7 event=state from=Idle to=Notified
 *
 * Values with spaces or quotation marks are quoted and escaped; control characters and everything
 * that is not ASCII become '?', so that a line is a line whatever a server sent. Owned by the
 * caller; one thread; NULL is misuse unless a comment allows
 * it.
 */
#ifndef DAEMON_KIT_LOG_H
#define DAEMON_KIT_LOG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum agent_log_level { AGENT_LOG_DEBUG, AGENT_LOG_INFO, AGENT_LOG_WARN, AGENT_LOG_ERROR };
enum { AGENT_LOG_LEVELS = AGENT_LOG_ERROR + 1, AGENT_TIME_TEXT = 32 };
extern const char *const agent_log_level_name[AGENT_LOG_LEVELS + 1]; /* NULL at the end */

struct agent_log {
    FILE *out;
    const char *device;         /* NULL: a program that is no device; the member is left out */
    enum agent_log_level level; /* less is not written */
};

/* One member of a line; built by the macros below. AGENT_LOG takes one or more. */
struct agent_log_field {
    const char *key; /* NULL: the end */
    const char *text;
    long long number; /* when text is NULL */
};
#define AGENT_TEXT(key_, text_) ((struct agent_log_field){.key = (key_), .text = (text_)})
#define AGENT_NUMBER(key_, number_)                                                                \
    ((struct agent_log_field){.key = (key_), .number = (long long)(number_)})

void agent_log_write(const struct agent_log *log, enum agent_log_level level, const char *event,
                     const struct agent_log_field *fields);
#define AGENT_LOG(log, level, event, ...)                                                          \
    agent_log_write((log), (level), (event),                                                       \
                    (const struct agent_log_field[]){__VA_ARGS__, {.key = NULL}})

/* ISO 8601 with milliseconds, UTC. */
void agent_time_text(char out[AGENT_TIME_TEXT], int64_t utc_ms);
int64_t agent_time_now_ms(void);   /* UTC by the system's clock */
int64_t agent_time_since_ms(void); /* monotonic */

#endif
