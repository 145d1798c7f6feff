/* One line of the control socket. */
#include "control.h"
#include <string.h>

static const char *const commands[] = {"apply", "retry", "rollback", "ping"};

static bool is_word(const char *line, size_t len, const char *word)
{
    return strlen(word) == len && !memcmp(line, word, len);
}

/* Digits only, at most 32 bits. */
static bool read_seconds(const char *text, size_t len, uint32_t *out)
{
    uint64_t value = 0;
    if (!len || len > 10)
        return false;
    for (size_t i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        value = value * 10 + (uint64_t)(text[i] - '0');
    }
    *out = (uint32_t)value;
    return value <= UINT32_MAX;
}

static const char *parse_defer(struct agent_order *out, const char *rest, size_t len,
                               uint32_t number)
{
    uint32_t seconds;
    if (!read_seconds(rest, len, &seconds))
        return "defer takes a whole number of seconds";
    snprintf(out->json, sizeof out->json,
             "{\"command_id\":\"control-%u\",\"command\":\"defer\",\"defer_s\":%u}", number,
             seconds);
    return NULL;
}

const char *agent_order_parse(struct agent_order *out, const char *line, size_t len,
                              uint32_t number)
{
    static const char defer[] = "defer ";
    memset(out, 0, sizeof *out);
    out->kind = AGENT_ORDER_COMMAND;
    if (len && line[len - 1] == '\r')
        len--;
    if (is_word(line, len, "status")) {
        out->kind = AGENT_ORDER_STATUS;
        return NULL;
    }
    if (len >= sizeof defer - 1 && !memcmp(line, defer, sizeof defer - 1))
        return parse_defer(out, line + sizeof defer - 1, len - (sizeof defer - 1), number);
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (!is_word(line, len, commands[i]))
            continue;
        snprintf(out->json, sizeof out->json, "{\"command_id\":\"control-%u\",\"command\":\"%s\"}",
                 number, commands[i]);
        return NULL;
    }
    return "unknown order; accepted: status, apply, defer SECONDS, retry, rollback, ping";
}
