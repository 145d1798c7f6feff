/* Values of JSON tokens, from text that agent_json_check has accepted. */
#include "agent/agent.h"
#include "json.h"

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The code unit of "\uXXXX" at an offset, or 0 if there is none. */
static uint32_t code_unit(struct agent_json_bytes string, uint32_t at)
{
    uint32_t unit = 0;
    if (string.len < 6 || at > string.len - 6 || string.at[at] != '\\' || string.at[at + 1] != 'u')
        return 0;
    for (uint32_t i = at + 2; i < at + 6; i++)
        unit = unit << 4 | (uint32_t)hex_digit(string.at[i]);
    return unit;
}

/* The character of "\uXXXX", or of two of them that are a surrogate pair; 0: none that may be
 * stored. */
static uint32_t unicode_escape(struct agent_json_bytes string, uint32_t *at)
{
    uint32_t high = code_unit(string, *at);
    *at += 6;
    if (high < 0xd800 || high > 0xdfff)
        return high;
    uint32_t low = code_unit(string, *at);
    *at += 6;
    if (high > 0xdbff || low < 0xdc00 || low > 0xdfff)
        return 0;
    return 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
}

/* RFC 3629, section 3. Returns the number of bytes. */
static uint32_t utf8_encode(char out[4], uint32_t code)
{
    uint8_t more = code < 0x80 ? 0 : code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    static const uint8_t lead[4] = {0, 0xc0, 0xe0, 0xf0};
    out[0] = (char)(lead[more] | code >> (6 * more));
    for (uint32_t i = 1; i <= more; i++)
        out[i] = (char)(0x80 | (code >> (6 * (more - i)) & 0x3f));
    return more + 1u;
}

static uint32_t simple_escape(char c)
{
    switch (c) {
    case 'b':
        return '\b';
    case 'f':
        return '\f';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    default:
        return (uint32_t)c;
    }
}

/* The next character as UTF-8, of 1 to 4 bytes; 0 when it is one that can't be stored. */
static uint32_t next_char(char out[4], struct agent_json_bytes string, uint32_t *at)
{
    if (string.at[*at] != '\\') {
        out[0] = string.at[(*at)++];
        return 1;
    }
    uint32_t code;
    if (string.at[*at + 1] == 'u') {
        code = unicode_escape(string, at);
    } else {
        code = simple_escape(string.at[*at + 1]);
        *at += 2;
    }
    return code ? utf8_encode(out, code) : 0;
}

bool agent_json_equals(struct agent_json_bytes string, const char *expected)
{
    for (uint32_t at = 0; at < string.len;) {
        char bytes[4];
        uint32_t count = next_char(bytes, string, &at);
        if (!count)
            return false;
        for (uint32_t i = 0; i < count; i++) {
            if (*expected == '\0' || *expected++ != bytes[i])
                return false;
        }
    }
    return *expected == '\0';
}

int agent_json_text(char *out, uint32_t max, struct agent_json_bytes string)
{
    uint32_t used = 0;
    for (uint32_t at = 0; at < string.len;) {
        char bytes[4];
        uint32_t count = next_char(bytes, string, &at);
        /* An escaped control character has no place in an id, a version or a URL. */
        if (!count || used + count >= max || (uint8_t)bytes[0] < 0x20 || bytes[0] == 0x7f)
            return AGENT_ERANGE;
        for (uint32_t i = 0; i < count; i++)
            out[used++] = bytes[i];
    }
    out[used] = '\0';
    return AGENT_OK;
}

int agent_json_u32(uint32_t *out, uint32_t min, struct agent_json_bytes number)
{
    uint64_t value = 0;
    for (uint32_t i = 0; i < number.len; i++) {
        if (number.at[i] < '0' || number.at[i] > '9')
            return AGENT_ERANGE;
        value = value * 10 + (uint64_t)(number.at[i] - '0');
        if (value > UINT32_MAX)
            return AGENT_ERANGE;
    }
    if (value < min)
        return AGENT_ERANGE;
    *out = (uint32_t)value;
    return AGENT_OK;
}

int agent_json_hex(uint8_t *out, uint32_t max, uint32_t *out_bytes, struct agent_json_bytes string)
{
    if (string.len == 0 || string.len % 2 || string.len / 2 > max)
        return AGENT_ERANGE;
    for (uint32_t i = 0; i < string.len / 2; i++) {
        int high = hex_digit(string.at[2 * i]), low = hex_digit(string.at[2 * i + 1]);
        if (high < 0 || low < 0)
            return AGENT_ERANGE;
        out[i] = (uint8_t)(high << 4 | low);
    }
    *out_bytes = string.len / 2;
    return AGENT_OK;
}
