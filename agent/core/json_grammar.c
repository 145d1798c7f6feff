/*
 * The grammar of RFC 8259, one pass without recursion. jsmn finds tokens, but lets through missing
 * commas and values, `tru`, `1e`, text after the end, and stops at a NUL as if the text ended
 * there.
 */
#include "agent/agent.h"
#include "json.h"

enum want {
    WANT_KEY,
    WANT_KEY_OR_END,
    WANT_VALUE,
    WANT_VALUE_OR_END,
    WANT_COMMA_OR_END,
    WANT_NOTHING
};

struct reader {
    const uint8_t *at, *end;
    uint32_t depth;
    uint32_t arrays; /* bit d: the container at depth d is an array */
    int error;
};
_Static_assert(AGENT_JSON_DEPTH_MAX <= 32, "one bit for each level");

static bool refuse(struct reader *reader, int error)
{
    reader->error = error;
    return false;
}

static int peek(const struct reader *reader)
{
    return reader->at < reader->end ? *reader->at : -1;
}

static bool take(struct reader *reader, int expected)
{
    if (peek(reader) != expected)
        return false;
    reader->at++;
    return true;
}

static void skip_space(struct reader *reader)
{
    while (peek(reader) == ' ' || peek(reader) == '\t' || peek(reader) == '\n' ||
           peek(reader) == '\r')
        reader->at++;
}

/* One character beyond ASCII, by the table of RFC 3629, section 4: no overlong form, no surrogate.
 */
static bool skip_utf8(struct reader *reader)
{
    static const struct {
        uint8_t first_low, first_high, second_low, second_high, more;
    } rows[] = {{0xc2, 0xdf, 0x80, 0xbf, 0}, {0xe0, 0xe0, 0xa0, 0xbf, 1},
                {0xe1, 0xec, 0x80, 0xbf, 1}, {0xed, 0xed, 0x80, 0x9f, 1},
                {0xee, 0xef, 0x80, 0xbf, 1}, {0xf0, 0xf0, 0x90, 0xbf, 2},
                {0xf1, 0xf3, 0x80, 0xbf, 2}, {0xf4, 0xf4, 0x80, 0x8f, 2}};
    int first = *reader->at++;
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (first < rows[i].first_low || first > rows[i].first_high)
            continue;
        int second = peek(reader);
        if (second < rows[i].second_low || second > rows[i].second_high)
            return false;
        reader->at++;
        for (unsigned more = rows[i].more; more; more--) {
            if (peek(reader) < 0x80 || peek(reader) > 0xbf)
                return false;
            reader->at++;
        }
        return true;
    }
    return false;
}

static bool skip_escape(struct reader *reader)
{
    static const char simple[] = "\"\\/bfnrt";
    reader->at++;
    if (take(reader, 'u')) {
        for (int i = 0; i < 4; i++, reader->at++) {
            int c = peek(reader);
            if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')))
                return false;
        }
        return true;
    }
    for (const char *c = simple; *c; c++) {
        if (take(reader, *c))
            return true;
    }
    return false;
}

static bool skip_string(struct reader *reader)
{
    if (!take(reader, '"'))
        return false;
    for (;;) {
        int c = peek(reader);
        if (c < 0x20)
            return false;
        if (c == '\\') {
            if (!skip_escape(reader))
                return false;
        } else if (c >= 0x80) {
            if (!skip_utf8(reader))
                return false;
        } else {
            reader->at++;
            if (c == '"')
                return true;
        }
    }
}

static bool skip_digits(struct reader *reader)
{
    const uint8_t *start = reader->at;
    while (peek(reader) >= '0' && peek(reader) <= '9')
        reader->at++;
    return reader->at > start;
}

static bool skip_number(struct reader *reader)
{
    take(reader, '-');
    if (!take(reader, '0') && !skip_digits(reader))
        return false;
    if (take(reader, '.') && !skip_digits(reader))
        return false;
    if (take(reader, 'e') || take(reader, 'E')) {
        if (!take(reader, '+'))
            take(reader, '-');
        return skip_digits(reader);
    }
    return true;
}

static bool skip_word(struct reader *reader, const char *word)
{
    while (*word) {
        if (!take(reader, *word++))
            return false;
    }
    return true;
}

static bool skip_scalar(struct reader *reader)
{
    switch (peek(reader)) {
    case '"':
        return skip_string(reader);
    case 't':
        return skip_word(reader, "true");
    case 'f':
        return skip_word(reader, "false");
    case 'n':
        return skip_word(reader, "null");
    default:
        return skip_number(reader);
    }
}

static bool in_array(const struct reader *reader)
{
    return reader->arrays >> (reader->depth - 1) & 1u;
}

static enum want after_value(const struct reader *reader)
{
    return reader->depth ? WANT_COMMA_OR_END : WANT_NOTHING;
}

static bool read_value(struct reader *reader, enum want *want)
{
    bool array = peek(reader) == '[';
    if (!array && peek(reader) != '{') {
        *want = after_value(reader);
        return skip_scalar(reader);
    }
    if (reader->depth == AGENT_JSON_DEPTH_MAX)
        return refuse(reader, AGENT_ERANGE);
    reader->at++;
    uint32_t bit = 1u << reader->depth++;
    reader->arrays = array ? reader->arrays | bit : reader->arrays & ~bit;
    *want = array ? WANT_VALUE_OR_END : WANT_KEY_OR_END;
    return true;
}

static bool read_key(struct reader *reader, enum want *want)
{
    if (!skip_string(reader))
        return false;
    skip_space(reader);
    *want = WANT_VALUE;
    return take(reader, ':');
}

/* One step of the grammar: what is wanted decides what may come, and what is wanted next. */
static bool read_step(struct reader *reader, enum want *want)
{
    bool may_end =
        *want == WANT_KEY_OR_END || *want == WANT_VALUE_OR_END || *want == WANT_COMMA_OR_END;
    if (may_end && take(reader, in_array(reader) ? ']' : '}')) {
        reader->depth--;
        *want = after_value(reader);
        return true;
    }
    switch (*want) {
    case WANT_KEY:
    case WANT_KEY_OR_END:
        return read_key(reader, want);
    case WANT_VALUE:
    case WANT_VALUE_OR_END:
        return read_value(reader, want);
    case WANT_COMMA_OR_END:
        *want = in_array(reader) ? WANT_VALUE : WANT_KEY;
        return take(reader, ',');
    default:
        return false;
    }
}

int agent_json_check(const char *text, uint32_t len)
{
    const uint8_t *bytes = (const uint8_t *)text;
    struct reader reader = {bytes, bytes + len, 0, 0, AGENT_EFORMAT};
    enum want want = WANT_VALUE;
    skip_space(&reader);
    if (peek(&reader) != '{')
        return AGENT_EFORMAT;
    while (want != WANT_NOTHING) {
        if (!read_step(&reader, &want))
            return reader.error;
        skip_space(&reader);
    }
    return reader.at == reader.end ? AGENT_OK : AGENT_EFORMAT;
}
