#include "report.h"
#include <stdarg.h>
#include <string.h>

/* A message is one line: whatever else a scenario holds shows as '?'. */
static void one_line(char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            *text = '?';
}

/* The last message is the error even if warnings filled the list; further warnings are dropped. */
static struct scn_message *message_add(struct scn_messages *messages, bool warning)
{
    const uint32_t room = sizeof messages->message / sizeof messages->message[0];
    if (messages->count == room && warning)
        return NULL;
    if (messages->count == room)
        messages->count--;
    struct scn_message *message = &messages->message[messages->count++];
    message->warning = warning;
    message->text[0] = '\0';
    return message;
}

static void append(struct scn_message *message, const char *fmt, va_list args)
{
    size_t len = strlen(message->text);
    vsnprintf(message->text + len, sizeof message->text - len, fmt, args);
    one_line(message->text);
}

SCN_PRINTF(2, 3) static void appendf(struct scn_message *message, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    append(message, fmt, args);
    va_end(args);
}

static void put_place(struct scn_reader *r, struct scn_message *m, const char *origin, int line,
                      int column)
{
    if (origin)
        appendf(m, "%.120s: ", origin);
    else if (line > 0)
        appendf(m, "%.200s:%d:%d: ", r->file, line, column);
    else
        appendf(m, "%.200s: ", r->file);
}

void scn_path_text(char *out, size_t size, const struct scn_path *path)
{
    out[0] = '\0';
    if (!path)
        return;
    scn_path_text(out, size, path->up);
    size_t len = strlen(out);
    const char *dot = len ? "." : "";
    if (path->key)
        snprintf(out + len, size - len, "%s%s", dot, path->key);
    else
        snprintf(out + len, size - len, "%s%u", dot, path->index);
}

struct scn_spot scn_spot(const char *fmt, ...)
{
    struct scn_spot spot;
    va_list args;
    va_start(args, fmt);
    vsnprintf(spot.text, sizeof spot.text, fmt, args);
    va_end(args);
    return spot;
}

int scn_fail_text(struct scn_reader *r, int code, int line, int column, const char *fmt, ...)
{
    struct scn_message *m = message_add(r->messages, false);
    put_place(r, m, NULL, line, column);
    va_list args;
    va_start(args, fmt);
    append(m, fmt, args);
    va_end(args);
    return code;
}

static void put_path(struct scn_message *m, const struct scn_path *path)
{
    char text[160];
    scn_path_text(text, sizeof text, path);
    if (text[0])
        appendf(m, "%s: ", text);
}

int scn_fail(struct scn_reader *r, const struct scn_path *path, const struct scn_node *node,
             const char *fmt, ...)
{
    struct scn_message *m = message_add(r->messages, false);
    put_place(r, m, node->origin, node->line, node->column);
    put_path(m, path);
    va_list args;
    va_start(args, fmt);
    append(m, fmt, args);
    va_end(args);
    return SCN_EVALUE;
}

int scn_fail_key(struct scn_reader *r, const struct scn_path *path, const struct scn_node *node,
                 const char *fmt, ...)
{
    struct scn_message *m = message_add(r->messages, false);
    put_place(r, m, node->origin, node->key_line, node->key_column);
    put_path(m, path);
    va_list args;
    va_start(args, fmt);
    append(m, fmt, args);
    va_end(args);
    return SCN_EVALUE;
}

static void put_spot(struct scn_reader *r, struct scn_message *m, const struct scn_spot *spot)
{
    const struct scn_node *node = scn_node_near(r->tree, spot->text);
    put_place(r, m, node ? node->origin : NULL, node ? node->line : 0, node ? node->column : 0);
    appendf(m, "%s: ", spot->text);
}

int scn_fail_at(struct scn_reader *r, struct scn_spot spot, const char *fmt, ...)
{
    struct scn_message *m = message_add(r->messages, false);
    put_spot(r, m, &spot);
    va_list args;
    va_start(args, fmt);
    append(m, fmt, args);
    va_end(args);
    return SCN_EVALUE;
}

void scn_warn_at(struct scn_reader *r, struct scn_spot spot, const char *fmt, ...)
{
    struct scn_message *m = message_add(r->messages, true);
    if (!m)
        return;
    put_spot(r, m, &spot);
    va_list args;
    va_start(args, fmt);
    append(m, fmt, args);
    va_end(args);
}

int scn_fail_option(struct scn_reader *r, const char *option, const char *fmt, ...)
{
    struct scn_message *m = message_add(r->messages, false);
    appendf(m, "%.120s: ", option);
    va_list args;
    va_start(args, fmt);
    append(m, fmt, args);
    va_end(args);
    return SCN_EVALUE;
}

int scn_fail_memory(struct scn_reader *r)
{
    return scn_fail_text(r, SCN_EMEMORY, 0, 0, "out of memory");
}
