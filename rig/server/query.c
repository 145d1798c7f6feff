#include "query.h"
#include "rig/server.h"
#include <stdio.h>
#include <string.h>

static const char *const request_name[] = {"on", "off", "reboot"};
enum { KEY_HOSTNAME, KEY_ALIAS, KEY_PORT, KEY_DELAY, KEYS };
static const char *const key_name[KEYS] = {"hostname", "alias", "port", "delay"};

static int hexadecimal(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* One byte of an escaped text; how many were read, 0: it is none, or a control byte. */
static size_t unescape_one(char *out, const char *in, size_t len)
{
    size_t read = 1;
    unsigned value = (unsigned char)*in;
    if (*in == '+') {
        value = ' ';
    } else if (*in == '%') {
        if (len < 3 || hexadecimal(in[1]) < 0 || hexadecimal(in[2]) < 0)
            return 0;
        value = (unsigned)(hexadecimal(in[1]) << 4 | hexadecimal(in[2]));
        read = 3;
    }
    *out = (char)value;
    return value < 0x20 || value == 0x7f ? 0 : read;
}

/* False: too long, or not to be unescaped. */
static bool unescape(char *out, size_t room, const char *in, size_t len)
{
    size_t n = 0;
    for (size_t at = 0; at < len;) {
        if (n + 1 == room)
            return false;
        size_t read = unescape_one(&out[n++], in + at, len - at);
        if (!read)
            return false;
        at += read;
    }
    out[n] = '\0';
    return true;
}

static bool number(uint32_t *out, const char *text)
{
    uint32_t value = 0;
    size_t n = strlen(text);
    if (!n || n > 9)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        value = value * 10 + (uint32_t)(text[i] - '0');
    }
    *out = value;
    return true;
}

/* A value that was unescaped and is not empty. */
static bool take(struct rig_query *q, int key, const char *value, char *message, size_t len)
{
    switch (key) {
    case KEY_HOSTNAME:
        memcpy(q->hostname, value, strlen(value) + 1);
        return true;
    case KEY_ALIAS:
        memcpy(q->alias, value, strlen(value) + 1);
        return true;
    case KEY_PORT:
        q->port_given = number(&q->port, value);
        if (!q->port_given)
            snprintf(message, len, "port: \"%s\" is no number", value);
        return q->port_given;
    default:
        q->delay_given = number(&q->delay_s, value) && q->delay_s <= RIG_SERVER_DELAY_MAX_S;
        if (!q->delay_given)
            snprintf(message, len, "delay: \"%s\" is not accepted; accepted: 0 to %d seconds",
                     value, RIG_SERVER_DELAY_MAX_S);
        return q->delay_given;
    }
}

/* One "key=value"; `seen` has a bit for each key that came before. */
static bool pair(struct rig_query *q, unsigned *seen, const char *text, size_t n, char *message,
                 size_t len)
{
    const char *equals = memchr(text, '=', n);
    char name[16], value[RIG_QUERY_NAME_MAX + 1];
    int key = 0;
    if (!equals || !unescape(name, sizeof name, text, (size_t)(equals - text)))
        return true; /* no key of ours */
    while (key < KEYS && strcmp(name, key_name[key]))
        key++;
    if (key == KEYS || equals + 1 == text + n)
        return true;
    if (*seen & 1u << key) {
        snprintf(message, len, "%s: given twice", name);
        return false;
    }
    *seen |= 1u << key;
    if (!unescape(value, sizeof value, equals + 1, (size_t)(text + n - equals - 1))) {
        snprintf(message, len, "%s: longer than %d bytes, or not readable text", name,
                 RIG_QUERY_NAME_MAX);
        return false;
    }
    return take(q, key, value, message, len);
}

static bool path(struct rig_query *q, const char *text, size_t n)
{
    static const char before[] = "/power/control/";
    const size_t skip = sizeof before - 1;
    if (n < skip || memcmp(text, before, skip))
        return false;
    for (size_t i = 0; i < sizeof request_name / sizeof *request_name; i++)
        if (n - skip == strlen(request_name[i]) &&
            !memcmp(text + skip, request_name[i], n - skip)) {
            q->request = (enum rig_query_request)i;
            return true;
        }
    return false;
}

/* What is there must belong together. */
static bool complete(const struct rig_query *q, char *message, size_t len)
{
    if (*q->alias && (*q->hostname || q->port_given))
        snprintf(message, len, "alias: not together with hostname or port");
    else if (!*q->alias && !*q->hostname)
        snprintf(message, len, "hostname: missing");
    else
        return true;
    return false;
}

enum rig_query_outcome rig_query_parse(struct rig_query *out, const char *target, size_t target_len,
                                       char *message, size_t len)
{
    const char *end = target + target_len, *mark = memchr(target, '?', target_len);
    unsigned seen = 0;
    *out = (struct rig_query){0};
    snprintf(message, len, "%s", "");
    if (!path(out, target, (size_t)((mark ? mark : end) - target)))
        return RIG_QUERY_OTHER_PATH;
    for (const char *at = mark ? mark + 1 : end; at < end;) {
        const char *stop = memchr(at, '&', (size_t)(end - at));
        if (!stop)
            stop = end;
        if (!pair(out, &seen, at, (size_t)(stop - at), message, len))
            return RIG_QUERY_INVALID;
        at = stop + 1;
    }
    return complete(out, message, len) ? RIG_QUERY_TAKEN : RIG_QUERY_INVALID;
}
