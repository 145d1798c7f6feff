/*
 * What readers of YAML configurations have in common: the text as a row of calls with their places,
 * values to members, and messages of the form "file:line:column: key: what; accepted: ...". Which
 * keys there are, and where they belong, the caller knows.
 *
 * Everything is owned by the caller and borrowed during a call. NULL is misuse unless a comment
 * allows it.
 */
#ifndef DAEMON_KIT_SETTINGS_H
#define DAEMON_KIT_SETTINGS_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { AGENT_KIT_PATH_MAX = 512 };

/* ---- Messages ---- */

struct agent_kit_place {
    int line, column; /* from 1; line 0: none */
};

/* The file that is read, and where to say what is wrong with it. */
struct agent_kit_source {
    const char *file; /* as given: relative paths in it are relative to its folder */
    char *message;
    size_t message_bytes; /* 512 or more */
};

/* Writes the message, without control characters. Returns -1. key NULL: none is named. */
int agent_kit_fail(const struct agent_kit_source *source, struct agent_kit_place at,
                   const char *key, const char *fmt, va_list args);

/* A file whole, with a NUL behind it that is not counted; free it. NULL with errno; EFBIG: it has
 * more than max bytes. */
char *agent_kit_read_file(const char *path, size_t max, size_t *len);

/* ---- YAML ---- */

/* Each but close returns 0, or -1: the reading ends. One document of mappings, lists and texts;
 * aliases, anchors, tags, directives, control characters and what is not
 * UTF-8 are refused: a configuration needs none. */
struct agent_kit_yaml {
    int (*open)(void *ctx, bool list); /* a list or a mapping begins */
    void (*close)(void *ctx);
    /* A key or a value, less than 1024 bytes; plain: not quoted. */
    int (*text)(void *ctx, const char *text, bool plain);
    int (*refuse)(void *ctx, const char *what); /* writes the message, returns -1 */
    const char *anchor, *tag, *too_long;        /* what is said of those; NULL: the usual */
};

/* Calls the ops for len bytes. *at is the place of what is told, set before each call. 0 or -1. */
int agent_kit_yaml_parse(const struct agent_kit_yaml *yaml, void *ctx, struct agent_kit_place *at,
                         const struct agent_kit_source *source, const char *bytes, size_t len);

/* ---- Values: text to members ---- */

/* A whole number of at most 12 digits; *text is behind it then. */
bool agent_kit_read_number(const char **text, int64_t *out);
bool agent_kit_read_size(const char *text, int64_t *out);        /* bytes: "4096", "4KiB" */
bool agent_kit_read_duration(const char *text, int64_t *out_ms); /* "0", "100ms", "5s", "1d" */

/* Each puts a value into its member. NULL, or what is wrong with it ("is too long"); nothing is
 * written then. */

/* read: whether there is a value; otherwise: what is wrong if not. min, max: within 32 bits. */
const char *agent_kit_put_number(void *member, bool read, int64_t value, int64_t min, int64_t max,
                                 const char *otherwise);
/* bytes: of the member, the NUL included. Control characters are refused. */
const char *agent_kit_put_text(char *member, size_t bytes, bool may_be_empty, const char *text);
/* Of letters, digits and "._-": MQTT's wildcards and separators must not come into a topic. */
const char *agent_kit_put_word(char *member, size_t bytes, bool may_be_empty, const char *text);
/* "info" and so on (daemon_kit/log.h), to a uint32_t. */
const char *agent_kit_put_level(void *member, const char *text);
/* A relative path is put behind the source's folder; an empty text stays empty. */
const char *agent_kit_put_path(char *member, size_t bytes, bool may_be_empty,
                               const struct agent_kit_source *source, const char *text);

#endif
