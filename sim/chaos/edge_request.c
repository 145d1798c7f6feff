/* RFC 9112 (message syntax) and RFC 9110 section 14 (ranges), as far as GET and HEAD need them. */
#include "edge_request.h"
#include <string.h>
#include <strings.h>

enum { DIGITS_MAX = 18 };

struct text {
    const char *at;
    size_t len;
};

static bool is(struct text text, const char *word)
{
    return text.len == strlen(word) && !strncasecmp(text.at, word, text.len);
}

static bool begins(struct text text, const char *word)
{
    size_t len = strlen(word);
    return text.len >= len && !strncasecmp(text.at, word, len);
}

static struct text behind(struct text text, size_t len)
{
    return (struct text){text.at + len, text.len - len};
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static struct text trimmed(struct text text)
{
    while (text.len && is_blank(text.at[0]))
        text = behind(text, 1);
    while (text.len && is_blank(text.at[text.len - 1]))
        text.len--;
    return text;
}

/* The part before the first `border`, which is taken off the front of *rest with it. False: there
 * is no border. */
static bool cut(struct text *out, struct text *rest, char border)
{
    const char *at = rest->len ? memchr(rest->at, border, rest->len) : NULL;
    if (!at)
        return false;
    *out = (struct text){rest->at, (size_t)(at - rest->at)};
    *rest = behind(*rest, out->len + 1);
    return true;
}

/* One line without its end; CR is optional (RFC 9112, 2.2). */
static bool cut_line(struct text *out, struct text *rest)
{
    if (!cut(out, rest, '\n'))
        return false;
    if (out->len && out->at[out->len - 1] == '\r')
        out->len--;
    return true;
}

static bool is_token(struct text text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.at[i] <= ' ' || text.at[i] >= 0x7F || strchr("\"(),/:;<=>?@[\\]{}", text.at[i]))
            return false;
    return text.len > 0;
}

static int parse_target(struct edge_request *out, struct text target)
{
    bool absolute = begins(target, "https://") || begins(target, "http://");
    if (absolute) {
        target = behind(target, begins(target, "https://") ? 8 : 7);
        while (target.len && target.at[0] != '/')
            target = behind(target, 1);
    }
    if (!target.len || target.at[0] != '/')
        return -400;
    size_t len = 0;
    for (; len < target.len && target.at[len] != '?' && target.at[len] != '#'; len++)
        if (target.at[len] <= ' ' || target.at[len] >= 0x7F)
            return -400;
    if (len >= sizeof out->path)
        return -414;
    memcpy(out->path, target.at, len);
    return 0;
}

static int parse_request_line(struct edge_request *out, struct text line)
{
    struct text method, target;
    if (!cut(&method, &line, ' ') || !cut(&target, &line, ' ') || !is_token(method))
        return -400;
    if (!begins(line, "HTTP/"))
        return -400;
    if (!is(line, "HTTP/1.1") && !is(line, "HTTP/1.0"))
        return -505;
    out->keep_alive = is(line, "HTTP/1.1");
    out->head_only = method.len == 4 && !memcmp(method.at, "HEAD", 4);
    if (!out->head_only && (method.len != 3 || memcmp(method.at, "GET", 3) != 0))
        return -405;
    return parse_target(out, target);
}

/* All of text as digits. */
static bool number(uint64_t *out, struct text text)
{
    *out = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] < '0' || text.at[i] > '9')
            return false;
        *out = *out * 10 + (uint64_t)(text.at[i] - '0');
    }
    return text.len > 0 && text.len <= DIGITS_MAX;
}

static void parse_range(struct edge_request *out, struct text value)
{
    struct text first;
    out->range = EDGE_WHOLE;
    if (!begins(value, "bytes=") || value.len > 64)
        return;
    value = behind(value, 6);
    if (!cut(&first, &value, '-'))
        return;
    if (!first.len && number(&out->first, value))
        out->range = EDGE_LAST;
    else if (number(&out->first, first) && !value.len)
        out->range = EDGE_FROM;
    else if (number(&out->first, first) && number(&out->last, value) && out->first <= out->last)
        out->range = EDGE_FROM_TO;
}

static int parse_host(struct edge_request *out, struct text value)
{
    if (out->host[0] || !value.len || value.len >= sizeof out->host)
        return -400;
    for (size_t i = 0; i < value.len; i++) {
        char c = value.at[i], lower = (char)(c | 0x20);
        bool letter = lower >= 'a' && lower <= 'z';
        if (!letter && !(c >= '0' && c <= '9') && (!c || !strchr(".-_:[]", c)))
            return -400;
    }
    memcpy(out->host, value.at, value.len);
    return 0;
}

static void parse_connection(struct edge_request *out, struct text value)
{
    struct text option = value;
    while (cut(&option, &value, ',')) {
        if (is(trimmed(option), "close"))
            out->keep_alive = false;
    }
    if (is(trimmed(value), "close"))
        out->keep_alive = false;
}

static int parse_header(struct edge_request *out, struct text line)
{
    struct text name;
    if (!cut(&name, &line, ':') || !is_token(name))
        return -400; /* folded lines (RFC 9112, 5.2) too */
    struct text value = trimmed(line);
    if (is(name, "host"))
        return parse_host(out, value);
    if (is(name, "range"))
        parse_range(out, value);
    else if (is(name, "connection"))
        parse_connection(out, value);
    else if (is(name, "transfer-encoding") || (is(name, "content-length") && !is(value, "0")))
        return -413; /* no request with a body is served */
    return 0;
}

static int parse_headers(struct edge_request *out, struct text rest)
{
    bool needs_host = out->keep_alive; /* by its version: RFC 9112, 3.2 */
    struct text line;
    while (cut_line(&line, &rest) && line.len) {
        int error = parse_header(out, line);
        if (error)
            return error;
    }
    return needs_host && !out->host[0] ? -400 : 0;
}

/* Length of all up to the empty line with it, 0: it is not there. Empty lines before the request
 * line belong to the head (RFC 9112, 2.2). */
static size_t head_length(struct text text)
{
    struct text rest = text, line;
    bool begun = false;
    while (cut_line(&line, &rest)) {
        if (begun && !line.len)
            return text.len - rest.len;
        begun = begun || line.len;
    }
    return 0;
}

int edge_request_parse(struct edge_request *out, const char *bytes, size_t len)
{
    struct text text = {bytes, len < EDGE_REQUEST_BYTES ? len : EDGE_REQUEST_BYTES};
    *out = (struct edge_request){0};
    text.len = head_length(text);
    if (!text.len)
        return len >= EDGE_REQUEST_BYTES ? -431 : 0;
    if (memchr(text.at, 0, text.len))
        return -400;
    struct text rest = text, line = {0};
    while (!line.len && cut_line(&line, &rest))
        ;
    int error = parse_request_line(out, line);
    if (!error)
        error = parse_headers(out, rest);
    return error ? error : (int)text.len;
}
