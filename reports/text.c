/* Cleaning and writing of text: see rep/text.h. */
#include "rep/text.h"

#include <stdio.h>
#include <string.h>

static const uint32_t replacement = 0xFFFD;

/* RFC 3629 section 4: the shortest form only, no surrogates, nothing above U+10FFFF. */
uint32_t rep_text_next(const char **at, const char *end)
{
    const unsigned char *p = (const unsigned char *)*at;
    size_t left = (size_t)(end - *at);
    if (!left || !*p)
        return 0;
    size_t extra = *p < 0x80 ? 0 : *p >= 0xF0 ? 3 : *p >= 0xE0 ? 2 : 1;
    static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
    static const uint32_t mask[] = {0x7F, 0x1F, 0x0F, 0x07};
    ++*at;
    if ((*p >= 0x80 && *p < 0xC2) || *p > 0xF4 || extra >= left)
        return replacement;
    uint32_t code = *p & mask[extra];
    for (size_t i = 1; i <= extra; i++) {
        if ((p[i] & 0xC0) != 0x80)
            return replacement;
        code = code << 6 | (p[i] & 0x3F);
    }
    if (code < least[extra] || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF))
        return replacement;
    *at += extra;
    return code;
}

size_t rep_text_append(char *to, size_t used, size_t room, uint32_t code)
{
    size_t extra = code < 0x80 ? 0 : code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    static const uint32_t lead[] = {0, 0xC0, 0xE0, 0xF0};
    if (used + extra + 1 > room)
        return used;
    to[used] = (char)(lead[extra] | code >> (6 * extra));
    for (size_t i = 1; i <= extra; i++)
        to[used + i] = (char)(0x80 | (code >> (6 * (extra - i)) & 0x3F));
    return used + extra + 1;
}

uint32_t rep_text_fit(uint32_t code, enum rep_text_form form)
{
    bool control = code < 0x20 || (code >= 0x7F && code < 0xA0);
    if (form == REP_TEXT_LINE)
        return control ? '?' : code;
    bool xml = (code >= 0x20 && code < 0xFFFE) || code == '\t' || code == '\n' || code == '\r' ||
               code > 0xFFFF;
    return form == REP_TEXT_XML && !xml ? replacement : code;
}

void rep_text_clean(char *to, size_t room, const char *from, size_t from_bytes,
                    enum rep_text_form form)
{
    const char *end = from + strnlen(from, from_bytes);
    size_t used = 0;
    uint32_t code;
    while ((code = rep_text_next(&from, end)) != 0)
        used = rep_text_append(to, used, room - 1, rep_text_fit(code, form));
    to[used] = 0;
}

void rep_text_ratio(char *to, size_t room, int64_t k, int64_t n, bool percent)
{
    if (n <= 0) {
        snprintf(to, room, "no data");
        return;
    }
    uint64_t size = k < 0 ? 0 - (uint64_t)k : (uint64_t)k;
    unsigned unit = percent ? 100 : 1000;
    unsigned __int128 value = (unsigned __int128)size * (percent ? 10000 : 1000) / (uint64_t)n;
    uint64_t whole = value / unit > UINT64_MAX ? UINT64_MAX : (uint64_t)(value / unit);
    snprintf(to, room, "%s%llu.%0*u%s", k < 0 ? "-" : "", (unsigned long long)whole,
             percent ? 2 : 3, (unsigned)(value % unit), percent ? "%" : "");
}

void rep_text_time(char *to, size_t room, int64_t seconds)
{
    if (seconds < 0)
        snprintf(to, room, "-");
    else
        snprintf(to, room, "%lldd %02lld:%02lld", (long long)(seconds / 86400),
                 (long long)(seconds / 3600 % 24), (long long)(seconds / 60 % 60));
}

void rep_text_bytes(char *to, size_t room, uint64_t bytes)
{
    static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB", "PiB"};
    size_t unit = 0;
    uint64_t scale = 1;
    while (unit < 5 && bytes / scale >= 1024) {
        scale *= 1024;
        unit++;
    }
    if (!unit)
        snprintf(to, room, "%llu bytes", (unsigned long long)bytes);
    else
        snprintf(to, room, "%llu.%llu %s", (unsigned long long)(bytes / scale),
                 (unsigned long long)(bytes % scale / (scale / 1024) * 10 / 1024), units[unit]);
}
