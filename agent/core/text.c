#include "core.h"

/* Text without libc: the core also runs where there is none. */

void agent_text_char(struct agent_text *text, char c)
{
    if (text->len < text->max)
        text->out[text->len++] = c;
}

void agent_text_put(struct agent_text *text, const char *string)
{
    for (; *string; string++)
        agent_text_char(text, *string);
}

/* RFC 8259 section 7: quotation mark, backslash and control characters must be escaped. */
void agent_text_escaped(struct agent_text *text, const char *string)
{
    static const char hex[] = "0123456789abcdef";
    for (; *string; string++) {
        unsigned char c = (unsigned char)*string;
        if (c == '"' || c == '\\') {
            agent_text_char(text, '\\');
            agent_text_char(text, (char)c);
        } else if (c < 0x20) {
            agent_text_put(text, "\\u00");
            agent_text_char(text, hex[c >> 4]);
            agent_text_char(text, hex[c & 15]);
        } else {
            agent_text_char(text, (char)c);
        }
    }
}

/* At least this many digits, padded with zeros. */
void agent_text_number(struct agent_text *text, uint32_t number, uint32_t digits)
{
    char reversed[10];
    uint32_t n = 0;
    do {
        reversed[n++] = (char)('0' + number % 10);
        number /= 10;
    } while (number || (n < digits && n < sizeof reversed));
    while (n)
        agent_text_char(text, reversed[--n]);
}

/*
 * ISO 8601 in UTC with milliseconds. Days become a date by counting from 1 March of year 0 in eras
 * of 400 years (146,097 days), so that the leap day is the last of its year. Times before 1970 read
 * as 1970.
 */
void agent_text_time(struct agent_text *text, int64_t utc_ms)
{
    uint64_t ms = utc_ms > 0 ? (uint64_t)utc_ms : 0;
    uint32_t of_day = (uint32_t)(ms % 86400000);
    uint64_t days = ms / 86400000 + 719468;
    uint32_t era = (uint32_t)(days / 146097), day = (uint32_t)(days % 146097);
    uint32_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
    day -= 365 * year + year / 4 - year / 100;
    uint32_t month = (5 * day + 2) / 153; /* 0 = March */
    agent_text_number(text, era * 400 + year + (month >= 10), 4);
    agent_text_char(text, '-');
    agent_text_number(text, month < 10 ? month + 3 : month - 9, 2);
    agent_text_char(text, '-');
    agent_text_number(text, day - (153 * month + 2) / 5 + 1, 2);
    agent_text_char(text, 'T');
    agent_text_number(text, of_day / 3600000, 2);
    agent_text_char(text, ':');
    agent_text_number(text, of_day / 60000 % 60, 2);
    agent_text_char(text, ':');
    agent_text_number(text, of_day / 1000 % 60, 2);
    agent_text_char(text, '.');
    agent_text_number(text, of_day % 1000, 3);
    agent_text_char(text, 'Z');
}

bool agent_text_equal(const char *a, const char *b)
{
    while (*a && *a == *b) {
        a++;
        b++;
    }
    return *a == *b;
}

/* Copies what fits and pads with NUL, so that records compare and encode by their bytes. */
void agent_text_copy(char *out, uint32_t max, const char *string)
{
    uint32_t n = 0;
    while (n + 1 < max && string[n]) {
        out[n] = string[n];
        n++;
    }
    memset(out + n, 0, max - n);
}
