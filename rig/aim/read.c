/*
 * Aims out of text:
 *
 *     aim      = "/" regex "/+" ( moment | "random " window ) | "random " window
 *     moment   = duration | window "/" duration
 *     window   = duration ".." duration
 *     duration = digits ( "us" | "ms" | "s" | "m" | "h" )
 *
 * The expression ends at the first '/' that has no '\' before it, and is PCRE2's.
 */
#include "rig/aim.h"
#include "rig/console.h"
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int64_t us_max = INT64_C(24) * 3600 * 1000000;
static const char accepted[] = "\"/regex/+5ms\", \"/regex/+0ms..200ms/5ms\", \"/regex/+random "
                               "0ms..2s\" or \"random 0ms..2s\"";

struct reader {
    const char *text, *at;
    char *message;
    size_t len;
};

__attribute__((format(printf, 2, 3))) static int fail(const struct reader *reader,
                                                      const char *format, ...)
{
    char what[320];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    snprintf(reader->message, reader->len, "aim \"%.100s\", column %zu: %s; accepted: %s",
             reader->text, (size_t)(reader->at - reader->text) + 1, what, accepted);
    return -1;
}

static bool take(struct reader *reader, const char *word)
{
    size_t len = strlen(word);
    if (strncmp(reader->at, word, len))
        return false;
    reader->at += len;
    return true;
}

/* Longer names first: "ms" is no "m". 0: none. */
static int64_t unit_us(struct reader *reader)
{
    return take(reader, "us")   ? 1
           : take(reader, "ms") ? 1000
           : take(reader, "s")  ? 1000000
           : take(reader, "m")  ? 60 * INT64_C(1000000)
           : take(reader, "h")  ? 3600 * INT64_C(1000000)
                                : 0;
}

static int read_duration(struct reader *reader, int64_t *out_us)
{
    const char *from = reader->at;
    int64_t number = 0;
    for (; *reader->at >= '0' && *reader->at <= '9'; reader->at++)
        if (number <= us_max) /* then it is too long in any unit */
            number = number * 10 + (*reader->at - '0');
    if (reader->at == from)
        return fail(reader, "a duration is missing, as 5ms");
    int64_t factor = unit_us(reader);
    if (!factor)
        return fail(reader, "a duration needs a unit: us, ms, s, m or h");
    if (number > us_max / factor) {
        reader->at = from;
        return fail(reader, "longer than 24h");
    }
    *out_us = number * factor;
    return 0;
}

static int read_window(struct reader *reader, struct rig_aim *out)
{
    const char *from = reader->at;
    if (read_duration(reader, &out->from_us))
        return -1;
    if (!take(reader, ".."))
        return fail(reader, "a window needs an end, as 0ms..2s");
    if (read_duration(reader, &out->to_us))
        return -1;
    if (out->to_us >= out->from_us)
        return 0;
    reader->at = from;
    return fail(reader, "the window ends before it begins");
}

static int read_sweep(struct reader *reader, struct rig_aim *out)
{
    out->kind = RIG_AIM_SWEEP;
    if (read_window(reader, out))
        return -1;
    if (!take(reader, "/"))
        return fail(reader, "a sweep needs a step, as 0ms..200ms/5ms");
    const char *from = reader->at;
    if (read_duration(reader, &out->step_us))
        return -1;
    if (out->step_us > 0)
        return 0;
    reader->at = from;
    return fail(reader, "a step of 0");
}

static int read_moment(struct reader *reader, struct rig_aim *out)
{
    if (take(reader, "random ")) {
        out->kind = RIG_AIM_RANDOM;
        return read_window(reader, out);
    }
    const char *from = reader->at;
    if (read_duration(reader, &out->from_us))
        return -1;
    out->kind = RIG_AIM_MARKER;
    out->to_us = out->from_us;
    if (strncmp(reader->at, "..", 2))
        return 0;
    reader->at = from;
    return read_sweep(reader, out);
}

static int read_pattern(struct reader *reader, struct rig_aim *out)
{
    const char *from = reader->at, *end = from;
    char why[200];
    while (*end && *end != '/')
        end += end[0] == '\\' && end[1] ? 2 : 1;
    if (end == from)
        return fail(reader, "the expression is %s", *end ? "empty" : "missing");
    if (!*end) {
        reader->at = end;
        return fail(reader, "the expression has no end: a second '/' is missing");
    }
    char *pattern = strndup(from, (size_t)(end - from));
    out->pattern = pattern;
    if (!pattern)
        return fail(reader, "no memory");
    if (rig_marker_check(pattern, why, sizeof why))
        return fail(reader, "%s", why);
    reader->at = end + 1;
    return 0;
}

static int read_all(struct reader *reader, struct rig_aim *out)
{
    if (take(reader, "/")) {
        if (read_pattern(reader, out))
            return -1;
        if (!take(reader, "+"))
            return fail(reader, "'+' and a delay belong behind the expression");
        if (read_moment(reader, out))
            return -1;
    } else if (!take(reader, "random ")) {
        return fail(reader, "neither an expression nor a random time");
    } else {
        out->kind = RIG_AIM_RANDOM;
        if (read_window(reader, out))
            return -1;
    }
    return *reader->at ? fail(reader, "something more") : 0;
}

int rig_aim_read(struct rig_aim *out, const char *text, char *message, size_t len)
{
    assert(out && text && message);
    struct reader reader = {.text = text, .at = text, .message = message, .len = len};
    *out = (struct rig_aim){.kind = RIG_AIM_MARKER};
    int failed = read_all(&reader, out);
    if (failed) {
        rig_aim_free(out);
        *out = (struct rig_aim){.kind = RIG_AIM_MARKER};
    }
    return failed;
}

void rig_aim_free(struct rig_aim *aim)
{
    assert(aim);
    free((char *)aim->pattern);
    aim->pattern = NULL;
}
