/*
 * Semantic versions. Numbers are compared as digit strings (the longer one is larger, since leading
 * zeroes are refused), so a version of any length is ordered without overflow.
 */
#include "agent/agent.h"
#include <stddef.h>

/* Dot-separated parts without the dots: [at, end). */
struct version_text {
    const char *core, *core_end;
    const char *pre, *pre_end; /* pre == pre_end: a release */
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_identifier_char(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
}

static const char *identifier_end(const char *at)
{
    while (is_identifier_char(*at))
        at++;
    return at;
}

static bool is_numeric(const char *at, const char *end)
{
    while (at < end && is_digit(*at))
        at++;
    return at == end;
}

/* Non-empty and, for a number, without leading zeroes (semver.org 2, 9). */
static bool is_identifier(const char *at, const char *end, bool zeroes_allowed)
{
    if (at == end)
        return false;
    return zeroes_allowed || *at != '0' || end - at == 1 || !is_numeric(at, end);
}

/* The end of a dotted list of identifiers, NULL when one of them is none. */
static const char *identifiers_end(const char *at, bool zeroes_allowed)
{
    for (;;) {
        const char *end = identifier_end(at);
        if (!is_identifier(at, end, zeroes_allowed))
            return NULL;
        if (*end != '.')
            return end;
        at = end + 1;
    }
}

/* Three numbers; NULL when they are not. */
static const char *core_end(const char *at)
{
    for (int part = 0; part < 3; part++) {
        const char *start = at;
        while (is_digit(*at))
            at++;
        if (!is_identifier(start, at, false) || (part < 2 && *at++ != '.'))
            return NULL;
    }
    return at;
}

static bool version_read(struct version_text *out, const char *text)
{
    const char *at = core_end(text);
    if (!at)
        return false;
    out->core = text;
    out->core_end = out->pre = out->pre_end = at;
    if (*at == '-') {
        out->pre = at + 1;
        out->pre_end = at = identifiers_end(out->pre, false);
    }
    if (at && *at == '+')
        at = identifiers_end(at + 1, true);
    return at && *at == '\0';
}

static int sign(ptrdiff_t value)
{
    return (value > 0) - (value < 0);
}

/* One identifier against another (semver.org 11.4): numbers by value and below words, words by
 * byte. */
static int compare_identifier(const char *a, const char *a_end, const char *b, const char *b_end)
{
    bool a_numeric = is_numeric(a, a_end), b_numeric = is_numeric(b, b_end);
    if (a_numeric != b_numeric)
        return a_numeric ? -1 : 1;
    if (a_numeric && a_end - a != b_end - b)
        return sign((a_end - a) - (b_end - b));
    for (; a < a_end && b < b_end; a++, b++) {
        if (*a != *b)
            return sign(*a - *b);
    }
    return sign((a_end - a) - (b_end - b));
}

/* Dotted lists that are not empty; of two that begin alike the longer one is larger. */
static int compare_list(const char *a, const char *a_end, const char *b, const char *b_end)
{
    for (;;) {
        const char *a_next = identifier_end(a), *b_next = identifier_end(b);
        /* A "-" ends the core's last number, but is a letter of an identifier. */
        a_next = a_next > a_end ? a_end : a_next;
        b_next = b_next > b_end ? b_end : b_next;
        int order = compare_identifier(a, a_next, b, b_next);
        if (order)
            return order;
        if (a_next == a_end || b_next == b_end)
            return (b_next == b_end) - (a_next == a_end);
        a = a_next + 1;
        b = b_next + 1;
    }
}

int agent_version_compare(int *out, const char *a, const char *b)
{
    struct version_text left, right;
    *out = 0;
    if (!version_read(&left, a) || !version_read(&right, b))
        return AGENT_ERANGE;
    *out = compare_list(left.core, left.core_end, right.core, right.core_end);
    if (*out)
        return AGENT_OK;
    bool left_release = left.pre == left.pre_end, right_release = right.pre == right.pre_end;
    if (left_release || right_release)
        *out = left_release - right_release;
    else
        *out = compare_list(left.pre, left.pre_end, right.pre, right.pre_end);
    return AGENT_OK;
}
