/* Escapes. */
#include "text.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static int digit(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = c ? strchr(digits, tolower((unsigned char)c)) : NULL;
    return at ? (int)(at - digits) : -1;
}

/* One escape behind its backslash; how many characters of text it took, 0: none of ours. */
static size_t read_escape(char *out, const char *text)
{
    static const char names[] = "rnt\\", means[] = "\r\n\t\\";
    const char *at = *text ? strchr(names, *text) : NULL;
    if (at) {
        *out = means[at - names];
        return 1;
    }
    if (*text != 'x' || digit(text[1]) < 0 || digit(text[2]) < 0)
        return 0;
    *out = (char)(digit(text[1]) * 16 + digit(text[2]));
    return 3;
}

char *rig_cli_text(const char *text, size_t *len)
{
    char *out = malloc(strlen(text) + 2);
    *len = 0;
    while (out && *text) {
        if (*text != '\\') {
            out[(*len)++] = *text++;
            continue;
        }
        size_t took = read_escape(&out[*len], ++text);
        if (!took) {
            free(out);
            return NULL;
        }
        text += took;
        ++*len;
    }
    if (out && (!*len || (out[*len - 1] != '\n' && out[*len - 1] != '\r')))
        out[(*len)++] = '\n';
    return out;
}
